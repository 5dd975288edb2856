import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import own from "../package.json" with { type: "json" };
import { systemClock } from "../proto/kit/clock.ts";
import type { Log } from "../proto/kit/log.ts";
import { runTogether } from "../proto/kit/run-together.ts";
import { Trouble } from "../proto/kit/trouble.ts";
import type { ClusterId } from "../proto/words/ids.ts";
import { ensureAdminToken } from "./compose/admin-token.ts";
import { authorityFolder, refuseLostAuthority, refuseLostDatabase } from "./compose/data-folder.ts";
import { clustersAsSeen } from "./compose/clusters-as-seen.ts";
import { composeOrders } from "./compose/orders.ts";
import { composePublishing } from "./compose/publishing.ts";
import { composeLinkStore } from "./compose/link-store.ts";
import { createApp } from "./http/app.ts";
import { defaultListenLimits, listen } from "./http/listen.ts";
import { defaultHttpLimits } from "./http/needs.ts";
import { openAuthority } from "./link/authority.ts";
import { proveLinkClosed } from "./link/self-test.ts";
import { openLink } from "./link/server.ts";
import { runRetentionLoop } from "./loops/retention-loop.ts";
import { promMetrics, secondsBuckets } from "./metrics.ts";
import type { HubSettings } from "./settings.ts";
import { openStore } from "./store/store.ts";

export type Hub = {
  /** Works until aborted, then says good-bye to spokes and readers. Throws only when it cannot go on. */
  readonly run: (signal: AbortSignal) => Promise<void>;
};

const dayMs = 24 * 3_600_000;

/** Puts a hub together: the only place that knows all its parts. Its ports are open when it resolves. */
export async function composeHub(
  settings: HubSettings,
  log: Log,
  signal: AbortSignal,
): Promise<Hub> {
  const clock = systemClock;
  const random = Math.random;
  const metrics = promMetrics();
  await mkdir(settings.dataFolder, { recursive: true, mode: 0o700 });
  await refuseLostDatabase(settings.dataFolder);
  const store = await openStore(
    // A second a gigabyte: damage found now costs a backup's age, damage found later costs more.
    { folder: settings.dataFolder, checkIntegrity: true },
    log,
  );
  // Nobody is attached to a hub that has just begun, whatever the last one wrote.
  await store.sessions.closeAll(clock.nowMs(), signal);
  await ensureAdminToken(settings.adminTokenFile, store, clock.nowMs(), log, signal);

  await refuseLostAuthority(settings.dataFolder, store, signal);
  const authority = await openAuthority(
    {
      folder: authorityFolder(settings.dataFolder),
      names: settings.linkNames,
      certificateLifeMs: settings.certificateLifeMs,
    },
    { clock, log },
    signal,
  );
  // Publishing and the link know each other only through these functions.
  const publishing = composePublishing({
    settings,
    store,
    metrics,
    onClustersChanged: (clusters: readonly ClusterId[]) => {
      for (const cluster of clusters) link.sessions.wake(cluster);
    },
    clock,
    random,
    log,
  });

  const link = await openLink(
    {
      store: composeLinkStore(store, metrics, publishing.catchUp),
      vouchedFor: publishing.catchUp.vouchedFor,
      authority,
      clock,
      random,
      log,
    },
    { ...settings.linkListen, heartbeatMs: settings.heartbeatMs },
  );
  await proveLinkClosed(
    `${dialable(settings.linkListen.host)}:${link.port}`,
    authority,
    clock,
    signal,
  );
  metrics.sampled("wheelhouse_hub_sessions_attached", "Spokes attached now.", [], () => [
    [{}, link.sessions.attached],
  ]);
  const linkAddress =
    settings.linkPublicAddress === ""
      ? `${dialable(settings.linkListen.host)}:${link.port}`
      : settings.linkPublicAddress;

  const webhookSecret = await secretIn(settings.webhookSecretFile);
  const closing = new AbortController();
  const app = createApp(
    {
      store: {
        ...store,
        clusters: clustersAsSeen(store.clusters, link.sessions),
      },
      ...composeOrders({ settings, store, link, publishing, clock }),
      published: publishing.published,
      metricsExposition: metrics.exposition,
      requestSeconds: metrics.histogram(
        "wheelhouse_hub_http_request_seconds",
        "Time to answer an HTTP request.",
        secondsBuckets,
        ["route", "method", "status"],
      ),
      randomBytes: (count) => randomBytes(count),
      newClusterId: () => randomUUID() as ClusterId,
      clock,
      log,
    },
    {
      ...defaultHttpLimits,
      version: own.version,
      join: {
        hubAddress: linkAddress,
        hubFingerprint: authority.fingerprint,
        spokeImage: settings.spokeImage || `ghcr.io/wheelhouse/wheelhouse:${own.version}`,
        spokeChart: { reference: settings.spokeChart, version: own.version },
        tokenLifeMs: settings.joinTokenLifeMs,
      },
      webhookSecret,
      metricsOpen: settings.metricsOpen,
    },
    closing.signal,
  );
  const http = await listen(
    app.fetch,
    { ...defaultListenLimits, ...settings.httpListen, tls: settings.httpTls },
    { clock, log },
    signal,
  );

  return {
    run: async (runSignal) => {
      runSignal.addEventListener("abort", () => closing.abort(runSignal.reason), { once: true });
      const tasks = [
        link.run,
        http.run,
        authority.run,
        publishing.repositories.run,
        publishing.loop.run,
        publishing.catchUp.run,
        (retentionSignal: AbortSignal) =>
          runRetentionLoop(
            {
              forgettings: [
                { what: "events", keepMs: 7 * dayMs, forget: store.events.forget },
                { what: "blobs", keepMs: dayMs, forget: store.blobs.forgetUnused },
                {
                  what: "tombstones",
                  keepMs: 30 * dayMs,
                  forget: store.desiredSets.forgetTombstones,
                },
                { what: "commands", keepMs: 7 * dayMs, forget: store.commands.forget },
                { what: "join tokens", keepMs: dayMs, forget: store.enrollments.forget },
              ],
              clock,
              random,
              log,
            },
            3_600_000,
            retentionSignal,
          ),
      ];
      publishing.loop.wake();
      log.info("hub started", {
        version: own.version,
        hub: await store.hub.id(runSignal),
        http: http.url,
        link: linkAddress,
        fingerprint: authority.fingerprint,
        dataFolder: settings.dataFolder,
        fleetRepository: settings.fleetRepository,
        fleetRevision: settings.fleetRevision,
        fleetPath: settings.fleetPath,
      });
      if (settings.readyFile !== undefined)
        await writeReadyFile(settings.readyFile, {
          url: http.url,
          httpPort: http.port,
          linkPort: link.port,
          linkAddress,
          fingerprint: authority.fingerprint,
          adminTokenFile: settings.adminTokenFile,
        });
      try {
        await runTogether(tasks, runSignal);
      } finally {
        publishing.close();
        store.close();
      }
    },
  };
}

/** Where somebody on this machine reaches what listens on `host`. */
const dialable = (host: string): string => {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
};

async function secretIn(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    throw new Trouble(`webhook secret file ${file} cannot be read`, { cause: error });
  }
}

/** Whole or not there: whoever waits for it must never read half of it. */
async function writeReadyFile(file: string, content: object): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(content)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
