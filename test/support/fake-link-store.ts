import { randomUUID } from "node:crypto";
import { fail, ok } from "../../proto/kit/result.ts";
import { blobOf, bundleBlob, type Blob } from "../../proto/words/bundle.ts";
import {
  desiredDigest,
  desiredRoot,
  type DesiredApplication,
  type DesiredChange,
  type Tombstone,
} from "../../proto/words/desired.ts";
import { digestOfText, type Digest, type Json } from "../../proto/words/digest.ts";
import type { ApplicationName, ClusterId, ClusterName, Version } from "../../proto/words/ids.ts";
import type { Command, CommandResult } from "../../proto/words/link-messages.ts";
import { makeObjectKey } from "../../proto/words/object-key.ts";
import { reportDigest, type ApplicationReport } from "../../proto/words/report.ts";
import type { LinkStore } from "../../hub/link/server.ts";
import { joinTokenBytes, makeJoinToken } from "../../hub/domain/join/token.ts";

type Entry = { readonly entry: DesiredApplication; readonly changedVersion: Version };
type Removal = { readonly tombstone: Tombstone; readonly changedVersion: Version };

type Cluster = {
  readonly id: ClusterId;
  readonly name: ClusterName;
  removed: boolean;
  epoch: number;
  version: Version;
  /** Changes from before this version are not known any more. */
  retainedFrom: Version;
  readonly entries: Map<ApplicationName, Entry>;
  readonly removals: Map<ApplicationName, Removal>;
  stored: { version: Version; root: Digest } | undefined;
  /** What of each application's blobs the cluster has said to have. */
  readonly storedBundles: Map<ApplicationName, Digest>;
  readonly reports: Map<ApplicationName, ApplicationReport>;
  readonly commands: Map<string, { command: Command; result: CommandResult | undefined }>;
  readonly sessions: Map<string, "open" | "closed">;
};

type Token = {
  cluster: ClusterId;
  secretHash: Digest;
  expiresAtMs: number;
  usedBy?: Digest;
  usedAtMs?: number;
};

/** The store as far as the link asks, in memory, with the functions a test needs to change it. */
export type FakeLinkStore = LinkStore & {
  readonly addCluster: (name: string) => ClusterId;
  readonly removeCluster: (id: ClusterId) => void;
  /** Returns the text of a join token. */
  readonly invite: (cluster: ClusterId, life?: { readonly expiresAtMs: number }) => string;
  readonly revoke: (serial: string) => void;
  /** Gives an application a new generation with these objects, and the cluster a new version. */
  readonly desire: (
    cluster: ClusterId,
    application: string,
    objects: readonly Json[],
    change?: Partial<DesiredApplication>,
  ) => DesiredApplication;
  readonly tombstone: (cluster: ClusterId, application: string) => void;
  /** Forgets how the set became what it is. */
  readonly forgetHistory: (cluster: ClusterId) => void;
  readonly order: (cluster: ClusterId, command: Partial<Command>) => Command;
  readonly cluster: (id: ClusterId) => Cluster;
  /** Every call, as `noun.verb`, in order. */
  readonly calls: string[];
  readonly certificates: Map<string, ClusterId>;
  readonly blobBytes: Map<Digest, Uint8Array>;
  /** Replaces the clock used for tokens. */
  nowMs: () => number;
};

export const defaultPolicy = {
  automated: true,
  prune: true,
  selfHeal: true,
  allowEmpty: false,
  createNamespace: false,
  conflicts: "override",
} as const;

