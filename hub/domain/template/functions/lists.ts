import {
  type CallContext,
  FunctionError,
  takes,
  takesMany,
  type TemplateFunction,
} from "../function.ts";
import { byteLength, bytesOf, joined, splitText } from "../bytes.ts";
import { chargeForEntries, chargeForItems, chargeForPieces } from "../measure.ts";
import {
  compareBytes,
  deepEqual,
  GoInteger,
  integerOf,
  isGoList,
  isGoMap,
  nilList,
  stringList,
  StringMap,
  TypedList,
  typedList,
  typeName,
  type GoList,
  type GoValue,
} from "../value.ts";
import { asList, isEmpty, kindOf, present, textOf, toInteger } from "./convert.ts";

/** A list of the type of `like`, as reflection keeps it. */
const sameType = (like: GoList, items: readonly GoValue[]): GoList =>
  like instanceof TypedList ? typedList(like.elementType, items) : [...items];

/** Texts of what is there: sprig's way from any value to a list of text. */
export function texts(value: GoValue): readonly string[] {
  if (isGoList(value)) return value.filter(present).map(textOf);
  return present(value) ? [textOf(value)] : [];
}

const list = takesMany([], "any", (_, values, context) => {
  chargeForItems(values.length, context.charge);
  return [...values];
});

const withMust = (
  name: string,
  made: TemplateFunction,
): readonly (readonly [string, TemplateFunction])[] => [
  [name, made],
  [`must${name.slice(0, 1).toUpperCase()}${name.slice(1)}`, made],
];

export const listFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ["list", list],
  ["tuple", list],
  ...withMust(
    "append",
    takes(["any", "any"], ([items, value]) => [...asList(items, "push on"), value]),
  ),
  ["push", takes(["any", "any"], ([items, value]) => [...asList(items, "push on"), value])],
  ["mustPush", takes(["any", "any"], ([items, value]) => [...asList(items, "push on"), value])],
  ...withMust(
    "prepend",
    takes(["any", "any"], ([items, value]) => [value, ...asList(items, "prepend on")]),
  ),
  ...withMust(
    "first",
    takes(["any"], ([items]) => asList(items, "find first on")[0] ?? null),
  ),
  ...withMust(
    "last",
    takes(["any"], ([items]) => asList(items, "find last on").at(-1) ?? null),
  ),
  ...withMust(
    "rest",
    takes(["any"], ([items]) => allBut(asList(items, "find rest on"), 1, 0)),
  ),
  ...withMust(
    "initial",
    takes(["any"], ([items]) => allBut(asList(items, "find initial on"), 0, 1)),
  ),
  ...withMust(
    "reverse",
    takes(["any"], ([items]) => asList(items, "find reverse on").toReversed()),
  ),
  ...withMust(
    "compact",
    takes(["any"], ([items]) => asList(items, "compact on").filter((it) => !isEmpty(it))),
  ),
  ...withMust(
    "uniq",
    takes(["any"], ([items], context) => unique(asList(items, "find uniq on"), context.charge)),
  ),
  ...withMust(
    "without",
    takesMany(["any"], "any", ([value], omitted, context) => {
      const items = asList(value, "find without on");
      chargeForItems(items.length * omitted.length, context.charge);
      return items.filter((item) => !omitted.some((other) => deepEqual(item, other)));
    }),
  ),
  ...withMust(
    "has",
    takes(["any", "any"], ([needle, items]) =>
      present(items) ? asList(items, "find has on").some((item) => deepEqual(needle, item)) : false,
    ),
  ),
  ...withMust(
    "slice",
    takesMany(["any"], "any", ([items], indices) => sliced(items, indices)),
  ),
  ...withMust(
    "chunk",
    takes(["int", "any"], ([size, items], context) =>
      chunked(asList(items, "chunk"), Number(size), context.charge),
    ),
  ),
  [
    "concat",
    takesMany([], "any", (_, lists) => {
      const all = lists.flatMap((it) => [...asConcat(it)]);
      return all.length === 0 ? nilList("interface {}") : all;
    }),
  ],
  ["toStrings", takes(["any"], ([value]) => stringList(texts(value)))],
  [
    "join",
    takes(["string", "any"], ([separator, value], context) => {
      const parts = texts(value);
      context.charge(parts.reduce((total, part) => total + part.length + separator.length, 0));
      return parts.join(separator);
    }),
  ],
  [
    "sortAlpha",
    takes(["any"], ([value]) =>
      stringList(isGoList(value) ? texts(value).toSorted(compareBytes) : [textOf(value)]),
    ),
  ],
  [
    "split",
    takes(["string", "string"], ([separator, text], { charge }) => {
      chargeForPieces(piecesMost(text, separator), "entries", charge);
      return numbered(splitText(text, separator));
    }),
  ],
  [
    "splitList",
    takes(["string", "string"], ([separator, text], { charge }) => {
      chargeForPieces(piecesMost(text, separator), "items", charge);
      return stringList(splitText(text, separator));
    }),
  ],
  [
    "splitn",
    takes(["string", "int", "string"], ([separator, most, text], { charge }) => {
      const pieces = piecesMost(text, separator);
      chargeForPieces(pieces, "items", charge);
      chargeForPieces(most < 0n ? pieces : Math.min(pieces, Number(most)), "entries", charge);
      return numbered(splitMost(text, separator, Number(most)));
    }),
  ],
  ["index", takesMany(["any"], "any", ([item], indices) => indexed(item, indices))],
];

