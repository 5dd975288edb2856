import { ok, type Result } from "../../../proto/kit/result.ts";
import { unreachable } from "../../../proto/kit/unreachable.ts";
import type { FileDialect } from "../facts.ts";
import { compileDoublestar } from "./doublestar.ts";
import { compilePathspec } from "./pathspec.ts";
import { inWalkOrder } from "./walk-order.ts";

/** A pattern over the paths of a repository's files. */
export type FilePattern = {
  readonly text: string;
  readonly matches: (path: string) => boolean;
  /**
   * The first directory that it reads as if it were a file, which then fails; the root is a dot. `files` are
   * all there are in the repository.
   */
  readonly directoryAmong: (files: readonly string[]) => string | undefined;
};

/** Compiles a pattern of git files; the empty one is the whole repository. Fails with a sentence. */
export function compileFilePattern(
  text: string,
  dialect: FileDialect,
): Result<FilePattern, string> {
  switch (dialect) {
    case "pathspec": {
      const pathspec = compilePathspec(text === "" ? "." : text);
      return pathspec.ok
        ? ok({ text, matches: pathspec.value, directoryAmong: () => undefined })
        : pathspec;
    }
    case "doublestar": {
      const pattern = compileDoublestar(text);
      if (!pattern.ok) return pattern;
      const { matchesFile, matchesDirectory } = pattern.value;
      return ok({
        text,
        matches: matchesFile,
        directoryAmong: (files) => {
          if (matchesDirectory("")) return ".";
          return directoriesAbove(files).find(matchesDirectory);
        },
      });
    }
    default:
      return unreachable(dialect, "dialect of file patterns");
  }
}

/** One listing is asked about for every pattern, and beside a matrix for every row. */
const knownDirectories = new WeakMap<readonly string[], readonly string[]>();

/** Every directory above a file, the root not among them, as a walk meets them. */
function directoriesAbove(files: readonly string[]): readonly string[] {
  const known = knownDirectories.get(files);
  if (known !== undefined) return known;
  const directories = inWalkOrder(distinctDirectories(files));
  knownDirectories.set(files, directories);
  return directories;
}

function distinctDirectories(files: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const file of files)
    for (let slash = file.lastIndexOf("/"); slash > 0; slash = file.lastIndexOf("/", slash - 1)) {
      const directory = file.slice(0, slash);
      if (found.has(directory)) break;
      found.add(directory);
    }
  return [...found];
}