export function fakeLinkStore(): FakeLinkStore {
  const clusters = new Map<ClusterId, Cluster>();
  const tokens = new Map<string, Token>();
  const certificates = new Map<string, ClusterId>();
  const revoked = new Set<string>();
  const blobBytes = new Map<Digest, Uint8Array>();
  const bundles = new Map<Digest, readonly Digest[]>();
  const calls: string[] = [];

  const clusterOf = (id: ClusterId): Cluster => {
    const found = clusters.get(id);
    if (found === undefined) throw new Error(`there is no cluster ${id}`);
    return found;
  };

  const standingOf = (cluster: ClusterId, serial: string) =>
    certificates.get(serial) === cluster &&
    !revoked.has(serial) &&
    clusters.get(cluster)?.removed === false
      ? ({ kind: "trusted" } as const)
      : ({ kind: "unknown" } as const);

  const rootOf = (cluster: Cluster): Digest =>
    desiredRoot(
      new Map([...cluster.entries].map(([name, { entry }]) => [name, desiredDigest(entry)])),
    );

  const statusRootOf = (cluster: Cluster): Digest =>
    desiredRoot(
      new Map([...cluster.reports].map(([name, report]) => [name, reportDigest(report)])),
    );

  const blobsOf = (bundle: Digest): readonly Digest[] => [bundle, ...(bundles.get(bundle) ?? [])];

  const call = <T>(name: string, answer: T): T => {
    calls.push(name);
    return answer;
  };

  return {
    calls,
    certificates,
    blobBytes,
    nowMs: Date.now,
    cluster: clusterOf,

    addCluster(name) {
      const id = randomUUID() as ClusterId;
      clusters.set(id, {
        id,
        name: name as ClusterName,
        removed: false,
        epoch: 0,
        version: 0,
        retainedFrom: 0,
        entries: new Map(),
        removals: new Map(),
        stored: undefined,
        storedBundles: new Map(),
        reports: new Map(),
        commands: new Map(),
        sessions: new Map(),
      });
      return id;
    },
    removeCluster(id) {
      clusterOf(id).removed = true;
    },
    invite(cluster, life = { expiresAtMs: Date.now() + 60_000 }) {
      const token = makeJoinToken(
        Uint8Array.from({ length: joinTokenBytes }, () => Math.random() * 256),
      );
      tokens.set(token.id, { cluster, secretHash: token.secretHash, ...life });
      return token.text;
    },
    revoke(serial) {
      revoked.add(serial);
    },
    desire(id, application, objects, change = {}) {
      const cluster = clusterOf(id);
      const name = application as ApplicationName;
      const blobs = objects.map(blobOf);
      const list = bundleBlob({
        entries: blobs.map(({ digest }, index) => ({
          key: makeObjectKey({
            group: "",
            kind: "ConfigMap",
            namespace: "",
            name: `${application}-${index}`,
          }),
          blob: digest,
        })),
      });
      for (const blob of [...blobs, list]) blobBytes.set(blob.digest, blob.bytes);
      bundles.set(
        list.digest,
        blobs.map(({ digest }) => digest),
      );
      cluster.version += 1;
      const before =
        cluster.entries.get(name)?.entry.generation ??
        cluster.removals.get(name)?.tombstone.generation ??
        0;
      const entry: DesiredApplication = {
        application: name,
        generation: before + 1,
        revision: digestOfText(`${application} ${cluster.version}`).slice(0, 40),
        bundle: list.digest,
        project: "default",
        destinationNamespace: "default",
        policy: defaultPolicy,
        trace: "",
        ...change,
      };
      cluster.entries.set(name, { entry, changedVersion: cluster.version });
      cluster.removals.delete(name);
      return entry;
    },
    tombstone(id, application) {
      const cluster = clusterOf(id);
      const name = application as ApplicationName;
      const entry = cluster.entries.get(name)?.entry;
      if (entry === undefined) throw new Error(`${application} is not desired`);
      cluster.version += 1;
      cluster.entries.delete(name);
      cluster.removals.set(name, {
        tombstone: {
          application: name,
          generation: entry.generation + 1,
          cause: "removed-from-git",
          actor: "0123456789abcdef0123456789abcdef01234567",
          keepObjects: false,
        },
        changedVersion: cluster.version,
      });
    },
    forgetHistory(id) {
      const cluster = clusterOf(id);
      cluster.retainedFrom = cluster.version;
    },
    order(id, given) {
      const command: Command = {
        kind: "command",
        id: randomUUID(),
        order: "sync",
        application: "web" as ApplicationName,
        generation: 0,
        prune: false,
        expiresAtMs: Date.now() + 60_000,
        ...given,
      };
      clusterOf(id).commands.set(command.id, { command, result: undefined });
      return command;
    },

    hub: { id: async () => "0123456789abcdef" },
    enrollments: {
      useToken: async function (use) {
        const token = tokens.get(use.id);
        if (token === undefined || token.secretHash !== use.secretHash)
          return fail({ kind: "unknown" });
        if (use.nowMs > token.expiresAtMs)
          return fail({ kind: "expired", atMs: token.expiresAtMs });
        if (token.usedBy !== undefined && token.usedBy !== use.publicKey)
          return fail({ kind: "used", atMs: token.usedAtMs ?? 0 });
        token.usedBy = use.publicKey;
        token.usedAtMs ??= use.nowMs;
        const cluster = clusterOf(token.cluster);
        return ok({ cluster: cluster.id, name: cluster.name });
      },
    },
    identities: {
      recordCertificate: async ({ cluster, serial }) => {
        certificates.set(serial, cluster);
        return true;
      },
      present: async (cluster, serial) => standingOf(cluster, serial),
      standing: async (cluster, serial) => standingOf(cluster, serial),
    },
    sessions: {
      open: async (session) => {
        const cluster = clusterOf(session.cluster);
        call("sessions.open", undefined);
        cluster.epoch = Math.max(cluster.epoch, session.epochSeen) + 1;
        if (session.heldVersion > cluster.version) cluster.version = session.heldVersion + 1;
        cluster.sessions.set(session.sessionId, "open");
        return {
          epoch: cluster.epoch,
          desiredVersion: cluster.version,
          desiredRoot: rootOf(cluster),
          statusRoot: statusRootOf(cluster),
        };
      },
      close: async (id, sessionId) => {
        clusterOf(id).sessions.set(sessionId, "closed");
      },
    },
    desiredSets: {
      current: async (id) => ({ version: clusterOf(id).version, root: rootOf(clusterOf(id)) }),
      changeSince: async (id, base) => {
        const cluster = clusterOf(id);
        if (base < cluster.retainedFrom) return call("desiredSets.changeSince gone", undefined);
        return call("desiredSets.changeSince", changeFrom(cluster, base, rootOf(cluster)));
      },
      changeAgainst: async (id, held) => {
        const cluster = clusterOf(id);
        const upserts = [...cluster.entries.values()]
          .map(({ entry }) => entry)
          .filter((entry) => held.get(entry.application) !== desiredDigest(entry));
        const unknown = [...held.keys()].filter((name) => !cluster.entries.has(name));
        const tombstones = unknown.flatMap((name) => {
          const removal = cluster.removals.get(name);
          return removal === undefined ? [] : [removal.tombstone];
        });
        return call("desiredSets.changeAgainst", {
          base: 0,
          target: cluster.version,
          root: rootOf(cluster),
          upserts,
          tombstones,
          strays: unknown.filter((name) => !cluster.removals.has(name)),
        });
      },
      recordStored: async (id, version, root) => {
        const cluster = clusterOf(id);
        call("desiredSets.recordStored", undefined);
        cluster.stored = { version, root };
        for (const [name, { entry }] of cluster.entries)
          cluster.storedBundles.set(name, entry.bundle);
      },
      recordRemoved: async (id, application) => {
        call("desiredSets.recordRemoved", undefined);
        clusterOf(id).reports.delete(application);
      },
      lackingBlobs: async (id, applications, limits) => {
        const cluster = clusterOf(id);
        const lacking = new Map<Digest, Blob>();
        for (const name of applications) {
          const bundle = cluster.entries.get(name)?.entry.bundle;
          const before = cluster.storedBundles.get(name);
          const had = new Set(before === undefined ? [] : blobsOf(before));
          for (const digest of bundle === undefined ? [] : blobsOf(bundle)) {
            const bytes = blobBytes.get(digest);
            if (bytes !== undefined && !had.has(digest) && bytes.length <= limits.blobBytesMost)
              lacking.set(digest, { digest, bytes });
          }
        }
        let totalBytes = 0;
        return [...lacking.values()]
          .toSorted((a, b) => a.bytes.length - b.bytes.length)
          .filter(({ bytes }) => (totalBytes += bytes.length) <= limits.totalBytesMost);
      },
    },
    blobs: {
      readFor: async (id, digest) => {
        call("blobs.readFor", undefined);
        const offered = [...clusterOf(id).entries.values()].some(({ entry }) =>
          blobsOf(entry.bundle).includes(digest),
        );
        return offered ? blobBytes.get(digest) : undefined;
      },
    },
    reports: {
      statusRoot: async (id) => {
        call("reports.statusRoot", id);
        return statusRootOf(clusterOf(id));
      },
      record: async (batch) => {
        call("reports.record", undefined);
        for (const { cluster, applications, gone } of batch) {
          const { reports } = clusterOf(cluster);
          for (const report of applications) reports.set(report.application, report);
          for (const name of gone) reports.delete(name);
        }
      },
    },
    commands: {
      waiting: async (id, nowMs) =>
        [...clusterOf(id).commands.values()]
          .filter(({ command, result }) => result === undefined && command.expiresAtMs > nowMs)
          .map(({ command }) => command),
      finish: async (id, result) => {
        const found = clusterOf(id).commands.get(result.id);
        if (found === undefined || found.result !== undefined) return false;
        found.result = result;
        return true;
      },
    },
  };
}

function changeFrom(cluster: Cluster, base: Version, root: Digest): DesiredChange {
  return {
    base,
    target: cluster.version,
    root,
    upserts: [...cluster.entries.values()]
      .filter(({ changedVersion }) => changedVersion > base)
      .map(({ entry }) => entry),
    tombstones: [...cluster.removals.values()]
      .filter(({ changedVersion }) => changedVersion > base)
      .map(({ tombstone }) => tombstone),
    strays: [],
  };
}
