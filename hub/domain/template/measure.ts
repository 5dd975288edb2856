import type { CallContext } from "./function.ts";
import { isGoList, isGoMap, type GoMap, type GoValue } from "./value.ts";

/**
 * What lists and maps cost, in the unit of `workMost`. One unit stands for about ten bytes that a template may keep
 * and a few nanoseconds it may take, so that no evaluation holds more than about a hundred megabytes.
 */

type Charge = CallContext["charge"];

/** An item that is put into a list, or passed by. */
const perItem = 1;

/** An item that was made for its list: a piece of a text, a number. */
const perNewItem = 4;

/** An entry of a map: a hundred bytes, or its turn when the keys are sorted. */
const perEntry = 16;

/** A value inside of another, looked at. */
const perValue = 10;

/** Text inside of a value is written out by whoever walks it: this many characters for one unit. */
const textPerUnit = 4;

/** A character that is read as JSON or YAML: three make a map. */
const perDecoded = 2;

/**
 * How far a function looks into the lists and maps it is given, and what it gives: `place` looks at one place, and
 * pays by itself for what it makes; `along` looks at what they hold and gives it anew; `ends` walks all there is in
 * them; `decodes` makes values out of text.
 */
export type Reach = "place" | "along" | "ends" | "decodes";

type Held = Extract<GoValue, ReadonlyMap<string, unknown> | readonly unknown[]>;

const holds = (value: GoValue): value is Held => isGoMap(value) || isGoList(value);

export const chargeForItems = (count: number, charge: Charge): void => charge(perItem * count);

export const chargeForEntries = (count: number, charge: Charge): void => charge(perEntry * count);

/** Pays for the keys of a map, before they are sorted. */
export const chargeForKeys = (map: GoMap, charge: Charge): void =>
  chargeForEntries(map.size, charge);

/** Pays for pieces of a text that become items, or entries, before they are made. */
export const chargeForPieces = (count: number, as: "items" | "entries", charge: Charge): void =>
  charge((as === "items" ? perNewItem : perEntry) * count);

/**
 * Pays for walking a value to its ends, before anybody does. Values share what they hold, so that a few words
 * make one that nobody can write out: a map twice in a map, forty times over, or one that holds itself.
 */
export function chargeForWalk(value: GoValue, charge: Charge): void {
  if (!holds(value)) return;
  const ahead: (Held | undefined)[] = [value];
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    charge(perValue + (isGoList(next) ? perValue * next.length : perEntry * next.size));
    let characters = 0;
    if (isGoMap(next)) for (const key of next.keys()) characters += key.length;
    for (const item of next.values())
      if (typeof item === "string") characters += item.length;
      else if (holds(item)) ahead.push(item);
    charge(Math.trunc(characters / textPerUnit));
  }
}

/** Pays for a list or map that a function is given. */
export function chargeForArgument(value: GoValue, reach: Reach, charge: Charge): void {
  if (!holds(value)) return;
  if (reach === "ends") chargeForWalk(value, charge);
  else if (reach === "along") chargeForSize(value, perItem, charge);
}

/** Pays for a list or map that a function gave. */
export function chargeForResult(value: GoValue, reach: Reach, charge: Charge): void {
  if (!holds(value)) return;
  if (reach === "ends") chargeForSize(value, perNewItem, charge);
  else if (reach === "along") chargeForSize(value, perItem, charge);
  else if (reach === "decodes") chargeForWalk(value, charge);
}

const chargeForSize = (value: Held, each: number, charge: Charge): void =>
  charge(isGoList(value) ? each * value.length : perEntry * value.size);

/** Pays for text that is about to be decoded. */
export const chargeForDecoding = (characters: number, charge: Charge): void =>
  charge(perDecoded * characters);

const reaches: Readonly<Record<Exclude<Reach, "ends">, readonly string[]>> = {
  place: [
    "all",
    "any",
    "call",
    "coalesce",
    "default",
    "dict",
    "dig",
    "empty",
    "first",
    "get",
    "hasKey",
    "index",
    "kindIs",
    "kindOf",
    "last",
    "len",
    "list",
    "mustFirst",
    "mustLast",
    "not",
    "pick",
    "pluck",
    "set",
    "split",
    "splitList",
    "splitn",
    "ternary",
    "tuple",
    "typeIs",
    "typeIsLike",
    "typeOf",
    "unset",
  ],
  along: [
    "append",
    "chunk",
    "compact",
    "concat",
    "initial",
    "keys",
    "mustAppend",
    "mustChunk",
    "mustCompact",
    "mustInitial",
    "mustPrepend",
    "mustPush",
    "mustRest",
    "mustReverse",
    "mustSlice",
    "omit",
    "prepend",
    "push",
    "rest",
    "reverse",
    "slice",
    "values",
  ],
  decodes: ["fromJson", "fromYaml", "fromYamlArray", "mustFromJson"],
};

const reachByName: ReadonlyMap<string, Reach> = new Map([
  ...reaches.place.map((name) => [name, "place"] as const),
  ...reaches.along.map((name) => [name, "along"] as const),
  ...reaches.decodes.map((name) => [name, "decodes"] as const),
]);

export const reachOf = (name: string): Reach => reachByName.get(name) ?? "ends";
