import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { unreachable } from "../../../proto/kit/unreachable.ts";
import {
  FunctionError,
  type CallContext,
  type FunctionSet,
  type ParameterType,
  type TemplateFunction,
} from "./function.ts";
import { compileRegexp, type Regexp } from "../regexp/regexp.ts";
import { parseTemplate, placeOf } from "./parse.ts";
import { printAction, printValue, goQuote } from "./print.ts";
import {
  nodeText,
  type AnyNode,
  type BranchNode,
  type CommandNode,
  type ListNode,
  type PipeNode,
  type StepNode,
  type TemplateNode,
  type WordNode,
} from "./tree.ts";
import {
  byteLength,
  deepCopyOf,
  GoObject,
  integerOf,
  isGoList,
  isGoMap,
  isTruthy,
  NilMap,
  sortedKeys,
  StringMap,
  typeName,
  type GoMap,
  type GoValue,
} from "./value.ts";
import type { MissingKey } from "../application-set.ts";

/** What one evaluation may cost. Beyond any of these it fails; nothing else stops a template. */
export type TemplateLimits = {
  /** Characters written. */
  readonly outputMost: number;
  /** Characters made by functions on the way. */
  readonly workMost: number;
  /** Actions and function calls. */
  readonly stepsMost: number;
  /** Templates inside of templates. */
  readonly depthMost: number;
};

export const defaultTemplateLimits: TemplateLimits = {
  outputMost: 1_000_000,
  workMost: 10_000_000,
  stepsMost: 1_000_000,
  depthMost: 100,
};

export type TemplateManner = {
  readonly functions: FunctionSet;
  /** Why a name that is not in the set is refused, when there is more to say than that it is not defined. */
  readonly refusedFunction: (name: string) => string | undefined;
  readonly missingKey: MissingKey;
  readonly limits: TemplateLimits;
  readonly decodeYaml: CallContext["decodeYaml"];
};

export type TemplateProblem = {
  readonly kind: "parse" | "execute" | "limit";
  /** The whole sentence, as Argo CD words it. */
  readonly message: string;
  /** Line from 1, column in UTF-16 units from 0. */
  readonly line: number;
  readonly column: number;
};

/** A template that was parsed once and can be evaluated any number of times. */
export type Template = (params: GoMap) => Result<string, TemplateProblem>;

/** Parses a Go template as Argo CD does: named `base`, with the whole text in its error messages. */
export function compileTemplate(
  text: string,
  manner: TemplateManner,
): Result<Template, TemplateProblem> {
  const parsed = parseTemplate(text, (name) => functionFlaw(name, manner));
  if (!parsed.ok) {
    const { line, column, reason } = parsed.problem;
    return fail({
      kind: "parse",
      message: `failed to parse template ${text}: template: base:${line}: ${reason}`,
      line,
      column,
    });
  }
  const compiler = new Compiler(manner);
  const regexps = new Map<string, Result<Regexp, string>>();
  const main = compiler.template(parsed.value.main);
  const defined = new Map<string, Emit>();
  for (const [name, list] of parsed.value.defined) defined.set(name, compiler.template(list));
  return ok((params) => evaluate(text, main, defined, compiler.mutates, params, manner, regexps));
}

const functionFlaw = (
  name: string,
  { functions, refusedFunction }: TemplateManner,
): string | undefined =>
  functions.has(name) || name === "and" || name === "or"
    ? undefined
    : (refusedFunction(name) ?? `function ${goQuote(name)} not defined`);

function evaluate(
  text: string,
  main: Emit,
  defined: ReadonlyMap<string, Emit>,
  mutates: boolean,
  params: GoMap,
  manner: TemplateManner,
  regexps: Map<string, Result<Regexp, string>>,
): Result<string, TemplateProblem> {
  // A template that changes its params changes a copy: the next field, and the next element, see none of it.
  const data = mutates ? deepCopyOf(params) : params;
  const state = new State(data, defined, manner, regexps);
  try {
    main(state);
    return ok(state.output);
  } catch (error) {
    if (error instanceof Failure) return fail(failureProblem(text, state, error));
    // Deep recursion over deep values ends in a RangeError; to the author it is a limit like the others.
    if (error instanceof RangeError)
      return fail(
        failureProblem(
          text,
          state,
          new Failure(`evaluation needs too much: ${error.message}`, true),
        ),
      );
    throw error;
  }
}