const allBut = (items: GoList, front: number, back: number): GoValue =>
  items.length === 0 ? nilList("interface {}") : items.slice(front, items.length - back);

const asConcat = (value: GoValue): GoList => {
  if (isGoList(value)) return value;
  throw new FunctionError(`Cannot concat type ${kindOf(value)} as list`);
};

function unique(items: GoList, charge: CallContext["charge"]): GoValue {
  const found: GoValue[] = [];
  for (const item of items) {
    // Two lists may differ in their last items only.
    chargeForItems(found.length * (isGoList(item) ? 1 + item.length : 1), charge);
    if (!found.some((other) => deepEqual(other, item))) found.push(item);
  }
  return found;
}

function sliced(items: GoValue, indices: readonly GoValue[]): GoValue {
  if (!isGoList(items))
    throw new FunctionError(`list should be type of slice or array but ${kindOf(items)}`);
  if (items.length === 0) return null;
  const start = indices.length > 0 ? Number(toInteger(indices[0])) : 0;
  const end = indices.length > 1 ? Number(toInteger(indices[1])) : items.length;
  if (start < 0 || end > items.length || start > end)
    throw new FunctionError("reflect.Value.Slice: slice index out of bounds");
  return sameType(items, items.slice(start, end));
}

function chunked(items: GoList, size: number, charge: CallContext["charge"]): GoValue {
  // Go rounds the number of chunks down, which for a negative size may well be none.
  if (size < 0 && Math.floor((items.length - 1) / size) === -1)
    return typedList("[]interface {}", []);
  if (size < 1) throw new FunctionError("runtime error: makeslice: len out of range");
  chargeForEntries(items.length / size, charge);
  const chunks: GoList[] = [];
  for (let at = 0; at < items.length; at += size) chunks.push(items.slice(at, at + size));
  return typedList("[]interface {}", chunks);
}

/** How many pieces a text falls into, or more. */
function piecesMost(text: string, separator: string): number {
  if (separator === "" || !separator.isWellFormed()) return text.length;
  let count = 1;
  for (let at = text.indexOf(separator); at !== -1; count += 1)
    at = text.indexOf(separator, at + separator.length);
  return count;
}

function splitMost(text: string, separator: string, most: number): readonly string[] {
  if (most === 0) return [];
  const parts = splitText(text, separator);
  if (most < 0 || parts.length <= most) return parts;
  return [...parts.slice(0, most - 1), joined(parts.slice(most - 1).join(separator))];
}

/** sprig's `split` gives a map: `_0`, `_1` and so on. */
const numbered = (parts: readonly string[]): GoValue =>
  new StringMap(parts.map((part, index) => [`_${index}`, part]));

function indexed(item: GoValue, indices: readonly GoValue[]): GoValue {
  let value: GoValue = item ?? undefined;
  if (value === undefined) throw new FunctionError("index of untyped nil");
  for (const index of indices) {
    if (value === undefined || value === null) throw new FunctionError("index of nil pointer");
    value = element(value, index);
  }
  return value;
}

function element(value: GoValue, index: GoValue): GoValue {
  if (isGoMap(value)) {
    if (!present(index)) throw new FunctionError("value is nil; should be of type string");
    if (typeof index !== "string")
      throw new FunctionError(`value has type ${typeName(index)}; should be string`);
    return value.get(index) ?? (value instanceof StringMap ? "" : null);
  }
  if (typeof value !== "string" && !isGoList(value))
    throw new FunctionError(`can't index item of type ${typeName(value)}`);
  if (!present(index)) throw new FunctionError("cannot index slice/array with nil");
  const at = integerOf(index);
  if (at === undefined)
    throw new FunctionError(`cannot index slice/array with type ${typeName(index)}`);
  const length = typeof value === "string" ? byteLength(value) : value.length;
  if (at < 0n || at >= BigInt(length)) throw new FunctionError(`index out of range: ${at}`);
  if (typeof value !== "string") return value[Number(at)] ?? null;
  return byteAt(value, Number(at));
}

const byteAt = (text: string, at: number): GoValue =>
  new GoInteger("uint8", BigInt(bytesOf(text).charCodeAt(at)));
