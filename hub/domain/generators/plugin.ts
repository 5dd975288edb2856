import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { FieldReader, type JsonObject } from "../document.ts";
import { flattened, type Params } from "../params.ts";
import type { ProblemDraft } from "../problem.ts";
import type { Labels } from "../records.ts";
import type { RemoteFact } from "../remote-facts.ts";
import { decodeJson } from "../template/json.ts";
import { goValueOf, isGoList, isGoMap, type GoValue } from "../template/value.ts";
import { generatorFailure, within, type Generation, type GeneratorContext } from "./context.ts";
import { remoteFact } from "./remote.ts";
import { readValues, withValues } from "./values.ts";

/** `plugin`: one set of params per object that a service of the author's own answers. */
export function pluginParams(
  body: JsonObject,
  path: string,
  context: GeneratorContext,
): Generation {
  const fields = new FieldReader(body, path);
  const input = fields.inside("input").object("parameters");
  const configMapName = fields.inside("configMapRef").text("name");
  if (fields.problems.length > 0) return generatorFailure(fields.problems.join("; "));
  const values = readValues(body, path);
  if (!values.ok) return values;
  const fact = remoteFact("plugin", "plugin", body, path, context);
  if (!fact.ok) return fact;
  if (fact.value.kind === "failed")
    return generatorFailure(`error listing params: ${fact.value.message}`);
  const asked = pluginRequest(fact.value, configMapName);
  if (!asked.ok) return within("error getting plugin from generator", asked.problem);
  const answered = pluginOutput(fact.value, context.set);
  if (!answered.ok) return answered;
  const echoed = new Map<string, GoValue>([
    ["input", new Map([["parameters", goValueOf(input ?? {})]])],
  ]);
  const sets = answered.value.map((object): Params => {
    const params = context.templates.goTemplate
      ? new Map(object)
      : new Map<string, GoValue>(flattened(object));
    return params.set("generator", echoed);
  });
  return withValues(sets, values.value, context);
}

type PluginFact = Extract<RemoteFact, { readonly kind: "plugin" }>;

/** Where a plugin is, and the name of its token: `$key` is of Argo CD's own Secret, `$secret:key` of another. */
function pluginRequest(
  { configMap, secrets }: PluginFact,
  name: string,
): Result<{ readonly baseUrl: string; readonly token: string }, ProblemDraft> {
  if (configMap === undefined)
    return generatorFailure(
      `error fetching ConfigMap: configmaps ${JSON.stringify(name)} not found`,
    );
  const { baseUrl, token } = configMap;
  if (baseUrl === undefined) return missing("baseUrl");
  if (token === undefined) return missing("token");
  if (!token.startsWith("$"))
    return generatorFailure(
      "error fetching Secret token: token is empty, or does not reference a secret key starting with '$'",
    );
  const [first = "", second] = token.slice(1).split(":", 2);
  const [secret, key] = second === undefined ? ["argocd-secret", first] : [first, second];
  const held: Labels | undefined = secrets.get(secret);
  if (held === undefined)
    return generatorFailure(
      `error fetching Secret token: error fetching secret default/${secret}: secrets ${JSON.stringify(secret)} not found`,
    );
  const value = Object.hasOwn(held, key) ? held[key] : undefined;
  return value === undefined
    ? generatorFailure(
        `error fetching Secret token: key ${JSON.stringify(key)} not found in secret default/${secret}`,
      )
    : ok({ baseUrl, token: value });
}

const missing = (key: string): Result<never, ProblemDraft> =>
  generatorFailure(`error fetching ConfigMap: ${key} not found in ConfigMap`);

type GoObjects = readonly ReadonlyMap<string, GoValue>[];

/** The objects under `output.parameters` of the answer. */
function pluginOutput({ response }: PluginFact, set: string): Result<GoObjects, ProblemDraft> {
  const refused = (reason: string): Result<never, ProblemDraft> =>
    generatorFailure(`error listing params: error get api '${set}': ${reason}`);
  if (response === undefined) return refused("it was not asked");
  const { status, body } = response;
  const decoded = decodeJson(body);
  if (status < 200 || status > 299)
    return refused(`API error with status code ${status}: ${complaint(decoded, body)}`);
  if (!decoded.ok) return refused(`${decoded.problem}: ${body}`);
  const objects = goObjects(under(under(decoded.value, "output"), "parameters"));
  return objects.ok ? objects : refused(`${objects.problem}: ${body}`);
}

const under = (value: GoValue, key: string): GoValue =>
  isGoMap(value) ? value.get(key) : undefined;

function goObjects(value: GoValue): Result<GoObjects, string> {
  if (value === undefined || value === null) return ok([]);
  if (!isGoList(value)) return fail("output.parameters must be a list of objects");
  const objects = value.filter(isGoMap);
  return objects.length === value.length
    ? ok(objects)
    : fail("output.parameters must be a list of objects");
}

function complaint(decoded: Result<GoValue, string>, body: string): string {
  if (!decoded.ok) return body;
  for (const key of ["message", "error"]) {
    const text = under(decoded.value, key);
    if (typeof text === "string" && text !== "") return text;
  }
  return body;
}
