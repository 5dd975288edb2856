import type { ClusterFact } from "../../../hub/domain/facts.ts";
import type { Origin } from "../../../hub/domain/origin.ts";
import type {
  ApplicationChange,
  ApplicationDraft,
  ApplicationSetRecord,
  FleetEventDraft,
  TombstoneDraft,
} from "../../../hub/domain/records.ts";
import type { RolloutChange } from "../../../hub/domain/rollout/record.ts";
import type { Store } from "../../../hub/store/store.ts";
import { blobOf, bundleBlob, type Blob, type Bundle } from "../../../proto/words/bundle.ts";
import type { DesiredApplication, SyncPolicy } from "../../../proto/words/desired.ts";
import { digestOfText, type Digest, type Json } from "../../../proto/words/digest.ts";
import {
  parseApplicationName,
  parseClusterId,
  parseClusterName,
  type ApplicationName,
  type ClusterId,
  type ClusterName,
} from "../../../proto/words/ids.ts";
import { makeObjectKey } from "../../../proto/words/object-key.ts";
import type { ApplicationReport, ResourceReport } from "../../../proto/words/report.ts";
import type { Result } from "../../../proto/kit/result.ts";

/** Valid defaults for the store's nouns; a test passes what it is about. */

export const signal = new AbortController().signal;

/** Noon of some day: every test runs at the same time. */
export const atMs = 1_750_000_000_000;

export const hour = 3_600_000;

function must<T>(result: Result<T, string>): T {
  if (!result.ok) throw new TypeError(result.problem);
  return result.value;
}

export const app = (name: string): ApplicationName => must(parseApplicationName(name));
export const clusterName = (name: string): ClusterName => must(parseClusterName(name));
export const digest = (text: string): Digest => digestOfText(text);

/** The id of the cluster by that name, the same in every test. */
export const clusterId = (name: string): ClusterId => {
  const hex = digestOfText(`cluster ${name}`);
  return must(
    parseClusterId(
      [
        hex.slice(0, 8),
        hex.slice(8, 12),
        hex.slice(12, 16),
        hex.slice(16, 20),
        hex.slice(20, 32),
      ].join("-"),
    ),
  );
};

export const fact = (name: string, more: Partial<ClusterFact> = {}): ClusterFact => ({
  id: clusterId(name),
  name: clusterName(name),
  server: `https://${name}.cluster.wheelhouse`,
  labels: {},
  annotations: {},
  ...more,
});

export async function addCluster(
  store: Store,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<ClusterId> {
  const added = await store.clusters.add(fact(name, { labels }), atMs, signal);
  if (!added.ok) throw new TypeError(`cluster ${name}: ${added.problem.kind}`);
  return added.value.id;
}

export const policy: SyncPolicy = {
  automated: true,
  prune: true,
  selfHeal: true,
  allowEmpty: false,
  createNamespace: false,
  conflicts: "override",
};

/** A bundle of ConfigMaps by name; equal content is an equal blob. */
export function bundleOf(content: Readonly<Record<string, Json>>): {
  readonly digest: Digest;
  readonly bundle: Bundle;
  readonly blobs: readonly Blob[];
} {
  const objects = Object.entries(content)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, data]) => ({
      key: makeObjectKey({ group: "", kind: "ConfigMap", namespace: "web", name }),
      blob: blobOf({ kind: "ConfigMap", name, data }),
    }));
  const bundle = { entries: objects.map(({ key, blob }) => ({ key, blob: blob.digest })) };
  return { digest: bundleBlob(bundle).digest, bundle, blobs: objects.map(({ blob }) => blob) };
}

export async function putBundle(
  store: Store,
  content: Readonly<Record<string, Json>>,
  putAtMs = atMs,
): Promise<Digest> {
  const { digest, bundle, blobs } = bundleOf(content);
  await store.blobs.putBundle(digest, blobs, bundle, putAtMs, signal);
  return digest;
}

export const setOrigin = (name: string): Origin => ({ kind: "application-set", name });
export const plainOrigin = (name: string): Origin => ({ kind: "application", name });

export const draft = (name: string, more: Partial<ApplicationDraft> = {}): ApplicationDraft => ({
  name: app(name),
  origin: setOrigin("web"),
  project: "default",
  labels: {},
  annotations: {},
  source: {
    repoURL: "https://git.example/fleet.git",
    path: `apps/${name}`,
    targetRevision: "HEAD",
  },
  destination: { name: "", server: "", namespace: "web" },
  policy,
  document: `{"metadata":{"name":"${name}"}}`,
  revision: "c1",
  generation: 1,
  bundle: undefined,
  objects: 0,
  problem: undefined,
  clusterId: undefined,
  keepObjects: false,
  ...more,
});

export const entry = (
  name: string,
  bundle: Digest,
  more: Partial<DesiredApplication> = {},
): DesiredApplication => ({
  application: app(name),
  generation: 1,
  revision: "c1",
  bundle,
  project: "default",
  destinationNamespace: "web",
  policy,
  trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  ...more,
});

