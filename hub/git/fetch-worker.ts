import { parentPort, workerData } from "node:worker_threads";
import { fetchEndOf, fetchPack, type AsideSettings, type FetchOrder } from "./fetch-pack.ts";
import { openConnections } from "./http.ts";

// The program of a fetching thread: one order in, one ending out. Whoever started it ends it.
const { order, certificateAuthority } = workerData as AsideSettings & {
  readonly order: FetchOrder;
};
const connections = openConnections(certificateAuthority);
const end = await fetchPack(order, connections, new AbortController().signal).then(
  () => ({ kind: "done" }) as const,
  fetchEndOf,
);
parentPort?.postMessage(end);
connections.close();