function failureProblem(text: string, state: State, failure: Failure): TemplateProblem {
  const { at } = state;
  const { line, column } = placeOf(text, at.at);
  const lineStart = text.lastIndexOf("\n", at.at - 1) + 1;
  const byteColumn = byteLength(text.slice(lineStart, at.at));
  return {
    kind: failure.limit ? "limit" : "execute",
    message:
      `failed to execute go template ${text}: template: base:${line}:${byteColumn}: ` +
      `executing ${goQuote(state.name)} at <${nodeText(at)}>: ${failure.message}`,
    line,
    column,
  };
}

/** Ends an evaluation; the state knows where. */
class Failure extends Error {
  readonly limit: boolean;

  constructor(message: string, limit = false) {
    super(message);
    this.limit = limit;
  }
}

/** How many compiled patterns one template remembers. */
const regexpsMost = 100;

const rootNode: AnyNode = { kind: "text", at: 0, text: "" };

/** Everything that changes while a template runs. */
class State {
  output = "";
  dot: GoValue;
  /** Variables by the slot the compiler gave them; slot 0 is `$`. */
  variables: GoValue[];
  /** The node that is being evaluated, for messages. */
  at: AnyNode = rootNode;
  name = "base";
  depth = 0;
  readonly defined: ReadonlyMap<string, Emit>;
  readonly context: CallContext;
  readonly #limits: TemplateLimits;
  #stepsLeft: number;
  #workLeft: number;

