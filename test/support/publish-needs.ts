import { setImmediate as nextTurn } from "node:timers/promises";
import { parseDocuments, parseOne } from "../../hub/git/yaml.ts";
import type { PublishNeeds } from "../../hub/loops/publish.ts";
import type { PublishTree } from "../../hub/loops/read-fleet.ts";
import { renderDirectory, renderLimits } from "../../hub/render/directory.ts";
import type { Store } from "../../hub/store/store.ts";
import { transliterate } from "../../hub/transliterate.ts";
import { endsWithin } from "../../hub/watchdog.ts";
import { systemClock } from "../../proto/kit/clock.ts";
import { silentLog } from "../../proto/kit/log.ts";
import { newTrace } from "../../proto/words/trace.ts";

/**
 * What publishing needs, over a real store, with one repository at hand: these commits of it, of which `head` says the
 * newest. Nothing that was rendered is remembered.
 */
export const publishNeeds = (
  store: Store,
  commits: ReadonlyMap<string, PublishTree>,
  head: () => string,
): PublishNeeds => ({
  revision: (_url, revision) => ({ kind: "at", commit: commits.has(revision) ? revision : head() }),
  setNeeded: () => {},
  complain: () => {},
  openCommit: (_url, commit) => Promise.resolve(commits.get(commit)),
  readYaml: parseDocuments,
  decodeYaml: parseOne,
  transliterate,
  render: (tree, source, signal) =>
    renderDirectory(tree, source, parseDocuments, renderLimits, signal),
  renderings: { get: () => undefined, put: () => {} },
  clusters: store.clusters.facts,
  putBundle: store.blobs.putBundle,
  findSet: store.applicationSets.find,
  origins: store.publishing.origins,
  published: store.publishing.published,
  owners: store.publishing.owners,
  named: store.publishing.named,
  rollout: store.publishing.rollout,
  record: store.publishing.record,
  onClustersChanged: () => {},
  newTrace,
  guard: (work) => endsWithin(5_000, work),
  nextTurn: () => nextTurn(),
  clock: systemClock,
  log: silentLog,
});
