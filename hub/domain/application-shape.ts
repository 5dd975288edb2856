import { unreachable } from "../../proto/kit/unreachable.ts";
import type { Json } from "../../proto/words/digest.ts";
import { applicationFields, type Shape, type StructShape } from "./application-fields.ts";
import { copyOf, emptyObject, field, isList, isObject, type JsonObject } from "./document.ts";

/**
 * An Application as Argo CD writes it, to the last byte: what says nothing left out, and fields that are always there
 * put in. Fields nobody knows stay. What is in shape already is given back as it is.
 */
export function inApplicationShape(document: JsonObject): JsonObject {
  const shaped = written(document, applicationFields);
  return isObject(shaped) ? shaped : document;
}

/** `undefined`: left out. */
function written(value: Json | undefined, shape: Shape): Json | undefined {
  switch (shape.kind) {
    case "struct":
      return writtenStruct(value, shape);
    case "any":
    case "time":
      return value ?? undefined;
    case "count":
      return value ?? 0;
    case "text":
    case "flag":
    case "whole":
      if (value === undefined || value === null)
        return shape.written === "always" ? zeroOf[shape.kind] : undefined;
      return shape.written === "unless-empty" && isZero(value, shape.kind) ? undefined : value;
    case "list":
      if (value === null && shape.written === "when-there") return [];
      if (!isList(value)) return value ?? undefined;
      return value.length === 0 && shape.written === "unless-empty"
        ? undefined
        : writtenList(value, shape.of);
    case "map":
      if (value === null && shape.written === "when-there") return emptyObject();
      if (!isObject(value)) return value ?? undefined;
      return shape.written === "unless-empty" && isEmpty(value) ? undefined : value;
    default:
      return unreachable(shape, "shape");
  }
}

const zeroOf = { text: "", flag: false, whole: 0 } as const;

// A `no` where text belongs says something: it stays, so that whoever reads it can complain.
const isZero = (value: Json, kind: keyof typeof zeroOf): boolean =>
  value === zeroOf[kind] || (kind === "whole" && value === 0n);

// Items are never left out, whatever they say.
function writtenList(items: readonly Json[], shape: Shape): Json {
  if (shape.kind !== "struct") return items;
  const shaped = items.map((item) => writtenStruct(item, shape) ?? item);
  return shaped.every((item, index) => item === items[index]) ? items : shaped;
}

function writtenStruct(value: Json | undefined, shape: StructShape): Json | undefined {
  if (value === undefined || value === null) {
    if (shape.written !== "always") return undefined;
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

function isEmpty(object: JsonObject): boolean {
  for (const key in object) if (Object.hasOwn(object, key)) return false;
  return true;
}
