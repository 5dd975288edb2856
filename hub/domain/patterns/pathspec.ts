import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { cleanSegments } from "./clean-path.ts";
import { compiled, exactly, noneOf, type Part, type Reader } from "./glob-automaton.ts";
import { bytesOf } from "../template/bytes.ts";

type Matches = (path: string) => boolean;

type Pathspec = {
  readonly pattern: string;
  readonly isExcluded: boolean;
  /** `*` and `?` stop at `/`, and `**` is special. */
  readonly isGlob: boolean;
  readonly isLiteral: boolean;
  readonly ignoresCase: boolean;
};

/**
 * What `git ls-files -- PATTERN` lists: wildcards match `/` too, a path that is a directory stands for
 * everything below it, and magic such as `:(glob)`, `:(icase)` or `:!` is understood.
 */
export function compilePathspec(text: string): Result<Matches, string> {
  const read = readPathspec(text);
  if (!read.ok) return read;
  const { pattern: written, isExcluded, isGlob, isLiteral, ignoresCase } = read.value;
  const normal = normalPath(written);
  if (normal === undefined)
    return fail(`pathspec ${JSON.stringify(text)} is outside the repository`);
  // Git compares bytes, so a wildcard for one character is a wildcard for one byte.
  const spelled = (path: string): string =>
    ignoresCase ? lowerAscii(bytesOf(path)) : bytesOf(path);
  const pattern = spelled(normal);
  const hasWildcards = !isLiteral && /[*?[\\]/.test(pattern);
  const glob = hasWildcards
    ? compiled(pattern, (reader) => parseWildmatch(reader, isGlob))
    : undefined;
  // A class that never ends matches nothing, which git does not complain about.
  const wild = glob?.ok === true ? glob.value : undefined;
  const matches: Matches = (path) => {
    const name = spelled(path);
    return isAtOrBelow(name, pattern) || wild?.(name) === true;
  };
  return ok(isExcluded ? (path) => !matches(path) : matches);
}

function isAtOrBelow(name: string, pattern: string): boolean {
  if (pattern === "") return true;
  if (!name.startsWith(pattern)) return false;
  return name.length === pattern.length || pattern.endsWith("/") || name[pattern.length] === "/";
}

const longMagic = new Set(["top", "exclude", "glob", "literal", "icase"]);

function readPathspec(text: string): Result<Pathspec, string> {
  if (text === "")
    return fail("an empty pathspec matches nothing; a dot stands for the whole repository");
  const words = new Set<string>();
  let pattern = text;
  if (text.startsWith(":(")) {
    const end = text.indexOf(")");
    if (end < 0) return fail(`pathspec ${JSON.stringify(text)} lacks the ) of its magic`);
    pattern = text.slice(end + 1);
    for (const word of text.slice(2, end).split(",")) {
      if (word === "") continue;
      if (!longMagic.has(word))
        return fail(
          `pathspec ${JSON.stringify(text)} has the magic ${JSON.stringify(word)}, which is not supported; known are ${[...longMagic].join(", ")}`,
        );
      words.add(word);
    }
    if (words.has("glob") && words.has("literal"))
      return fail(`pathspec ${JSON.stringify(text)} is both glob and literal`);
  } else if (text.startsWith(":")) {
    let at = 1;
    for (; at < text.length; at += 1) {
      const sign = text[at] ?? "";
      if (sign === "/") words.add("top");
      else if (sign === "!" || sign === "^") words.add("exclude");
      else if (sign === ":") {
        at += 1;
        break;
      } else if (/[!-,\-./:-@[-`{-~]/.test(sign) && !/[.*?[\\_]/.test(sign))
        return fail(
          `pathspec ${JSON.stringify(text)} has the magic ${sign}, which is not supported`,
        );
      else break;
    }
    pattern = text.slice(at);
  }
  return ok({
    pattern,
    isExcluded: words.has("exclude"),
    isGlob: words.has("glob"),
    isLiteral: words.has("literal"),
    ignoresCase: words.has("icase"),
  });
}

/** Without `.`, `..` and double slashes; a slash at the end stays. `undefined` when it leads out. */
function normalPath(path: string): string | undefined {
  if (path.startsWith("/")) return undefined;
  const kept = cleanSegments(path);
  if (kept === undefined) return undefined;
  const endsInSlash = /(^|\/)\.{0,2}$/.test(path);
  return kept.length > 0 && endsInSlash ? `${kept.join("/")}/` : kept.join("/");
}

const lowerAscii = (text: string): string =>
  text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

const notSlash = noneOf("/");
const anything = (): boolean => true;

/** Git's wildmatch. With `isPath` the wildcards stop at slashes. */
function parseWildmatch(reader: Reader, isPath: boolean): readonly Part[] {
  const parts: Part[] = [];
  const reads = isPath ? notSlash : anything;
  let opensSegment = true;
  for (;;) {
    const character = reader.take();
    if (character === undefined) return parts;
    switch (character) {
      case "*": {
        const stars = 1 + takenStars(reader);
        const next = reader.peek();
        const isSegment = isPath && stars >= 2 && opensSegment && (next ?? "/") === "/";
        if (isSegment && next === "/") {
          reader.take();
          parts.push({
            kind: "either",
            choices: [[], [{ kind: "many", reads: anything }, exactly("/")]],
          });
          opensSegment = true;
          continue;
        }
        parts.push({ kind: "many", reads: isSegment ? anything : reads });
        break;
      }
      case "?":
        parts.push({ kind: "one", reads });
        break;
      case "[": {
        const inClass = parseGitClass(reader);
        parts.push({ kind: "one", reads: (code) => inClass(code) && reads(code) });
        break;
      }
      case "\\":
        parts.push(exactly(reader.needed("an escape")));
        break;
      default:
        parts.push(exactly(character));
    }
    opensSegment = character === "/";
  }
}

function takenStars(reader: Reader): number {
  let count = 0;
  for (; reader.peek() === "*"; count += 1) reader.take();
  return count;
}

type Test = (code: number) => boolean;

/** The inside of `[...]`: `!` and `^` negate, `]` may come first, `[:alpha:]` and its like are understood. */
function parseGitClass(reader: Reader): Test {
  const isNegated = reader.peek() === "!" || reader.peek() === "^";
  if (isNegated) reader.take();
  const tests: Test[] = [];
  for (let isFirst = true; isFirst || reader.peek() !== "]"; isFirst = false) {
    const character = reader.needed("a class");
    if (character === "[" && reader.peek() === ":") {
      tests.push(parseNamedClass(reader));
      continue;
    }
    const low = codeIn(character, reader);
    if (reader.peek() !== "-") {
      tests.push((code) => code === low);
      continue;
    }
    reader.take();
    if (reader.peek() === "]") {
      // A dash at the end is a dash.
      tests.push((code) => code === low || code === 45);
      continue;
    }
    const high = codeIn(reader.needed("a class"), reader);
    tests.push((code) => code >= low && code <= high);
  }
  reader.take();
  return (code) => tests.some((test) => test(code)) !== isNegated;
}

const codeIn = (character: string, reader: Reader): number =>
  (character === "\\" ? reader.needed("an escape") : character).codePointAt(0) ?? 0;

function parseNamedClass(reader: Reader): Test {
  reader.take();
  let name = "";
  while (reader.peek() !== ":") name += reader.needed("a class");
  reader.take();
  if (reader.needed("a class") !== "]") return () => false;
  const form = namedClasses.get(name);
  return (code) => form?.test(String.fromCodePoint(code)) ?? false;
}

const namedClasses: ReadonlyMap<string, RegExp> = new Map([
  ["alnum", /[0-9A-Za-z]/],
  ["alpha", /[A-Za-z]/],
  ["blank", /[ \t]/],
  // eslint-disable-next-line no-control-regex
  ["cntrl", /[\x00-\x1f\x7f]/],
  ["digit", /[0-9]/],
  ["graph", /[!-~]/],
  ["lower", /[a-z]/],
  ["print", /[ -~]/],
  ["punct", /[!-/:-@[-`{-~]/],
  ["space", /[\t-\r ]/],
  ["upper", /[A-Z]/],
  ["xdigit", /[0-9A-Fa-f]/],
]);
