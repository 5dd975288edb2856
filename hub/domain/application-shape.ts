import { unreachable } from "../../proto/kit/unreachable.ts";
import type { Json } from "../../proto/words/digest.ts";
import { describe, emptyObject, field, isList, isObject, type JsonObject } from "./document.ts";

/**
 * Argo CD's Application as its Go types write it: which fields there are, of what type, and which of them
 * are left out when they say nothing. What a generated Application looks like to the last byte.
 */
type Shape =
  | { readonly kind: "text" | "flag" | "whole" | "any"; readonly always: boolean }
  /** A boolean behind a pointer: false is not the same as nothing. */
  | { readonly kind: "nullable-flag"; readonly always: false }
  | { readonly kind: "list"; readonly always: false; readonly of: Shape }
  | { readonly kind: "map"; readonly always: false; readonly of: Shape }
  /** `always`: a struct, written though empty. Otherwise a pointer, written when it is there. */
  | {
      readonly kind: "struct";
      readonly always: boolean;
      readonly entries: readonly (readonly [string, Shape])[];
      readonly fields: ReadonlyMap<string, Shape>;
    };

const text: Shape = { kind: "text", always: false };
const flag: Shape = { kind: "flag", always: false };
const whole: Shape = { kind: "whole", always: false };
const any: Shape = { kind: "any", always: false };
const nullableFlag: Shape = { kind: "nullable-flag", always: false };
const list = (of: Shape): Shape => ({ kind: "list", always: false, of });
const map = (of: Shape): Shape => ({ kind: "map", always: false, of });
const fieldsOf = (fields: Readonly<Record<string, Shape>>) => ({
  entries: Object.entries(fields),
  fields: new Map(Object.entries(fields)),
});
const pointer = (fields: Readonly<Record<string, Shape>>): Shape => ({
  kind: "struct",
  always: false,
  ...fieldsOf(fields),
});
const struct = (fields: Readonly<Record<string, Shape>>): Shape => ({
  kind: "struct",
  always: true,
  ...fieldsOf(fields),
});
/** Text that is written even when empty. */
const fixedText: Shape = { kind: "text", always: true };

const variable = struct({ name: fixedText, value: fixedText, code: flag });

const source = {
  repoURL: fixedText,
  path: text,
  targetRevision: text,
  chart: text,
  ref: text,
  name: text,
  helm: pointer({
    valueFiles: list(text),
    parameters: list(struct({ name: text, value: text, forceString: flag })),
    releaseName: text,
    values: text,
    fileParameters: list(struct({ name: text, path: text })),
    version: text,
    passCredentials: flag,
    ignoreMissingValueFiles: flag,
    skipCrds: flag,
    valuesObject: any,
    namespace: text,
    kubeVersion: text,
    apiVersions: list(text),
    skipTests: flag,
    skipSchemaValidation: flag,
  }),
  kustomize: pointer({
    namePrefix: text,
    nameSuffix: text,
    images: list(text),
    commonLabels: map(text),
    version: text,
    commonAnnotations: map(text),
    forceCommonLabels: flag,
    forceCommonAnnotations: flag,
    namespace: text,
    commonAnnotationsEnvsubst: flag,
    replicas: list(any),
    patches: list(any),
    components: list(text),
    ignoreMissingComponents: flag,
    labelWithoutSelector: flag,
    kubeVersion: text,
    apiVersions: list(text),
    labelIncludeTemplates: flag,
  }),
  directory: pointer({
    recurse: flag,
    jsonnet: struct({ extVars: list(variable), tlas: list(variable), libs: list(text) }),
    exclude: text,
    include: text,
  }),
  plugin: pointer({ name: text, env: list(any), parameters: list(any) }),
} satisfies Readonly<Record<string, Shape>>;

const spec = struct({
  source: pointer(source),
  destination: struct({ server: text, namespace: text, name: text }),
  project: fixedText,
  syncPolicy: pointer({
    automated: pointer({
      prune: nullableFlag,
      selfHeal: nullableFlag,
      allowEmpty: nullableFlag,
      enabled: nullableFlag,
    }),
    syncOptions: list(text),
    retry: pointer({
      limit: whole,
      backoff: pointer({ duration: text, factor: any, maxDuration: text }),
      refresh: flag,
    }),
    managedNamespaceMetadata: pointer({ labels: map(text), annotations: map(text) }),
  }),
  ignoreDifferences: list(
    struct({
      group: text,
      kind: fixedText,
      name: text,
      namespace: text,
      jsonPointers: list(text),
      jqPathExpressions: list(text),
      managedFieldsManagers: list(text),
    }),
  ),
  info: list(struct({ name: fixedText, value: fixedText })),
  revisionHistoryLimit: whole,
  sources: list(struct(source)),
  sourceHydrator: pointer({
    drySource: any,
    syncSource: any,
    hydrateTo: any,
  }),
});

