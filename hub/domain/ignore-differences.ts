import { canonicalJson, type Json } from "../../proto/words/digest.ts";
import { copyOf, emptyObject, field, isList, isObject, type JsonObject } from "./document.ts";
import { compileJqPath, type JsonPath } from "./jq/path.ts";
import { normalizedSpec } from "./normalized-spec.ts";
import type { IgnoreRule } from "./set-policy.ts";

/**
 * What becomes of `live` when it is made like `wanted`, but for the places the rules ignore: those keep what
 * they have. The difference is written as a JSON merge patch, so an ignored place inside a list is
 * overwritten as soon as anything else in that list differs.
 */
export function withIgnoredDifferences(
  live: JsonObject,
  wanted: JsonObject,
  name: string,
  rules: readonly IgnoreRule[],
): JsonObject {
  const own = rules.filter((rule) => rule.name === "" || rule.name === name);
  if (own.length === 0) return wanted;
  const patch = mergePatch(withoutIgnored(live, own), withoutIgnored(wanted, own));
  return patch === undefined ? live : mergedWith(live, patch);
}

function withoutIgnored(document: JsonObject, rules: readonly IgnoreRule[]): JsonObject {
  let stripped: Json = document;
  for (const { jsonPointers, jqPathExpressions } of rules) {
    for (const pointer of jsonPointers) stripped = withoutPath(stripped, pathOfPointer(pointer));
    for (const expression of jqPathExpressions) {
      const places = compileJqPath(expression);
      // From the back, so that taking one item away moves none that is still to go.
      const paths = places.ok ? places.value(stripped).toSorted(comparePaths).toReversed() : [];
      for (const path of paths) stripped = withoutPath(stripped, path);
    }
  }
  if (!isObject(stripped)) return document;
  // What is empty now says nothing any more.
  const spec = field(stripped, "spec");
  return isObject(spec) ? { ...stripped, spec: normalizedSpec(spec) } : stripped;
}

const pathOfPointer = (pointer: string): JsonPath =>
  pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

function comparePaths(a: JsonPath, b: JsonPath): number {
  for (const [index, step] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    if (step === other) continue;
    if (typeof step === "number" && typeof other === "number") return step - other;
    return String(step) < String(other) ? -1 : 1;
  }
  return a.length - b.length;
}

function withoutPath(value: Json, [step, ...rest]: JsonPath): Json {
  if (step === undefined) return value;
  if (isList(value)) {
    const index = Number(step);
    if (!Number.isInteger(index) || index < 0 || index >= value.length) return value;
    return rest.length === 0
      ? value.toSpliced(index, 1)
      : value.with(index, withoutPath(value[index] ?? null, rest));
  }
  const key = String(step);
  if (!isObject(value) || !Object.hasOwn(value, key)) return value;
  const copy = emptyObject();
  for (const name of Object.keys(value)) {
    const inner = field(value, name) ?? null;
    if (name !== key) copy[name] = inner;
    else if (rest.length > 0) copy[name] = withoutPath(inner, rest);
  }
  return copy;
}

/** What turns `from` into `to`; `undefined` when nothing does. */
function mergePatch(from: JsonObject, to: JsonObject): JsonObject | undefined {
  const patch = emptyObject();
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) patch[key] = null;
  for (const key of Object.keys(to)) {
    const before = field(from, key);
    const after = field(to, key) ?? null;
    if (isObject(before) && isObject(after)) {
      const inner = mergePatch(before, after);
      if (inner !== undefined) patch[key] = inner;
    } else if (before === undefined || canonicalJson(before) !== canonicalJson(after))
      patch[key] = after;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function mergedWith(base: JsonObject, patch: JsonObject): JsonObject {
  const merged = copyOf(base);
  for (const key of Object.keys(patch)) {
    const value = field(patch, key) ?? null;
    const before = field(merged, key);
    if (value === null) delete merged[key];
    else if (isObject(value))
      merged[key] = mergedWith(isObject(before) ? before : emptyObject(), value);
    else merged[key] = value;
  }
  return merged;
}
