import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { Trouble } from "../../../proto/kit/trouble.ts";
import { unlessAborted } from "../../../proto/kit/unless-aborted.ts";
import type { Blob } from "../../../proto/words/bundle.ts";
import type { ApplicationName, ClusterId } from "../../../proto/words/ids.ts";
import type { ApplicationReport } from "../../../proto/words/report.ts";
import { heldRoot } from "../../../spoke/domain/held-set.ts";
import type { SpokeIdentity } from "../../../spoke/domain/identity.ts";
import { explainLoss, hubRefuses } from "../../../spoke/link/hub-error.ts";
import type { LinkLoopNeeds, LinkPace } from "../../../spoke/loops/link-loop.ts";
import { eventually } from "../../support/eventually.ts";
import { fakeLinkStore, type FakeLinkStore } from "../../support/fake-link-store.ts";
import { memoryHub, type MemoryHub } from "../../support/memory-link.ts";
import { newSpokeState, runSpokeLink, type SpokeState } from "../../support/spoke-link.ts";

const web = "web" as ApplicationName;
const api = "api" as ApplicationName;

/** Over a link in memory nobody looks at certificates. */
const certificatePem = "a certificate";
const certificateLife = () => ({ notBeforeMs: Date.now(), notAfterMs: Date.now() + 86_400_000 });

const identity = (hubId = "0123456789abcdef"): SpokeIdentity => ({
  privateKeyPem: "kept",
  certificatePem,
  trustedPem: [],
  clusterId: "",
  clusterName: "one",
  hubId,
});

function start(
  hub: MemoryHub,
  cluster: ClusterId,
  state: SpokeState,
  change: Partial<LinkLoopNeeds["hub"]> = {},
  pace: Partial<LinkPace> = {},
  blobs: Partial<LinkLoopNeeds["blobs"]> = {},
) {
  return runSpokeLink(
    state,
    {
      enroll: () => Promise.reject(new Error("nobody enrolls here")),
      dial: (identity) => hub.dial(cluster, identity),
      explain: explainLoss,
      ...change,
    },
    { certificateLife, pace, blobs },
  );
}

type World = {
  readonly store: FakeLinkStore;
  readonly hub: MemoryHub;
  readonly cluster: ClusterId;
};

function world(settings: Parameters<typeof memoryHub>[1] = {}): World {
  const store = fakeLinkStore();
  const cluster = store.addCluster("one");
  store.certificates.set("memory", cluster);
  return { store, hub: memoryHub(store, settings), cluster };
}

function spokeState(): SpokeState {
  return { ...newSpokeState(), identity: identity() };
}

const agreed = ({ store, cluster }: World, state: SpokeState): void => {
  const { stored, version } = store.cluster(cluster);
  assert.equal(stored?.version, version, "the hub does not know the newest version stored");
  assert.equal(stored?.root, heldRoot(state.held));
};

const reportOf = (application: ApplicationName, message = ""): ApplicationReport => ({
  application,
  storedGeneration: 1,
  appliedGeneration: 1,
  healthyGeneration: 1,
  appliedRevision: "abc",
  syncStatus: "Synced",
  health: { state: "Healthy", message },
  operation: undefined,
  conditions: [],
  resources: [],
});

