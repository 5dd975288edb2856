import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import type { OriginPlan, PlannedStep } from "../../../hub/domain/plan/input.ts";
import type { Origin } from "../../../hub/domain/origin.ts";
import type { FleetEventDraft } from "../../../hub/domain/records.ts";
import type { RolloutChange } from "../../../hub/domain/rollout/record.ts";
import { record, type Recording } from "../../../hub/loops/publish-record.ts";
import type { SetRow } from "../../../hub/loops/publish-set-row.ts";
import type { PublishNeeds } from "../../../hub/loops/publish.ts";
import type { ClusterId } from "../../../proto/words/ids.ts";
import { app, clusterId } from "../../contract/store/builders.ts";

type Piece = Parameters<PublishNeeds["record"]>[0];

const signal = new AbortController().signal;
const origin: Origin = { kind: "application-set", name: "web" };
const pace = { breathe: () => Promise.resolve(), isOver: () => false };
const row: SetRow = {
  name: "web",
  project: "default",
  path: "web.yaml",
  commit: "c0ffee",
  document: "{}",
  generatedAtMs: 1,
  problem: undefined,
  conditions: [],
};
const event = (subject: string): FleetEventDraft => ({
  kind: "application-changed",
  subject,
  cluster: "",
  message: subject,
});

/** A step that removes an application from a cluster, which is the shortest to write. */
const step = (cluster: ClusterId, name: string): PlannedStep => ({
  cluster,
  changes: [{ kind: "remove", name: app(name), tombstone: undefined }],
  events: [event(name)],
});

const quiet = (cluster: ClusterId): PlannedStep => ({ cluster, changes: [], events: [] });

const planOf = (steps: Iterable<PlannedStep>): OriginPlan => ({
  steps,
  events: [event("the origin")],
  problem: undefined,
  conditions: [],
  isSettled: true,
  denied: [],
  held: [],
  isRowNeeded: true,
  rollout: [],
});

const rolledOut: RolloutChange = { kind: "changed", written: [], dropped: [app("gone")] };

/** Records the steps and gives the pieces they were written in. */
async function recorded(
  steps: Iterable<PlannedStep>,
  over: Partial<Recording> = {},
  onPiece: (piece: Piece, index: number) => void = () => {},
): Promise<{ readonly pieces: readonly Piece[]; readonly changed: readonly ClusterId[] }> {
  const pieces: Piece[] = [];
  const changed: ClusterId[] = [];
  await record(
    {
      origin,
      plan: planOf(steps),
      set: (changes) => (changes ? row : "unchanged"),
      setBefore: undefined,
      rollout: { kind: "unchanged" },
      atMs: 1,
      ...over,
    },
    {
      record: (piece) => {
        onPiece(piece, pieces.length);
        pieces.push(piece);
        return Promise.resolve({ changedClusters: [clusterId(`piece-${pieces.length}`)] });
      },
    },
    pace,
    ({ changedClusters }) => changed.push(...changedClusters),
    signal,
  );
  return { pieces, changed };
}

const names = (piece: Piece): readonly string[] =>
  piece.changes.flatMap((change) => (change.kind === "remove" ? [change.name] : []));

/** So many applications in each of the clusters. */
function* stepsOf(counts: readonly number[]): Iterable<PlannedStep> {
  for (const [index, count] of counts.entries())
    for (let at = 0; at < count; at += 1) yield step(clusterId(`c${index}`), `a-${index}-${at}`);
}

suite("recording in pieces", () => {
  test("writes each change and each event once, in order, and what the origin has to tell", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 150 }), { maxLength: 12 }), async (counts) => {
        const wanted = [...stepsOf(counts)].flatMap(({ changes }) => changes);
        const { pieces } = await recorded(stepsOf(counts));
        assert.deepEqual(
          pieces.flatMap(({ changes }) => changes),
          wanted,
        );
        const subjects = pieces.flatMap(({ events }) => events.map(({ subject }) => subject));
        assert.equal(subjects.filter((subject) => subject === "the origin").length, 1);
        assert.equal(subjects.filter((subject) => subject.startsWith("a-")).length, wanted.length);
      }),
    );
  });

  test("keeps what one cluster is offered together", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 350 }), { maxLength: 12 }), async (counts) => {
        const { pieces } = await recorded(stepsOf(counts));
        const pieceOf = new Map<string, number>();
        for (const [index, piece] of pieces.entries())
          for (const name of names(piece)) {
            const cluster = name.replace(/-\d+$/, "");
            assert.equal(pieceOf.get(cluster) ?? index, index, cluster);
            pieceOf.set(cluster, index);
          }
      }),
    );
  });

  test("makes steps as they are written, not before", async () => {
    let taken = 0;
    function* counted(): Iterable<PlannedStep> {
      for (const one of stepsOf(Array.from({ length: 100 }, () => 50))) {
        taken += 1;
        yield one;
      }
    }
    const takenAt: number[] = [];
    await recorded(counted(), {}, () => takenAt.push(taken));
    assert.ok(
      (takenAt[0] ?? Infinity) <= 151,
      `${takenAt[0]} were taken before anything was written`,
    );
    assert.ok(takenAt.length >= 33, `${takenAt.length} pieces`);
  });

  test("writes the set and its rollout with the first piece", async () => {
    const { pieces } = await recorded(stepsOf([120, 120, 120]), { rollout: rolledOut });
    assert.deepEqual(
      pieces.map(({ set, rollout }) => [set === "unchanged" ? "" : "set", rollout.kind]),
      [
        ["set", "changed"],
        ["", "unchanged"],
        ["", "unchanged"],
      ],
    );
  });

  test("removes a set with the last piece, and tells of it only then", async () => {
    const { pieces } = await recorded(stepsOf([120, 120]), { set: () => "removed" });
    assert.deepEqual(
      pieces.map(({ set, events }) => [
        set,
        events.some(({ subject }) => subject === "the origin"),
      ]),
      [
        ["unchanged", false],
        ["removed", true],
      ],
    );
  });

  test("cuts where one cluster alone has thousands", async () => {
    const { pieces } = await recorded(stepsOf([9_000]));
    assert.deepEqual(
      pieces.map(({ changes }) => changes.length),
      [4_000, 4_000, 1_000],
    );
  });

  test("writes nothing when there is nothing to say, and the set alone when that changed", async () => {
    const silent = { ...planOf([quiet(clusterId("one"))]), events: [] };
    assert.deepEqual((await recorded([], { plan: silent })).pieces, []);
    const { pieces } = await recorded([], { plan: silent, set: () => row });
    assert.deepEqual(
      pieces.map(({ set, changes }) => [set, changes.length]),
      [[row, 0]],
    );
  });

  test("tells of earlier pieces when a later one fails", async () => {
    const told: unknown[] = [];
    let pieces = 0;
    const failing = record(
      {
        origin,
        plan: planOf(stepsOf([120, 120])),
        set: () => row,
        setBefore: undefined,
        rollout: { kind: "unchanged" },
        atMs: 1,
      },
      {
        record: () => {
          pieces += 1;
          if (pieces === 2) return Promise.reject(new Error("the disk is full"));
          return Promise.resolve({ changedClusters: [clusterId("c0")] });
        },
      },
      pace,
      (piece) => told.push(piece),
      signal,
    );
    await assert.rejects(failing, /the disk is full/);
    assert.deepEqual(told, [{ changes: 120, freed: true, changedClusters: [clusterId("c0")] }]);
  });
});
