import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { FieldReader, type JsonObject } from "../document.ts";
import { flattened, type Params } from "../params.ts";
import type { ProblemDraft } from "../problem.ts";
import type { RemoteFact } from "../remote-facts.ts";
import { decodeFirstJson, decodeJson } from "../template/json.ts";
import { goQuote } from "../template/print.ts";
import { isGoList, isGoMap, type GoMap, type GoValue } from "../template/value.ts";
import { generatorFailure, type ParamsResult, type GeneratorContext } from "./context.ts";
import { pluginInput } from "./plugin-input.ts";
import { remoteFact } from "./remote.ts";
import { readValues, withValues } from "./values.ts";

/** `plugin`: one set of params per object that a service of the author's own answers. */
export function pluginParams(
  body: JsonObject,
  path: string,
  context: GeneratorContext,
): ParamsResult {
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
  const unasked = requestFlaw(fact.value, configMapName);
  if (unasked !== undefined)
    return generatorFailure(`error getting plugin from generator: ${unasked}`);
  const answered = pluginOutput(fact.value, context.set);
  if (!answered.ok) return answered;
  const { goTemplate } = context.templates;
  const echoed = new Map([["input", pluginInput(input, goTemplate)]]);
  const sets = answered.value.map((object): Params => {
    const params = goTemplate ? new Map(object) : new Map<string, GoValue>(flattened(object));
    return params.set("generator", echoed);
  });
  return withValues(sets, values.value, context, () => "error generating params");
}

type PluginFact = Extract<RemoteFact, { readonly kind: "plugin" }>;

/**
 * Why a plugin cannot be asked, or `undefined`. The ConfigMap names its token: `$key` is of Argo CD's own Secret,
 * `$secret:key` of another. A key that is not in its Secret is a wrong token, and the plugin's to refuse.
 */
function requestFlaw({ configMap, secrets }: PluginFact, name: string): string | undefined {
  if (configMap === undefined)
    return `error fetching ConfigMap: configmaps ${JSON.stringify(name)} not found`;
  const { baseUrl = "", token = "", requestTimeout = "0" } = configMap;
  if (baseUrl === "") return "error fetching ConfigMap: baseUrl not found in ConfigMap";
  if (token === "") return "error fetching ConfigMap: token not found in ConfigMap";
  if (!token.startsWith("$"))
    return `error fetching Secret token: token is empty, or does not reference a secret key starting with '$': ${token}`;
  const [first = "", second] = token.slice(1).split(":");
  const secret = second === undefined ? "argocd-secret" : first;
  if (!secrets.has(secret))
    return `error fetching Secret token: error fetching secret default/${secret}: secrets ${JSON.stringify(secret)} not found`;
  const reason = wholeNumberFlaw(requestTimeout);
  return reason === undefined
    ? undefined
    : `error set requestTimeout : strconv.Atoi: parsing ${goQuote(requestTimeout)}: ${reason}`;
}

/** Why Go would not read it as an int. */
function wholeNumberFlaw(text: string): string | undefined {
  if (!/^[-+]?[0-9]+$/.test(text)) return "invalid syntax";
  const value = BigInt(text.replace("+", ""));
  return BigInt.asIntN(64, value) === value ? undefined : "value out of range";
}

type GoObjects = readonly GoMap[];

/** The objects under `output.parameters` of the answer. */
function pluginOutput({ response }: PluginFact, set: string): Result<GoObjects, ProblemDraft> {
  const refused = (reason: string): Result<never, ProblemDraft> =>
    generatorFailure(`error listing params: error get api '${set}': ${reason}`);
  if (response === undefined) return refused("it was not asked");
  const { status, body } = response;
  if (status < 200 || status > 299)
    return refused(`API error with status code ${status}: ${complaint(body)}`);
  const objects = pluginObjects(body);
  return objects.ok ? objects : refused(`${objects.problem}: ${body}`);
}

/** What is in the answer: nothing where a step on the way is null or not there, and null is an empty object. */
function pluginObjects(body: string): Result<GoObjects, string> {
  const decoded = decodeFirstJson(body);
  if (!decoded.ok) return decoded;
  const whole = structOf(decoded.value, "value of type plugin.ServiceResponse");
  if (!whole.ok) return whole;
  const within = "struct field ServiceResponse.output of type plugin.Output";
  const output = structOf(fieldOf(whole.value, "output"), within);
  if (!output.ok) return output;
  const list = fieldOf(output.value, "parameters") ?? [];
  const parameters = "struct field Output.output.parameters of type";
  if (!isGoList(list)) return notInto(list, `${parameters} []map[string]interface {}`);
  const objects: GoMap[] = [];
  for (const item of list) {
    if (item !== null && !isGoMap(item))
      return notInto(item, `${parameters} map[string]interface {}`);
    objects.push(item ?? new Map());
  }
  return ok(objects);
}

const structOf = (value: GoValue, target: string): Result<GoMap, string> =>
  value === undefined || value === null
    ? ok(new Map())
    : isGoMap(value)
      ? ok(value)
      : notInto(value, target);

/** A field of a Go struct: capital letters make no difference, and of several the last one counts. */
const fieldOf = (object: GoMap, name: string): GoValue =>
  [...object].findLast(([key]) => key.toLowerCase() === name)?.[1];

function notInto(value: GoValue, target: string): { readonly ok: false; readonly problem: string } {
  const kind = isGoList(value) ? "array" : isGoMap(value) ? "object" : jsonKinds[typeof value];
  return fail(`json: cannot unmarshal ${kind} into Go ${target}`);
}

const jsonKinds: Readonly<Partial<Record<string, string>>> = {
  string: "string",
  number: "number",
  boolean: "bool",
};

/** What an answer that is an error says of itself. */
function complaint(body: string): string {
  const decoded = decodeJson(body);
  if (!decoded.ok || (decoded.value !== null && !isGoMap(decoded.value))) return body;
  const object = decoded.value ?? new Map<string, GoValue>();
  const texts = ["message", "error"].map((key) => object.get(key));
  return texts.find((text) => typeof text === "string") ?? "";
}
