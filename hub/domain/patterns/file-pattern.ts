import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import type { FileDialect } from "../facts.ts";
import {
  BadPattern,
  compiled,
  exactly,
  noneOf,
  parseClass,
  type Part,
  type Reader,
} from "./glob-automaton.ts";
import { compilePathspec } from "./pathspec.ts";

/** A pattern over the paths of a repository's files. */
export type FilePattern = {
  readonly text: string;
  readonly matches: (path: string) => boolean;
  /** Whether a directory that matches is read as if it were a file, which then fails. */
  readonly readsDirectories: boolean;
};

/** Compiles a pattern of git files. Fails with a sentence. */
export function compileFilePattern(
  text: string,
  dialect: FileDialect,
): Result<FilePattern, string> {
  const glob = dialect === "pathspec" ? compilePathspec(text) : compileDoublestar(text);
  return glob.ok
    ? ok({ text, matches: glob.value, readsDirectories: dialect === "doublestar" })
    : fail(glob.problem);
}

/**
 * The dialect of `doublestar`: `*` and `?` stop at `/`, a segment `**` is any number of directories, `{a,b}`
 * are alternatives, `[a-c]`, `[^a]` and `[!a]` classes, `\` escapes.
 */
const compileDoublestar = (pattern: string): Result<(path: string) => boolean, string> =>
  compiled(pattern, (reader) => parseChoices(reader, false)[0] ?? []);

const inSegment = noneOf("/");
const anything = (): boolean => true;

function parseChoices(reader: Reader, inBraces: boolean): readonly (readonly Part[])[] {
  let parts: Part[] = [];
  const choices = [parts];
  let opensSegment = true;
  for (;;) {
    const character = reader.take();
    if (character === undefined) {
      if (inBraces) throw new BadPattern("has a { without a }");
      return choices;
    }
    if (inBraces && character === "}") return choices;
    if (inBraces && character === ",") {
      parts = [];
      choices.push(parts);
      opensSegment = true;
      continue;
    }
    const opened: boolean = opensSegment;
    opensSegment = character === "/";
    switch (character) {
      case "*":
        parts.push(...parseStars(reader, opened, parts));
        opensSegment = parts.at(-1)?.kind === "either";
        break;
      case "?":
        parts.push({ kind: "one", reads: inSegment });
        break;
      case "[": {
        const negation = reader.peek() === "!" ? "!" : "^";
        const reads = parseClass(reader, negation);
        parts.push({ kind: "one", reads: (code) => reads(code) && inSegment(code) });
        break;
      }
      case "{":
        parts.push({ kind: "either", choices: parseChoices(reader, true) });
        break;
      case "\\":
        parts.push(exactly(reader.needed("an escape")));
        break;
      default:
        parts.push(exactly(character));
    }
  }
}

/** What one or more stars stand for. A whole segment `**` takes the slash beside it along. */
function parseStars(reader: Reader, opened: boolean, before: Part[]): readonly Part[] {
  let stars = 1;
  while (reader.peek() === "*") {
    reader.take();
    stars += 1;
  }
  const next = reader.peek();
  const closes = next === undefined || next === "/" || next === "}" || next === ",";
  if (stars !== 2 || !opened || !closes) return [{ kind: "many", reads: inSegment }];
  const many: Part = { kind: "many", reads: anything };
  if (next === "/") {
    reader.take();
    return [{ kind: "either", choices: [[], [many, exactly("/")]] }];
  }
  // At the end it is also the directory itself.
  if (before.length === 0) return [many];
  before.pop();
  return [{ kind: "either", choices: [[], [exactly("/"), many]] }];
}
