import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import {
  desiredDigest,
  desiredRoot,
  type DesiredApplication,
  type DesiredChange,
  type Tombstone,
} from "../../../proto/words/desired.ts";
import type { ApplicationName } from "../../../proto/words/ids.ts";
import type { Command } from "../../../proto/words/link-messages.ts";
import {
  applyChange,
  describeRefusal,
  emptyHeldSet,
  executedCommandsMost,
  heldDigests,
  heldForHub,
  heldRoot,
  judgeCommand,
  obeys,
  withEpoch,
  withExecuted,
  withoutTombstone,
  type HeldSet,
} from "../../../spoke/domain/held-set.ts";
import { defaultPolicy } from "../../support/fake-link-store.ts";

const name = (text: string) => text as ApplicationName;

const entry = (application: string, generation: number): DesiredApplication => ({
  application: name(application),
  generation,
  revision: `revision ${generation}`,
  bundle: "0".repeat(64) as DesiredApplication["bundle"],
  project: "default",
  destinationNamespace: "",
  policy: defaultPolicy,
  trace: "",
});

const tombstone = (application: string, generation: number): Tombstone => ({
  application: name(application),
  generation,
  cause: "removed-from-git",
  actor: "someone",
  keepObjects: false,
});

const rootOf = (entries: readonly DesiredApplication[]) =>
  desiredRoot(new Map(entries.map((one) => [one.application, desiredDigest(one)])));

const holding = (version: number, ...entries: readonly DesiredApplication[]): HeldSet => ({
  ...emptyHeldSet,
  version,
  applications: new Map(entries.map((one) => [one.application, one])),
});

const change = (
  base: number,
  target: number,
  after: readonly DesiredApplication[],
  given: Partial<DesiredChange> = {},
): DesiredChange => ({
  base,
  target,
  root: rootOf(after),
  upserts: [],
  tombstones: [],
  strays: [],
  ...given,
});

suite("applyChange", () => {
  const web1 = entry("web", 1);
  const web2 = entry("web", 2);
  const api1 = entry("api", 1);

  const taken: readonly {
    name: string;
    held: HeldSet;
    change: DesiredChange;
    expect: {
      entries: readonly DesiredApplication[];
      tombstones?: string[];
      strays?: string[];
      keptNewer?: string[];
    };
  }[] = [
    {
      name: "adds and replaces entries",
      held: holding(1, web1),
      change: change(1, 2, [web2, api1], { upserts: [web2, api1] }),
      expect: { entries: [web2, api1] },
    },
    {
      name: "keeps a tombstone until it is carried out",
      held: holding(1, web1, api1),
      change: change(1, 2, [api1], { tombstones: [tombstone("web", 2)] }),
      expect: { entries: [api1], tombstones: ["web"] },
    },
    {
      name: "takes a tombstone of an application it never heard of",
      held: holding(0),
      change: change(0, 5, [], { tombstones: [tombstone("web", 9)] }),
      expect: { entries: [], tombstones: ["web"] },
    },
    {
      name: "forgets a tombstone when the application is wanted again",
      held: { ...holding(1), tombstones: new Map([[name("web"), tombstone("web", 2)]]) },
      change: change(1, 2, [entry("web", 3)], { upserts: [entry("web", 3)] }),
      expect: { entries: [entry("web", 3)] },
    },
    {
      name: "leaves strays alone and out of the root",
      held: holding(3, web1, api1),
      change: change(0, 7, [web1], { strays: [name("api")] }),
      expect: { entries: [web1, api1], strays: ["api"] },
    },
    {
      name: "ignores strays it does not hold",
      held: holding(3, web1),
      change: change(0, 7, [web1], { strays: [name("nobody")] }),
      expect: { entries: [web1] },
    },
    {
      name: "makes a stray a member again when the hub wants it",
      held: { ...holding(3, web1), strays: new Set([name("web")]) },
      change: change(3, 4, [web2], { upserts: [web2] }),
      expect: { entries: [web2] },
    },
    {
      name: "keeps a newer generation than a restored hub remembers",
      held: holding(8, web2),
      change: change(0, 9, [web1], { upserts: [web1] }),
      expect: { entries: [web2], keptNewer: ["web"] },
    },
    {
      name: "does not carry out an order to remove that is older than what it holds",
      held: holding(8, web2),
      change: change(0, 9, [], { tombstones: [tombstone("web", 2)] }),
      expect: { entries: [web2], keptNewer: ["web"] },
    },
  ];
  for (const row of taken) {
    test(row.name, () => {
      const applied = applyChange(row.held, row.change);
      assert.ok(applied.ok, applied.ok ? "" : describeRefusal(applied.problem));
      const { held, keptNewer } = applied.value;
      const entries = new Map(row.expect.entries.map((one) => [one.application, one]));
      assert.deepEqual(held.applications, entries);
      assert.deepEqual([...held.tombstones.keys()], row.expect.tombstones ?? []);
      assert.deepEqual([...held.strays], row.expect.strays ?? []);
      assert.deepEqual(keptNewer, row.expect.keptNewer ?? []);
      assert.equal(held.version, row.change.target);
    });
  }

  const refused: readonly { name: string; held: HeldSet; change: DesiredChange; says: RegExp }[] = [
    {
      name: "a change from a version that is not held",
      held: holding(4, web1),
      change: change(3, 5, [web2], { upserts: [web2] }),
      says: /^change starts from version 3, version 4 is held$/,
    },
    {
      name: "a change into the past",
      held: holding(4, web1),
      change: change(0, 3, [web1]),
      says: /^change leads to version 3, version 4 is held$/,
    },
    {
      name: "a change that does not give the root it promises",
      held: holding(4, web1),
      change: change(4, 5, [web1, api1], { upserts: [web2] }),
      says: /^change gives root [0-9a-f]{64}, the hub says [0-9a-f]{64}$/,
    },
    {
      name: "a delta that would roll back, so that the whole is compared",
      held: holding(4, web2),
      change: change(4, 5, [web1], { upserts: [web1] }),
      says: /^change gives root/,
    },
    {
      name: "a comparison that forgot something",
      held: holding(4, web1, api1),
      change: change(0, 5, [web1]),
      says: /^change gives root/,
    },
  ];
  for (const row of refused) {
    test(`refuses ${row.name}`, () => {
      const applied = applyChange(row.held, row.change);
      assert.match(applied.ok ? "taken" : describeRefusal(applied.problem), row.says);
    });
  }

  test("changes nothing that was given to it", () => {
    const held = holding(1, web1);
    const before = structuredClone(held);
    applyChange(held, change(1, 2, [web2, api1], { upserts: [web2, api1] }));
    assert.deepEqual(held, before);
  });
});

