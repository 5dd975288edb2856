/** JSON Patch (RFC 6902), JSON Merge Patch (RFC 7386) and Kubernetes' strategic merge patch, as pure functions. */
import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { isList, isMap, sameJson, type Json, type JsonMap } from "./json.ts";
import { any, fieldSchema, type ListSchema, type Schema } from "./schema/schema.ts";

/** Maps merge, `null` removes, everything else replaces. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isMap(patch)) return patch;
  const merged: Record<string, Json> = isMap(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete merged[field];
    else merged[field] = mergePatch(merged[field], value);
  }
  return merged;
}

export type JsonPatchProblem = {
  /** A patch that is no patch, or one that does not fit the document. */
  readonly kind: "malformed" | "unfit";
  readonly message: string;
};

export function jsonPatch(target: Json, patch: Json): Result<Json, JsonPatchProblem> {
  if (!isList(patch))
    return fail({
      kind: "malformed",
      message: `error decoding patch: json: cannot unmarshal ${isMap(patch) ? "object" : typeof patch} into Go value of type []handlers.jsonPatchOp`,
    });
  let document = target;
  for (const operation of patch) {
    const next = isMap(operation)
      ? patchOnce(document, operation)
      : fail<JsonPatchProblem>({ kind: "malformed", message: "an operation is a map" });
    if (!next.ok) return next;
    document = next.value;
  }
  return ok(document);
}

function patchOnce(document: Json, operation: JsonMap): Result<Json, JsonPatchProblem> {
  const { op, path, from, value } = operation;
  if (typeof op !== "string" || typeof path !== "string")
    return fail({ kind: "malformed", message: "an operation needs op and path" });
  const steps = pointer(path);
  switch (op) {
    case "add":
      return value === undefined ? missingValue(op) : addAt(document, steps, value, path);
    case "replace": {
      if (value === undefined) return missingValue(op);
      return steps.length === 0 ? ok(value) : replaceAt(document, steps, value, path);
    }
    case "remove":
      return removeAt(document, steps, path);
    case "test": {
      const found = readAt(document, steps);
      return found !== undefined && sameJson(found, value ?? null)
        ? ok(document)
        : fail({ kind: "unfit", message: `testing value ${path} failed: test failed` });
    }
    case "copy":
    case "move": {
      if (typeof from !== "string") return fail({ kind: "malformed", message: `${op} needs from` });
      const found = readAt(document, pointer(from));
      if (found === undefined) return missing(op, from);
      const base = op === "move" ? removeAt(document, pointer(from), from) : ok(document);
      return base.ok ? addAt(base.value, steps, found, path) : base;
    }
    default:
      return fail({ kind: "unfit", message: `unexpected kind: ${op}` });
  }
}

const missingValue = (op: string): Result<Json, JsonPatchProblem> =>
  fail({ kind: "malformed", message: `${op} needs a value` });

const missing = (op: string, path: string): Result<Json, JsonPatchProblem> =>
  fail({ kind: "unfit", message: `${op} operation does not apply: doc is missing path: ${path}` });

const pointer = (path: string): readonly string[] =>
  path === ""
    ? []
    : path
        .slice(1)
        .split("/")
        .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

function readAt(document: Json, steps: readonly string[]): Json | undefined {
  let here: Json | undefined = document;
  for (const step of steps) {
    if (isList(here)) here = /^\d+$/.test(step) ? here[Number(step)] : undefined;
    else if (isMap(here)) here = here[step];
    else return undefined;
  }
  return here;
}

type Edit = (parent: Json, last: string) => Json | undefined;

/** Edits the parent of the last step; `undefined` from the edit means that it does not fit. */
function editAt(
  document: Json,
  steps: readonly string[],
  path: string,
  op: string,
  edit: Edit,
): Result<Json, JsonPatchProblem> {
  const [step, ...rest] = steps;
  if (step === undefined) return missing(op, path);
  if (rest.length === 0) {
    const edited = edit(document, step);
    return edited === undefined ? missing(op, path) : ok(edited);
  }
  const inner = readAt(document, [step]);
  if (inner === undefined) return missing(op, path);
  const edited = editAt(inner, rest, path, op, edit);
  if (!edited.ok) return edited;
  if (isList(document)) return ok(document.with(Number(step), edited.value));
  return isMap(document) ? ok({ ...document, [step]: edited.value }) : missing(op, path);
}