suite("link loop over a link in memory", () => {
  test("stores what the hub wants, blobs first, and acknowledges it", async () => {
    const here = world();
    here.store.desire(here.cluster, "web", [{ a: 1 }, { b: "x".repeat(100_000) }]);
    const state = spokeState();
    const spoke = start(here.hub, here.cluster, state);
    try {
      await eventually(() => agreed(here, state));
      assert.deepEqual([...state.held.applications.keys()], ["web"]);
      assert.equal(state.blobs.size, 3);
      assert.equal(state.writes.at(-1), "held", "the set was written before its blobs");
      assert.equal(spoke.heldSeen.at(-1), state.held);
      assert.deepEqual(
        here.hub.said.slice(0, 4).map(({ from, kind }) => `${from} ${kind}`),
        ["spoke hello", "hub welcome", "hub desired", "spoke ack"],
      );
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  test("moves nothing when both hold the same", async () => {
    const here = world();
    here.store.desire(here.cluster, "web", [{ a: 1 }]);
    const state = spokeState();
    const first = start(here.hub, here.cluster, state);
    await eventually(() => agreed(here, state));
    await first.stop();
    here.hub.said.length = 0;
    state.writes.length = 0;
    const again = start(here.hub, here.cluster, state);
    try {
      await eventually(() => assert.equal(again.loop.state().kind, "attached"));
      // The exchange is over once the hub has looked at what it could offer.
      await eventually(() => assert.equal(here.hub.said.length, 2));
      here.hub.sessions.wake(here.cluster);
      assert.deepEqual(
        here.hub.said.map(({ kind }) => kind),
        ["hello", "welcome"],
      );
      assert.deepEqual(state.writes, ["held"], "only the new epoch is written");
      assert.ok(here.hub.said.reduce((sum, { bytes }) => sum + bytes, 0) < 400);
    } finally {
      await again.stop();
      here.hub.stop();
    }
  });

  test("takes a delta while attached, and only the new blobs", async () => {
    const here = world();
    here.store.desire(here.cluster, "web", [{ a: 1 }, { b: 1 }]);
    here.store.desire(here.cluster, "api", [{ c: 1 }]);
    const state = spokeState();
    const spoke = start(here.hub, here.cluster, state);
    try {
      await eventually(() => agreed(here, state));
      here.hub.said.length = 0;
      state.writes.length = 0;
      here.store.desire(here.cluster, "web", [{ a: 1 }, { b: 2 }]);
      here.hub.sessions.wake(here.cluster);
      await eventually(() => agreed(here, state));
      assert.deepEqual(
        state.writes.filter((what) => what === "blob").length,
        2,
        "the changed object and the new list",
      );
      assert.equal(state.held.applications.get(web)?.generation, 2);
      assert.deepEqual(
        here.hub.said.map(({ kind }) => kind),
        ["desired", "ack"],
      );
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  test("compares digests when the hub forgot how the set came about", async () => {
    const here = world();
    for (const name of ["web", "api", "db"]) here.store.desire(here.cluster, name, [{ name }]);
    const state = spokeState();
    const first = start(here.hub, here.cluster, state);
    await eventually(() => agreed(here, state));
    await first.stop();
    here.store.desire(here.cluster, "web", [{ name: "web", changed: true }]);
    here.store.tombstone(here.cluster, "db");
    here.store.forgetHistory(here.cluster);
    here.hub.said.length = 0;
    const again = start(here.hub, here.cluster, state);
    try {
      await eventually(() => agreed(here, state));
      assert.deepEqual(
        here.hub.said.map(({ kind }) => kind),
        ["hello", "welcome", "desired-digests-wanted", "desired-digests", "desired", "ack"],
      );
      assert.deepEqual([...state.held.applications.keys()].toSorted(), ["api", "web"]);
      assert.deepEqual([...state.held.tombstones.keys()], ["db"]);
    } finally {
      await again.stop();
      here.hub.stop();
    }
  });

  test("leaves alone what the hub does not know and nobody ordered away", async () => {
    const here = world();
    here.store.desire(here.cluster, "web", [{ a: 1 }]);
    here.store.desire(here.cluster, "api", [{ b: 1 }]);
    const state = spokeState();
    const first = start(here.hub, here.cluster, state);
    await eventually(() => agreed(here, state));
    await first.stop();
    // A hub restored from a backup that is older than the second application.
    const cluster = here.store.cluster(here.cluster);
    cluster.entries.delete(api);
    cluster.version = 1;
    cluster.epoch = 0;
    const again = start(here.hub, here.cluster, state);
    try {
      await eventually(() => agreed(here, state));
      assert.deepEqual([...state.held.applications.keys()].toSorted(), ["api", "web"]);
      assert.deepEqual([...state.held.strays], ["api"]);
      assert.deepEqual([...state.held.tombstones], []);
      assert.ok(cluster.version > 2, "the version went beyond the one held");
      assert.ok(cluster.epoch > 1, "the epoch went beyond the one seen");
    } finally {
      await again.stop();
      here.hub.stop();
    }
  });

  test("keeps a newer generation than a restored hub remembers, and the link stays calm", async () => {
    const here = world();
    here.store.desire(here.cluster, "web", [{ a: 1 }]);
    here.store.desire(here.cluster, "web", [{ a: 2 }]);
    const state = spokeState();
    const first = start(here.hub, here.cluster, state);
    await eventually(() => agreed(here, state));
    await first.stop();
    const cluster = here.store.cluster(here.cluster);
    cluster.entries.clear();
    cluster.version = 0;
    here.store.desire(here.cluster, "web", [{ a: 1 }]);
    here.hub.said.length = 0;
    const again = start(here.hub, here.cluster, state);
    try {
      await eventually(() => agreed(here, state));
      assert.equal(state.held.applications.get(web)?.generation, 2);
      here.hub.sessions.wake(here.cluster);
      here.store.desire(here.cluster, "web", [{ a: 1 }]);
      here.store.desire(here.cluster, "web", [{ a: 3 }]);
      here.hub.sessions.wake(here.cluster);
      await eventually(() => assert.equal(state.held.applications.get(web)?.generation, 3));
      assert.ok(here.hub.said.length < 15, `${here.hub.said.length} messages`);
    } finally {
      await again.stop();
      here.hub.stop();
    }
  });

  test("obeys no message of an older epoch", async () => {
    const here = world();
    here.store.desire(here.cluster, "web", [{ a: 1 }]);
    const state = spokeState();
    const spoke = start(here.hub, here.cluster, state);
    try {
      await eventually(() => agreed(here, state));
      here.hub.tamper = ({ epoch, message }) => ({ epoch: epoch - 1, message });
      here.store.desire(here.cluster, "web", [{ a: 2 }]);
      here.hub.sessions.wake(here.cluster);
      await eventually(() =>
        assert.ok(spoke.log.some(({ event }) => event === "message of an older epoch ignored")),
      );
      assert.equal(state.held.applications.get(web)?.generation, 1);
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  test("a hub that is behind the epoch seen is left again", async () => {
    const here = world();
    const state = spokeState();
    state.held = { ...state.held, epochSeen: 100 };
    here.hub.tamper = ({ message }) => ({ epoch: 7, message });
    const spoke = start(here.hub, here.cluster, state);
    try {
      await eventually(() => assert.ok(spoke.log.some(({ event }) => event === "link lost")));
      assert.notEqual(spoke.loop.state().kind, "attached");
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  test("comes back after the network broke, and says again what was not recorded", async () => {
    const here = world();
    const state = spokeState();
    const spoke = start(here.hub, here.cluster, state);
    try {
      await eventually(() => assert.equal(spoke.loop.state().kind, "attached"));
      here.hub.cut();
      spoke.loop.report(web, reportOf(web));
      await eventually(() =>
        assert.deepEqual(here.store.cluster(here.cluster).reports.get(web), reportOf(web)),
      );
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  test("reports the newest state only, one batch at a time, and all of it to a hub that lost it", async () => {
    const here = world();
    const state = spokeState();
    const spoke = start(here.hub, here.cluster, state);
    const { reports } = here.store.cluster(here.cluster);
    const reportsSaid = () => here.hub.said.filter(({ kind }) => kind === "report").length;
    try {
      await eventually(() => assert.equal(spoke.loop.state().kind, "attached"));
      for (let index = 0; index < 50; index += 1) spoke.loop.report(web, reportOf(web, `${index}`));
      spoke.loop.report(api, reportOf(api));
      await eventually(() => assert.deepEqual([...reports.keys()].toSorted(), ["api", "web"]));
      assert.equal(reports.get(web)?.health.message, "49");
      assert.ok(reportsSaid() <= 2, `${reportsSaid()} batches`);
      await eventually(() => assert.equal(here.hub.said.at(-1)?.kind, "report-recorded"));

      spoke.loop.report(api, reportOf(api));
      reports.delete(web);
      here.hub.cut();
      await eventually(() => assert.deepEqual([...reports.keys()].toSorted(), ["api", "web"]));

      spoke.loop.report(api, undefined);
      await eventually(() => assert.deepEqual([...reports.keys()], ["web"]));
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  test("keeps a tombstone until the hub has recorded that it was carried out", async () => {
    const here = world();
    here.store.desire(here.cluster, "web", [{ a: 1 }]);
    const state = spokeState();
    const spoke = start(here.hub, here.cluster, state);
    try {
      await eventually(() => agreed(here, state));
      here.store.tombstone(here.cluster, "web");
      here.hub.sessions.wake(here.cluster);
      await eventually(() => assert.deepEqual([...state.held.tombstones.keys()], ["web"]));
      const generation = state.held.tombstones.get(web)?.generation ?? 0;
      spoke.loop.removed(web, generation);
      await eventually(() => assert.deepEqual([...state.held.tombstones], []));
      assert.ok(here.store.calls.includes("desiredSets.recordRemoved"));
      assert.ok(
        here.store.calls.indexOf("desiredSets.recordRemoved") <
          here.store.calls.lastIndexOf("reports.record"),
      );
      agreed(here, state);
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  test("executes a command once, across sessions and restarts", async () => {
    const here = world();
    here.store.desire(here.cluster, "web", [{ a: 1 }]);
    const state = spokeState();
    const spoke = start(here.hub, here.cluster, state);
    await eventually(() => agreed(here, state));
    const command = here.store.order(here.cluster, { application: web });
    here.hub.sessions.wake(here.cluster);
    await eventually(() => assert.equal(spoke.commands.length, 1));
    assert.deepEqual(state.held.executedCommands, [command.id]);
    here.hub.cut();
    await eventually(() =>
      assert.equal(here.hub.said.filter(({ kind }) => kind === "command").length, 2),
    );
    assert.equal(spoke.commands.length, 1);
    await spoke.stop();

    const again = start(here.hub, here.cluster, state);
    const known = here.store.cluster(here.cluster).commands.get(command.id);
    try {
      await eventually(() => assert.equal(known?.result?.succeeded, false));
      assert.match(known?.result?.message ?? "", /restarted while the command ran/);
      assert.equal(again.commands.length, 0);
    } finally {
      await again.stop();
      here.hub.stop();
    }
  });

  const voids = [
    { name: "for another generation", change: { generation: 7 }, says: /generation 7/ },
    {
      name: "for an application that is not here",
      change: { application: api },
      says: /not in this cluster/,
    },
  ];
  for (const { name, change, says } of voids) {
    test(`answers a command ${name} without executing it`, async () => {
      const here = world();
      here.store.desire(here.cluster, "web", [{ a: 1 }]);
      const state = spokeState();
      const spoke = start(here.hub, here.cluster, state);
      try {
        await eventually(() => agreed(here, state));
        const { id } = here.store.order(here.cluster, { application: web, ...change });
        here.hub.sessions.wake(here.cluster);
        const result = () => here.store.cluster(here.cluster).commands.get(id)?.result;
        await eventually(() => assert.equal(result()?.succeeded, false));
        assert.match(result()?.message ?? "", says);
        assert.deepEqual(spoke.commands, []);
      } finally {
        await spoke.stop();
        here.hub.stop();
      }
    });
  }

  test("a result that was lost on the way is said again", async () => {
    const here = world();
    here.store.desire(here.cluster, "web", [{ a: 1 }]);
    const state = spokeState();
    const spoke = start(here.hub, here.cluster, state);
    try {
      await eventually(() => agreed(here, state));
      const { id } = here.store.order(here.cluster, { application: web });
      here.hub.sessions.wake(here.cluster);
      await eventually(() => assert.equal(spoke.commands.length, 1));
      const known = here.store.cluster(here.cluster).commands.get(id);
      assert.ok(known !== undefined);
      spoke.loop.commandDone({ kind: "command-result", id, succeeded: true, message: "synced" });
      await eventually(() => assert.equal(known.result?.message, "synced"));
      known.result = undefined;
      here.hub.cut();
      await eventually(() => assert.equal(known.result?.message, "synced"));
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  test("two spokes with one identity do not fight: the older one waits and says so", async () => {
    const here = world();
    const first = start(here.hub, here.cluster, spokeState());
    await eventually(() => assert.equal(first.loop.state().kind, "attached"));
    const second = start(here.hub, here.cluster, spokeState());
    try {
      await eventually(() => assert.equal(first.loop.state().kind, "offline"));
      assert.equal(second.loop.state().kind, "attached");
      assert.ok(first.log.some(({ event }) => event === "another spoke took the session over"));
      const state = first.loop.state();
      assert.ok(state.kind === "offline" && state.retryAtMs - Date.now() > 200);
      assert.deepEqual(here.hub.ends, [{ kind: "replaced" }]);
    } finally {
      await first.stop();
      await second.stop();
      here.hub.stop();
    }
  });

  test("a spoke that is not trusted any more waits for another identity and takes it", async () => {
    const here = world({ trustCheckMs: 20 });
    const state = spokeState();
    const spoke = start(here.hub, here.cluster, state);
    try {
      await eventually(() => assert.equal(spoke.loop.state().kind, "attached"));
      here.store.certificates.delete("memory");
      await eventually(() => assert.equal(spoke.loop.state().kind, "refused"));
      here.store.certificates.set("memory", here.cluster);
      state.identity = { ...identity(), certificatePem: "another certificate" };
      await eventually(() => assert.equal(spoke.loop.state().kind, "attached"));
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  test("a silent hub is left and dialed again", async () => {
    const here = world({ heartbeatMs: 40, silenceLimitMs: 10_000 });
    const spoke = start(here.hub, here.cluster, spokeState(), {}, { welcomeLimitMs: 200 });
    try {
      await eventually(() => assert.equal(spoke.loop.state().kind, "attached"));
      const [session] = here.store.cluster(here.cluster).sessions.keys();
      await eventually(() => assert.ok(here.hub.said.some(({ kind }) => kind === "heartbeat")));
      // A store that hangs makes a hub that says nothing.
      const { current } = here.store.desiredSets;
      const hang = (_cluster: ClusterId, signal: AbortSignal) =>
        unlessAborted(new Promise<never>(() => {}), signal);
      Object.assign(here.store.desiredSets, { current: hang });
      await eventually(() => assert.ok(spoke.log.some(({ event }) => event === "hub fell silent")));
      Object.assign(here.store.desiredSets, { current });
      await eventually(() => {
        assert.equal(spoke.loop.state().kind, "attached");
        assert.ok(here.store.cluster(here.cluster).sessions.size > 1);
      });
      assert.equal(here.store.cluster(here.cluster).sessions.get(session ?? ""), "closed");
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  test("a hub that falls silent right after its welcome is left as soon as any other", async () => {
    const here = world({ heartbeatMs: 40, silenceLimitMs: 10_000 });
    const spoke = start(here.hub, here.cluster, spokeState(), {}, { welcomeLimitMs: 3_600_000 });
    try {
      await eventually(() => assert.equal(spoke.loop.state().kind, "attached"));
      const hang = (_cluster: ClusterId, signal: AbortSignal) =>
        unlessAborted(new Promise<never>(() => {}), signal);
      Object.assign(here.store.desiredSets, { current: hang });
      await eventually(() => assert.ok(spoke.log.some(({ event }) => event === "hub fell silent")));
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  test("a silent spoke loses its session", async () => {
    const here = world({ heartbeatMs: 60_000, silenceLimitMs: 50 });
    const spoke = start(here.hub, here.cluster, spokeState());
    try {
      await eventually(() => assert.equal(here.hub.ends[0]?.kind, "silent"));
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  test("blobs that a disk lost are fetched again, though the set did not change", async () => {
    const here = world();
    here.store.desire(here.cluster, "web", [{ a: 1 }, { b: 2 }]);
    const state = spokeState();
    const first = start(here.hub, here.cluster, state);
    await eventually(() => agreed(here, state));
    await first.stop();
    const had = new Map(state.blobs);
    state.blobs.clear();
    const again = start(here.hub, here.cluster, state);
    try {
      await eventually(() => assert.deepEqual(state.blobs, had));
      await eventually(() => assert.equal(again.heldSeen.length, 2));
    } finally {
      await again.stop();
      here.hub.stop();
    }
  });

  test("a blob that is missed while attached is fetched again", async () => {
    const here = world();
    const { bundle } = here.store.desire(here.cluster, "web", [{ a: 1 }]);
    const state = spokeState();
    const spoke = start(here.hub, here.cluster, state);
    try {
      await eventually(() => agreed(here, state));
      state.blobs.delete(bundle);
      spoke.loop.missed();
      await eventually(() => assert.ok(state.blobs.has(bundle)));
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  test("an inline blob that is not what its digest says is refused, and fetched instead", async () => {
    const here = world();
    here.store.desire(here.cluster, "web", [{ a: 1 }]);
    here.hub.tamper = ({ epoch, message }) => ({
      epoch,
      message:
        message.kind === "desired"
          ? {
              ...message,
              blobs: message.blobs.map(({ digest }) => ({ digest, bytes: new Uint8Array(3) })),
            }
          : message,
    });
    const state = spokeState();
    const spoke = start(here.hub, here.cluster, state);
    try {
      await eventually(() => agreed(here, state));
      assert.deepEqual(state.blobs, here.store.blobBytes);
      assert.ok(spoke.log.some(({ event }) => event === "inline blob refused"));
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  test("a set whose blobs are gone before they were fetched is replaced by the newest", async () => {
    const here = world({ inline: { blobBytesMost: 0, totalBytesMost: 0 } });
    const entry = here.store.desire(here.cluster, "web", [{ a: 1 }]);
    const bytes = here.store.blobBytes.get(entry.bundle);
    here.store.blobBytes.delete(entry.bundle);
    const state = spokeState();
    const spoke = start(here.hub, here.cluster, state);
    try {
      await eventually(() =>
        assert.ok(spoke.log.some(({ event }) => event === "change could not be stored")),
      );
      assert.equal(state.held.version, 0);
      assert.ok(bytes !== undefined);
      here.store.desire(here.cluster, "web", [{ a: 2 }]);
      await eventually(() => agreed(here, state));
      assert.equal(state.held.applications.get(web)?.generation, 2);
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  const failures: readonly (readonly [what: string, error: Error, level: string])[] = [
    ["trouble with the disk", new Trouble("the disk is full"), "warn"],
    ["a bug", new TypeError("a blob of other bytes"), "error"],
  ];
  for (const [what, error, level] of failures)
    test(`a change that ${what} keeps from the disk is logged as ${level}, and taken again`, async () => {
      const here = world();
      here.store.desire(here.cluster, "web", [{ a: 1 }]);
      const state = spokeState();
      let failed = false;
      const write = async ({ digest, bytes }: Blob): Promise<void> => {
        if (!failed) {
          failed = true;
          throw error;
        }
        state.blobs.set(digest, bytes);
      };
      const spoke = start(here.hub, here.cluster, state, {}, {}, { write });
      try {
        await eventually(() => agreed(here, state));
        const levels = spoke.log.flatMap((line) =>
          line.event === "change could not be stored" ? [line.level] : [],
        );
        assert.deepEqual(levels, [level]);
      } finally {
        await spoke.stop();
        here.hub.stop();
      }
    });

  test("another hub finds what is wanted, and removes nothing", async () => {
    const here = world();
    here.store.desire(here.cluster, "web", [{ a: 1 }]);
    const state = spokeState();
    const first = start(here.hub, here.cluster, state);
    await eventually(() => agreed(here, state));
    here.store.tombstone(here.cluster, "web");
    here.store.desire(here.cluster, "api", [{ a: 1 }]);
    here.hub.sessions.wake(here.cluster);
    await eventually(() => agreed(here, state));
    await first.stop();

    const there = world();
    there.store.desire(there.cluster, "db", [{ c: 1 }]);
    state.identity = identity("another");
    const again = start(there.hub, there.cluster, state);
    try {
      await eventually(() => agreed(there, state));
      assert.equal(state.held.hubId, "another");
      assert.deepEqual([...state.held.applications.keys()].toSorted(), ["api", "db"]);
      assert.deepEqual([...state.held.strays], ["api"]);
      assert.deepEqual([...state.held.tombstones], []);
    } finally {
      await again.stop();
      here.hub.stop();
      there.hub.stop();
    }
  });
});

suite("enrollment by the link loop", () => {
  const invitation = {
    token: "whj_abcdefgh.secretsecretsecretsecretsecretse",
    fingerprint: "sha256:00",
  };

  test("keeps the key before it asks, and asks again with the same one", async () => {
    const here = world();
    const state = newSpokeState();
    const keys: string[] = [];
    const spoke = runSpokeLink(
      state,
      {
        enroll: async (privateKeyPem) => {
          assert.equal(state.identity?.privateKeyPem, privateKeyPem, "the key was not kept first");
          keys.push(privateKeyPem);
          if (keys.length === 1) throw new Error("the answer was lost");
          return { ...identity(), privateKeyPem };
        },
        dial: (identity) => here.hub.dial(here.cluster, identity),
        explain: explainLoss,
      },
      { invitation: () => invitation, certificateLife },
    );
    try {
      await eventually(() => assert.equal(spoke.loop.state().kind, "attached"));
      assert.equal(keys.length, 2);
      assert.equal(keys[0], keys[1]);
      assert.deepEqual(state.writes.slice(0, 2), ["key", "certificate"]);
      assert.ok(!JSON.stringify(spoke.log).includes("secretsecret"), "the token was logged");
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  test("a refused token is not tried again, a new one is", async () => {
    const here = world();
    const state = newSpokeState();
    const tried: string[] = [];
    let offered = invitation;
    const spoke = runSpokeLink(
      state,
      {
        enroll: async (privateKeyPem, { token }) => {
          tried.push(token);
          if (token === invitation.token) throw hubRefuses("WH-JOIN-2004", "join token expired");
          return { ...identity(), privateKeyPem };
        },
        dial: (identity) => here.hub.dial(here.cluster, identity),
        explain: explainLoss,
      },
      { invitation: () => offered, certificateLife },
    );
    try {
      await eventually(() => {
        const linkState = spoke.loop.state();
        assert.ok(linkState.kind === "refused" && linkState.problem.code === "WH-JOIN-2004");
      });
      offered = { ...invitation, token: "another" };
      await eventually(() => assert.equal(spoke.loop.state().kind, "attached"));
      assert.deepEqual(tried, [invitation.token, "another"]);
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });

  test("without a certificate and without an invitation it says what is missing", async () => {
    const here = world();
    const spoke = runSpokeLink(newSpokeState(), {
      enroll: () => Promise.reject(new Error("nobody enrolls here")),
      dial: (identity) => here.hub.dial(here.cluster, identity),
      explain: explainLoss,
    });
    try {
      await eventually(() => {
        const state = spoke.loop.state();
        assert.ok(state.kind === "refused" && state.problem.code === "WH-JOIN-2001");
      });
    } finally {
      await spoke.stop();
      here.hub.stop();
    }
  });
});
