import { checkedValue, literalArgument } from "./arguments.ts";
import { joined } from "./bytes.ts";
import { FunctionError, type ParameterType, type TemplateFunction } from "./function.ts";
import { chargeForArgument, chargeForDecoding, chargeForResult, type Reach } from "./measure.ts";
import { Failure, nothing, type Piped, type Run, type State } from "./state.ts";
import type { AnyNode, WordNode } from "./tree.ts";
import { isGoList, isGoMap, type GoValue } from "./value.ts";

/** Throws unless a function is given as many arguments as it takes. */
export function checkCount(name: string, made: TemplateFunction, count: number): void {
  const fixed = made.parameters.length;
  if (made.rest === undefined ? count === fixed : count >= fixed) return;
  const least = made.rest === undefined ? "" : "at least ";
  throw new Failure(`wrong number of args for ${name}: want ${least}${fixed} got ${count}`);
}

/** The type of the parameter that an argument falls on. */
export const typeAt = (made: TemplateFunction, index: number): ParameterType =>
  made.parameters[index] ?? made.rest ?? "any";

/** How many characters may be looked at for what making one costs. Where there are bytes, looking costs as much. */
const lookedPerUnit = 16;

/** Calls a function with arguments that were checked. */
export function called(
  state: State,
  node: AnyNode,
  name: string,
  made: TemplateFunction,
  values: readonly GoValue[],
  reach: Reach,
): GoValue {
  const { charge } = state.context;
  let looked = 0;
  for (const value of values) {
    if (typeof value === "string") looked += value.length;
    else chargeForArgument(value, reach, charge);
  }
  if (reach === "decodes") chargeForDecoding(looked, charge);
  // Texts are short, or made once and looked at over and over.
  else if (looked >= lookedPerUnit)
    charge(state.hasStrays ? looked : Math.trunc(looked / lookedPerUnit));
  try {
    const result = made.call(values, state.context);
    if (made.cuts && !isText(result)) state.hasStrays = true;
    if (typeof result !== "string") {
      chargeForResult(result, reach, charge);
      return result;
    }
    charge(result.length);
    return state.hasStrays ? joined(result) : result;
  } catch (error) {
    state.at = node;
    if (error instanceof FunctionError)
      throw new Failure(`error calling ${name}: ${error.message}`);
    throw error;
  }
}

/** Whether every text in what a function gave is one. */
function isText(value: GoValue): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (isGoList(value)) return value.every(isText);
  if (!isGoMap(value)) return true;
  for (const [key, item] of value) if (!key.isWellFormed() || !isText(item)) return false;
  return true;
}

/** A word that becomes the argument of a method, whose types are not known before it is called. */
export type LateArgument = (state: State, type: ParameterType) => GoValue;

export const lateArgument =
  (node: WordNode, run: Run): LateArgument =>
  (state, type) => {
    state.at = node;
    const literal = literalArgument(node, type);
    if (literal !== undefined) return literal();
    const value = run(state);
    return type === "any" ? (value ?? null) : checkedValue(value, type);
  };

/** Calls a method with the words behind its name, and the value of the command before as the last argument. */
export function callMethod(
  state: State,
  node: AnyNode,
  name: string,
  method: TemplateFunction,
  args: readonly LateArgument[],
  piped: Piped,
): GoValue {
  state.step();
  checkCount(name, method, args.length + (piped === nothing ? 0 : 1));
  const values = args.map((arg, index) => arg(state, typeAt(method, index)));
  if (piped !== nothing) values.push(checkedValue(piped, typeAt(method, args.length)));
  return called(state, node, name, method, values, "place");
}
