import { FunctionError, takes, type CallContext, type TemplateFunction } from "../function.ts";
import { goQuote } from "../print.ts";
import { quoteMeta, type Regexp } from "../../regexp/regexp.ts";
import { nilList, stringList, type GoValue } from "../value.ts";

/** sprig's regular expressions. The plain ones take a bad pattern for one that matches nothing, or panic. */

const compiled = (pattern: string, context: CallContext): Regexp => {
  const made = context.regexp(pattern);
  if (!made.ok) throw new FunctionError(made.problem);
  return made.value;
};

/** In backquotes if they can hold it, as Go writes patterns in messages. */
const quotedPattern = (pattern: string): string =>
  /^[^\x00-\x08\x0a-\x1f\x7f`\ufeff]*$/.test(pattern) && pattern.isWellFormed()
    ? `\`${pattern}\``
    : goQuote(pattern);

/** Go's MustCompile panics with the pattern in its words. */
const compiledOrPanic = (pattern: string, context: CallContext): Regexp => {
  const made = context.regexp(pattern);
  if (!made.ok)
    throw new FunctionError(`regexp: Compile(${quotedPattern(pattern)}): ${made.problem}`);
  return made.value;
};

type Compile = typeof compiled;

const both = (
  name: string,
  make: (compile: Compile) => TemplateFunction,
): readonly (readonly [string, TemplateFunction])[] => [
  [name, make(compiledOrPanic)],
  [`mustR${name.slice(1)}`, make(compiled)],
];

const found = (matches: readonly string[]): GoValue =>
  matches.length === 0 ? nilList("string") : stringList(matches);

export const regexFunctions: readonly (readonly [string, TemplateFunction])[] = [
  [
    "regexMatch",
    takes(["string", "string"], ([pattern, text], context) => {
      const made = context.regexp(pattern);
      return made.ok && made.value.matches(text, context.charge);
    }),
  ],
  [
    "mustRegexMatch",
    takes(["string", "string"], ([pattern, text], context) =>
      compiled(pattern, context).matches(text, context.charge),
    ),
  ],
  ...both("regexFind", (compile) =>
    takes(
      ["string", "string"],
      ([pattern, text], context) => compile(pattern, context).find(text, context.charge) ?? "",
    ),
  ),
  ...both("regexFindAll", (compile) =>
    takes(["string", "string", "int"], ([pattern, text, most], context) =>
      found(compile(pattern, context).findAll(text, Number(most), context.charge)),
    ),
  ),
  ...both("regexReplaceAll", (compile) =>
    takes(["string", "string", "string"], ([pattern, text, by], context) =>
      compile(pattern, context).replaceAll(text, by, false, context.charge),
    ),
  ),
  ...both("regexReplaceAllLiteral", (compile) =>
    takes(["string", "string", "string"], ([pattern, text, by], context) =>
      compile(pattern, context).replaceAll(text, by, true, context.charge),
    ),
  ),
  ...both("regexSplit", (compile) =>
    takes(["string", "string", "int"], ([pattern, text, most], context) => {
      const regexp = compile(pattern, context);
      return most === 0n
        ? nilList("string")
        : stringList(regexp.split(text, Number(most), context.charge));
    }),
  ),
  ["regexQuoteMeta", takes(["string"], ([text]) => quoteMeta(text))],
];
