import type { KubeObject } from "../../../spoke/domain/kube-object.ts";
import type { Tree } from "../field-sets.ts";

/** Objects and trees are the same JSON; only what the compiler knows of them differs. */
export const asTree = (object: KubeObject): Tree => object;
export const asObject = (tree: Tree): KubeObject => tree as KubeObject;

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
