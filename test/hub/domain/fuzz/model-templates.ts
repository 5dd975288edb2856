import {
  copyOf,
  ModelFailure,
  printed,
  Texts,
  type ModelMap,
  type ModelValue,
} from "./model-values.ts";

export type Missing = "default" | "zero" | "error";

export type ModelMode = { readonly goTemplate: boolean; readonly missing: Missing };

export const rendered = (text: string, params: ModelMap, mode: ModelMode): string =>
  mode.goTemplate ? goRendered(text, params, mode.missing) : fastRendered(text, params);

/** Placeholders whose trimmed name is a param that is text; only when one of them is whole on a line. */
export function fastRendered(text: string, params: ModelMap): string {
  if (!/\{\{.*\}\}/.test(text)) return text;
  let made = "";
  let rest = text;
  for (;;) {
    const open = rest.indexOf("{{");
    if (open === -1) return made + rest;
    const close = rest.indexOf("}}", open + 2);
    if (close === -1) throw new ModelFailure("an open placeholder");
    const name = rest.slice(open + 2, close).trim();
    const value = name === "" ? undefined : params.get(name);
    made += rest.slice(0, open);
    made += typeof value === "string" ? value : rest.slice(open, close + 2);
    rest = rest.slice(close + 2);
  }
}

/** What stands in no map is `undefined`. */
type Found = ModelValue | undefined;

/** The few actions that the cases are made of; anything else would be a mistake of theirs. */
export function goRendered(text: string, params: ModelMap, missing: Missing): string {
  const data = copyOf(params) as Map<string, ModelValue>;
  return text.replace(/\{\{(.*?)\}\}/g, (_, action: string) => acted(action.trim(), data, missing));
}

function acted(action: string, data: Map<string, ModelValue>, missing: Missing): string {
  const set = /^\$_ := set \. "([^"]*)" "([^"]*)"$/.exec(action);
  if (set !== null) {
    data.set(set[1] ?? "", set[2] ?? "");
    return "";
  }
  const index = /^index \. "([^"]*)"$/.exec(action);
  if (index !== null) return shown(data.get(index[1] ?? "") ?? null);
  const upper = /^(\.\S*) \| upper$/.exec(action);
  if (upper !== null) {
    const value = followed(upper[1] ?? "", data, missing);
    if (typeof value !== "string") throw new ModelFailure("upper of no text");
    return value.toUpperCase();
  }
  if (!/^\.\S*$/.test(action)) throw new TypeError(`no model of ${action}`);
  return shown(followed(action, data, missing));
}

const shown = (value: Found): string =>
  value === undefined || value === null ? "<no value>" : printed(value);

function followed(path: string, data: ModelMap, missing: Missing): Found {
  let value: Found = data;
  for (const name of path.split(".").slice(1)) {
    if (value === undefined) {
      if (missing === "error") throw new ModelFailure(`nothing has ${name}`);
      continue;
    }
    if (value === null) throw new ModelFailure("a nil pointer");
    if (!(value instanceof Map)) throw new ModelFailure(`${name} of no map`);
    const found: Found = (value as ModelMap).get(name);
    if (found === undefined && missing === "error") throw new ModelFailure(`no ${name}`);
    const zero: Found = value instanceof Texts ? "" : null;
    value = found === undefined && missing === "zero" ? zero : found;
  }
  return value;
}
