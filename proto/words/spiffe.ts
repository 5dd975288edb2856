import { parseClusterId, type ClusterId } from "./ids.ts";

const prefix = "spiffe://wheelhouse/cluster/";

/** The one name in a spoke's certificate. */
export const clusterUri = (cluster: ClusterId): string => `${prefix}${cluster}`;

/** `undefined` when the text is not exactly what `clusterUri` writes. */
export function clusterOfUri(uri: string): ClusterId | undefined {
  if (!uri.startsWith(prefix)) return undefined;
  const cluster = parseClusterId(uri.slice(prefix.length));
  return cluster.ok ? cluster.value : undefined;
}

/** The name every hub's server certificate carries, whatever address it is reached at. */
export const hubServerName = "hub.wheelhouse.internal";
