import { objectKeyParts, type ObjectKey } from "../../proto/words/object-key.ts";

/** Where in its cluster a spoke works: everywhere, or in namespaces it was given and nowhere else. */
export type Reach =
  | { readonly kind: "cluster" }
  | { readonly kind: "namespaces"; readonly namespaces: readonly string[] };

/** Given no namespaces, a spoke works everywhere. */
export const reachOf = (namespaces: readonly string[]): Reach =>
  namespaces.length === 0 ? { kind: "cluster" } : { kind: "namespaces", namespaces };

/** Of an object whose kind is served, so that its key says whether it lives in a namespace. */
export const isWithinReach = (key: ObjectKey, reach: Reach): boolean =>
  reach.kind === "cluster" || reach.namespaces.includes(objectKeyParts(key).namespace);
