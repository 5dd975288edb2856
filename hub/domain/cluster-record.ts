import type { ClusterId, ClusterName, Version } from "../../proto/words/ids.ts";
import type { Labels, StatusCounts } from "./records.ts";

export type ClusterConnection =
  /** Registered, and no spoke has ever enrolled. */
  | { readonly kind: "never-joined" }
  | { readonly kind: "attached"; readonly sinceMs: number }
  | { readonly kind: "detached"; readonly sinceMs: number };

/** A cluster as the hub remembers it. */
export type ClusterRecord = {
  readonly id: ClusterId;
  readonly name: ClusterName;
  /** What templates see as `server` and destinations may name; `defaultServer` where nobody says. */
  readonly server: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly createdAtMs: number;
  readonly connection: ClusterConnection;
  readonly lastSeenAtMs: number | undefined;
  readonly spokeVersion: string;
  readonly kubernetesVersion: string;
  readonly certificateExpiresAtMs: number | undefined;
  /** Why none of its identities is taken; `undefined` while they are. */
  readonly locked: { readonly sinceMs: number; readonly why: string } | undefined;
  /** The newest version of the desired set, and the newest the spoke says it has on disk. */
  readonly desiredVersion: Version;
  readonly storedVersion: Version;
  readonly applications: StatusCounts;
};
