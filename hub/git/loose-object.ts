import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { isMissing } from "../../proto/kit/is-missing.ts";
import type { GitObject, ObjectLimits, ObjectType } from "./git-object.ts";
import { MirrorDamaged } from "./mirror-damaged.ts";

const looseHead = /^(commit|tree|blob|tag) (\d{1,15})\0/;
const looseHeadBytesMost = 32;

/** An object that lies in a file of its own. `undefined` when there is no such file. */
export function readLoose(
  gitFolder: string,
  oid: string,
  limits: ObjectLimits,
): GitObject | undefined {
  let compressed: Buffer;
  try {
    compressed = readFileSync(join(gitFolder, "objects", oid.slice(0, 2), oid.slice(2)));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    const whole = inflateSync(compressed, {
      maxOutputLength: limits.objectBytesMost + looseHeadBytesMost,
    });
    const head = looseHead.exec(whole.toString("latin1", 0, looseHeadBytesMost));
    const bytes = whole.subarray(head?.[0].length ?? 0);
    if (head !== null && bytes.length === Number(head[2]))
      return { type: head[1] as ObjectType, bytes };
  } catch (error) {
    throw new MirrorDamaged(`object ${oid} cannot be inflated`, error);
  }
  throw new MirrorDamaged(`object ${oid} is broken`);
}
