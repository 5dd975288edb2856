import type { Json } from "../../../proto/words/digest.ts";
import type { Result } from "../../../proto/kit/result.ts";
import type { Regexp } from "../regexp/regexp.ts";
import type { GoTime } from "./time/go-time.ts";
import type { GoList, GoMap, GoValue } from "./value.ts";

/** What a function's parameter takes; Go converts nothing on its own. */
export type ParameterType = "any" | "string" | "int" | "bool" | "float64" | "map" | "list" | "time";

type Argument<P extends ParameterType> = P extends "string"
  ? string
  : P extends "int"
    ? bigint
    : P extends "bool"
      ? boolean
      : P extends "float64"
        ? number
        : P extends "map"
          ? GoMap
          : P extends "list"
            ? GoList
            : P extends "time"
              ? GoTime
              : GoValue;

type Arguments<P extends readonly ParameterType[]> = {
  readonly [K in keyof P]: Argument<P[K]>;
};

/** What a function may ask of the evaluation it runs in. */
export type CallContext = {
  /** Pays for characters that are about to be made. Throws when the evaluation has no more to spend. */
  readonly charge: (characters: number) => void;
  readonly decodeYaml: (text: string) => Result<Json, string>;
  /** A compiled expression; the same pattern is compiled once a template. */
  readonly regexp: (pattern: string) => Result<Regexp, string>;
};

export type TemplateFunction = {
  readonly parameters: readonly ParameterType[];
  /** The type of any number of further arguments. */
  readonly rest: ParameterType | undefined;
  /** Whether it changes the maps it is given. */
  readonly mutates: boolean;
  /** The evaluator has checked number and types of the arguments. Throws FunctionError. */
  readonly call: (values: readonly GoValue[], context: CallContext) => GoValue;
};

export type FunctionSet = ReadonlyMap<string, TemplateFunction>;

/** A function's own complaint, shown as `error calling NAME: MESSAGE`. */
export class FunctionError extends Error {}

/** A function with a fixed number of parameters. */
export const takes = <const P extends readonly ParameterType[]>(
  parameters: P,
  call: (values: Arguments<P>, context: CallContext) => GoValue,
): TemplateFunction => ({
  parameters,
  rest: undefined,
  mutates: false,
  // The evaluator has proved the types of the values against `parameters`.
  call: (values, context) => call(values as unknown as Arguments<P>, context),
});

/** A function whose last parameter may be given any number of times. */
export const takesMany = <const P extends readonly ParameterType[], const R extends ParameterType>(
  parameters: P,
  rest: R,
  call: (values: Arguments<P>, others: readonly Argument<R>[], context: CallContext) => GoValue,
): TemplateFunction => ({
  parameters,
  rest,
  mutates: false,
  call: (values, context) =>
    call(
      values.slice(0, parameters.length) as unknown as Arguments<P>,
      values.slice(parameters.length) as unknown as readonly Argument<R>[],
      context,
    ),
});

export const mutating = (made: TemplateFunction): TemplateFunction => ({ ...made, mutates: true });
