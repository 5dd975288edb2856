import { bundleBlob, blobOf, type Blob } from "../../proto/words/bundle.ts";
import type { DesiredApplication, SyncPolicy, Tombstone } from "../../proto/words/desired.ts";
import type { Digest, Json } from "../../proto/words/digest.ts";
import { parseApplicationName, type ApplicationName } from "../../proto/words/ids.ts";
import type { Ack, Command, CommandResult } from "../../proto/words/link-messages.ts";
import { silentLog, type Log } from "../../proto/kit/log.ts";
import type { ApplicationReport } from "../../proto/words/report.ts";
import type { ClusterApi, InventoryStore } from "../../spoke/domain/cluster.ts";
import { emptyHeldSet, type HeldSet } from "../../spoke/domain/held-set.ts";
import { keyOfObject, type KubeObject } from "../../spoke/domain/kube-object.ts";
import {
  createSyncLoop,
  type SyncLoop,
  type SyncLoopSettings,
} from "../../spoke/loops/sync-loop.ts";
import { fakeClock, type FakeClock } from "./fake-clock.ts";
import type { FakeCluster } from "./fake-cluster.ts";

/** A sync loop on a cluster in memory, with a disk that holds what the test puts on it. */
export type SpokeBench = {
  readonly clock: FakeClock;
  readonly loop: SyncLoop;
  /** The newest report of each application. */
  readonly reports: ReadonlyMap<string, ApplicationReport>;
  /** Every report there was, in order. */
  readonly history: readonly ApplicationReport[];
  readonly reportCount: () => number;
  readonly acks: readonly Ack[];
  readonly removed: readonly string[];
  readonly answers: readonly CommandResult[];
  /** Lets everything happen that needs no time; `forMs` lets time pass too. */
  readonly settle: (forMs?: number) => Promise<void>;
  /** Ends the loop as the end of the process would, and waits until it has. */
  readonly stop: () => Promise<void>;
  /** What `run` ended with; `undefined` while it runs. */
  readonly ending: () => unknown;
};

export type SpokeBenchOptions = {
  readonly cluster: FakeCluster;
  readonly disk: Disk;
  readonly held?: HeldSet;
  readonly clock?: FakeClock;
  readonly api?: ClusterApi;
  readonly inventory?: InventoryStore;
  readonly settings?: Partial<SyncLoopSettings>;
  readonly log?: Log;
};

export const hubId = "0123456789abcdef";

export function spokeBench(options: SpokeBenchOptions): SpokeBench {
  const clock = options.clock ?? fakeClock();
  const reports = new Map<string, ApplicationReport>();
  const history: ApplicationReport[] = [];
  const acks: Ack[] = [];
  const removed: string[] = [];
  const answers: CommandResult[] = [];
  const stopping = new AbortController();
  let count = 0;
  let ended: unknown;
  const loop = createSyncLoop(
    {
      cluster: options.api ?? options.cluster.api,
      inventory: options.inventory ?? options.cluster.inventory,
      readBlob: async (digest) => options.disk.blobs.get(digest),
      hubId: () => hubId,
      clock,
      random: () => 1,
      log: options.log ?? silentLog,
      onReport: (application, report) => {
        count += 1;
        if (report !== undefined) history.push(report);
        if (report === undefined) reports.delete(application);
        else reports.set(application, report);
      },
      onAck: (ack) => void acks.push(ack),
      onRemoved: (application, generation) => void removed.push(`${application} ${generation}`),
      onCommandDone: (result) => void answers.push(result),
    },
    { coalesceMs: 0, ...options.settings },
  );
  if (options.held !== undefined) loop.setHeld(options.held);
  const running = loop.run(stopping.signal).then(
    () => void (ended = "ended"),
    (error: unknown) => void (ended = error),
  );
  return {
    clock,
    loop,
    reports,
    history,
    reportCount: () => count,
    acks,
    removed,
    answers,
    settle: (forMs = 0) => clock.advance(forMs),
    stop: async () => {
      stopping.abort(new Error("the process ends"));
      await running;
    },
    ending: () => ended,
  };
}

export type Disk = { readonly blobs: Map<Digest, Uint8Array> };

export const newDisk = (): Disk => ({ blobs: new Map() });

export const automatic: SyncPolicy = {
  automated: true,
  prune: true,
  selfHeal: true,
  allowEmpty: false,
  createNamespace: false,
  conflicts: "override",
};

export type ApplicationDraft = {
  readonly name?: string;
  readonly generation?: number;
  readonly manifests: readonly KubeObject[];
  readonly policy?: Partial<SyncPolicy>;
  readonly namespace?: string;
};

/** Puts the application's blobs on the disk and returns its desired entry. */
export function application(draft: ApplicationDraft, disk: Disk): DesiredApplication {
  const entries = draft.manifests.map((manifest) => {
    // Tests write manifests as plain JSON.
    const blob = blobOf(manifest as Json);
    keep(blob, disk);
    return { key: keyOfObject(manifest), blob: blob.digest };
  });
  const bundle = bundleBlob({ entries: entries.toSorted((a, b) => (a.key < b.key ? -1 : 1)) });
  keep(bundle, disk);
  const generation = draft.generation ?? 1;
  return {
    application: applicationName(draft.name ?? "shop"),
    generation,
    revision: `commit-${generation}`,
    bundle: bundle.digest,
    project: "default",
    destinationNamespace: draft.namespace ?? "shop",
    policy: { ...automatic, ...draft.policy },
    trace: "",
  };
}

const keep = (blob: Blob, disk: Disk): void => void disk.blobs.set(blob.digest, blob.bytes);

export function applicationName(text: string): ApplicationName {
  const parsed = parseApplicationName(text);
  if (!parsed.ok) throw new TypeError(parsed.problem);
  return parsed.value;
}

export function tombstone(name: string, generation: number, keepObjects = false): Tombstone {
  return {
    application: applicationName(name),
    generation,
    cause: "removed-from-git",
    actor: "a commit",
    keepObjects,
  };
}

export const heldSet = (
  applications: readonly DesiredApplication[],
  tombstones: readonly Tombstone[] = [],
): HeldSet => ({
  ...emptyHeldSet,
  hubId,
  version: 1,
  applications: new Map(applications.map((entry) => [entry.application, entry])),
  tombstones: new Map(tombstones.map((entry) => [entry.application, entry])),
});

export const order = (
  kind: Command["order"],
  name: string,
  more: Partial<Command> = {},
): Command => ({
  kind: "command",
  id: `${kind}-${name}`,
  order: kind,
  application: applicationName(name),
  generation: 0,
  prune: false,
  expiresAtMs: Number.MAX_SAFE_INTEGER,
  ...more,
});

/** One line for each resource: `Synced Healthy apps/Deployment/shop/web`, with its message when it has one. */
export const resourceLines = (report: ApplicationReport | undefined): readonly string[] =>
  (report?.resources ?? []).map(({ key, syncStatus, health, awaitsPrune, message }) =>
    [syncStatus, health ?? "-", key, ...(awaitsPrune ? ["awaits prune"] : []), message]
      .filter((text) => text !== "")
      .join(" "),
  );

export const summary = (report: ApplicationReport | undefined): string =>
  report === undefined
    ? "no report"
    : `${report.syncStatus} ${report.health.state} stored=${report.storedGeneration} applied=${report.appliedGeneration} healthy=${report.healthyGeneration} ${report.operation?.phase ?? "-"}`;
