import type { MissingKey } from "../application-set.ts";
import { chargeForKeys } from "./measure.ts";
import { goQuote, printValue } from "./print.ts";
import { type Emit, Failure, type Run, type State } from "./state.ts";
import type { BranchNode } from "./tree.ts";
import {
  GoInteger,
  type GoMap,
  type GoValue,
  StringMap,
  integerOf,
  isGoList,
  isGoMap,
  sortedKeys,
  typeName,
} from "./value.ts";

/** What stands under a name in a value that has no such method. `given` says that the name was given arguments. */
export function fieldOf(
  receiver: GoValue,
  name: string,
  given: boolean,
  missingKey: MissingKey,
  fromInterface: boolean,
): GoValue {
  if (receiver instanceof Map) {
    if (given) throw new Failure(`${name} is not a method but has arguments`);
    // The type of a Map's elements is lost by instanceof; it holds GoValues by the type of GoValue.
    const value = (receiver as GoMap).get(name);
    if (value !== undefined) return value;
    switch (missingKey) {
      case "default":
        return undefined;
      case "zero":
        return receiver instanceof StringMap ? "" : null;
      case "error":
        throw new Failure(`map has no entry for key ${goQuote(name)}`);
    }
  }
  if (receiver === undefined) {
    if (missingKey === "error") throw new Failure(`nil data; no entry for key ${goQuote(name)}`);
    return undefined;
  }
  if (receiver === null) throw new Failure(`nil pointer evaluating interface {}.${name}`);
  const type = fromInterface ? "interface {}" : typeName(receiver);
  throw new Failure(`can't evaluate field ${name} in type ${type}`);
}

export function rangeOver(
  node: BranchNode,
  pipe: Run,
  body: Emit,
  orElse: Emit,
  slots: readonly number[],
): Emit {
  const [first, second] = slots;
  const assign = (state: State, key: GoValue, value: GoValue): void => {
    // One variable is the element, two are index and element.
    if (first !== undefined) state.variables[first] = second === undefined ? value : key;
    if (second !== undefined) state.variables[second] = value;
  };
  return (state) => {
    state.at = node;
    state.step();
    const value = pipe(state);
    const { dot } = state;
    let turns = 0;
    /** Runs the body once. Returns false for `break`. */
    const turn = (key: GoValue, element: GoValue): boolean => {
      turns += 1;
      state.step();
      assign(state, key, element);
      state.dot = element;
      const flow = body(state);
      state.dot = dot;
      return flow !== "break";
    };
    const integer = integerOf(value);
    if (isGoMap(value)) {
      chargeForKeys(value, state.context.charge);
      for (const key of sortedKeys(value)) if (!turn(key, value.get(key))) break;
    } else if (isGoList(value)) {
      for (let index = 0; index < value.length; index += 1)
        if (!turn(BigInt(index), value[index] ?? null)) break;
    } else if (integer !== undefined) {
      if (second !== undefined)
        throw new Failure(`can't use ${integer} to iterate over more than one variable`);
      const like = (index: bigint): GoValue =>
        value instanceof GoInteger ? value.like(index) : index;
      for (let index = 0n; index < integer; index += 1n) if (!turn(index, like(index))) break;
    } else if (value !== undefined && value !== null) {
      throw new Failure(`range can't iterate over ${printValue(value)}`);
    }
    return turns === 0 ? orElse(state) : "on";
  };
}