const addAt = (
  document: Json,
  steps: readonly string[],
  value: Json,
  path: string,
): Result<Json, JsonPatchProblem> =>
  steps.length === 0
    ? ok(value)
    : editAt(document, steps, path, "add", (parent, last) => {
        if (isMap(parent)) return { ...parent, [last]: value };
        if (!isList(parent)) return undefined;
        const index = last === "-" ? parent.length : Number(last);
        return index >= 0 && index <= parent.length ? parent.toSpliced(index, 0, value) : undefined;
      });

const replaceAt = (
  document: Json,
  steps: readonly string[],
  value: Json,
  path: string,
): Result<Json, JsonPatchProblem> =>
  editAt(document, steps, path, "replace", (parent, last) => {
    if (isList(parent))
      return Number(last) < parent.length ? parent.with(Number(last), value) : undefined;
    return isMap(parent) ? { ...parent, [last]: value } : undefined;
  });

const removeAt = (
  document: Json,
  steps: readonly string[],
  path: string,
): Result<Json, JsonPatchProblem> =>
  editAt(document, steps, path, "remove", (parent, last) => {
    if (isList(parent)) {
      const index = Number(last);
      return index >= 0 && index < parent.length ? parent.toSpliced(index, 1) : undefined;
    }
    if (!isMap(parent) || !Object.hasOwn(parent, last)) return undefined;
    const { [last]: _, ...rest } = parent;
    return rest;
  });

/** Like a merge patch, but lists whose items have keys merge by the first of them, and sets as sets. */
export function strategicMergePatch(target: Json | undefined, patch: Json, schema: Schema): Json {
  if (!isMap(patch)) return patch;
  const directive = patch["$patch"];
  if (directive === "replace") return withoutDirectives(patch);
  if (directive === "delete") return {};
  let merged: Record<string, Json> = isMap(target) ? { ...target } : {};
  const retain = patch["$retainKeys"];
  if (isList(retain))
    merged = Object.fromEntries(Object.entries(merged).filter(([field]) => retain.includes(field)));
  for (const [field, value] of Object.entries(patch)) {
    if (field.startsWith("$deleteFromPrimitiveList/")) {
      const list = field.slice(field.indexOf("/") + 1);
      const old = merged[list];
      if (isList(old) && isList(value)) merged[list] = old.filter((item) => !value.includes(item));
      continue;
    }
    if (field.startsWith("$")) continue;
    if (value === null) {
      delete merged[field];
      continue;
    }
    const inner = fieldSchema(schema, field) ?? any;
    const old = merged[field];
    if (isList(value) && inner.kind === "list" && inner.relation !== "atomic")
      merged[field] = mergeList(isList(old) ? old : [], value, inner);
    else merged[field] = strategicMergePatch(old, value, inner);
  }
  return merged;
}

const withoutDirectives = (patch: JsonMap): JsonMap =>
  Object.fromEntries(Object.entries(patch).filter(([field]) => !field.startsWith("$")));

function mergeList(old: readonly Json[], patch: readonly Json[], schema: ListSchema): Json {
  if (schema.relation === "set")
    return [...old, ...patch.filter((item) => !old.some((known) => sameJson(known, item)))];
  const key = schema.keys[0] ?? "name";
  const isReplacement = patch.some((item) => isMap(item) && item["$patch"] === "replace");
  let merged: Json[] = isReplacement ? [] : [...old];
  const fresh: Json[] = [];
  for (const item of patch) {
    if (!isMap(item)) continue;
    const sameItem = (known: Json): boolean => isMap(known) && sameJson(known[key], item[key]);
    const directive = item["$patch"];
    if (directive === "replace" && Object.keys(item).length === 1) continue;
    if (directive === "delete") {
      merged = merged.filter((known) => !sameItem(known));
      continue;
    }
    const position = merged.findIndex(sameItem);
    const value = strategicMergePatch(merged[position], withoutPatch(item), schema.items);
    if (position === -1) fresh.push(value);
    else merged[position] = value;
  }
  // New items go in front of what was there, as the API server puts them.
  return [...fresh, ...merged];
}

const withoutPatch = (item: JsonMap): JsonMap =>
  Object.fromEntries(Object.entries(item).filter(([field]) => field !== "$patch"));
