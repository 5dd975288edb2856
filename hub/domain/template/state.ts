import type { Result } from "../../../proto/kit/result.ts";
import { type Regexp, compileRegexp } from "../regexp/regexp.ts";
import { DerivedKeys, derivedKeysMost } from "./derived-keys.ts";
import type { TemplateBudget, TemplateLimits, TemplateManner } from "./evaluate.ts";
import type { CallContext } from "./function.ts";
import type { AnyNode } from "./tree.ts";
import type { GoValue } from "./value.ts";

/** Ends an evaluation; the state knows where. */
export class Failure extends Error {
  readonly limit: boolean;

  constructor(message: string, limit = false) {
    super(message);
    this.limit = limit;
  }
}

/** How many compiled patterns one template remembers. */
const regexpsMost = 100;

const rootNode: AnyNode = { kind: "text", at: 0, text: "" };

/** Everything that changes while a template runs. Serves one evaluation after another. */
export class State {
  output = "";
  dot: GoValue;
  /** Variables by the slot the compiler gave them; slot 0 is `$`. */
  variables: GoValue[] = [];
  /** The node that is being evaluated, for messages. */
  at: AnyNode = rootNode;
  name = "base";
  depth = 0;
  /** Whether bytes that belong to no character may be about. While there are none, no text is searched for them. */
  hasStrays = false;
  readonly defined: ReadonlyMap<string, Emit>;
  readonly context: CallContext;
  readonly #limits: TemplateLimits;
  readonly #budget: TemplateBudget | undefined;
  /** Steps that the evaluation may take: its own limit, or what the budget has left. */
  #granted = 0;
  #stepsLeft = 0;
  /** Work that the evaluation may do, in the same way. */
  #workGranted = 0;
  #workLeft = 0;
  #keys: DerivedKeys;

  constructor(
    defined: ReadonlyMap<string, Emit>,
    manner: TemplateManner,
    regexps: Map<string, Result<Regexp, string>>,
  ) {
    this.defined = defined;
    this.#limits = manner.limits;
    this.#budget = manner.budget;
    this.#keys = manner.budget?.keys ?? new DerivedKeys();
    this.context = {
      charge: (characters) => {
        this.#workLeft -= characters;
        if (this.#workLeft < 0)
          throw new Failure(
            this.#workGranted < this.#limits.workMost
              ? "the templates of the set have made all the characters they may make together"
              : `it makes more than ${this.#limits.workMost} characters on the way`,
            true,
          );
      },
      decodeYaml: manner.decodeYaml,
      regexp: (pattern) => {
        const known = regexps.get(pattern);
        if (known !== undefined) return known;
        this.context.charge(pattern.length);
        const made = compileRegexp(pattern, this.context.charge);
        // Patterns made out of params could be as many as there are elements.
        if (regexps.size < regexpsMost) regexps.set(pattern, made);
        return made;
      },
      derivedKey: (password, salt) => {
        const key = this.#keys.get(password, salt);
        if (key !== undefined) return key;
        throw new Failure(
          `the templates of the set derive keys from more than ${derivedKeysMost} pairs of password and user, ` +
            "and each takes long",
          true,
        );
      },
    };
  }

  /**
   * Begins an evaluation over `data`; nothing of the one before remains. `hasStrays` says that the template itself
   * has bytes in it that belong to no character.
   */
  begin(data: GoValue, hasStrays: boolean): void {
    this.output = "";
    this.dot = data;
    this.variables = [data];
    this.at = rootNode;
    this.name = "base";
    this.depth = 0;
    this.hasStrays = hasStrays;
    const { stepsMost, workMost } = this.#limits;
    this.#granted = Math.min(stepsMost, this.#budget?.stepsLeft ?? stepsMost);
    this.#stepsLeft = this.#granted;
    this.#workGranted = Math.min(workMost, this.#budget?.workLeft ?? workMost);
    this.#workLeft = this.#workGranted;
    if (this.#budget === undefined) this.#keys = new DerivedKeys();
  }

  /** Takes what the evaluation came to off the budget. */
  end(): void {
    if (this.#budget === undefined) return;
    this.#budget.stepsLeft -= this.#granted - Math.max(this.#stepsLeft, 0);
    this.#budget.workLeft -= this.#workGranted - Math.max(this.#workLeft, 0);
  }

  step(): void {
    this.#stepsLeft -= 1;
    if (this.#stepsLeft >= 0) return;
    const { stepsMost } = this.#limits;
    throw new Failure(
      this.#granted < stepsMost
        ? "the templates of the set have taken all the steps they may take together"
        : `it takes more than ${stepsMost} steps`,
      true,
    );
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

export type Emit = (state: State) => Flow;

export type Run = (state: State) => GoValue;

/** A command in a pipeline; `piped` is the value of the one before. */
export type RunPiped = (state: State, piped: Piped) => GoValue;

/** `nothing` is no value from before; unlike `undefined`, which is a value that is not there. */
export const nothing = Symbol("nothing");

export type Piped = GoValue | typeof nothing;
