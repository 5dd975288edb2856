import type { ClusterId } from "../../proto/words/ids.ts";

type Connection = {
  readonly destroy: () => unknown;
  readonly once: (event: "close", listener: () => void) => unknown;
};

/**
 * The connections of each cluster, at most so many: a spoke needs one, and two while it renews.
 *
 * One more closes the oldest and not the newest, since the oldest may be dead without anybody having noticed.
 */
export class ClusterConnections {
  readonly #most: number;
  readonly #open = new Map<ClusterId, Set<Connection>>();

  constructor(most: number) {
    this.#most = most;
  }

  add(cluster: ClusterId, connection: Connection): void {
    const open = this.#open.get(cluster) ?? new Set();
    this.#open.set(cluster, open);
    open.add(connection);
    connection.once("close", () => {
      open.delete(connection);
      if (open.size === 0 && this.#open.get(cluster) === open) this.#open.delete(cluster);
    });
    const [oldest] = open;
    if (open.size > this.#most && oldest !== undefined) {
      open.delete(oldest);
      oldest.destroy();
    }
  }

  count(cluster: ClusterId): number {
    return this.#open.get(cluster)?.size ?? 0;
  }
}
