import { unreachable } from "../../../proto/kit/unreachable.ts";
import { fieldOf, rangeOver } from "./access.ts";
import { checkedValue, literalArgument } from "./arguments.ts";
import { type LateArgument, callMethod, called, checkCount, lateArgument, typeAt } from "./call.ts";
import type { TemplateManner } from "./evaluate.ts";
import type { ParameterType } from "./function.ts";
import { chargeForWalk, reachOf } from "./measure.ts";
import { goQuote, printAction } from "./print.ts";
import {
  type Emit,
  Failure,
  type Piped,
  type Run,
  type RunPiped,
  type State,
  nothing,
} from "./state.ts";
import {
  type AnyNode,
  type BranchNode,
  type CommandNode,
  type ListNode,
  type PipeNode,
  type StepNode,
  type TemplateNode,
  type WordNode,
  nodeText,
} from "./tree.ts";
import { type GoValue, hasMethods, isTruthy } from "./value.ts";

/** Turns trees into closures. One instance compiles one text. */
export class Compiler {
  readonly #manner: TemplateManner;
  #scope: string[] = ["$"];
  /** Whether any function it calls changes its arguments. */
  mutates = false;
  /** Whether any text in it is none: it has bytes in it that belong to no character. */
  hasStrays = false;

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
          if (!silent) {
            chargeForWalk(value, state.context.charge);
            state.write(printAction(value));
          }
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
        const chain = this.#chain(first, first.names, others);
        return (state, piped) => {
          state.at = first;
          return chain(state, state.dot, piped);
        };
      }
      case "variable": {
        if (first.names.length === 0) break;
        const chain = this.#chain(first, first.names, others);
        const variable = this.#variable(first.variable);
        return (state, piped) => {
          state.at = first;
          return chain(state, variable(state), piped);
        };
      }
      case "chain": {
        const of = this.#word(first.of);
        const chain = this.#chain(first, first.names, others);
        const flaw =
          first.of.kind === "nil" ? `indirection through explicit nil in ${nodeText(first)}` : "";
        return (state, piped) => {
          state.at = first;
          if (flaw !== "") throw new Failure(flaw);
          return chain(state, of(state), piped);
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
        this.#notice(node);
        return () => value;
      }
      case "number": {
        const value = node.isFloat ? node.float : node.integer;
        if (value !== undefined) return () => value;
        return () => {
          throw new Failure(`${node.text} overflows int`);
        };
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

  /** Follows fields and methods by name from a receiver. What the words say is given to the last one. */
  #chain(
    node: WordNode,
    names: readonly string[],
    words: readonly WordNode[],
  ): (state: State, receiver: GoValue, piped: Piped) => GoValue {
    const { missingKey } = this.#manner;
    const args = words.map((word) => lateArgument(word, this.#word(word)));
    const last = names.length - 1;
    const member = (state: State, receiver: GoValue, index: number, piped: Piped): GoValue => {
      const name = names[index] ?? "";
      const given: readonly LateArgument[] = index === last ? args : [];
      if (!(receiver instanceof Map) && hasMethods(receiver)) {
        const method = receiver.method(name);
        if (method !== undefined)
          return callMethod(state, node, name, method, given, index === last ? piped : nothing);
      }
      const isGiven = index === last && (args.length > 0 || piped !== nothing);
      return fieldOf(receiver, name, isGiven, missingKey, index > 0);
    };
    const [only = ""] = names;
    if (last === 0)
      return (state, receiver, piped) =>
        receiver instanceof Map || !hasMethods(receiver)
          ? fieldOf(receiver, only, args.length > 0 || piped !== nothing, missingKey, false)
          : member(state, receiver, 0, piped);
    return (state, receiver, piped) => {
      let value = receiver;
      for (let index = 0; index <= last; index += 1) value = member(state, value, index, piped);
      return value;
    };
  }

  #call(at: WordNode, name: string, node: AnyNode, others: readonly WordNode[]): RunPiped {
    if (name === "and" || name === "or") return this.#shortCircuit(at, name, others);
    const known = this.#manner.functions.get(name);
    // The parser has refused every name that is not in the set.
    if (known === undefined) throw new TypeError(`function ${name} is gone`);
    if (known.mutates) this.mutates = true;
    const args = others.map((word, index) => this.#argument(word, typeAt(known, index)));
    const reach = reachOf(name);
    return (state, piped) => {
      state.at = at;
      state.step();
      checkCount(name, known, args.length + (piped === nothing ? 0 : 1));
      const values: GoValue[] = [];
      for (const arg of args) values.push(arg(state));
      if (piped !== nothing) values.push(checkedValue(piped, typeAt(known, args.length)));
      return called(state, node, name, known, values, reach);
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

  #notice(node: WordNode): void {
    if (node.kind === "string" && !node.value.isWellFormed()) this.hasStrays = true;
  }

  #argument(node: WordNode, type: ParameterType): Run {
    this.#notice(node);
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
