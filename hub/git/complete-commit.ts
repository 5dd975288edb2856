import { setImmediate as nextTurn } from "node:timers/promises";
import { MirrorDamaged } from "./mirror-damaged.ts";
import type { ObjectStore } from "./objects.ts";
import { parseTree, targetOfTag, treeOfCommit } from "./tree.ts";

/**
 * The commit behind an id, through annotated tags; `undefined` unless all of its files are here.
 *
 * `completeTrees` are known to be here with everything below them; more are added.
 */
export async function completeCommit(
  objects: ObjectStore,
  oid: string,
  completeTrees: Set<string>,
  signal: AbortSignal,
): Promise<string | undefined> {
  let current = oid;
  for (let tags = 0; tags < 10; tags += 1) {
    const object = objects.read(current);
    if (object === undefined) return undefined;
    if (object.type === "commit") {
      const root = treeOfCommit(object.bytes);
      return (await isTreeComplete(objects, root, completeTrees, signal)) ? current : undefined;
    }
    const target = object.type === "tag" ? targetOfTag(object.bytes) : undefined;
    if (target === undefined) return undefined;
    current = target;
  }
  return undefined;
}

/** Whether every tree and file below is here. */
async function isTreeComplete(
  objects: ObjectStore,
  root: string,
  completeTrees: Set<string>,
  signal: AbortSignal,
): Promise<boolean> {
  let visited = 0;
  const inside = async (oid: string, depth: number): Promise<boolean> => {
    if (completeTrees.has(oid)) return true;
    if (depth > 200) throw new MirrorDamaged("directories are nested too deep");
    visited += 1;
    if (visited % 500 === 0) {
      await nextTurn();
      signal.throwIfAborted();
    }
    const tree = objects.read(oid);
    if (tree === undefined || tree.type !== "tree") return false;
    for (const entry of parseTree(tree.bytes, oid)) {
      if (entry.kind === "submodule") continue;
      const here =
        entry.kind === "directory" ? await inside(entry.oid, depth + 1) : objects.has(entry.oid);
      if (!here) return false;
    }
    completeTrees.add(oid);
    return true;
  };
  return inside(root, 0);
}