const application = struct({
  apiVersion: text,
  kind: text,
  metadata: struct({
    name: text,
    namespace: text,
    labels: map(text),
    annotations: map(text),
    finalizers: list(text),
  }),
  spec,
  operation: any,
});

/**
 * An Application with what says nothing left out, and fields that are always there put in. Fields nobody
 * knows stay. What is in shape already is given back as it is.
 */
export function inApplicationShape(document: JsonObject): JsonObject {
  const shaped = written(document, application);
  return isObject(shaped) ? shaped : document;
}

/** `undefined`: left out. */
function written(value: Json | undefined, shape: Shape): Json | undefined {
  if (shape.kind === "struct") return writtenStruct(value, shape);
  if (value === undefined || value === null) return shape.always ? "" : undefined;
  switch (shape.kind) {
    case "text":
      return value === "" && !shape.always ? undefined : value;
    case "flag":
      return value === false ? undefined : value;
    case "whole":
    case "any":
    case "nullable-flag":
      return value;
    case "list":
      if (!isList(value)) return value;
      return value.length === 0 ? undefined : writtenList(value, shape.of);
    case "map":
      return isObject(value) && isEmpty(value) ? undefined : value;
    default:
      return unreachable(shape, "shape");
  }
}

// Items are never left out, whatever they say.
function writtenList(items: readonly Json[], shape: Shape): Json {
  if (shape.kind !== "struct") return items;
  const shaped = items.map((item) => writtenStruct(item, shape) ?? item);
  return shaped.every((item, index) => item === items[index]) ? items : shaped;
}

function writtenStruct(
  value: Json | undefined,
  shape: Extract<Shape, { readonly kind: "struct" }>,
): Json | undefined {
  if (value === undefined || value === null) {
    if (!shape.always) return undefined;
  } else if (!isObject(value)) return value;
  const given = isObject(value) ? value : nothing;
  let changed: { [key: string]: Json } | undefined = given === nothing ? emptyObject() : undefined;
  for (const [key, inner] of shape.entries) {
    const before = field(given, key);
    const after = written(before, inner);
    if (after === before) continue;
    changed ??= copyOf(given);
    if (after === undefined) delete changed[key];
    else changed[key] = after;
  }
  return changed ?? given;
}

const nothing: JsonObject = emptyObject();

function copyOf(object: JsonObject): { [key: string]: Json } {
  const copy = emptyObject();
  for (const key of Object.keys(object)) copy[key] = field(object, key) ?? null;
  return copy;
}

function isEmpty(object: JsonObject): boolean {
  for (const key in object) if (Object.hasOwn(object, key)) return false;
  return true;
}

export type CheckedPatch = {
  /** The patch without fields that an Application does not have. */
  readonly patch: JsonObject;
  /** What has a wrong type, one sentence each. */
  readonly flaws: readonly string[];
};

/** Checks a patch against the types of an Application. Null, which deletes, and directives are of every type. */
export function checkedPatch(patch: JsonObject): CheckedPatch {
  const flaws: string[] = [];
  const checked = checkedValue(patch, application, "", flaws);
  return { patch: isObject(checked) ? checked : emptyObject(), flaws };
}

function checkedValue(value: Json, shape: Shape, path: string, flaws: string[]): Json {
  if (value === null) return value;
  const expected = (wanted: string): Json => {
    flaws.push(`${path === "" ? "the patch" : path} must be ${wanted}, got ${describe(value)}`);
    return null;
  };
  switch (shape.kind) {
    case "any":
      return value;
    case "text":
      return typeof value === "string" ? value : expected("text");
    case "flag":
    case "nullable-flag":
      return typeof value === "boolean" ? value : expected("true or false");
    case "whole":
      return Number.isInteger(value) || typeof value === "bigint"
        ? value
        : expected("a whole number");
    case "list":
      return isList(value)
        ? value.map((item, index) => checkedValue(item, shape.of, `${path}[${index}]`, flaws))
        : expected("a list");
    case "map":
      return isObject(value)
        ? checkedFields(value, () => shape.of, path, flaws)
        : expected("a mapping");
    case "struct":
      return isObject(value)
        ? checkedFields(value, (key) => shape.fields.get(key), path, flaws)
        : expected("a mapping");
    default:
      return unreachable(shape, "shape");
  }
}

function checkedFields(
  value: JsonObject,
  shapeOf: (key: string) => Shape | undefined,
  path: string,
  flaws: string[],
): JsonObject {
  const checked = emptyObject();
  for (const key of Object.keys(value)) {
    const inner = key.startsWith("$") ? any : shapeOf(key);
    if (inner !== undefined)
      checked[key] = checkedValue(
        field(value, key) ?? null,
        inner,
        path === "" ? key : `${path}.${key}`,
        flaws,
      );
  }
  return checked;
}
