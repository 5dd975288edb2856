import { ok } from "../../../proto/kit/result.ts";
import { field, FieldReader, isObject, type JsonObject } from "../document.ts";
import type { Params } from "../params.ts";
import { wellFormed } from "../template/bytes.ts";
import { goValueOf, type GoValue } from "../template/value.ts";
import { generatorFailure, within, type ParamsResult, type GeneratorContext } from "./context.ts";
import { cannotConvert, cannotUnmarshal, mappingType } from "./json-words.ts";
import { listOfMappings } from "./list-of-mappings.ts";

/**
 * `list`: its elements as they are written, and those of `elementsYaml` after them, where an empty item is an
 * empty set.
 */
export function listParams(
  body: JsonObject,
  path: string,
  context: GeneratorContext,
): ParamsResult {
  const fields = new FieldReader(body, path);
  const elements = fields.list("elements");
  const yaml = fields.text("elementsYaml");
  if (fields.problems.length > 0) return generatorFailure(fields.problems.join("; "));
  const sets: Params[] = [];
  for (const [index, element] of elements.entries()) {
    if (!isObject(element))
      return generatorFailure(
        `error unmarshling list element ${cannotUnmarshal(element, mappingType)}`,
      );
    const params = context.templates.goTemplate ? ok(mapOf(element)) : textParams(element);
    if (params.ok) sets.push(params.value);
    else if (context.spare === undefined) return params;
    else context.spare(within(`${path}.elements[${index}]`, params.problem).problem);
  }
  if (yaml === "") return ok(sets);
  const decoded = context.needs.decodeYaml(yaml);
  if (!decoded.ok)
    return generatorFailure(
      `error unmarshling decoded ElementsYaml ${cannotConvert(decoded.problem)}`,
    );
  if (decoded.value === null) return ok(sets);
  const more = listOfMappings(decoded.value);
  if (!more.ok) return generatorFailure(`error unmarshling decoded ElementsYaml ${more.problem}`);
  return ok([...sets, ...more.value.map(mapOf)]);
}

const mapOf = (element: JsonObject): Params =>
  new Map(Object.keys(element).map((key) => [wellFormed(key), goValueOf(element[key] ?? null)]));

/** Without Go templates every value is text, but for `values`, a mapping of text. */
function textParams(
  element: JsonObject,
): { readonly ok: true; readonly value: Params } | ReturnType<typeof generatorFailure> {
  const params = new Map<string, GoValue>();
  for (const key of Object.keys(element)) {
    const value = field(element, key) ?? null;
    if (key === "values") {
      if (!isObject(value)) return generatorFailure("error parsing values map");
      for (const name of Object.keys(value)) {
        const text = field(value, name);
        if (typeof text !== "string")
          // Argo CD's own words, down to the slip of its formatting.
          return generatorFailure("error parsing value as string %!w(<nil>)");
        params.set(`values.${wellFormed(name)}`, wellFormed(text));
      }
    } else if (typeof value === "string") params.set(wellFormed(key), wellFormed(value));
    else return generatorFailure("error parsing value as string %!w(<nil>)");
  }
  return ok(params);
}
