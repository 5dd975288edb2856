import type { Json } from "../../proto/words/digest.ts";
import { emptyObject, field, isList, isObject, type JsonObject } from "./document.ts";

/** The spec of an Application without what says nothing, so that two that mean the same are equal. */
export function normalizedSpec(spec: JsonObject): JsonObject {
  const normal = emptyObject();
  for (const key of Object.keys(spec)) {
    const value = normalizedField(key, field(spec, key) ?? null);
    if (value !== undefined) normal[key] = value;
  }
  const project = field(normal, "project");
  if (project === undefined || project === "" || project === null) normal["project"] = "default";
  normal["destination"] ??= emptyObject();
  return normal;
}

function normalizedField(key: string, value: Json): Json | undefined {
  switch (key) {
    case "syncPolicy":
      return isObject(value) && !policyParts.some((part) => (field(value, part) ?? null) !== null)
        ? undefined
        : value;
    case "source":
      return isObject(value) ? normalizedSource(value) : value;
    case "sources":
      return isList(value)
        ? value.map((source) => (isObject(source) ? normalizedSource(source) : source))
        : value;
    default:
      return value;
  }
}

const policyParts = ["automated", "syncOptions", "retry", "managedNamespaceMetadata"];

function normalizedSource(source: JsonObject): JsonObject {
  const normal = emptyObject();
  for (const key of Object.keys(source)) {
    const value = field(source, key) ?? null;
    if ((key === "kustomize" || key === "helm") && isZero(value)) continue;
    if (key !== "directory" || !isObject(value)) normal[key] = value;
    else {
      const directory = normalizedDirectory(value);
      if (directory !== undefined) normal[key] = directory;
    }
  }
  return normal;
}

/** A directory that neither recurses nor has Jsonnet says no more than what it includes and excludes. */
function normalizedDirectory(directory: JsonObject): JsonObject | undefined {
  if (
    ["recurse", "jsonnet", "disableExtensionFilter"].some((key) => !isZero(field(directory, key)))
  )
    return directory;
  const kept = emptyObject();
  for (const key of ["include", "exclude"]) {
    const value = field(directory, key);
    if (typeof value === "string" && value !== "") kept[key] = value;
  }
  return Object.keys(kept).length === 0 ? undefined : kept;
}

/** Nothing at any depth: what Go calls the zero value. */
function isZero(value: Json | undefined): boolean {
  if (isList(value)) return value.length === 0;
  if (isObject(value)) return Object.keys(value).every((key) => isZero(field(value, key)));
  return (
    value === undefined ||
    value === null ||
    value === "" ||
    value === false ||
    value === 0 ||
    value === 0n
  );
}
