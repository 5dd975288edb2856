import { type Result, fail, ok } from "../../../proto/kit/result.ts";
import type { MissingKey } from "../application-set.ts";
import type { Regexp } from "../regexp/regexp.ts";
import { byteLength, finished, wellFormed } from "./bytes.ts";
import { Compiler } from "./compile.ts";
import { DerivedKeys } from "./derived-keys.ts";
import type { CallContext, FunctionSet } from "./function.ts";
import { parseTemplate, placeOf } from "./parse.ts";
import { goQuote } from "./print.ts";
import { type Emit, Failure, State } from "./state.ts";
import { nodeText } from "./tree.ts";
import { type GoMap, deepCopyOf } from "./value.ts";

/** What one evaluation may cost. Beyond any of these it fails; nothing else stops a template. */
export type TemplateLimits = {
  /** Characters written. */
  readonly outputMost: number;
  /** Characters made by functions on the way. What lists and maps cost is counted in the same unit. */
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

/** What all templates of one set may still do together, however many elements it has. */
export type TemplateBudget = { stepsLeft: number; workLeft: number; readonly keys: DerivedKeys };

export const defaultTemplateBudget = (): TemplateBudget => ({
  stepsLeft: 50_000_000,
  workLeft: 1_000_000_000,
  keys: new DerivedKeys(),
});

export type TemplateManner = {
  readonly functions: FunctionSet;
  /** Why a name that is not in the set is refused, when there is more to say than that it is not defined. */
  readonly refusedFunction: (name: string) => string | undefined;
  readonly missingKey: MissingKey;
  readonly limits: TemplateLimits;
  readonly decodeYaml: CallContext["decodeYaml"];
  /** Shared by templates that belong together; without it each evaluation has its own limits only. */
  readonly budget?: TemplateBudget;
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
  written: string,
  manner: TemplateManner,
): Result<Template, TemplateProblem> {
  const text = wellFormed(written);
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
  const state = new State(defined, manner, regexps);
  return ok(evaluator(text, main, compiler, state));
}

const functionFlaw = (
  name: string,
  { functions, refusedFunction }: TemplateManner,
): string | undefined =>
  functions.has(name) || name === "and" || name === "or"
    ? undefined
    : (refusedFunction(name) ?? `function ${goQuote(name)} not defined`);

/** Evaluations of one template follow one another, so they share one state: making one costs as much as writing a field. */
function evaluator(
  text: string,
  main: Emit,
  { mutates, hasStrays }: Pick<Compiler, "mutates" | "hasStrays">,
  state: State,
): Template {
  return (params) => {
    // A template that changes its params changes a copy: the next field, and the next element, see none of it.
    state.begin(mutates ? deepCopyOf(params) : params, hasStrays);
    try {
      main(state);
      return ok(state.hasStrays ? finished(state.output) : state.output);
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
    } finally {
      state.end();
    }
  };
}

function failureProblem(text: string, state: State, failure: Failure): TemplateProblem {
  const { at } = state;
  const { line, column } = placeOf(text, at.at);
  const lineStart = text.lastIndexOf("\n", at.at - 1) + 1;
  const byteColumn = byteLength(text.slice(lineStart, at.at));
  return {
    kind: failure.limit ? "limit" : "execute",
    message: wellFormed(
      `failed to execute go template ${text}: template: base:${line}:${byteColumn}: ` +
        `executing ${goQuote(state.name)} at <${nodeText(at)}>: ${failure.message}`,
    ),
    line,
    column,
  };
}
