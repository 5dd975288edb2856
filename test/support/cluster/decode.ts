/** From the JSON of a request to an object of its kind: unknown fields go, wrong types are refused. */
import { unreachable } from "../../../proto/kit/unreachable.ts";
import { isList, isMap, type Json, type JsonMap } from "./json.ts";
import type { Kind } from "./kinds.ts";
import { canonicalQuantity } from "./quantity.ts";
import { fieldSchema, type ScalarType, type Schema } from "./schema/schema.ts";
import { isForgotten } from "./schema/zero-values.ts";
import { badRequest } from "./status.ts";

export type Decoded = {
  readonly value: JsonMap;
  /** Paths of fields that no schema declares, as messages name them: `spec.containers[0].foo`. */
  readonly unknown: readonly string[];
};

/**
 * What is left of `body` once only declared fields remain and values have the form the API keeps.
 *
 * Throws a 400 for a value of the wrong type in a built-in kind; custom kinds leave that to validation.
 */
export function decode(
  kind: Kind,
  body: JsonMap,
  refused: (why: string) => Error = (why) => cannotHandle(kind, why),
): Decoded {
  const unknown: string[] = [];
  const isCustom = kind.custom !== undefined;
  const value = walk(body, kind.schema, "", { kind, isCustom, unknown, refused });
  const undecodable = kind.key === "/secrets" && isMap(value) ? notBase64(value) : undefined;
  if (undecodable !== undefined) throw refused(undecodable);
  return { value: isMap(value) ? value : {}, unknown };
}

type Context = {
  readonly kind: Kind;
  readonly isCustom: boolean;
  readonly unknown: string[];
  readonly refused: (why: string) => Error;
};

/** `undefined`: the value is as good as absent. Parts that stay as they are stay shared. */
function walk(value: Json, schema: Schema, path: string, context: Context): Json | undefined {
  if (value === null) return context.isCustom ? null : undefined;
  switch (schema.kind) {
    case "any":
      return value;
    case "scalar":
      return context.isCustom ? value : scalar(value, schema.type, path, context);
    case "list":
      if (!isList(value)) return context.isCustom ? value : mismatch(value, "list", path, context);
      return walkList(value, schema.items, path, context);
    case "map":
    case "struct":
      if (!isMap(value))
        return context.isCustom ? value : mismatch(value, goTypeOf(schema), path, context);
      return walkMap(value, schema, path, context);
    default:
      return unreachable(schema, "schema");
  }
}

function walkList(
  value: readonly Json[],
  items: Schema,
  path: string,
  context: Context,
): Json | undefined {
  if (value.length === 0) return context.isCustom ? value : undefined;
  const kept = value.map((item, index) => walk(item, items, `${path}[${index}]`, context) ?? null);
  return kept.every((item, index) => item === value[index]) ? value : kept;
}

function walkMap(
  value: JsonMap,
  schema: Extract<Schema, { readonly kind: "map" | "struct" }>,
  path: string,
  context: Context,
): Json | undefined {
  let changed = false;
  const kept: Record<string, Json> = {};
  for (const [field, inner] of Object.entries(value)) {
    const here = path === "" ? field : `${path}.${field}`;
    const known = fieldSchema(schema, field);
    if (known === undefined) {
      context.unknown.push(here);
      changed = true;
      continue;
    }
    const left =
      inner === null && schema.kind === "map" && !context.isCustom
        ? zeroOf(known)
        : known.kind === "scalar" && schema.kind === "map" && !context.isCustom
          ? scalar(inner, known.type, here, context, true)
          : walk(inner, known, here, context);
    if (
      left !== undefined &&
      schema.kind === "struct" &&
      known.kind === "scalar" &&
      known.type !== "int-or-string" &&
      !context.isCustom &&
      isForgotten(parentOf(path), field, left)
    ) {
      changed = true;
      continue;
    }
    const isInline = schema.kind === "struct" && schema.inline.has(field);
    if (left !== undefined) kept[field] = left;
    else if (isInline && isList(inner)) kept[field] = inner;
    if (kept[field] !== inner) changed = true;
  }
  const isEmptied = schema.kind === "map" && Object.keys(kept).length === 0 && !context.isCustom;
  if (isEmptied) return undefined;
  return changed ? kept : value;
}

