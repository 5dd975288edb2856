import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { shortened } from "./shortened.ts";

/** What is at a path, itself and not what it leads to. */
export type Standing =
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "directory" }
  | { readonly kind: "other" };

/** As many as an operating system follows. */
const linksMost = 40;

/** A target is the author's, and a message has room for more than it. */
const targetCharsMost = 200;

/**
 * Where a path leads when its symbolic links are followed, inside of one tree; a path without one leads where it
 * says, there or not. Paths are from the root of the tree. Fails with the rest of a sentence when a link leads out
 * of the tree, to nothing, or on and on; an absolute one leads out.
 */
export function followLinks(
  path: string,
  lookAt: (path: string) => Standing | undefined,
): Result<string, string> {
  const ahead = partsOf(path).toReversed();
  const behind: string[] = [];
  let links = 0;
  let lastLink = "";
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    if (name === "..") {
      if (behind.pop() === undefined) return fail(`leads out of the repository: ${lastLink}`);
      continue;
    }
    behind.push(name);
    const here = behind.join("/");
    const standing = lookAt(here);
    if (standing?.kind === "link") {
      const { target } = standing;
      links += 1;
      if (links > linksMost) return fail(`leads over more than ${linksMost} symbolic links`);
      lastLink = `${here} is a symbolic link to ${JSON.stringify(shortened(target, targetCharsMost))}`;
      if (target.startsWith("/")) return fail(`leads out of the repository: ${lastLink}`);
      behind.pop();
      ahead.push(...partsOf(target).toReversed());
    } else if (standing === undefined || (standing.kind === "other" && ahead.length > 0))
      return links === 0 ? ok(path) : fail(`leads to nothing: ${lastLink}`);
  }
  return ok(behind.join("/"));
}

const partsOf = (path: string): readonly string[] =>
  path.split("/").filter((part) => part !== "" && part !== ".");
