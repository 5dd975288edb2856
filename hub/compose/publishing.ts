import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import type { ClusterId } from "../../proto/words/ids.ts";
import { newTrace } from "../../proto/words/trace.ts";
import { defaultShrinkLimits } from "../domain/shrink-guard.ts";
import { credentialReader } from "../git/credentials.ts";
import { fetchAside } from "../git/fetch-pack.ts";
import { openConnections } from "../git/http.ts";
import { mirrorLimits, openMirrors } from "../git/mirror.ts";
import { parseDocuments, parseOne } from "../git/yaml.ts";
import { createCatchUp, type CatchUp } from "../loops/catch-up.ts";
import { createPublishLoop, type PublishLoop } from "../loops/publish-loop.ts";
import { createRepositories, type Repositories } from "../loops/repositories.ts";
import type { Metrics } from "../metrics.ts";
import { secondsBuckets } from "../metrics.ts";
import { RenderCache } from "../render/cache.ts";
import { renderDirectory, renderLimits } from "../render/directory.ts";
import type { HubSettings } from "../settings.ts";
import type { Store } from "../store/store.ts";
import { transliterate } from "../transliterate.ts";
import { endsWithin } from "../watchdog.ts";

/** A stretch of generation takes ten milliseconds. One that takes so long is no accident of a busy machine. */
const generationStretchMsMost = 5_000;

export type Publishing = {
  readonly repositories: Repositories;
  readonly loop: PublishLoop;
  readonly catchUp: CatchUp;
  /** The newest commit of the fleet repository that went through a pass with nothing left to wait for. */
  readonly published: () => { readonly commit: string; readonly atMs: number } | undefined;
  readonly close: () => void;
};

export type PublishingNeeds = {
  readonly settings: HubSettings;
  readonly store: Store;
  readonly metrics: Metrics;
  readonly onClustersChanged: (clusters: readonly ClusterId[]) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

const renderingsMost = 50_000;

/** From Git to desired sets: mirrors, repository loops, rendering and the publish loop. */
export function composePublishing(needs: PublishingNeeds): Publishing {
  const { settings, store, metrics, clock, random, log } = needs;
  const connections = openConnections(undefined);
  const aside = fetchAside({ certificateAuthority: undefined });
  const mirrors = openMirrors({
    folder: join(settings.dataFolder, "mirrors"),
    limits: {
      ...mirrorLimits,
      fetchMs: settings.gitTimeoutMs,
      snapshotBytesMost: settings.repositoryBytesMost,
    },
    connections,
    authorization: credentialReader(settings.credentials),
    ...(aside === undefined ? {} : { fetchAside: aside }),
  });
  const repositories = createRepositories(
    {
      open: mirrors.of,
      find: store.repositories.find,
      record: store.repositories.record,
      onMoved: () => loop.wake(),
      onFirstLook: () => loop.wake(),
      clock,
      random,
      log,
    },
    {
      pollMs: settings.pollMs,
      askedPollMsLeast: 10_000,
      retry: { firstMs: 1_000, factor: 2, mostMs: 300_000 },
      recordEveryMs: 60_000,
      atOnceMost: 4,
    },
  );
  const renderings = new RenderCache(renderingsMost);
  const passSeconds = metrics.histogram(
    "wheelhouse_hub_publish_seconds",
    "Time of one pass from the fleet repository to desired sets.",
    secondsBuckets,
  );
  const stopListening = store.events.onAppend(() => loop.heard());
  const catchUp = createCatchUp(settings.fleetRepository, {
    allTried: repositories.allTried,
    isCurrent: repositories.isCurrent,
    overtaken: store.publishing.overtaken,
    outnumber: store.publishing.outnumber,
    clusters: async (signal) => (await store.clusters.facts(signal)).map(({ id }) => id),
    onClustersChanged: needs.onClustersChanged,
    lookAgain: () => loop.wake(),
    clock,
    random,
    log,
  });
  let published: { readonly commit: string; readonly atMs: number } | undefined;
  const loop: PublishLoop = createPublishLoop(
    {
      revision: repositories.revision,
      setNeeded: repositories.setNeeded,
      complain: repositories.complain,
      openCommit: async (url, commit, signal) => {
        const mirror = mirrors.of(url);
        return mirror.ok ? mirror.value.open(commit, signal) : undefined;
      },
      readYaml: (text) => parseDocuments(text),
      decodeYaml: parseOne,
      transliterate,
      render: (tree, source, signal) =>
        renderDirectory(tree, source, (text) => parseDocuments(text), renderLimits, signal),
      renderings,
      clusters: store.clusters.facts,
      putBundle: store.blobs.putBundle,
      findSet: store.applicationSets.find,
      origins: store.publishing.origins,
      published: store.publishing.published,
      owners: store.publishing.owners,
      named: store.publishing.named,
      rollout: store.publishing.rollout,
      record: store.publishing.record,
      onClustersChanged: needs.onClustersChanged,
      newTrace,
      guard: (work) => endsWithin(generationStretchMsMost, work),
      nextTurn: () => nextTurn(),
      clock,
      random,
      log,
      onPass: (pass, durationMs) => {
        passSeconds.observe(durationMs / 1_000);
        const { commit, waiting, failed } = pass;
        const isComplete = commit !== undefined && waiting === 0;
        if (isComplete && failed.length === 0 && commit !== published?.commit)
          published = { commit, atMs: clock.nowMs() };
        catchUp.onPass(isComplete, failed);
      },
    },
    {
      fleet: {
        url: settings.fleetRepository,
        revision: settings.fleetRevision,
        path: settings.fleetPath,
      },
      shrink: defaultShrinkLimits,
      fileDialect: settings.gitFileDialect,
      elementsMost: settings.setElementsMost,
      wholeSets: settings.generationFailure === "set",
      stretchMs: 10,
      gatherMs: 20,
      reportsGatherMs: 250,
      resyncMs: 300_000,
      retry: { firstMs: 500, factor: 2, mostMs: 60_000 },
    },
  );
  return {
    repositories,
    loop,
    catchUp,
    published: () => published,
    close: () => {
      stopListening();
      mirrors.close();
      connections.close();
    },
  };
}