/** A missing value in a map of texts is an empty one. */
const zeroOf = (schema: Schema): Json | undefined =>
  schema.kind === "scalar" && schema.type === "string" ? "" : undefined;

const goTypeOf = (schema: Schema): string =>
  schema.kind === "map" && schema.values.kind === "scalar"
    ? `map[string]${goTypes[schema.values.type]}`
    : "struct";

const parentOf = (path: string): string =>
  path.slice(path.lastIndexOf(".") + 1).replace(/\[\d+\]$/, "");

const goTypes: { readonly [type in ScalarType]: string } = {
  string: "string",
  int32: "int32",
  int64: "int64",
  number: "float64",
  bool: "bool",
  quantity: "resource.Quantity",
  "int-or-string": "intstr.IntOrString",
};

function scalar(
  value: Json,
  type: ScalarType,
  path: string,
  context: Context,
  isItem = false,
): Json {
  const shape = typeof value;
  switch (type) {
    case "string":
      return shape === "string" ? value : mismatch(value, goTypes[type], path, context, isItem);
    case "bool":
      return shape === "boolean" ? value : mismatch(value, goTypes[type], path, context, isItem);
    case "int32":
    case "int64":
      return typeof value === "number" && Number.isInteger(value)
        ? value
        : mismatch(value, goTypes[type], path, context, isItem);
    case "number":
      return shape === "number" ? value : mismatch(value, goTypes[type], path, context, isItem);
    case "int-or-string":
      return shape === "number" || shape === "string"
        ? value
        : mismatch(value, goTypes[type], path, context, isItem);
    case "quantity": {
      if (typeof value !== "number" && typeof value !== "string")
        return mismatch(value, goTypes[type], path, context, isItem);
      const canonical = canonicalQuantity(String(value));
      if (canonical === undefined)
        throw context.refused(
          `quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
        );
      return canonical;
    }
    default:
      return unreachable(type, "scalar type");
  }
}

function mismatch(
  value: Json,
  type: string,
  path: string,
  { kind, refused }: Context,
  isItem = false,
): never {
  const shape =
    typeof value === "boolean"
      ? "bool"
      : isList(value)
        ? "array"
        : isMap(value)
          ? "object"
          : // A number is told only where another number was expected.
            typeof value === "number" && /^(int|float)/.test(type)
            ? `number ${value}`
            : typeof value;
  // Keys of maps are no part of a Go field's path.
  const field = isItem ? path.slice(0, path.lastIndexOf(".")) : path;
  const plain = field.replaceAll(/\[\d+\]/g, "");
  throw refused(
    `json: cannot unmarshal ${shape} into Go struct field ${structOf(kind, plain)}.${plain} of type ${type}`,
  );
}

/** The Go type that holds a field, for the few that authors get wrong most. */
function structOf(kind: Kind, path: string): string {
  const steps = path.split(".");
  const parent = steps.at(-2);
  if (parent === undefined) return kind.kind;
  if (parent === "spec") return steps.length === 2 ? `${kind.kind}Spec` : "PodSpec";
  return goStructs[parent] ?? `${kind.kind}Spec`;
}

const goStructs: { readonly [parent: string]: string } = {
  metadata: "ObjectMeta",
  containers: "Container",
  initContainers: "Container",
  env: "EnvVar",
  ports: "ContainerPort",
  resources: "ResourceRequirements",
  volumes: "Volume",
  volumeMounts: "VolumeMount",
};

/** The values of a Secret are bytes; `undefined` when all of them can be read. */
function notBase64(secret: JsonMap): string | undefined {
  for (const value of Object.values(isMap(secret["data"]) ? secret["data"] : {})) {
    if (typeof value !== "string") continue;
    const wrong = value.search(/[^A-Za-z0-9+/=\r\n]/);
    if (wrong !== -1) return `illegal base64 data at input byte ${wrong}`;
    if (value.replaceAll(/[\r\n]/g, "").length % 4 !== 0)
      return `illegal base64 data at input byte ${value.length - (value.length % 4)}`;
  }
  return undefined;
}

export const cannotHandle = (kind: Kind, why: string): Error =>
  badRequest(
    `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${why}`,
  );

/** `strict decoding error: unknown field "spec.foo", unknown field "spec.bar"` */
export const strictProblem = (unknown: readonly string[]): string =>
  `strict decoding error: ${unknown.map((field) => `unknown field ${JSON.stringify(field)}`).join(", ")}`;
