import { ok, type Result } from "../../../proto/kit/result.ts";
import { parseBraces } from "./braces.ts";
import { cleanSegments } from "./clean-path.ts";
import {
  BadPattern,
  compiled,
  exactly,
  noneOf,
  type Glob,
  type Part,
  type Reader,
} from "./glob-automaton.ts";

/** What a pattern of the dialect stands for in a work tree. */
export type Doublestar = {
  readonly matchesFile: Glob;
  /** The root is the empty text. */
  readonly matchesDirectory: Glob;
};

/**
 * The dialect of `doublestar`: `*` and `?` stop at `/`, a segment `**` is any number of directories, `{a,b}`
 * are alternatives, `[a-c]`, `[^a]` and `[!a]` classes, `\` escapes. A pattern is a path, and cleaned as one.
 */
export function compileDoublestar(pattern: string): Result<Doublestar, string> {
  const segments = cleanSegments(pattern);
  if (segments === undefined) return ok({ matchesFile: nothing, matchesDirectory: nothing });
  const [base, rest] = split(segments);
  const file = compiled(rest, (reader) => parse(reader, "file"));
  if (!file.ok) return file;
  const directory = compiled(rest, (reader) => parse(reader, "directory"));
  if (!directory.ok) return directory;
  if (!hasWildcard(rest)) {
    const literal = unescaped(segments.join("/"));
    const matches: Glob = (path) => path === literal;
    return ok({ matchesFile: matches, matchesDirectory: matches });
  }
  const prefix = base === "" ? "" : `${base}/`;
  const below =
    (glob: Glob): Glob =>
    (path) =>
      path.startsWith(prefix) && glob(path.slice(prefix.length));
  const takesBase = rest.split("/").every((segment) => segment === "**");
  const inBase = below(directory.value);
  return ok({
    matchesFile: below(file.value),
    matchesDirectory: (path) => (path === base ? takesBase : inBase(path)),
  });
}

const nothing: Glob = () => false;

const hasWildcard = (text: string): boolean => /[*?[{]/.test(text.replaceAll(/\\./gs, ""));

const unescaped = (text: string): string => text.replaceAll(/\\([*?[\]{}])/g, "$1");

/** The directory above the first wildcard, as it is called, and the pattern below it. */
function split(segments: readonly string[]): readonly [base: string, rest: string] {
  const first = segments.findIndex(hasWildcard);
  const at = first === -1 ? segments.length - 1 : first;
  return [unescaped(segments.slice(0, at).join("/")), segments.slice(at).join("/")];
}

const inSegment = noneOf("/");
const anything = (): boolean => true;

type Wanted = "file" | "directory";

function parse(reader: Reader, wanted: Wanted): readonly Part[] {
  return parseBraces(reader, (character, parts, previous) => {
    switch (character) {
      case "*": {
        // A `**` that took the slash behind it along is a whole segment.
        const tookSlash = previous === "*" && parts.at(-1)?.kind === "either";
        const opensSegment = previous === undefined || previous === "/" || tookSlash;
        parts.push(...parseStars(reader, opensSegment, parts, wanted));
        break;
      }
      case "?":
        parts.push({ kind: "one", reads: inSegment });
        break;
      case "[":
        parts.push({ kind: "one", reads: parseClass(reader) });
        break;
      case "}":
        throw new BadPattern("has a } without a {");
      case "\\":
        parts.push(exactly(reader.needed("an escape")));
        break;
      default:
        parts.push(exactly(character));
    }
  });
}

/** What one or more stars stand for. A whole segment `**` takes the slash beside it along. */
function parseStars(
  reader: Reader,
  opensSegment: boolean,
  before: Part[],
  wanted: Wanted,
): readonly Part[] {
  let stars = 1;
  while (reader.peek() === "*") {
    reader.take();
    stars += 1;
  }
  const next = reader.peek();
  const closes = next === undefined || next === "/" || next === "}" || next === ",";
  if (stars !== 2 || !opensSegment || !closes) return [{ kind: "many", reads: inSegment }];
  // Behind another one, which took its slash along, it says nothing new.
  if (before.at(-1)?.kind === "either") before.pop();
  const many: Part = { kind: "many", reads: anything };
  if (next === "/") {
    reader.take();
    return [{ kind: "either", choices: [[], [many, exactly("/")]] }];
  }
  // At the end it is also the directory itself, but no file of that name.
  if (before.length === 0 || wanted === "file") return [many];
  before.pop();
  return [{ kind: "either", choices: [[], [exactly("/"), many]] }];
}

/** The inside of `[...]`. A dash at an end is a dash, and so is one behind a range. */
function parseClass(reader: Reader): (character: number) => boolean {
  const isNegated = reader.peek() === "!" || reader.peek() === "^";
  if (isNegated) reader.take();
  const ranges: (readonly [low: number, high: number])[] = [];
  let low: number | undefined;
  while (reader.peek() !== "]" || ranges.length === 0) {
    const character = reader.needed("a class");
    if (character === "/" || (character === "]" && ranges.length === 0))
      throw new BadPattern(`has a misplaced ${JSON.stringify(character)} in a class`);
    if (character === "-" && low !== undefined && reader.peek() !== "]") {
      ranges.push([low, codeIn(reader.needed("a class"), reader)]);
      low = undefined;
    } else {
      low = codeIn(character, reader);
      ranges.push([low, low]);
    }
  }
  reader.take();
  return (character) =>
    inSegment(character) &&
    ranges.some(([from, to]) => character >= from && character <= to) !== isNegated;
}

const codeIn = (character: string, reader: Reader): number =>
  (character === "\\" ? reader.needed("an escape") : character).codePointAt(0) ?? 0;
