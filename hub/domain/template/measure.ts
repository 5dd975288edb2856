import type { CallContext } from "./function.ts";
import { isGoList, isGoMap, type GoValue } from "./value.ts";

/** What looking at one value inside of another is charged for. */
const perValue = 10;

/**
 * Pays for walking a value to its ends, before anybody does. Values share what they hold, so that a few words
 * make one that nobody can write out: a map twice in a map, forty times over, or one that holds itself.
 */
export function chargeForWalk(value: GoValue, charge: CallContext["charge"]): void {
  if (!holds(value)) return;
  const ahead: (Held | undefined)[] = [value];
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    charge(perValue * (isGoList(next) ? next.length : next.size));
    for (const item of next.values()) if (holds(item)) ahead.push(item);
  }
}

type Held = Extract<GoValue, ReadonlyMap<string, unknown> | readonly unknown[]>;

const holds = (value: GoValue): value is Held => isGoMap(value) || isGoList(value);

/** Functions that look at what they are given, and no further. */
const shallow = new Set([
  "all",
  "any",
  "append",
  "call",
  "chunk",
  "coalesce",
  "compact",
  "concat",
  "default",
  "dict",
  "dig",
  "empty",
  "first",
  "get",
  "hasKey",
  "index",
  "initial",
  "keys",
  "kindIs",
  "kindOf",
  "last",
  "len",
  "list",
  "mustAppend",
  "mustFirst",
  "mustInitial",
  "mustLast",
  "mustPrepend",
  "mustPush",
  "mustRest",
  "mustReverse",
  "mustSlice",
  "not",
  "omit",
  "pick",
  "pluck",
  "prepend",
  "push",
  "rest",
  "reverse",
  "set",
  "slice",
  "ternary",
  "tuple",
  "typeIs",
  "typeIsLike",
  "typeOf",
  "unset",
  "values",
]);

export const walksItsValues = (name: string): boolean => !shallow.has(name);
