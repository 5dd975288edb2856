import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import type { FileDialect } from "../facts.ts";
import { parseBraces } from "./braces.ts";
import { compiled, exactly, noneOf, parseClass, type Part, type Reader } from "./glob-automaton.ts";
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
  compiled(pattern, parseDoublestar);

const inSegment = noneOf("/");
const anything = (): boolean => true;

function parseDoublestar(reader: Reader): readonly Part[] {
  return parseBraces(reader, (character, parts, previous) => {
    switch (character) {
      case "*": {
        // A `**` that took the slash behind it along is a whole segment.
        const tookSlash = previous === "*" && parts.at(-1)?.kind === "either";
        const opensSegment = previous === undefined || previous === "/" || tookSlash;
        parts.push(...parseStars(reader, opensSegment, parts));
        break;
      }
      case "?":
        parts.push({ kind: "one", reads: inSegment });
        break;
      case "[": {
        const negation = reader.peek() === "!" ? "!" : "^";
        const reads = parseClass(reader, negation);
        parts.push({ kind: "one", reads: (code) => reads(code) && inSegment(code) });
        break;
      }
      case "\\":
        parts.push(exactly(reader.needed("an escape")));
        break;
      default:
        parts.push(exactly(character));
    }
  });
}

/** What one or more stars stand for. A whole segment `**` takes the slash beside it along. */
function parseStars(reader: Reader, opensSegment: boolean, before: Part[]): readonly Part[] {
  let stars = 1;
  while (reader.peek() === "*") {
    reader.take();
    stars += 1;
  }
  const next = reader.peek();
  const closes = next === undefined || next === "/" || next === "}" || next === ",";
  if (stars !== 2 || !opensSegment || !closes) return [{ kind: "many", reads: inSegment }];
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
