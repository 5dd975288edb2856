import type { HealthState } from "../../proto/words/health.ts";
import type { SyncStatus } from "../../proto/words/sync-status.ts";
import type { Requirement } from "./selector.ts";

/** What can be asked of the fleet. The HTTP API parses these; the store answers them from indexes. */

/** `after` is the opaque cursor of the page before; pages are ordered and never skip or repeat what stays. */
export type PageRequest = { readonly limit: number; readonly after: string | undefined };

export type Page<T> = { readonly items: readonly T[]; readonly next: string | undefined };

export const applicationSorts = ["name", "cluster", "health", "sync", "changed"] as const;

export type ApplicationSort = (typeof applicationSorts)[number];

/** All given conditions must hold; an absent one admits everything. */
export type ApplicationFilter = {
  readonly cluster?: string;
  /** Over the application's own labels. */
  readonly selector?: readonly Requirement[];
  /** Over the labels of its cluster. */
  readonly clusterSelector?: readonly Requirement[];
  readonly set?: string;
  readonly project?: string;
  readonly syncStatus?: readonly SyncStatus[];
  readonly health?: readonly HealthState[];
  readonly revision?: string;
  /** Part of the name, case-insensitive. */
  readonly text?: string;
  /** Only those with a problem. */
  readonly troubled?: boolean;
};

export type ClusterFilter = {
  readonly selector?: readonly Requirement[];
  readonly connection?: "never-joined" | "attached" | "detached";
  readonly text?: string;
};

export type ResourceFilter = {
  readonly group?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly cluster?: string;
  readonly application?: string;
  /** A whole image reference, or a prefix ending in `*`. */
  readonly image?: string;
  readonly health?: readonly HealthState[];
};

export type ApplicationSetFilter = {
  readonly text?: string;
  readonly project?: string;
  /** Only those with a problem. */
  readonly troubled?: boolean;
};

/** `PageRequest.after` is not a cursor of that list in that order. A caller's mistake: HTTP answers 400. */
export class BadCursor extends Error {
  override readonly name = "BadCursor";

  constructor() {
    super("cursor is not one of this list in this order; start again without it");
  }
}
