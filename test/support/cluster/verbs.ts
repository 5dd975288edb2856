/** What the verbs of the API take and give. */
import type { Kind } from "./kinds.ts";
import type { KubeObject } from "./object.ts";

export type Target = {
  readonly kind: Kind;
  readonly namespace: string;
  /** Empty for requests on the whole collection. */
  readonly name: string;
  /** Empty for the object itself. */
  readonly subresource: string;
};

export type WriteOptions = {
  readonly manager: string;
  readonly dryRun: boolean;
  readonly validation: "Strict" | "Warn" | "Ignore";
  /** Whether an apply takes fields from other managers. */
  readonly force?: boolean;
};

export type Written = {
  readonly code: number;
  readonly object: KubeObject;
  readonly warnings: readonly string[];
};

export type PatchType = "json" | "merge" | "strategic" | "apply";

export type DeleteOptions = {
  readonly dryRun: boolean;
  readonly propagation: "Foreground" | "Background" | "Orphan" | undefined;
  readonly graceSeconds: number | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
};

export type Deleted = {
  readonly object: KubeObject;
  /** The object is gone; otherwise it waits for its finalizers or its grace period. */
  readonly gone: boolean;
};

export const plainDelete: DeleteOptions = {
  dryRun: false,
  propagation: undefined,
  graceSeconds: undefined,
  uid: undefined,
  resourceVersion: undefined,
};
