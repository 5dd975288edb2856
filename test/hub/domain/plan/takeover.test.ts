import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { parseAppProject } from "../../../../hub/domain/app-project.ts";
import type { OriginOutcome, PlanInput } from "../../../../hub/domain/plan/input.ts";
import type { Flaw } from "../../../../hub/domain/generate.ts";
import { problem } from "../../../../hub/domain/problem.ts";
import type { Origin } from "../../../../hub/domain/origin.ts";
import type { PublishedApplication } from "../../../../hub/domain/records.ts";
import type { RolloutStrategy } from "../../../../hub/domain/rollout/strategy.ts";
import {
  application,
  base,
  byName,
  carriedOut,
  clusters,
  generated,
  outcome as outcomeOf,
  partsOf,
  plan,
  told,
  two,
  type WholePlan,
  type Wish,
} from "./planning.ts";

const old: Origin = { kind: "application-set", name: "old" };
const taker = base.origin;

const publishedBy = (
  origin: Origin,
  wishes: readonly Wish[],
  over: Partial<PlanInput> = {},
): readonly PublishedApplication[] =>
  carriedOut([], plan({ origin, outcome: generated(...wishes), ...over }).changes);

/** What the store answers a taker: what it has, and what was left behind under the names it wants. */
function inputAt(
  store: readonly PublishedApplication[],
  outcome: OriginOutcome,
  goes = false,
): Pick<PlanInput, "outcome" | "before" | "owners" | "leftBehind"> {
  const wanted = new Set<string | undefined>(
    outcome.kind === "generated"
      ? [
          ...outcome.applications.map(({ application }) => application.name),
          ...outcome.flaws.map(({ application }) => application),
        ]
      : [],
  );
  const named = store.filter(({ draft }) => wanted.has(draft.name));
  return {
    outcome,
    before: store.filter(({ draft }) => draft.origin.name === taker.name),
    owners: new Map(named.map(({ draft }) => [draft.name, draft.origin])),
    leftBehind: named
      .filter(({ draft }) => draft.origin.name === old.name)
      .map((published) => ({ published, goes })),
  };
}

/** Changes that do not say whose the application was, and those that go to anybody but the taker. */
const unsaid = ({ changes }: WholePlan, ofOthers: readonly PublishedApplication[]) => {
  const others = new Set(ofOthers.map(({ draft }) => draft.name));
  return changes.filter(
    (change) =>
      change.kind === "remove" ||
      change.record.origin !== taker ||
      change.takenFrom?.name !== (others.has(change.record.name) ? old.name : undefined),
  );
};

const messages = ({ events }: WholePlan): readonly string[] => events.map(({ message }) => message);

const anyProject = (name: string) => {
  const read = parseAppProject({
    metadata: { name },
    spec: { sourceRepos: ["*"], destinations: [{ name: "*", server: "*", namespace: "*" }] },
  });
  assert.ok(read.ok);
  return [name, read.value] as const;
};

