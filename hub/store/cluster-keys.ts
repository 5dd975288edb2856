import type { ClusterId, ClusterName } from "../../proto/words/ids.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { Labels } from "../domain/records.ts";
import { prepared, type Db } from "./database.ts";
import { readLabels } from "./json.ts";

/** What writes about a cluster need to know of it. Removed clusters are not found. */
export type KnownCluster = {
  readonly key: number;
  readonly id: ClusterId;
  readonly name: ClusterName;
  readonly labels: string;
  readonly connection: "never-joined" | "attached" | "detached";
  readonly session_id: string | null;
  readonly epoch: number;
  readonly desired_version: number;
  readonly desired_root: Digest;
  readonly retained_from_version: number;
  readonly generation_floor: number;
  readonly stored_version: number;
};

export type FindCluster = (db: Db, id: ClusterId) => Promise<KnownCluster | undefined>;

export function findCluster(db: Db): FindCluster {
  const byId = prepared<{ id: ClusterId }, KnownCluster>((parameter) =>
    db
      .selectFrom("clusters")
      .select([
        "key",
        "id",
        "name",
        "labels",
        "connection",
        "session_id",
        "epoch",
        "desired_version",
        "desired_root",
        "retained_from_version",
        "generation_floor",
        "stored_version",
      ])
      .where("id", "=", parameter("id"))
      .where("removed_at_ms", "is", null),
  );
  return async (db, id) => (await byId(db, { id }))[0];
}

export const labelsOfCluster = ({ labels }: KnownCluster): Labels => readLabels(labels);
