import { Bell } from "../../proto/kit/bell.ts";
import type { ClusterId, Epoch } from "../../proto/words/ids.ts";

/** Why the hub ends a session. */
export type Dismissal =
  /** A newer session of the same cluster took over. */
  | { readonly kind: "replaced" }
  | { readonly kind: "draining"; readonly reconnectAfterMs: number }
  | { readonly kind: "untrusted"; readonly problem: string }
  | { readonly kind: "locked"; readonly why: string };

/** What the registry knows of an attached spoke. */
export type OpenSession = {
  readonly cluster: ClusterId;
  readonly epoch: Epoch;
  /** Has it look again at what it should offer. Must not throw. */
  readonly wake: () => void;
  /** Has it say good-bye and end. Must not throw; ends once, whatever comes later. */
  readonly dismiss: (dismissal: Dismissal) => void;
};

/** Who is attached here, at most one session per cluster: the one with the highest epoch. */
export class AttachedSessions {
  readonly #open = new Map<ClusterId, OpenSession>();
  readonly #left = new Bell();
  readonly #lastSeenAtMs = new Map<ClusterId, number>();

  /** Takes the place of an older session of the cluster; a session that is itself the older is dismissed. */
  admit(session: OpenSession): void {
    const other = this.#open.get(session.cluster);
    // Two sessions may open at the same time and arrive here in any order; the store gave them their epochs.
    if (other !== undefined && other.epoch > session.epoch) {
      session.dismiss({ kind: "replaced" });
      return;
    }
    this.#open.set(session.cluster, session);
    other?.dismiss({ kind: "replaced" });
  }

  /** Forgets a session. A newer one of the same cluster stays. */
  leave(session: OpenSession): void {
    if (this.#open.get(session.cluster) !== session) return;
    this.#open.delete(session.cluster);
    this.#left.ring();
  }

  /** Resolves once nobody is attached. One waits at a time. */
  async allLeft(signal: AbortSignal): Promise<void> {
    while (this.#open.size > 0) await this.#left.wait(signal);
  }

  /** A hint that something for this cluster changed. Losing it costs a heartbeat. */
  wake(cluster: ClusterId): void {
    this.#open.get(cluster)?.wake();
  }

  dismiss(cluster: ClusterId, dismissal: Dismissal): void {
    this.#open.get(cluster)?.dismiss(dismissal);
  }

  /** Ends every session, each told its own time to come back. */
  dismissAll(dismissal: () => Dismissal): void {
    for (const session of this.#open.values()) session.dismiss(dismissal());
  }

  /** Called for every message; kept in memory only, since it is no more than telemetry. */
  heard(cluster: ClusterId, atMs: number): void {
    this.#lastSeenAtMs.set(cluster, atMs);
  }

  /** `undefined` when nothing was heard from the cluster since this process started. */
  lastSeenAtMs(cluster: ClusterId): number | undefined {
    return this.#lastSeenAtMs.get(cluster);
  }

  /** Called when a cluster is gone for good. */
  forget(cluster: ClusterId): void {
    this.#lastSeenAtMs.delete(cluster);
  }

  isAttached(cluster: ClusterId): boolean {
    return this.#open.has(cluster);
  }

  get attached(): number {
    return this.#open.size;
  }
}
