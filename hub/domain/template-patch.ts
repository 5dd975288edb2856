import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { canonicalJson, type Json } from "../../proto/words/digest.ts";
import { inApplicationShape } from "./application-shape.ts";
import { emptyObject, field, isObject, readDocument, type JsonObject } from "./document.ts";
import type { GenerateNeeds } from "./generate.ts";
import { codes, problem, type ProblemDraft } from "./problem.ts";
import { shortened } from "./shortened.ts";
import { strategicallyMerged } from "./strategic-merge.ts";
import { decodeJson } from "./template/json.ts";
import { goQuote } from "./template/print.ts";
import { typedPatch } from "./typed-patch.ts";

/**
 * Applies a rendered `templatePatch` to an Application, as a strategic merge patch over Argo CD's types. The project
 * stays what it was.
 */
export function patchedApplication(
  application: JsonObject,
  text: string,
  needs: GenerateNeeds,
): Result<JsonObject, ProblemDraft> {
  const read = readPatch(text, needs);
  if (!read.ok) return refused(read.problem);
  const { value, json } = read.value;
  const says = (what: string, why: string) => refused(`${what} ${quoted(json())}: ${why}`);
  if (value !== null && !isObject(value))
    return says("invalid templatePatch", "it must be a mapping");
  const { patch, flaws } = typedPatch(value ?? emptyObject());
  if (flaws.length > 0) return says("invalid templatePatch", flaws.join("; "));
  const merged = strategicallyMerged(application, patch);
  if (!merged.ok)
    return says("error while applying templatePatch template to json", merged.problem);
  const patched: { [key: string]: Json } = { ...merged.value };
  delete patched["status"];
  const spec = field(patched, "spec");
  patched["spec"] = {
    ...(isObject(spec) ? spec : undefined),
    project: projectOf(application),
  };
  return ok(inApplicationShape(patched));
}

function projectOf(application: JsonObject): Json {
  const spec = field(application, "spec");
  return isObject(spec) ? (field(spec, "project") ?? "") : "";
}

const refused = (message: string): { readonly ok: false; readonly problem: ProblemDraft } =>
  fail(problem(codes.badTemplatePatch, message));

/** A message says why, too: a patch that is longer would leave it no room. */
const quotedMost = 500;

const quoted = (text: string): string => goQuote(shortened(text, quotedMost));

type ReadPatch = {
  readonly value: Json;
  /** For messages. */
  readonly json: () => string;
};

/** What begins with a brace is JSON and nothing else, all the rest is YAML. */
function readPatch(text: string, needs: GenerateNeeds): Result<ReadPatch, string> {
  if (text.trimStart().startsWith("{")) {
    const valid = decodeJson(text);
    if (!valid.ok) return fail(`invalid templatePatch ${quoted(text)}: ${valid.problem}`);
    return withinLimits(JSON.parse(text, keepingIntegers), () => text);
  }
  const decoded = needs.decodeYaml(text);
  if (!decoded.ok)
    return fail(
      `error while converting template to json ${quoted(text)}: yaml: ${decoded.problem}`,
    );
  return withinLimits(decoded.value, jsonAsGoWritesIt);
}

function withinLimits(value: unknown, jsonOf: (value: Json) => string): Result<ReadPatch, string> {
  const read = readDocument(value);
  return read.ok
    ? ok({ value: read.value, json: () => jsonOf(read.value) })
    : fail(`invalid templatePatch: ${read.problem}`);
}

/** For JSON.parse: integers beyond 2^53 are bigints, and halves of characters are replaced as Go does. */
function keepingIntegers(
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value === "number") {
    const source = context?.source ?? "";
    return /^-?\d+$/.test(source) && !Number.isSafeInteger(value) ? BigInt(source) : value;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  if (entries.every(([key]) => key.isWellFormed())) return value;
  return Object.fromEntries(entries.map(([key, inner]) => [key.toWellFormed(), inner]));
}

const jsonAsGoWritesIt = (value: Json): string =>
  canonicalJson(value)
    .replaceAll("<", "\\u003c")
    .replaceAll(">", "\\u003e")
    .replaceAll("&", "\\u0026");