suite("two ways to the same set", () => {
  // A hub's history: each step writes or removes one application.
  const steps = fc.array(
    fc.record({ application: fc.constantFrom("a", "b", "c", "d"), remove: fc.boolean() }),
    { maxLength: 20 },
  );

  test("a delta from any version, and a comparison of digests, give what the hub has", () => {
    const law = fc.property(steps, fc.nat({ max: 20 }), (history, cut) => {
      const hub = replay(history);
      const spoke = asHeld(replay(history.slice(0, cut)));
      const expected = heldRoot(asHeld(hub));

      const byDelta = applyChange(spoke, deltaBetween(spoke.version, hub));
      assert.ok(byDelta.ok);
      assert.equal(heldRoot(byDelta.value.held), expected);

      const byDigests = applyChange(spoke, comparisonWith(spoke, hub));
      assert.ok(byDigests.ok);
      assert.deepEqual(byDigests.value.held.applications, byDelta.value.held.applications);
      assert.equal(byDigests.value.held.version, hub.version);
      assert.deepEqual(byDigests.value.keptNewer, []);
    });
    fc.assert(law, { numRuns: 500 });
  });

  test("taking a change twice is taking it once", () => {
    const law = fc.property(steps, fc.nat({ max: 20 }), (history, cut) => {
      const hub = replay(history);
      const spoke = asHeld(replay(history.slice(0, cut)));
      const once = applyChange(spoke, comparisonWith(spoke, hub));
      assert.ok(once.ok);
      const twice = applyChange(once.value.held, comparisonWith(spoke, hub));
      assert.deepEqual(twice, once);
    });
    fc.assert(law);
  });

  type HubSet = {
    readonly version: number;
    readonly entries: ReadonlyMap<string, { entry: DesiredApplication; version: number }>;
    readonly tombstones: ReadonlyMap<string, { tombstone: Tombstone; version: number }>;
  };

  function replay(history: readonly { application: string; remove: boolean }[]): HubSet {
    const entries = new Map<string, { entry: DesiredApplication; version: number }>();
    const tombstones = new Map<string, { tombstone: Tombstone; version: number }>();
    let version = 0;
    for (const { application, remove } of history) {
      const generation =
        (entries.get(application)?.entry.generation ??
          tombstones.get(application)?.tombstone.generation ??
          0) + 1;
      if (remove && !entries.has(application)) continue;
      version += 1;
      entries.delete(application);
      tombstones.delete(application);
      if (remove)
        tombstones.set(application, { tombstone: tombstone(application, generation), version });
      else entries.set(application, { entry: entry(application, generation), version });
    }
    return { version, entries, tombstones };
  }

  const asHeld = ({ version, entries }: HubSet): HeldSet =>
    holding(version, ...[...entries.values()].map(({ entry }) => entry));

  const deltaBetween = (base: number, hub: HubSet): DesiredChange =>
    change(
      base,
      hub.version,
      [...hub.entries.values()].map(({ entry }) => entry),
      {
        upserts: [...hub.entries.values()]
          .filter(({ version }) => version > base)
          .map(({ entry }) => entry),
        tombstones: [...hub.tombstones.values()]
          .filter(({ version }) => version > base)
          .map(({ tombstone }) => tombstone),
      },
    );

  function comparisonWith(spoke: HeldSet, hub: HubSet): DesiredChange {
    const held = heldDigests(spoke);
    const wanted = [...hub.entries.values()].map(({ entry }) => entry);
    const unknown = [...held.keys()].filter((application) => !hub.entries.has(application));
    return change(0, hub.version, wanted, {
      upserts: wanted.filter((one) => held.get(one.application) !== desiredDigest(one)),
      tombstones: unknown.flatMap((application) => {
        const found = hub.tombstones.get(application);
        return found === undefined ? [] : [found.tombstone];
      }),
      strays: unknown.filter((application) => !hub.tombstones.has(application)),
    });
  }
});

