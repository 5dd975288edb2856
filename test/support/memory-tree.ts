import type { PublishTree } from "../../hub/loops/read-fleet.ts";
import { fail, ok } from "../../proto/kit/result.ts";
import { digestOfText } from "../../proto/words/digest.ts";

/** A commit of a repository that is in memory only, as publishing reads it: texts by path. */
export function memoryTree(commit: string, files: ReadonlyMap<string, string>): PublishTree {
  const under = (path: string): readonly (readonly [string, string])[] =>
    [...files].filter(([file]) => path === "" || file === path || file.startsWith(`${path}/`));
  const identities = new Map<string, string | undefined>();
  const oidOf = (path: string): string | undefined => {
    if (!identities.has(path)) {
      const found = under(path);
      identities.set(
        path,
        found.length === 0 ? undefined : digestOfText(JSON.stringify(found)).slice(0, 40),
      );
    }
    return identities.get(path);
  };
  return {
    commit,
    oidOf,
    entryAt: (path) =>
      files.has(path)
        ? { kind: "file" }
        : oidOf(path) === undefined
          ? undefined
          : { kind: "directory" },
    followLinks: ok,
    directories: () => directoriesOf(files.keys()),
    list: (path) =>
      oidOf(path) === undefined
        ? undefined
        : under(path).map(([file]) => ({ path: file, kind: "file", oid: oidOf(file) ?? "" })),
    readFile: (path) => {
      const text = files.get(path);
      return text === undefined ? fail({ kind: "absent" }) : ok(Buffer.from(text));
    },
  };
}

/** Every directory that holds a file, at any depth. */
function directoriesOf(files: Iterable<string>): readonly string[] {
  const found = new Set<string>();
  for (const file of files)
    for (let end = file.lastIndexOf("/"); end > 0; end = file.lastIndexOf("/", end - 1))
      found.add(file.slice(0, end));
  return [...found].toSorted();
}
