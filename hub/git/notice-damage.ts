import { MirrorDamaged } from "./mirror-damaged.ts";
import type { CommitTree } from "./tree.ts";

/** The same tree, telling when it cannot be read. */
export function noticingDamage(tree: CommitTree, notice: () => void): CommitTree {
  const noticing =
    <A extends readonly unknown[], R>(read: (...args: A) => R) =>
    (...args: A): R => {
      try {
        return read(...args);
      } catch (error) {
        if (error instanceof MirrorDamaged) notice();
        throw error;
      }
    };
  return {
    commit: tree.commit,
    oidOf: noticing(tree.oidOf),
    entryAt: noticing(tree.entryAt),
    followLinks: noticing(tree.followLinks),
    directories: noticing(tree.directories),
    list: noticing(tree.list),
    readFile: noticing(tree.readFile),
  };
}
