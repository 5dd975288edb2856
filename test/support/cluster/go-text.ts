/** How Go prints values, for messages that quote them so. */
import { isList, isMap, type Json } from "./json.ts";

/** `%v`: `map[a:1 b:[x y]]`. */
export function goText(value: Json): string {
  if (isList(value)) return `[${value.map(goText).join(" ")}]`;
  if (isMap(value))
    return `map[${Object.keys(value)
      .toSorted()
      .map((field) => `${field}:${goText(value[field] ?? null)}`)
      .join(" ")}]`;
  return value === null ? "<nil>" : typeof value === "string" ? value : JSON.stringify(value);
}

/** `%#v`. */
export function goValue(value: Json): string {
  if (isList(value)) return `[]interface {}{${value.map(goValue).join(", ")}}`;
  if (isMap(value))
    return `map[string]interface {}{${Object.keys(value)
      .toSorted()
      .map((field) => `${JSON.stringify(field)}:${goValue(value[field] ?? null)}`)
      .join(", ")}}`;
  return value === null ? "interface {}(nil)" : JSON.stringify(value);
}

/** `%T` of a decoded value. */
export function goType(value: Json): string {
  if (isList(value)) return "[]interface {}";
  if (isMap(value)) return "map[string]interface {}";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return typeof value === "boolean" ? "bool" : typeof value;
}
