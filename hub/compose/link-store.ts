import type { ClusterId } from "../../proto/words/ids.ts";
import type { LinkStore } from "../link/server.ts";
import type { CatchUp } from "../loops/catch-up.ts";
import type { Metrics } from "../metrics.ts";
import type { Store } from "../store/store.ts";

/** The store as the link uses it, counting the bytes of blobs that go to each cluster. */
export function composeLinkStore(
  store: Store,
  metrics: Metrics,
  catchUp: Pick<CatchUp, "onOvertaken">,
): LinkStore {
  const blobBytes = metrics.counter(
    "wheelhouse_hub_blob_bytes_total",
    "Bytes of blobs sent to a cluster, with the desired set (inline) or on request (fetched).",
    ["cluster", "way"],
  );
  const names = new Map<ClusterId, string>();
  const count = async (
    cluster: ClusterId,
    way: "inline" | "fetched",
    bytes: number,
    signal: AbortSignal,
  ): Promise<void> => {
    const name = names.get(cluster) ?? (await store.clusters.findById(cluster, signal))?.name;
    if (name === undefined) return;
    names.set(cluster, name);
    blobBytes.add(bytes, { cluster: name, way });
  };
  return {
    ...store,
    blobs: {
      readFor: async (cluster, digest, signal) => {
        const bytes = await store.blobs.readFor(cluster, digest, signal);
        if (bytes !== undefined) await count(cluster, "fetched", bytes.length, signal);
        return bytes;
      },
    },
    reports: {
      ...store.reports,
      record: async (batch, atMs, signal) =>
        catchUp.onOvertaken(await store.reports.record(batch, atMs, signal)),
    },
    desiredSets: {
      ...store.desiredSets,
      lackingBlobs: async (cluster, applications, limits, signal) => {
        const blobs = await store.desiredSets.lackingBlobs(cluster, applications, limits, signal);
        const bytes = blobs.reduce((sum, blob) => sum + blob.bytes.length, 0);
        await count(cluster, "inline", bytes, signal);
        return blobs;
      },
    },
  };
}