  constructor(
    data: GoValue,
    defined: ReadonlyMap<string, Emit>,
    manner: TemplateManner,
    regexps: Map<string, Result<Regexp, string>>,
  ) {
    this.dot = data;
    this.variables = [data];
    this.defined = defined;
    this.#limits = manner.limits;
    this.#stepsLeft = manner.limits.stepsMost;
    this.#workLeft = manner.limits.workMost;
    this.context = {
      charge: (characters) => {
        this.#workLeft -= characters;
        if (this.#workLeft < 0)
          throw new Failure(
            `it makes more than ${this.#limits.workMost} characters on the way`,
            true,
          );
      },
      decodeYaml: manner.decodeYaml,
      regexp: (pattern) => {
        const known = regexps.get(pattern);
        if (known !== undefined) return known;
        this.context.charge(pattern.length);
        const made = compileRegexp(pattern);
        // Patterns made out of params could be as many as there are elements.
        if (regexps.size < regexpsMost) regexps.set(pattern, made);
        return made;
      },
    };
  }

  step(): void {
    this.#stepsLeft -= 1;
    if (this.#stepsLeft < 0)
      throw new Failure(`it takes more than ${this.#limits.stepsMost} steps`, true);
  }

  write(text: string): void {
    this.output += text;
    if (this.output.length > this.#limits.outputMost)
      throw new Failure(`it writes more than ${this.#limits.outputMost} characters`, true);
  }

  enter(): void {
    this.depth += 1;
    if (this.depth > this.#limits.depthMost)
      throw new Failure(`templates call each other more than ${this.#limits.depthMost} deep`, true);
  }
}

/** What a list of steps ends with: `break` and `continue` travel up to their range. */
type Flow = "on" | "break" | "continue";

type Emit = (state: State) => Flow;

type Run = (state: State) => GoValue;

/** A command in a pipeline; `piped` is the value of the one before. */
type RunPiped = (state: State, piped: Piped) => GoValue;

/** `nothing` is no value from before; unlike `undefined`, which is a value that is not there. */
const nothing = Symbol("nothing");

type Piped = GoValue | typeof nothing;

/** Turns trees into closures. One instance compiles one text. */
class Compiler {
  readonly #manner: TemplateManner;
  #scope: string[] = ["$"];
  /** Whether any function it calls changes its arguments. */
  mutates = false;

  constructor(manner: TemplateManner) {
    this.#manner = manner;
  }

  template(list: ListNode): Emit {
    this.#scope = ["$"];
    return this.#list(list);
  }

  #list(list: ListNode): Emit {
    const steps = list.map((step) => this.#step(step));
    const [first] = steps;
    if (steps.length === 1 && first !== undefined) return first;
    return (state) => {
      for (const step of steps) {
        const flow = step(state);
        if (flow !== "on") return flow;
      }
      return "on";
    };
  }

  #step(step: StepNode): Emit {
    switch (step.kind) {
      case "text":
        return (state) => {
          state.write(step.text);
          return "on";
        };
      case "action": {
        const run = this.#pipe(step.pipe);
        const silent = step.pipe.variables.length > 0;
        return (state) => {
          state.at = step;
          state.step();
          const value = run(state);
          if (!silent) state.write(printAction(value));
          return "on";
        };
      }
      case "if":
      case "with":
      case "range":
        return this.#branch(step);
      case "break":
      case "continue": {
        const { kind } = step;
        return () => kind;
      }
      case "template":
        return this.#template(step);
      default:
        return unreachable(step, "step");
    }
  }

  #branch(node: BranchNode): Emit {
    const scope = this.#scope.length;
    const pipe = this.#pipe(node.pipe);
    const slots = node.pipe.variables.map((name) => this.#scope.lastIndexOf(name));
    const declared = this.#scope.length;
    const body = this.#list(node.body);
    // The else branch sees what the pipeline declares. Go's parser lets it name what the body declares too, and
    // its evaluation, in which the body never ran, does not find it.
    this.#scope.fill("", declared);
    const otherwise = node.otherwise === undefined ? undefined : this.#list(node.otherwise);
    this.#scope.length = scope;
    const orElse: Emit = otherwise ?? (() => "on");
    switch (node.kind) {
      case "if":
        return (state) => {
          state.at = node;
          state.step();
          return isTruthy(pipe(state)) ? body(state) : orElse(state);
        };
      case "with":
        return (state) => {
          state.at = node;
          state.step();
          const value = pipe(state);
          if (!isTruthy(value)) return orElse(state);
          const { dot } = state;
          state.dot = value;
          const flow = body(state);
          state.dot = dot;
          return flow;
        };
      case "range":
        return rangeOver(node, pipe, body, orElse, slots);
      default:
        return unreachable(node.kind, "branch");
    }
  }

  #template(node: TemplateNode): Emit {
    const pipe = node.pipe === undefined ? undefined : this.#pipe(node.pipe);
    return (state) => {
      state.at = node;
      state.step();
      const target = state.defined.get(node.name);
      if (target === undefined) throw new Failure(`template ${goQuote(node.name)} not defined`);
      const value = pipe?.(state);
      const { dot, variables, name } = state;
      state.enter();
      state.dot = value;
      state.variables = [value];
      state.name = node.name;
      target(state);
      state.depth -= 1;
      state.dot = dot;
      state.variables = variables;
      state.name = name;
      return "on";
    };
  }

  #pipe(node: PipeNode): Run {
    const commands = node.commands.map((command) => this.#command(command));
    const sets = node.variables.map((name) => this.#setter(name, node.assigns));
    const [only] = commands;
    if (commands.length === 1 && only !== undefined && sets.length === 0)
      return (state) => {
        state.at = node;
        return only(state, nothing) ?? undefined;
      };
    return (state) => {
      state.at = node;
      let value: Piped = nothing;
      // nil inside an interface becomes no value at all between commands, as in Go.
      for (const command of commands) value = command(state, value) ?? undefined;
      const result = value === nothing ? undefined : value;
      for (const set of sets) set(state, result);
      return result;
    };
  }

  #setter(name: string, assigns: boolean): (state: State, value: GoValue) => void {
    const slot = assigns ? this.#scope.lastIndexOf(name) : this.#scope.push(name) - 1;
    if (slot === -1)
      return () => {
        throw new Failure(`undefined variable: ${name}`);
      };
    return (state, value) => {
      state.variables[slot] = value;
    };
  }

  #command(node: CommandNode): RunPiped {
    const [first, ...others] = node.words;
    switch (first.kind) {
      case "field": {
        const chain = this.#chain(first.names, others.length > 0);
        return (state, piped) => {
          state.at = first;
          return chain(state.dot, piped !== nothing);
        };
      }
      case "variable": {
        if (first.names.length === 0) break;
        const chain = this.#chain(first.names, others.length > 0);
        const variable = this.#variable(first.variable);
        return (state, piped) => {
          state.at = first;
          return chain(variable(state), piped !== nothing);
        };
      }
      case "chain": {
        const of = this.#word(first.of);
        const chain = this.#chain(first.names, others.length > 0);
        const flaw =
          first.of.kind === "nil" ? `indirection through explicit nil in ${nodeText(first)}` : "";
        return (state, piped) => {
          state.at = first;
          if (flaw !== "") throw new Failure(flaw);
          return chain(of(state), piped !== nothing);
        };
      }
      case "function":
        return this.#call(first, first.name, node, others);
      default:
        break;
    }
    const run = this.#word(first);
    const text = nodeText(first);
    const isNil = first.kind === "nil";
    return (state, piped) => {
      state.at = first;
      if (others.length > 0 || piped !== nothing)
        throw new Failure(`can't give argument to non-function ${text}`);
      if (isNil) throw new Failure("nil is not a command");
      return run(state);
    };
  }

  /** A word that stands alone: an argument, or the first of a command without arguments. */
  #word(node: WordNode): Run {
    switch (node.kind) {
      case "dot":
        return (state) => state.dot;
      case "nil":
        return () => null;
      case "bool":
      case "string": {
        const { value } = node;
        return () => value;
      }
      case "number": {
        const value = node.isFloat ? node.float : (node.integer ?? node.float);
        return () => value;
      }
      case "variable": {
        if (node.names.length > 0) break;
        return this.#variable(node.variable);
      }
      case "pipe": {
        // What is declared in parentheses stays visible up to the end of the surrounding block.
        return this.#pipe(node);
      }
      default:
        break;
    }
    const command = this.#command({ kind: "command", at: node.at, words: [node] });
    return (state) => command(state, nothing);
  }

