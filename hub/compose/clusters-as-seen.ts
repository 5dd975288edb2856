import type { ClusterRecord } from "../domain/cluster-record.ts";
import type { HttpStore } from "../http/needs.ts";
import type { AttachedSessions } from "../link/attached-sessions.ts";

/**
 * The clusters of the store with the time each was last heard of, which is kept in memory: writing it at every
 * heartbeat would make it the busiest table.
 */
export function clustersAsSeen(
  clusters: HttpStore["clusters"],
  sessions: Pick<AttachedSessions, "lastSeenAtMs">,
): HttpStore["clusters"] {
  const seen = (record: ClusterRecord): ClusterRecord => ({
    ...record,
    lastSeenAtMs: sessions.lastSeenAtMs(record.id) ?? record.lastSeenAtMs,
  });
  return {
    ...clusters,
    find: async (name, signal) => {
      const record = await clusters.find(name, signal);
      return record === undefined ? undefined : seen(record);
    },
    list: async (filter, page, signal) => {
      const found = await clusters.list(filter, page, signal);
      return { ...found, items: found.items.map(seen) };
    },
  };
}
