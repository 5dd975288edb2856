import { parseClusterName } from "../../proto/words/ids.ts";
import type { ClusterRecord } from "../domain/cluster-record.ts";
import type { HttpStore } from "./needs.ts";
import { Refused } from "./problems.ts";

/** The cluster that a path names. Throws `Refused` when there is none. */
export async function findCluster(
  store: Pick<HttpStore, "clusters">,
  name: string,
  signal: AbortSignal,
): Promise<ClusterRecord> {
  const parsed = parseClusterName(name);
  const cluster = parsed.ok ? await store.clusters.find(parsed.value, signal) : undefined;
  if (cluster === undefined) throw noSuchCluster(name);
  return cluster;
}

/** Also for one that was removed since it was found. */
export const noSuchCluster = (name: string): Refused =>
  new Refused("WH-API-4041", `no cluster is called ${JSON.stringify(name)}`);