  #variable(name: string): (state: State) => GoValue {
    const slot = this.#scope.lastIndexOf(name);
    if (slot !== -1) return (state) => state.variables[slot];
    return () => {
      throw new Failure(`undefined variable: ${name}`);
    };
  }

  /** Follows field names from a receiver. `given` says that the last one was given arguments. */
  #chain(names: readonly string[], given: boolean): (receiver: GoValue, piped: boolean) => GoValue {
    const { missingKey } = this.#manner;
    const [only] = names;
    if (names.length === 1 && only !== undefined)
      return (receiver, piped) => fieldOf(receiver, only, given || piped, missingKey, false);
    const last = names.length - 1;
    return (receiver, piped) => {
      let value = receiver;
      for (let index = 0; index <= last; index += 1)
        value = fieldOf(
          value,
          names[index] ?? "",
          index === last && (given || piped),
          missingKey,
          index > 0,
        );
      return value;
    };
  }

  #call(at: WordNode, name: string, node: AnyNode, others: readonly WordNode[]): RunPiped {
    if (name === "and" || name === "or") return this.#shortCircuit(at, name, others);
    const known = this.#manner.functions.get(name);
    // The parser has refused every name that is not in the set.
    if (known === undefined) throw new TypeError(`function ${name} is gone`);
    if (known.mutates) this.mutates = true;
    const made = known;
    const fixed = made.parameters.length;
    const args = others.map((word, index) =>
      this.#argument(word, made.parameters[index] ?? made.rest ?? "any"),
    );
    const lastType = made.rest ?? made.parameters.at(-1) ?? "any";
    return (state, piped) => {
      state.at = at;
      state.step();
      const count = args.length + (piped === nothing ? 0 : 1);
      if (made.rest === undefined ? count !== fixed : count < fixed)
        throw new Failure(
          `wrong number of args for ${name}: want ${made.rest === undefined ? "" : "at least "}${fixed} got ${count}`,
        );
      const values: GoValue[] = [];
      for (const arg of args) values.push(arg(state));
      if (piped !== nothing) values.push(checkedValue(piped, pipedType(made, count, lastType)));
      return called(state, node, name, made, values);
    };
  }

  #shortCircuit(at: WordNode, name: "and" | "or", others: readonly WordNode[]): RunPiped {
    const args = others.map((word) => this.#argument(word, "any"));
    const stopsAt = name === "or";
    return (state, piped) => {
      state.at = at;
      state.step();
      if (args.length === 0 && piped === nothing)
        throw new Failure(`wrong number of args for ${name}: want at least 1 got 0`);
      let value: GoValue = undefined;
      for (const arg of args) {
        value = arg(state);
        if (isTruthy(value) === stopsAt) return value;
      }
      return piped === nothing ? value : (piped ?? null);
    };
  }

  #argument(node: WordNode, type: ParameterType): Run {
    const literal = literalArgument(node, type);
    if (literal !== undefined)
      return (state) => {
        state.at = node;
        return literal();
      };
    const run = this.#word(node);
    if (type === "any")
      return (state) => {
        state.at = node;
        return run(state) ?? null;
      };
    return (state) => {
      state.at = node;
      return checkedValue(run(state), type);
    };
  }
}

// A piped value is the last argument, and has the type of the parameter it falls on.
const pipedType = (made: TemplateFunction, count: number, lastType: ParameterType): ParameterType =>
  made.rest === undefined ? lastType : (made.parameters[count - 1] ?? made.rest);

