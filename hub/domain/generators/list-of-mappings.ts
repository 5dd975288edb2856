import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import type { Json } from "../../../proto/words/digest.ts";
import { emptyObject, isList, isObject, type JsonObject } from "../document.ts";
import { cannotDecode, mappingType } from "./json-words.ts";

/** The mappings of a list that was YAML, null being an empty one. Fails in Go's words on the first item that is none. */
export function listOfMappings(value: Json): Result<readonly JsonObject[], string> {
  if (!isList(value)) return fail(cannotDecode(value, `[]${mappingType}`));
  const mappings: JsonObject[] = [];
  for (const item of value) {
    if (item !== null && !isObject(item)) return fail(cannotDecode(item, mappingType));
    mappings.push(item ?? emptyObject());
  }
  return ok(mappings);
}
