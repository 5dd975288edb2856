import type { Json } from "../../../proto/words/digest.ts";
import { emptyObject, field, FieldReader, objectOf, type JsonObject } from "../document.ts";
import { OpaqueMap } from "../params.ts";
import { encodeJson } from "../template/json.ts";
import { compareBytes, GoObject, goValueOf, type GoValue } from "../template/value.ts";

/**
 * What stands under `generator.input`: the parameters a plugin was asked with. Go templates find their values in it.
 * The older templates cannot look into it, and a matrix of theirs prints it as Argo CD does.
 */
export const pluginInput = (parameters: JsonObject | undefined, goTemplate: boolean): GoValue =>
  goTemplate
    ? new OpaqueMap([["parameters", goValueOf(parameters ?? null)]])
    : new UnreadInput(parameters);

/** A map of JSON that Go has not read: each value is a struct around the bytes of its text. */
class UnreadInput extends GoObject {
  readonly type = "map[string]v1alpha1.PluginParameters";
  readonly fields = undefined;
  readonly #parameters: JsonObject | undefined;

  constructor(parameters: JsonObject | undefined) {
    super();
    this.#parameters = parameters;
  }

  get text(): string {
    const parameters = this.#parameters ?? emptyObject();
    const printed = Object.keys(parameters)
      .toSorted(compareBytes)
      .map((key) => `${key}:{[${bytesOf(field(parameters, key) ?? null).join(" ")}]}`);
    return `map[parameters:map[${printed.join(" ")}]]`;
  }

  get json(): Json {
    return objectOf([["parameters", this.#parameters ?? null]]);
  }

  method(): undefined {
    return undefined;
  }

  equals(other: GoObject): boolean {
    return other === this;
  }

  deepEquals(other: GoObject): boolean {
    return other instanceof UnreadInput && other.text === this.text;
  }
}

function bytesOf(value: Json): Buffer {
  const text = encodeJson(goValueOf(value), { escapesHtml: true, indented: false });
  if (!text.ok) throw new TypeError(text.problem);
  return Buffer.from(text.value);
}

/** The fields of a plugin beside other params of a matrix: to fill them in makes a map of parameters where there was none. */
export function withMadeInput(body: JsonObject): JsonObject {
  const fields = new FieldReader(body, "");
  const input = fields.inside("input");
  if (input.has("parameters") || fields.problems.length > 0) return body;
  return objectOf([...Object.entries(body), ["input", objectOf([["parameters", emptyObject()]])]]);
}
