import { randomUUID } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import own from "../package.json" with { type: "json" };
import { systemClock, type Clock } from "../proto/kit/clock.ts";
import type { Log } from "../proto/kit/log.ts";
import { runTogether } from "../proto/kit/run-together.ts";
import { Trouble } from "../proto/kit/trouble.ts";
import { openBlobs } from "./disk/blobs.ts";
import { openDesiredSet } from "./disk/desired-set.ts";
import { reachOf } from "./domain/reach.ts";
import { listenForProbes } from "./http/probes.ts";
import { openCluster } from "./kube/open.ts";
import { createHubClient } from "./link/client.ts";
import { certificateLife, newPrivateKeyPem } from "./link/credential.ts";
import { explainLoss } from "./link/hub-error.ts";
import { createLinkLoop, type Invitation, type LinkLoop } from "./loops/link-loop.ts";
import { memoryLoopDefaults, runMemoryLoop } from "./loops/memory-loop.ts";
import { createSyncLoop, type SyncLoop } from "./loops/sync-loop.ts";
import { textMetrics } from "./metrics.ts";
import type { SpokeSettings } from "./settings.ts";

export type Spoke = {
  /** Works until aborted. Throws only when it cannot work at all. */
  readonly run: (signal: AbortSignal) => Promise<void>;
};

/** Puts a spoke together: the only place that knows all its parts. Nothing is dialled before `run`. */
export async function composeSpoke(
  settings: SpokeSettings,
  log: Log,
  signal: AbortSignal,
): Promise<Spoke> {
  const clock = systemClock;
  const random = Math.random;
  const metrics = textMetrics();
  await mkdir(settings.stateFolder, { recursive: true, mode: 0o700 });

  const cluster = openCluster(
    settings.access,
    {
      namespace: settings.namespace,
      namespaces: settings.namespaces,
      version: own.version,
    },
    {
      requests: metrics.counter(
        "wheelhouse_spoke_kubernetes_requests_total",
        "Requests to the API server of this cluster.",
        ["verb"],
      ),
      clock,
      random,
      log,
    },
  );
  const blobs = openBlobs(join(settings.stateFolder, "blobs"), log);
  let hubId = "";

  // The two loops know each other only through these functions.
  const link: LinkLoop = createLinkLoop(
    {
      hub: {
        ...createHubClient({ address: settings.hubAddress, spokeVersion: own.version }),
        explain: explainLoss,
      },
      identity: cluster.identity,
      invitation: () => readInvitation(settings),
      newPrivateKey: newPrivateKeyPem,
      certificateLife,
      disk: openDesiredSet(settings.stateFolder, log),
      blobs,
      kubernetesVersion: (versionSignal) =>
        cluster.api.serverVersion(versionSignal).catch((error: unknown) => {
          if (error instanceof Trouble) return "";
          throw error;
        }),
      onHeld: (held) => {
        hubId = held.hubId;
        sync.setHeld(held);
      },
      onCommand: (command) => sync.command(command),
      clock,
      random,
      log,
    },
    { spokeVersion: own.version, bootId: randomUUID() },
  );
  const sync: SyncLoop = createSyncLoop(
    {
      cluster: cluster.api,
      inventory: cluster.inventory,
      readBlob: async (digest, readSignal) => {
        const bytes = await blobs.read(digest, readSignal);
        // Something took it from the disk: it has to be asked for again.
        if (bytes === undefined) link.missed();
        return bytes;
      },
      hubId: () => hubId,
      clock,
      random,
      log,
      onReport: link.report,
      onAck: link.ack,
      onRemoved: link.removed,
      onCommandDone: link.commandDone,
    },
    { applicationsAtOnceMost: settings.syncsAtOnce, reach: reachOf(settings.namespaces) },
  );

  metrics.sampled("wheelhouse_spoke_attached", "Whether the hub's session is open.", [], () => [
    [{}, link.state().kind === "attached" ? 1 : 0],
  ]);
  metrics.sampled("wheelhouse_spoke_memory_bytes", "Resident memory of this process.", [], () => [
    [{}, process.memoryUsage.rss()],
  ]);
  const probes = await listenForProbes(
    { host: settings.probeHost, port: settings.probePort },
    {
      notLive: () => [],
      // Away from its hub a spoke still does its work: that is no reason to call it unready.
      notReady: () => (hubId === "" ? ["nothing has been received from a hub yet"] : []),
      metrics: metrics.exposition,
    },
    signal,
  );
  log.info("spoke started", {
    version: own.version,
    hub: settings.hubAddress,
    namespace: settings.namespace,
    namespaces: settings.namespaces.join(","),
    stateFolder: settings.stateFolder,
    access: settings.access.kind,
    probePort: probes.port,
  });

  return {
    run: async (runSignal) => {
      try {
        await runTogether([link.run, sync.run, ...memoryLoop(clock)], runSignal);
      } finally {
        await probes.close();
        cluster.close();
      }
    },
  };
}

/** Only where the process was started with a `gc` to ask for. */
function memoryLoop(clock: Clock): readonly ((signal: AbortSignal) => Promise<never>)[] {
  const { gc } = globalThis;
  if (gc === undefined) return [];
  const needs = {
    clock,
    processorMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    },
    heapBytes: () => process.memoryUsage().heapUsed,
    collect: () => gc({ type: "major", execution: "sync", flavor: "last-resort" }),
  };
  return [(signal) => runMemoryLoop(needs, memoryLoopDefaults, signal)];
}

/** Read anew each time: a mounted file may change. A file that is gone means there is no invitation. */
async function readInvitation({
  joinToken,
  hubFingerprint,
}: SpokeSettings): Promise<Invitation | undefined> {
  if (joinToken === undefined || hubFingerprint === undefined) return undefined;
  if (joinToken.kind === "text") return { token: joinToken.text, fingerprint: hubFingerprint };
  try {
    const token = (await readFile(joinToken.file, "utf8")).trim();
    return { token, fingerprint: hubFingerprint };
  } catch (error) {
    throw new Trouble(`join token file ${joinToken.file} cannot be read`, { cause: error });
  }
}
