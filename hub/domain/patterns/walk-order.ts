import { compareBytes } from "../template/value.ts";

/** Paths as a walk meets them: a directory, then what is below it, then its neighbours; names by bytes. */
export const inWalkOrder = (paths: readonly string[]): readonly string[] =>
  paths
    // No name holds a NUL, and nothing sorts before it.
    .map((path) => path.replaceAll("/", "\0"))
    .toSorted(compareBytes)
    .map((path) => path.replaceAll("\0", "/"));
