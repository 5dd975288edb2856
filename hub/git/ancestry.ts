import { setImmediate as nextTurn } from "node:timers/promises";
import type { ObjectStore } from "./objects.ts";

const historyWalkMost = 20_000;

/** Whether `ancestor` is in the history of `commit`. A history too long to walk counts as one that holds it. */
export async function descends(
  objects: ObjectStore,
  commit: string,
  ancestor: string,
  signal: AbortSignal,
): Promise<boolean> {
  const seen = new Set([commit]);
  const queue = [commit];
  for (const oid of queue) {
    if (oid === ancestor) return true;
    if (seen.size > historyWalkMost) return true;
    if (seen.size % 1_000 === 0) {
      await nextTurn();
      signal.throwIfAborted();
    }
    const object = objects.read(oid);
    if (object?.type !== "commit") continue;
    const head = Buffer.from(object.bytes).toString("latin1").split("\n\n", 1)[0] ?? "";
    for (const [, parent] of head.matchAll(/^parent ([0-9a-f]{40})$/gm)) {
      if (parent === undefined || seen.has(parent)) continue;
      seen.add(parent);
      queue.push(parent);
    }
  }
  return false;
}
