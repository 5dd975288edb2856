/** From the JSON of a request to an object of its kind: unknown fields go, wrong types are refused. */
import { unreachable } from "../../../proto/kit/unreachable.ts";
import { isList, isMap, type Json, type JsonMap } from "./json.ts";
import type { Kind } from "./kinds.ts";
import { canonicalQuantity } from "./quantity.ts";
import { fieldSchema, type ScalarType, type Schema } from "./schema/schema.ts";
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
export function decode(kind: Kind, body: JsonMap): Decoded {
  const unknown: string[] = [];
  const isCustom = kind.custom !== undefined;
  const value = walk(body, kind.schema, "", { kind, isCustom, unknown });
  return { value: isMap(value) ? value : {}, unknown };
}

type Context = {
  readonly kind: Kind;
  readonly isCustom: boolean;
  readonly unknown: string[];
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
      if (!isMap(value)) return context.isCustom ? value : mismatch(value, "struct", path, context);
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
    const left = walk(inner, known, here, context);
    const isInline = schema.kind === "struct" && schema.inline.has(field);
    if (left !== undefined) kept[field] = left;
    else if (isInline && isList(inner)) kept[field] = inner;
    if (kept[field] !== inner) changed = true;
  }
  const isEmptied = schema.kind === "map" && Object.keys(kept).length === 0 && !context.isCustom;
  if (isEmptied) return undefined;
  return changed ? kept : value;
}

const goTypes: { readonly [type in ScalarType]: string } = {
  string: "string",
  int32: "int32",
  int64: "int64",
  number: "float64",
  bool: "bool",
  quantity: "resource.Quantity",
  "int-or-string": "intstr.IntOrString",
};

function scalar(value: Json, type: ScalarType, path: string, context: Context): Json {
  const shape = typeof value;
  switch (type) {
    case "string":
      return shape === "string" ? value : mismatch(value, goTypes[type], path, context);
    case "bool":
      return shape === "boolean" ? value : mismatch(value, goTypes[type], path, context);
    case "int32":
    case "int64":
      return typeof value === "number" && Number.isInteger(value)
        ? value
        : mismatch(value, goTypes[type], path, context);
    case "number":
      return shape === "number" ? value : mismatch(value, goTypes[type], path, context);
    case "int-or-string":
      return shape === "number" || shape === "string"
        ? value
        : mismatch(value, goTypes[type], path, context);
    case "quantity": {
      if (typeof value !== "number" && typeof value !== "string")
        return mismatch(value, goTypes[type], path, context);
      const canonical = canonicalQuantity(String(value));
      if (canonical === undefined)
        throw cannotHandle(
          context.kind,
          `quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
        );
      return canonical;
    }
    default:
      return unreachable(type, "scalar type");
  }
}

function mismatch(value: Json, type: string, path: string, { kind }: Context): never {
  const shape =
    typeof value === "boolean"
      ? "bool"
      : isList(value)
        ? "array"
        : isMap(value)
          ? "object"
          : typeof value === "number"
            ? `number ${value}`
            : typeof value;
  const owner = path.startsWith("spec") ? `${kind.kind}Spec` : kind.kind;
  throw cannotHandle(
    kind,
    `json: cannot unmarshal ${shape} into Go struct field ${owner}.${path.replaceAll(/\[\d+\]/g, "")} of type ${type}`,
  );
}

export const cannotHandle = (kind: Kind, why: string): Error =>
  badRequest(
    `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${why}`,
  );

/** `strict decoding error: unknown field "spec.foo", unknown field "spec.bar"` */
export const strictProblem = (unknown: readonly string[]): string =>
  `strict decoding error: ${unknown.map((field) => `unknown field ${JSON.stringify(field)}`).join(", ")}`;
