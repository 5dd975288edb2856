import type { Json } from "../../proto/words/digest.ts";
import { emptyObject, field, isList, isObject, type JsonObject } from "./document.ts";

/** The spec of an Application without what says nothing, so that two that mean the same are equal. */
export function normalizedSpec(spec: JsonObject): JsonObject {
  const sources = field(spec, "sources");
  const hasSources = isList(sources) && sources.length > 0;
  const normal = emptyObject();
  for (const key of Object.keys(spec)) {
    const value = normalizedField(key, field(spec, key) ?? null, hasSources);
    if (value !== undefined) normal[key] = value;
  }
  const project = field(normal, "project");
  if (project === undefined || project === "" || project === null) normal["project"] = "default";
  normal["destination"] ??= emptyObject();
  return normal;
}

function normalizedField(key: string, value: Json, hasSources: boolean): Json | undefined {
  switch (key) {
    case "syncPolicy":
      return saysNothing(value) ? undefined : value;
    case "source":
      // Nobody reads it beside sources.
      return isObject(value) && !hasSources ? normalizedSource(value) : value;
    case "sources":
      return isList(value)
        ? value.map((source) => (isObject(source) ? normalizedSource(source) : source))
        : value;
    default:
      return value;
  }
}

function saysNothing(policy: Json): boolean {
  if (policy === null) return true;
  if (!isObject(policy)) return false;
  const parts = ["automated", "retry", "managedNamespaceMetadata"];
  const options = field(policy, "syncOptions") ?? [];
  return (
    isList(options) &&
    options.length === 0 &&
    parts.every((part) => (field(policy, part) ?? null) === null)
  );
}

function normalizedSource(source: JsonObject): JsonObject {
  const normal = emptyObject();
  for (const key of Object.keys(source)) {
    const value = normalizedTool(key, field(source, key) ?? null);
    if (value !== undefined) normal[key] = value;
  }
  return normal;
}

function normalizedTool(key: string, value: Json): Json | undefined {
  switch (key) {
    case "kustomize":
      return hasNothingBut(value, kustomizeManners) ? undefined : value;
    case "helm":
      return hasNothingBut(value, []) && !hasValuesObject(value) ? undefined : value;
    case "directory":
      return isObject(value) ? normalizedDirectory(value) : (value ?? undefined);
    default:
      return value;
  }
}

/** How labels and annotations are put in, which says nothing without any. */
const kustomizeManners: readonly string[] = [
  "forceCommonLabels",
  "forceCommonAnnotations",
  "labelWithoutSelector",
  "labelIncludeTemplates",
  "commonAnnotationsEnvsubst",
];

const hasNothingBut = (value: Json, names: readonly string[]): boolean =>
  value === null ||
  (isObject(value) &&
    Object.keys(value).every((key) => names.includes(key) || isZero(field(value, key))));

/** No values at all are values too. */
const hasValuesObject = (helm: Json): boolean =>
  isObject(helm) && (field(helm, "valuesObject") ?? null) !== null;

/**
 * A directory that neither recurses nor has Jsonnet says no more than what it includes and excludes. What is of a
 * wrong type stays: it is told where the source is read.
 */
function normalizedDirectory(directory: JsonObject): JsonObject | undefined {
  const isPlain =
    (field(directory, "recurse") ?? false) === false &&
    (field(directory, "disableExtensionFilter") ?? false) === false &&
    hasNothingBut(field(directory, "jsonnet") ?? null, []);
  if (!isPlain) return directory;
  const kept = emptyObject();
  for (const key of ["include", "exclude"]) {
    const value = field(directory, key) ?? "";
    if (value !== "") kept[key] = value;
  }
  return Object.keys(kept).length === 0 ? undefined : kept;
}

/** What Go calls the zero value, or has no length. */
function isZero(value: Json | undefined): boolean {
  if (isList(value)) return value.length === 0;
  if (isObject(value)) return Object.keys(value).length === 0;
  return (
    value === undefined ||
    value === null ||
    value === "" ||
    value === false ||
    value === 0 ||
    value === 0n
  );
}
