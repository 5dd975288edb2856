import type { Json } from "../../../proto/words/digest.ts";
import type { Result } from "../../../proto/kit/result.ts";
import type { Regexp } from "../regexp/regexp.ts";
import type { GoVersion } from "./semver/version.ts";
import type { GoDuration } from "./time/go-duration.ts";
import type { GoTime } from "./time/go-time.ts";
import type { GoLocation } from "./time/location.ts";
import type { GoList, GoMap, GoValue } from "./value.ts";

/** A value of each type that a parameter may have. Nil stands for pointers that point to nothing. */
type Values = {
  readonly any: GoValue;
  readonly string: string;
  readonly int: bigint;
  /** Only literals have this type; they are cut to 32 bits. */
  readonly uint32: bigint;
  readonly bool: boolean;
  readonly float64: number;
  readonly map: GoMap;
  readonly list: GoList;
  readonly time: GoTime;
  readonly duration: GoDuration;
  readonly location: GoLocation | null;
  readonly version: GoVersion | null;
};

/** What a function's parameter takes; Go converts nothing on its own. */
export type ParameterType = keyof Values;

type Argument<P extends ParameterType> = Values[P];

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
  /**
   * A key made out of a password, remembered; `salt` is bytes, one character each. Throws when the templates have
   * made as many as they may.
   */
  readonly derivedKey: (password: string, salt: string) => Uint8Array;
};

export type TemplateFunction = {
  readonly parameters: readonly ParameterType[];
  /** The type of any number of further arguments. */
  readonly rest: ParameterType | undefined;
  /** Whether it changes the maps it is given. */
  readonly mutates: boolean;
  /** Whether it may make texts that are none out of texts: it cuts characters, or decodes bytes. */
  readonly cuts: boolean;
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
  cuts: false,
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
  cuts: false,
  call: (values, context) =>
    call(
      values.slice(0, parameters.length) as unknown as Arguments<P>,
      values.slice(parameters.length) as unknown as readonly Argument<R>[],
      context,
    ),
});

export const cutting = (made: TemplateFunction): TemplateFunction => ({ ...made, cuts: true });

export const mutating = (made: TemplateFunction): TemplateFunction => ({ ...made, mutates: true });
