import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { canonicalJson, type Json } from "../../proto/words/digest.ts";
import { checkedPatch, inApplicationShape } from "./application-shape.ts";
import { emptyObject, field, isList, isObject, readDocument, type JsonObject } from "./document.ts";
import type { GenerateNeeds } from "./generate.ts";
import { codes, problem, type ProblemDraft } from "./problem.ts";

/**
 * Applies a rendered `templatePatch` to an Application, as a strategic merge patch over Argo CD's types:
 * mappings merge, null deletes, lists replace each other whole, but for finalizers, which are a set with the
 * patch's own first. The project stays what it was.
 */
export function patchedApplication(
  application: JsonObject,
  text: string,
  needs: GenerateNeeds,
): Result<JsonObject, ProblemDraft> {
  if (text.trim() === "") return ok(application);
  const decoded = needs.decodeYaml(text);
  if (!decoded.ok)
    return refused(
      `error while converting template to json ${JSON.stringify(text)}: yaml: ${decoded.problem}`,
    );
  const read = readDocument(decoded.value);
  if (!read.ok) return refused(`invalid templatePatch: ${read.problem}`);
  if (read.value === null) return ok(application);
  if (!isObject(read.value)) return refused(`invalid templatePatch: it must be a mapping`);
  const { patch, flaws } = checkedPatch(read.value);
  if (flaws.length > 0)
    return refused(
      `invalid templatePatch ${JSON.stringify(canonicalJson(read.value))}: ${flaws.join("; ")}`,
    );
  const patched = mergedObject(application, patch, []);
  const spec = field(patched, "spec");
  const before = field(application, "spec");
  const project = isObject(before) ? field(before, "project") : undefined;
  const keptSpec = isObject(spec) ? { ...spec } : emptyObject();
  if (project === undefined) delete keptSpec["project"];
  else keptSpec["project"] = project;
  if (!isObject(field(keptSpec, "destination"))) keptSpec["destination"] = emptyObject();
  return ok(inApplicationShape({ ...patched, spec: keptSpec }));
}

const refused = (message: string): { readonly ok: false; readonly problem: ProblemDraft } =>
  fail(problem(codes.badTemplatePatch, message));

const deletePrefix = "$deleteFromPrimitiveList/";

function mergedObject(base: JsonObject, patch: JsonObject, path: readonly string[]): JsonObject {
  if (field(patch, "$patch") === "replace") return withoutDirectives(patch);
  if (field(patch, "$patch") === "delete") return emptyObject();
  const merged: { [key: string]: Json } = emptyObject();
  for (const key of Object.keys(base)) merged[key] = field(base, key) ?? null;
  for (const key of Object.keys(patch)) {
    const value = field(patch, key) ?? null;
    if (key.startsWith(deletePrefix)) {
      const name = key.slice(deletePrefix.length);
      const list = field(merged, name);
      if (isList(list) && isList(value))
        merged[name] = list.filter((item) => !value.includes(item));
    } else if (key.startsWith("$")) continue;
    else if (value === null) delete merged[key];
    else merged[key] = mergedValue(field(merged, key), value, [...path, key]);
  }
  return merged;
}

function mergedValue(base: Json | undefined, patch: Json, path: readonly string[]): Json {
  if (isObject(patch)) return mergedObject(isObject(base) ? base : emptyObject(), patch, path);
  if (isList(patch) && isList(base) && path.join(".") === "metadata.finalizers")
    return [...patch, ...base.filter((item) => !patch.includes(item))];
  return patch;
}

function withoutDirectives(patch: JsonObject): JsonObject {
  const plain = emptyObject();
  for (const key of Object.keys(patch))
    if (!key.startsWith("$")) plain[key] = field(patch, key) ?? null;
  return plain;
}
