import type { Result } from "../../../proto/kit/result.ts";
import { parseBraces } from "./braces.ts";
import {
  compiled,
  exactly,
  noneOf,
  parseClass,
  type Glob,
  type Part,
  type Reader,
} from "./glob-automaton.ts";

/**
 * Go's `path.Match`, as git directory generators use it: `*` and `?` stop at `/`, `[a-c]` and `[^a]` are
 * classes, `\` escapes, braces and `**` mean nothing special, and the whole name must match.
 */
export function compilePathGlob(pattern: string): Result<Glob, string> {
  return compiled(pattern, parsePath);
}

/**
 * The patterns of Argo CD's directory `include` and `exclude`: `*`, `?`, `[a-z]`, `[!a]`, `{one,two}`, `\`.
 * `separators` are the characters that `*` and `?` stop at; `**` stops at none. For directory sources there
 * are none, so `*.yaml` also matches `deep/down.yaml`.
 */
export function compileAnyGlob(pattern: string, separators: string): Result<Glob, string> {
  return compiled(pattern, (reader) => parseAny(reader, separators));
}

/** Whether `pattern` matches; one that is malformed matches nothing. */
export function anyGlob(pattern: string, name: string, separators: string): boolean {
  const glob = compileAnyGlob(pattern, separators);
  return glob.ok && glob.value(name);
}

function parsePath(reader: Reader): readonly Part[] {
  const parts: Part[] = [];
  const inSegment = noneOf("/");
  for (;;) {
    const character = reader.take();
    switch (character) {
      case undefined:
        return parts;
      case "*":
        if (reader.peek() !== "*") parts.push({ kind: "many", reads: inSegment });
        break;
      case "?":
        parts.push({ kind: "one", reads: inSegment });
        break;
      case "[": {
        const reads = parseClass(reader, "^");
        // Unlike the wildcards, a class in path.Match may name the slash.
        parts.push({ kind: "one", reads });
        break;
      }
      case "\\":
        parts.push(exactly(reader.needed("an escape")));
        break;
      default:
        parts.push(exactly(character));
    }
  }
}

function parseAny(reader: Reader, separators: string): readonly Part[] {
  const inSegment = noneOf(separators);
  return parseBraces(reader, (character, parts) => {
    switch (character) {
      case "*":
        if (reader.peek() === "*") {
          reader.take();
          parts.push({ kind: "many", reads: () => true });
        } else parts.push({ kind: "many", reads: inSegment });
        break;
      case "?":
        parts.push({ kind: "one", reads: inSegment });
        break;
      case "[":
        parts.push({ kind: "one", reads: parseClass(reader, "!") });
        break;
      case "\\":
        parts.push(exactly(reader.needed("an escape")));
        break;
      default:
        parts.push(exactly(character));
    }
  });
}