function called(
  state: State,
  node: AnyNode,
  name: string,
  made: TemplateFunction,
  values: readonly GoValue[],
): GoValue {
  try {
    const result = made.call(values, state.context);
    if (typeof result === "string") state.context.charge(result.length);
    return result;
  } catch (error) {
    state.at = node;
    if (error instanceof FunctionError)
      throw new Failure(`error calling ${name}: ${error.message}`);
    throw error;
  }
}

/** A literal where a typed parameter stands. `undefined`: the word is no literal. */
function literalArgument(node: WordNode, type: ParameterType): (() => GoValue) | undefined {
  const wrong =
    (message: string): (() => GoValue) =>
    () => {
      throw new Failure(message);
    };
  if (node.kind === "nil") {
    if (type === "any") return () => null;
    if (type === "map" || type === "list") return () => checkedValue(undefined, type);
    return wrong(`cannot assign nil to ${goTypeName(type)}`);
  }
  if (node.kind !== "bool" && node.kind !== "number" && node.kind !== "string") return undefined;
  switch (type) {
    case "any":
      return undefined;
    case "string":
      return node.kind === "string"
        ? () => node.value
        : wrong(`expected string; found ${nodeText(node)}`);
    case "bool":
      return node.kind === "bool"
        ? () => node.value
        : wrong(`expected bool; found ${nodeText(node)}`);
    case "int":
      return node.kind === "number" && node.integer !== undefined
        ? () => node.integer
        : wrong(`expected integer; found ${nodeText(node)}`);
    case "float64":
      return node.kind === "number"
        ? () => node.float
        : wrong(`expected float; found ${nodeText(node)}`);
    case "map":
    case "list":
      return wrong(`can't handle ${nodeText(node)} for arg of type ${goTypeName(type)}`);
    default:
      return unreachable(type, "parameter type");
  }
}

function goTypeName(type: ParameterType): string {
  switch (type) {
    case "any":
      return "interface {}";
    case "map":
      return "map[string]interface {}";
    case "list":
      return "[]interface {}";
    default:
      return type;
  }
}

/** Go's check of a value against a parameter's type; nothing is converted. */
function checkedValue(value: GoValue, type: ParameterType): GoValue {
  if (type === "any") return value ?? null;
  if (value === undefined) {
    if (type === "map") return new NilMap();
    if (type === "list") return [];
    throw new Failure(`invalid value; expected ${type}`);
  }
  // Nil that stands under a key is a value, of a type that is none of these.
  if (value === null)
    throw new Failure(`wrong type for value; expected ${goTypeName(type)}; got interface {}`);
  if (hasType(value, type)) return value;
  throw new Failure(`wrong type for value; expected ${goTypeName(type)}; got ${typeName(value)}`);
}

function hasType(value: GoValue, type: ParameterType): boolean {
  switch (type) {
    case "any":
      return true;
    case "string":
    case "bool":
      return typeof value === (type === "bool" ? "boolean" : type);
    case "int":
      return typeof value === "bigint";
    case "float64":
      return typeof value === "number";
    case "map":
      return isGoMap(value) && !(value instanceof StringMap);
    case "list":
      return isGoList(value);
    default:
      return unreachable(type, "parameter type");
  }
}

function fieldOf(
  receiver: GoValue,
  name: string,
  given: boolean,
  missingKey: MissingKey,
  fromInterface: boolean,
): GoValue {
  if (receiver instanceof Map || receiver instanceof GoObject) {
    if (given) throw new Failure(`${name} is not a method but has arguments`);
    if (receiver instanceof GoObject) {
      const value = receiver.fields.get(name);
      if (value !== undefined) return value;
      throw new Failure(`can't evaluate field ${name} in type ${receiver.type}`);
    }
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

function rangeOver(
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
      for (const key of sortedKeys(value)) if (!turn(key, value.get(key))) break;
    } else if (isGoList(value)) {
      for (let index = 0; index < value.length; index += 1)
        if (!turn(BigInt(index), value[index] ?? null)) break;
    } else if (integer !== undefined) {
      if (second !== undefined)
        throw new Failure(`can't use ${integer} to iterate over more than one variable`);
      for (let index = 0n; index < integer; index += 1n) if (!turn(index, index)) break;
    } else if (value !== undefined && value !== null) {
      throw new Failure(`range can't iterate over ${printValue(value)}`);
    }
    return turns === 0 ? orElse(state) : "on";
  };
}
