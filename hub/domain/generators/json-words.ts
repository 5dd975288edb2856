import type { Json } from "../../../proto/words/digest.ts";
import { isList, isObject } from "../document.ts";

/** Go's words for JSON that is not of the type it is read into. */
export const cannotUnmarshal = (value: Json, type: string): string =>
  `json: cannot unmarshal ${kindOf(value)} into Go value of type ${type}`;

/** The same, for JSON that was YAML. */
export const cannotDecode = (value: Json, type: string): string =>
  `error unmarshaling JSON: while decoding JSON: ${cannotUnmarshal(value, type)}`;

export const mappingType = "map[string]interface {}";

/** Go's words for text that is not YAML, for a reason that names the line. */
export const cannotConvert = (reason: string): string =>
  `error converting YAML to JSON: yaml: ${reason}`;

function kindOf(value: Json): string {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (isObject(value)) return "object";
  if (isList(value)) return "array";
  return value === null ? "null" : "number";
}