/** An application as Git would have it in a cluster, offered there. */
export function write(
  name: string,
  cluster: ClusterId,
  bundle: Digest,
  more: {
    readonly draft?: Partial<ApplicationDraft>;
    readonly entry?: Partial<DesiredApplication>;
    readonly leaves?: TombstoneDraft | undefined;
    readonly takenFrom?: Origin;
  } = {},
): ApplicationChange {
  const desired = entry(name, bundle, more.entry);
  return {
    kind: "write",
    record: draft(name, {
      clusterId: cluster,
      bundle,
      objects: 1,
      generation: desired.generation,
      revision: desired.revision,
      ...more.draft,
    }),
    desired: { cluster, entry: desired },
    leaves: more.leaves,
    ...(more.takenFrom === undefined ? {} : { takenFrom: more.takenFrom }),
  };
}

export const tombstone = (
  name: string,
  cluster: ClusterId,
  more: Partial<TombstoneDraft> = {},
): TombstoneDraft => ({
  cluster,
  application: app(name),
  generation: 2,
  cause: "removed-from-git",
  actor: "c2",
  keepObjects: false,
  ...more,
});

export const remove = (name: string, cluster: ClusterId | undefined): ApplicationChange => ({
  kind: "remove",
  name: app(name),
  tombstone: cluster === undefined ? undefined : tombstone(name, cluster),
});

export const setRecord = (
  name: string,
  more: Partial<Omit<ApplicationSetRecord, "applications">> = {},
): Omit<ApplicationSetRecord, "applications"> => ({
  name,
  project: "default",
  path: `sets/${name}.yaml`,
  commit: "c1",
  document: `{"metadata":{"name":"${name}"}}`,
  generatedAtMs: atMs,
  problem: undefined,
  conditions: [],
  ...more,
});

export const publish = (
  store: Store,
  changes: readonly ApplicationChange[],
  more: {
    readonly origin?: Origin;
    readonly set?: Omit<ApplicationSetRecord, "applications"> | "removed" | "unchanged";
    readonly rollout?: RolloutChange;
    readonly events?: readonly FleetEventDraft[];
    readonly atMs?: number;
  } = {},
): Promise<{ readonly changedClusters: readonly ClusterId[] }> =>
  store.publishing.record(
    { origin: setOrigin("web"), set: "unchanged", events: [], atMs, ...more, changes },
    signal,
  );

export const configMap = (name: string, more: Partial<ResourceReport> = {}): ResourceReport => ({
  key: makeObjectKey({ group: "", kind: "ConfigMap", namespace: "web", name }),
  version: "v1",
  syncStatus: "Synced",
  health: undefined,
  message: "",
  images: [],
  awaitsPrune: false,
  ...more,
});

export const deployment = (name: string, images: readonly string[]): ResourceReport => ({
  ...configMap(name),
  key: makeObjectKey({ group: "apps", kind: "Deployment", namespace: "web", name }),
  health: "Healthy",
  images,
});

export const report = (name: string, more: Partial<ApplicationReport> = {}): ApplicationReport => ({
  application: app(name),
  storedGeneration: 1,
  appliedGeneration: 1,
  healthyGeneration: 1,
  appliedRevision: "c1",
  syncStatus: "Synced",
  health: { state: "Healthy", message: "" },
  operation: undefined,
  conditions: [],
  resources: [],
  ...more,
});

export const record = (
  store: Store,
  cluster: ClusterId,
  applications: readonly ApplicationReport[],
  gone: readonly string[] = [],
): ReturnType<Store["reports"]["record"]> =>
  store.reports.record([{ cluster, applications, gone: gone.map(app) }], atMs, signal);

export const openSession = (
  store: Store,
  cluster: ClusterId,
  more: Partial<Parameters<Store["sessions"]["open"]>[0]> = {},
): ReturnType<Store["sessions"]["open"]> =>
  store.sessions.open(
    {
      cluster,
      sessionId: "s1",
      epochSeen: 0,
      heldVersion: 0,
      spokeVersion: "0.1.0",
      kubernetesVersion: "v1.33.0",
      atMs,
      ...more,
    },
    signal,
  );

/** All pages of a list, one after the other. */
export async function allPages<T>(
  read: (page: { limit: number; after: string | undefined }) => Promise<{
    readonly items: readonly T[];
    readonly next: string | undefined;
  }>,
  limit: number,
): Promise<readonly T[]> {
  const items: T[] = [];
  let after: string | undefined;
  do {
    const page = await read({ limit, after });
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return items;
}

/** What somebody who follows the stream is told, without numbers and times. */
export const newsSince = async (store: Store, sequence: number): Promise<readonly string[]> =>
  (await store.events.since(sequence, 1_000, signal)).map(
    ({ kind, subject }) => `${kind} ${subject}`,
  );
