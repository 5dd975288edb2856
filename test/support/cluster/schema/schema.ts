/**
 * What the API knows of a kind's fields: which exist, how two writers' lists and maps merge, and which parts
 * are one indivisible value.
 */
import type { JsonMap } from "../json.ts";

export type ScalarType =
  | "string"
  | "int32"
  | "int64"
  | "number"
  | "bool"
  | "quantity"
  | "int-or-string";

export type Schema =
  | { readonly kind: "scalar"; readonly type: ScalarType }
  /** Anything goes: maps are granular, lists atomic, as they come. */
  | { readonly kind: "any" }
  | {
      readonly kind: "struct";
      readonly fields: { readonly [field: string]: Schema };
      readonly atomic: boolean;
      /** Unknown fields are kept. */
      readonly open: boolean;
      /**
       * Fields that an empty object of this kind already has, so that filling them does not create them.
       * Shows in the ownership of updates: they get no "." of their own.
       */
      readonly inline: ReadonlySet<string>;
    }
  | { readonly kind: "map"; readonly values: Schema; readonly atomic: boolean }
  | {
      readonly kind: "list";
      readonly items: Schema;
      readonly relation: "atomic" | "set" | "map";
      readonly keys: readonly string[];
      readonly keyDefaults: JsonMap;
    };

export type StructSchema = Extract<Schema, { readonly kind: "struct" }>;
export type ListSchema = Extract<Schema, { readonly kind: "list" }>;

type Fields = { readonly [field: string]: Schema };

const scalar = (type: ScalarType): Schema => ({ kind: "scalar", type });

export const text = scalar("string");
export const int32 = scalar("int32");
export const int64 = scalar("int64");
export const number = scalar("number");
export const bool = scalar("bool");
export const quantity = scalar("quantity");
export const intOrString = scalar("int-or-string");
export const any: Schema = { kind: "any" };

const noFields: ReadonlySet<string> = new Set();

export const struct = (fields: Fields, inline: readonly string[] = []): StructSchema => ({
  kind: "struct",
  fields,
  atomic: false,
  open: false,
  inline: inline.length === 0 ? noFields : new Set(inline),
});

export const atomicStruct = (fields: Fields): StructSchema => ({ ...struct(fields), atomic: true });

export const openStruct = (fields: Fields): StructSchema => ({ ...struct(fields), open: true });

export const mapOf = (values: Schema): Schema => ({ kind: "map", values, atomic: false });

export const atomicMapOf = (values: Schema): Schema => ({ kind: "map", values, atomic: true });

export const atomicList = (items: Schema): Schema => ({
  kind: "list",
  items,
  relation: "atomic",
  keys: [],
  keyDefaults: {},
});

export const setOf = (items: Schema): Schema => ({
  kind: "list",
  items,
  relation: "set",
  keys: [],
  keyDefaults: {},
});

export const listMap = (
  keys: readonly string[],
  items: Schema,
  keyDefaults: JsonMap = {},
): Schema => ({
  kind: "list",
  items,
  relation: "map",
  keys,
  // A key that is missing is an empty text or 0: the refusal comes from validation, which names the field.
  keyDefaults: {
    ...Object.fromEntries(keys.flatMap((key) => zeroKey(items, key))),
    ...keyDefaults,
  },
});

function zeroKey(items: Schema, key: string): readonly (readonly [string, string | number])[] {
  const schema = items.kind === "struct" ? items.fields[key] : undefined;
  if (schema?.kind !== "scalar") return [];
  if (schema.type === "string") return [[key, ""]];
  return schema.type === "int32" || schema.type === "int64" ? [[key, 0]] : [];
}

export const textMap = mapOf(text);
export const texts = atomicList(text);

/** The schema of a field, or `undefined` where the field is not declared. */
export function fieldSchema(schema: Schema, field: string): Schema | undefined {
  switch (schema.kind) {
    case "any":
      return any;
    case "map":
      return schema.values;
    case "struct":
      return Object.hasOwn(schema.fields, field)
        ? schema.fields[field]
        : schema.open
          ? any
          : undefined;
    default:
      return undefined;
  }
}