suite("what a removed set left behind", () => {
  const several = (names: string, more: Partial<Wish> = {}): readonly Wish[] =>
    names.split("").map((name) => ({ name, ...more }));

  const severalOf = (prefix: string, count: number): readonly Wish[] =>
    Array.from({ length: count }, (_, at) => ({ name: `${prefix}${at}` }));

  const rows: readonly {
    readonly name: string;
    readonly left: readonly Wish[];
    readonly own?: readonly Wish[];
    readonly wanted: readonly Wish[];
    readonly over?: Partial<PlanInput>;
    readonly expect: readonly string[];
    readonly problem?: string;
  }[] = [
    {
      name: "is taken over in place by whoever names it and offers the same",
      left: [{ name: "a" }],
      wanted: [{ name: "a" }],
      expect: ["a: kept"],
    },
    {
      name: "goes on with the next generation when it becomes something else",
      left: [{ name: "a" }],
      wanted: [{ name: "a", content: "b" }],
      expect: ["a: one 2 commit-of-b"],
    },
    {
      name: "goes on with the next generation when its policy differs",
      left: [{ name: "a" }],
      wanted: [{ name: "a", spec: { syncPolicy: {} } }],
      expect: ["a: one 2 commit-of-a"],
    },
    {
      name: "stays where it is not named",
      left: several("ab"),
      wanted: [{ name: "a" }],
      expect: ["a: kept"],
    },
    {
      name: "leaves its cluster by tombstone when it is taken to another",
      left: [{ name: "a" }],
      wanted: [{ name: "a", cluster: "two" }],
      expect: ["a: two 2 commit-of-a leaves one 2"],
    },
    {
      name: "waits for consent when all that its taker has would move",
      left: several("abc"),
      wanted: several("abc", { cluster: "two" }),
      expect: ["a: kept WH-GEN-3110", "b: kept WH-GEN-3110", "c: kept WH-GEN-3110"],
      problem: "WH-GEN-3110",
    },
    {
      name: "moves with consent",
      left: several("abc"),
      wanted: several("abc", { cluster: "two" }),
      over: { consent: true },
      expect: several("abc").map(({ name }) => `${name}: two 2 commit-of-a leaves one 2`),
    },
    {
      name: "counts with what its taker has when it moves",
      left: several("abc"),
      own: several("xyz"),
      wanted: [...several("abc", { cluster: "two" }), ...several("xyz")],
      expect: several("abc").map(({ name }) => `${name}: two 2 commit-of-a leaves one 2`),
    },
    {
      name: "makes no difference to how many of its taker's own may go",
      left: severalOf("l", 200),
      own: several("stuvwxyz"),
      wanted: severalOf("l", 200),
      expect: [
        ...several("stuvwxyz").map(({ name }) => `${name}: kept WH-GEN-3110`),
        ...severalOf("l", 200).map(({ name }) => `${name}: kept`),
      ],
      problem: "WH-GEN-3110",
    },
    {
      name: "moves freely where it is a small part of what is taken over",
      left: severalOf("l", 15),
      own: several("x"),
      wanted: [
        ...severalOf("l", 12),
        ...severalOf("l", 15)
          .slice(12)
          .map((wish) => ({ ...wish, cluster: "two" })),
        { name: "x" },
      ],
      expect: [
        ...severalOf("l", 12).map(({ name }) => `${name}: kept`),
        ...severalOf("l", 15)
          .slice(12)
          .map(({ name }) => `${name}: two 2 commit-of-a leaves one 2`),
      ],
    },
    {
      name: "is offered where its taker says when its own cluster has left the hub",
      left: [{ name: "a" }],
      wanted: [{ name: "a", cluster: "two" }],
      over: { clusters: [two] },
      expect: ["a: two 2 commit-of-a"],
    },
    {
      name: "is not taken over by what cannot be rendered",
      left: several("ab"),
      wanted: [{ name: "a", broken: true }, { name: "b" }],
      expect: ["b: kept"],
      problem: "WH-RND-3402",
    },
    {
      name: "is not taken over by what would empty it",
      left: [{ name: "a", objects: 4 }],
      wanted: [{ name: "a", content: "empty", objects: 0 }],
      expect: [],
      problem: "WH-RND-3406",
    },
    {
      name: "is not taken over by what goes nowhere",
      left: [{ name: "a" }],
      wanted: [{ name: "a", cluster: "nowhere" }],
      expect: [],
      problem: "WH-DST-3501",
    },
    {
      name: "is not taken over by another project",
      left: [{ name: "a" }],
      wanted: [{ name: "a", spec: { project: "team", syncPolicy: { automated: {} } } }],
      over: { projects: new Map([anyProject("team")]) },
      expect: [],
      problem: "WH-GEN-3106",
    },
    {
      name: "is not there while its set is",
      left: [{ name: "a" }],
      wanted: [{ name: "a" }, { name: "b" }],
      over: { leftBehind: [] },
      expect: ["b: one 1 commit-of-a"],
      problem: "WH-GEN-3106",
    },
  ];
  for (const { name, left, own = [], wanted, over, expect, problem: code } of rows) {
    test(name, () => {
      const behind = publishedBy(old, left);
      const store = [...publishedBy(taker, own), ...behind];
      const made = plan({ ...inputAt(store, generated(...wanted)), ...over });
      assert.deepEqual(told(made), expect);
      assert.deepEqual(unsaid(made, behind), []);
      assert.equal(made.problem?.code, code);
    });
  }

  const failedElement: Flaw = {
    kind: "generation",
    application: undefined,
    problem: problem("WH-TPL-3202", "no such key"),
  };
  const nameTwice: Flaw = {
    ...failedElement,
    kind: "validation",
    application: application({ name: "b" }).name,
  };
  const beside: readonly {
    readonly name: string;
    readonly goes: boolean;
    readonly flaw: Flaw;
    readonly expect: readonly string[];
    readonly denied: readonly string[];
  }[] = [
    {
      name: "is not taken over in part while a failure may hide that the rest is wanted",
      goes: true,
      flaw: failedElement,
      expect: [],
      denied: ["a"],
    },
    {
      name: "is taken over beside a failure when the rest stays anyway",
      goes: false,
      flaw: failedElement,
      expect: ["a: kept"],
      denied: [],
    },
    {
      name: "is wanted also under a name that failed",
      goes: true,
      flaw: nameTwice,
      expect: ["a: kept"],
      denied: ["b"],
    },
  ];
  for (const { name, goes, flaw, expect, denied } of beside)
    test(name, () => {
      const store = publishedBy(old, several("abc"));
      const outcome: OriginOutcome = {
        kind: "generated",
        applications: [outcomeOf({ name: "a" })],
        flaws: [flaw],
      };
      const made = plan(inputAt(store, outcome, goes));
      assert.deepEqual([told(made), made.denied], [expect, denied]);
      assert.equal(made.problem?.code, "WH-TPL-3202");
    });

  test("is told of once, beside what else happens to it", () => {
    const store = publishedBy(old, several("ab"));
    const wanted = generated({ name: "a" }, { name: "b", content: "c" });
    const made = plan(inputAt(store, wanted));
    assert.deepEqual(messages(made), [
      "ApplicationSet web takes over a from ApplicationSet old, which is gone from Git",
      "ApplicationSet web takes over b from ApplicationSet old, which is gone from Git",
      "generation 2 of b is offered to one at revision commit-of-c",
    ]);
    const again = plan(inputAt(carriedOut(store, made.changes), wanted));
    assert.deepEqual([again.changes, again.events], [[], []]);
  });

  test("says why it is not taken over", () => {
    const store = publishedBy(old, [{ name: "a" }]);
    const whyNot = (wish: Wish, over: Partial<PlanInput> = {}) =>
      plan({ ...inputAt(store, generated(wish)), ...over }).problem?.message;
    assert.equal(
      whyNot({ name: "a", broken: true }),
      "a stays with ApplicationSet old, which is gone from Git: a.yaml: kind is missing",
    );
    assert.equal(
      whyNot({ name: "a", spec: { project: "team" } }),
      "the application name a belongs to ApplicationSet old of project default, which is gone from Git; " +
        "ApplicationSet web is of project team and cannot take it over",
    );
  });

  test("goes by the rules it was offered under, until its taker has offered it", () => {
    const deletes = publishedBy(old, [{ name: "a" }]);
    const keeps = publishedBy(old, [{ name: "a", keeps: true }]);
    const keepsWhenTaken = (store: readonly PublishedApplication[], wish: Wish) => {
      const [change] = plan(inputAt(store, generated(wish))).changes;
      assert.ok(change?.kind === "write");
      return [change.record.keepObjects, change.leaves?.keepObjects];
    };
    assert.deepEqual(keepsWhenTaken(deletes, { name: "a", keeps: true }), [true, undefined]);
    assert.deepEqual(keepsWhenTaken(keeps, { name: "a" }), [false, undefined]);
    assert.deepEqual(keepsWhenTaken(keeps, { name: "a", cluster: "two" }), [false, true]);
    assert.deepEqual(keepsWhenTaken(deletes, { name: "a", cluster: "two", keeps: true }), [
      true,
      false,
    ]);
  });

  test("stays as it is offered while its step waits", () => {
    const strategy: RolloutStrategy = {
      steps: ["canary", "prod"].map((tier) => ({
        expressions: [{ key: "tier", operator: "In", values: [tier] }],
        maxUpdate: { kind: "all" },
      })),
      deletesInReverse: false,
    };
    const tiers = (content: string, keeps: boolean): readonly Wish[] =>
      ["canary", "prod"].map((name) => ({ name, content, keeps, labels: { tier: name } }));
    const store = publishedBy(old, tiers("a", false));
    const made = plan({
      ...inputAt(store, generated(...tiers("b", true))),
      rollout: { strategy, statuses: [], reported: new Map(), leaving: new Set() },
    });
    assert.deepEqual(told(made), ["canary: one 2 commit-of-b", "prod: kept"]);
    assert.deepEqual(unsaid(made, store), []);
    const after = new Map(
      carriedOut(store, made.changes).map(({ draft, desired }) => [
        draft.name as string,
        [draft.keepObjects, draft.revision, desired?.entry.generation],
      ]),
    );
    assert.deepEqual(after.get("prod"), [false, "commit-of-a", 1]);
  });

  test("lets go of its set with the last of it", () => {
    const removed = (before: readonly PublishedApplication[]) => {
      const made = plan({
        origin: old,
        outcome: { kind: "removed" },
        before,
        keepsBecause: "its policy says so",
      });
      return [told(made), made.isRowNeeded, made.problem?.code];
    };
    const store = publishedBy(old, several("ab"));
    const after = carriedOut(store, plan(inputAt(store, generated({ name: "a" }))).changes);
    const rest = after.filter(({ draft }) => draft.origin.name === old.name);
    assert.deepEqual(
      rest.map(({ draft }) => draft.name),
      ["b"],
    );
    assert.deepEqual(removed(rest), [[], true, "WH-GEN-3115"]);
    assert.deepEqual(removed([]), [[], false, undefined]);
  });

  const someWish = (names: string): fc.Arbitrary<Wish> =>
    fc.record({
      name: fc.constantFrom(...names.split("")),
      cluster: fc.constantFrom(...clusters.map(({ name }) => name as string)),
      content: fc.constantFrom("x", "y"),
      objects: fc.constantFrom(1, 2),
      keeps: fc.boolean(),
    });
  const someWishes = (names: string): fc.Arbitrary<readonly Wish[]> =>
    fc.uniqueArray(someWish(names), { selector: ({ name }) => name });
  const someStory = fc.record({
    own: someWishes("abcd"),
    left: someWishes("efgh"),
    wanted: someWishes("abcdefgh"),
    consent: fc.boolean(),
  });

  const asksAlways = { freeRemovals: 0, freeShare: 0, wholeOriginFrom: 1 };

  test("comes to what it would be if its taker had made it, and may lose no more of its own", () => {
    fc.assert(
      fc.property(someStory, ({ own, left, wanted, consent }) => {
        const outcome = generated(...wanted);
        const mine = publishedBy(taker, own);
        const input = inputAt([...mine, ...publishedBy(old, left)], outcome);
        const takes = plan({ ...input, consent });
        const asIfMade = input.leftBehind.map(({ published: { draft, desired } }) => ({
          draft: { ...draft, origin: taker },
          desired,
        }));
        const before = [...mine, ...asIfMade];
        const asksAlone = plan({ outcome, before: mine, consent }).held.length > 0;
        const has = plan({
          outcome,
          before,
          consent,
          shrink: asksAlone ? asksAlways : base.shrink,
        });
        assert.deepEqual(
          byName(
            carriedOut(
              [...mine, ...input.leftBehind.map(({ published }) => published)],
              takes.changes,
            ),
          ),
          byName(carriedOut(before, has.changes)),
        );
        assert.deepEqual([takes.held, takes.problem], [has.held, has.problem]);
      }),
      { numRuns: 500 },
    );
  });

  test("comes to the same end when its taker is stopped between two clusters", () => {
    fc.assert(
      fc.property(
        someStory,
        fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
        ({ own, left, wanted, consent }, stops) => {
          const outcome = generated(...wanted);
          const store = [...publishedBy(taker, own), ...publishedBy(old, left)];
          const over = (now: readonly PublishedApplication[]) => ({
            ...inputAt(now, outcome),
            consent,
          });
          const planned = plan(over(store));
          const whole = carriedOut(store, planned.changes);
          let after: readonly PublishedApplication[] = store;
          for (const stop of stops) {
            const parts = partsOf(over(after).before, over(after));
            after = carriedOut(after, parts.slice(0, stop % (parts.length + 1)).flat());
          }
          const last = plan(over(after));
          // What leaves its objects behind from now on counts no more, so that the rest may have to be asked for.
          const asksOnly =
            last.held.length > planned.held.length && wanted.some(({ keeps }) => keeps);
          if (!asksOnly) assert.deepEqual(byName(carriedOut(after, last.changes)), byName(whole));
        },
      ),
      { numRuns: 500 },
    );
  });
});