suite("what is remembered beside the entries", () => {
  test("epochs only grow, and lower ones are not obeyed", () => {
    const held = withEpoch(withEpoch(emptyHeldSet, 7), 3);
    assert.equal(held.epochSeen, 7);
    assert.deepEqual(
      [6, 7, 8].map((epoch) => obeys(held, epoch)),
      [false, true, true],
    );
  });

  test("a tombstone is forgotten by its own generation only", () => {
    const held = { ...emptyHeldSet, tombstones: new Map([[name("web"), tombstone("web", 4)]]) };
    assert.equal(withoutTombstone(held, name("web"), 3), held);
    assert.equal(withoutTombstone(held, name("web"), 4).tombstones.size, 0);
  });

  test("another hub's numbers mean nothing, and its removals are not carried out", () => {
    const held: HeldSet = {
      ...holding(9, entry("web", 3)),
      hubId: "one",
      epochSeen: 5,
      tombstones: new Map([[name("api"), tombstone("api", 4)]]),
      executedCommands: ["1"],
    };
    assert.equal(heldForHub(held, "one"), held);
    assert.deepEqual(heldForHub(held, "two"), {
      ...emptyHeldSet,
      hubId: "two",
      applications: new Map([[name("web"), { ...entry("web", 3), generation: 0 }]]),
    });
    assert.deepEqual(heldForHub({ ...held, hubId: "" }, "one"), held);
  });

  test("command ids are remembered up to a limit, the oldest are forgotten", () => {
    let held = emptyHeldSet;
    for (let index = 0; index < executedCommandsMost + 5; index += 1)
      held = withExecuted(held, `${index}`);
    assert.equal(held.executedCommands.length, executedCommandsMost);
    assert.equal(held.executedCommands[0], "5");
  });
});

suite("judgeCommand", () => {
  const held = withExecuted(holding(1, entry("web", 3)), "done");
  const command: Command = {
    kind: "command",
    id: "new",
    order: "sync",
    application: name("web"),
    generation: 3,
    prune: false,
    expiresAtMs: 1_000,
  };
  const rows = [
    { name: "executes one for the held generation", change: {}, expect: "execute" },
    { name: "executes one for any generation", change: { generation: 0 }, expect: "execute" },
    { name: "executes none twice", change: { id: "done" }, expect: "executed-before" },
    { name: "voids one for another generation", change: { generation: 2 }, expect: "void" },
    {
      name: "voids one for another application",
      change: { application: name("api") },
      expect: "void",
    },
    { name: "voids one that came too late", change: { expiresAtMs: 999 }, expect: "void" },
  ];
  for (const row of rows) {
    test(row.name, () =>
      assert.equal(judgeCommand(held, { ...command, ...row.change }, 1_000).kind, row.expect),
    );
  }
});
