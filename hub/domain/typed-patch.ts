import { unreachable } from "../../proto/kit/unreachable.ts";
import type { Json } from "../../proto/words/digest.ts";
import { applicationFields, type Shape } from "./application-fields.ts";
import { describe, emptyObject, field, isList, isObject, type JsonObject } from "./document.ts";

export type TypedPatch = {
  /** The patch without fields that an Application does not have. */
  readonly patch: JsonObject;
  /** What has a wrong type, one sentence each. */
  readonly flaws: readonly string[];
};

/**
 * Checks a patch against the types of an Application. Null, which deletes, is of every type; directives, which begin
 * with `$`, are let through where an Application has fields, and are entries like any other where it has a mapping.
 */
export function typedPatch(patch: JsonObject): TypedPatch {
  const flaws: string[] = [];
  const checked = checkedValue(patch, applicationFields, "", flaws);
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
      return typeof value === "boolean" ? value : expected("true or false");
    case "whole":
      return isWhole(value, 64) ? value : expected("a whole number");
    case "count":
      return typeof value === "string" || isWhole(value, 32)
        ? value
        : expected("a whole number or text");
    case "time":
      return typeof value === "string" && moment.test(value)
        ? value
        : expected("a time like 2006-01-02T15:04:05Z");
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
        ? checkedFields(
            value,
            (key) => (key.startsWith("$") ? directive : shape.fields.get(key)),
            path,
            flaws,
          )
        : expected("a mapping");
    default:
      return unreachable(shape, "shape");
  }
}

const directive: Shape = { kind: "any" };

const moment =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

function isWhole(value: Json, bits: number): boolean {
  if (typeof value !== "bigint" && typeof value !== "number") return false;
  if (typeof value === "number" && !Number.isInteger(value)) return false;
  const integer = BigInt(value);
  return BigInt.asIntN(bits, integer) === integer;
}

function checkedFields(
  value: JsonObject,
  shapeOf: (key: string) => Shape | undefined,
  path: string,
  flaws: string[],
): JsonObject {
  const checked = emptyObject();
  for (const key of Object.keys(value)) {
    const inner = shapeOf(key);
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
