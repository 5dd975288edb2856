import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { ok } from "../../../../proto/kit/result.ts";
import type { ApplicationName, ClusterId, Generation } from "../../../../proto/words/ids.ts";
import { parseAppProject } from "../../../../hub/domain/app-project.ts";
import { admit } from "../../../../hub/domain/admission.ts";
import { planOrigin } from "../../../../hub/domain/plan/plan-origin.ts";
import { atOnce } from "../../../../hub/domain/sliced.ts";
import type { OriginOutcome, PlanInput } from "../../../../hub/domain/plan/input.ts";
import type { Flaw } from "../../../../hub/domain/generate.ts";
import { problem } from "../../../../hub/domain/problem.ts";
import type {
  ApplicationChange,
  ApplicationStatus,
  PublishedApplication,
} from "../../../../hub/domain/records.ts";
import type { RolloutStrategy } from "../../../../hub/domain/rollout/strategy.ts";
import {
  application,
  base,
  byName,
  carriedOut,
  clusters,
  generated,
  names,
  one,
  outcome,
  partsOf,
  plan,
  published,
  told,
  two,
  type WholePlan,
  type Wish,
} from "./planning.ts";

suite("planOrigin", () => {
  const five: readonly Wish[] = ["a", "b", "c", "d", "e"].map((name) => ({ name }));

  const rows: readonly {
    readonly name: string;
    readonly before?: readonly Wish[];
    readonly over: Partial<PlanInput>;
    readonly expect: readonly string[];
    readonly problem?: string;
  }[] = [
    {
      name: "offers what is new",
      over: { outcome: generated({ name: "a" }, { name: "b", cluster: "two" }) },
      expect: ["a: one 1 commit-of-a", "b: two 1 commit-of-a"],
    },
    {
      name: "leaves alone what is as it was",
      before: [{ name: "a" }],
      over: { outcome: generated({ name: "a" }) },
      expect: [],
    },
    {
      name: "gives a changed bundle the next generation",
      before: [{ name: "a" }],
      over: { outcome: generated({ name: "a", content: "b" }) },
      expect: ["a: one 2 commit-of-b"],
    },
    {
      name: "gives a changed policy the next generation",
      before: [{ name: "a" }],
      over: { outcome: generated({ name: "a", spec: { syncPolicy: {} } }) },
      expect: ["a: one 2 commit-of-a"],
    },
    {
      name: "writes down a changed description without offering anew",
      before: [{ name: "a" }],
      over: {
        outcome: generated({
          name: "a",
          spec: { revisionHistoryLimit: 3, syncPolicy: { automated: {} } },
        }),
      },
      expect: ["a: kept"],
    },
    {
      name: "removes what is no longer generated",
      before: [{ name: "a" }, { name: "b" }],
      over: { outcome: generated({ name: "a" }) },
      expect: ["remove b@one 2 no-longer-generated"],
    },
    {
      name: "leaves the objects of an application without a finalizer",
      before: [{ name: "a", keeps: true }],
      over: { outcome: { kind: "removed" } },
      expect: ["remove a@one 2 set-removed keep"],
    },
    {
      name: "moves to another cluster by a tombstone in the old one",
      before: [{ name: "a" }, { name: "b" }],
      over: { outcome: generated({ name: "a", cluster: "two" }, { name: "b" }) },
      expect: ["a: two 2 commit-of-a leaves one 2"],
    },
    {
      name: "keeps everything of a set that fails",
      before: [{ name: "a" }],
      over: { outcome: { kind: "failed", problem: problem("WH-GEN-3103", "no") } },
      expect: [],
      problem: "WH-GEN-3103",
    },
    {
      name: "keeps the last good rendering beside the problem, and goes on with the others",
      before: [{ name: "a" }, { name: "b" }],
      over: { outcome: generated({ name: "a", broken: true }, { name: "b", content: "c" }) },
      expect: ["a: kept WH-RND-3402", "b: one 2 commit-of-c"],
      problem: "WH-RND-3402",
    },
    {
      name: "shows a new application that cannot be rendered",
      over: { outcome: generated({ name: "a", broken: true }) },
      expect: ["a: kept WH-RND-3402"],
      problem: "WH-RND-3402",
    },
    {
      name: "holds a bundle that would become empty",
      before: [{ name: "a", objects: 4 }],
      over: { outcome: generated({ name: "a", content: "empty", objects: 0 }) },
      expect: ["a: kept WH-RND-3406"],
      problem: "WH-RND-3406",
    },
    {
      name: "empties a bundle where the policy allows it",
      before: [{ name: "a", objects: 4 }],
      over: {
        outcome: generated({
          name: "a",
          content: "empty",
          objects: 0,
          spec: { syncPolicy: { automated: { allowEmpty: true } } },
        }),
      },
      expect: ["a: one 2 commit-of-empty"],
    },
    {
      name: "offers an application that was always empty",
      over: { outcome: generated({ name: "a", objects: 0 }) },
      expect: ["a: one 1 commit-of-a"],
    },
    {
      name: "keeps an application where it is when its new cluster is unknown",
      before: [{ name: "a" }],
      over: { outcome: generated({ name: "a", cluster: "nowhere" }) },
      expect: ["a: kept WH-DST-3501"],
      problem: "WH-DST-3501",
    },
    {
      name: "refuses a project that does not exist",
      over: { outcome: generated({ name: "a", spec: { project: "team" } }) },
      expect: ["a: kept WH-DST-3511"],
      problem: "WH-DST-3511",
    },
    {
      name: "leaves a name to the origin that has it",
      over: {
        outcome: generated({ name: "a" }, { name: "b" }),
        owners: new Map([["a" as ApplicationName, { kind: "application", name: "a" }]]),
      },
      expect: ["b: one 1 commit-of-a"],
      problem: "WH-GEN-3106",
    },
    {
      name: "forgets what was in a cluster that is gone, without a tombstone",
      before: [{ name: "a" }],
      over: { outcome: generated(), clusters: [two] },
      expect: ["forget a"],
    },
    {
      name: "removes a set's few applications with the set",
      before: five,
      over: { outcome: { kind: "removed" } },
      expect: five.map(({ name }) => `remove ${name}@one 2 set-removed`),
    },
    {
      name: "holds the removal of everything a set had, when the set is still there",
      before: five.slice(0, 3),
      over: { outcome: generated() },
      expect: ["a: kept WH-GEN-3110", "b: kept WH-GEN-3110", "c: kept WH-GEN-3110"],
      problem: "WH-GEN-3110",
    },
    {
      name: "carries out held removals with consent",
      before: five.slice(0, 3),
      over: { outcome: generated(), consent: true },
      expect: five.slice(0, 3).map(({ name }) => `remove ${name}@one 2 no-longer-generated`),
    },
    {
      name: "lets new applications in while removals are held",
      before: five.slice(0, 3),
      over: { outcome: generated({ name: "x" }) },
      expect: [
        "a: kept WH-GEN-3110",
        "b: kept WH-GEN-3110",
        "c: kept WH-GEN-3110",
        "x: one 1 commit-of-a",
      ],
      problem: "WH-GEN-3110",
    },
    {
      name: "takes a plain application that is gone from Git",
      before: [{ name: "a" }],
      over: { origin: { kind: "application", name: "a" }, outcome: { kind: "removed" } },
      expect: ["remove a@one 2 removed-from-git"],
    },
  ];
  for (const { name, before = [], over, expect, problem: code } of rows) {
    test(name, () => {
      const made = plan({ before: published(...before), ...over });
      assert.deepEqual(told(made), expect);
      assert.equal(made.problem?.code, code);
    });
  }

  test("a problem keeps its beginning while it is the same, and is told once", () => {
    const first = plan({
      before: published({ name: "a" }),
      outcome: generated({ name: "a", broken: true }),
    });
    const after = carriedOut(published({ name: "a" }), first.changes);
    assert.deepEqual(
      first.events.map(({ kind }) => kind),
      ["application-problem", "set-problem"],
    );
    const second = plan({
      before: after,
      problemBefore: first.problem,
      outcome: generated({ name: "a", broken: true }),
      nowMs: 9000,
    });
    assert.deepEqual([second.changes, second.events], [[], []]);
    assert.deepEqual(
      [after[0]?.draft.problem?.sinceMs, second.problem?.sinceMs],
      [first.problem?.sinceMs, 1000],
    );
    const healed = plan({
      before: after,
      problemBefore: first.problem,
      outcome: generated({ name: "a" }),
      nowMs: 9000,
    });
    assert.deepEqual(told(healed), ["a: kept"]);
    assert.deepEqual(
      healed.events.map(({ message }) => message),
      ["the problem of a is gone", "the problem of ApplicationSet web is gone"],
    );
  });

  const refusals: readonly {
    readonly name: string;
    readonly over: Partial<PlanInput>;
    readonly message: string | undefined;
    readonly isSettled: boolean;
  }[] = [
    {
      name: "a set says nothing of applications that go out",
      over: { outcome: generated({ name: "a" }) },
      message: undefined,
      isSettled: true,
    },
    {
      name: "a set says what its one refused application says, and need not be planned again for that",
      over: { outcome: generated({ name: "a" }, { name: "b", spec: { project: "nope" } }) },
      message: "application references project nope which does not exist",
      isSettled: true,
    },
    {
      name: "of several that are refused the last by name is told, and how many more there are",
      over: {
        outcome: generated(
          { name: "a", spec: { project: "nope" } },
          { name: "b", broken: true },
          { name: "c", cluster: "nowhere" },
          { name: "d" },
        ),
      },
      message:
        "application destination spec is invalid: there are no clusters with this name: nowhere (and 2 more)",
      isSettled: true,
    },
    {
      name: "what stands in the way of a name is told before what is refused, and may go by itself",
      over: {
        outcome: generated({ name: "a" }, { name: "b", broken: true }),
        owners: new Map([["a" as ApplicationName, { kind: "application", name: "a" }]]),
      },
      message:
        "the application name a belongs to Application a; ApplicationSet web cannot have it too (and 1 more)",
      isSettled: false,
    },
    {
      name: "a plan that holds removals is not settled",
      over: { before: published(...five), outcome: generated() },
      message:
        "5 applications would be removed from their clusters at once, which waits for consent " +
        '(annotation wheelhouse.dev/allow-removals: "true"): a, b, c, d, e',
      isSettled: false,
    },
    {
      name: "a failure is not settled",
      over: { outcome: { kind: "failed", problem: problem("WH-GEN-3103", "no") } },
      message: "no",
      isSettled: false,
    },
  ];
  for (const { name, over, message, isSettled } of refusals) {
    test(name, () => {
      const made = plan(over);
      assert.deepEqual([made.problem?.message, made.isSettled], [message, isSettled]);
    });
  }

  test("a set's problem is an event when it comes and when it goes", () => {
    const failed: OriginOutcome = { kind: "failed", problem: problem("WH-GEN-3103", "no") };
    const came = plan({ outcome: failed });
    assert.deepEqual(
      came.events.map(({ kind }) => kind),
      ["set-problem"],
    );
    const stays = plan({ outcome: failed, problemBefore: came.problem });
    assert.deepEqual([stays.events, stays.problem?.sinceMs], [[], 1000]);
    const went = plan({ outcome: generated(), problemBefore: came.problem });
    assert.deepEqual(
      went.events.map(({ kind }) => kind),
      ["set-changed"],
    );
  });

  const someWish: fc.Arbitrary<Wish> = fc.record({
    name: fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h"),
    cluster: fc.constantFrom("one", "two", "three", "nowhere"),
    content: fc.constantFrom("x", "y", "z"),
    objects: fc.constantFrom(0, 1, 2),
    broken: fc.boolean(),
  });
  const someOutcome: fc.Arbitrary<OriginOutcome> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .uniqueArray(someWish, { selector: ({ name }) => name })
        .map((wishes) => generated(...wishes)),
    },
    {
      weight: 1,
      arbitrary: fc.constant<OriginOutcome>({ kind: "failed", problem: problem("X", "y") }),
    },
    { weight: 1, arbitrary: fc.constant<OriginOutcome>({ kind: "removed" }) },
  );

  test("planning again changes nothing, and generations only grow, whatever happens", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(someOutcome, fc.boolean()), { maxLength: 8 }), (story) => {
        let before: readonly PublishedApplication[] = [];
        let newest: ReadonlyMap<string, NumberedIn> = new Map();
        for (const [step, [next, consent]] of story.entries()) {
          const over = { outcome: next, consent, nowMs: step };
          const made = plan({ before, ...over });
          const known = new Map(newest);
          for (const one of numbered(made.changes)) {
            const key = `${one.cluster} ${one.name}`;
            const last = known.get(key)?.generation ?? 0;
            assert.ok(one.generation > last, `${key} ${one.generation}`);
            known.set(key, one);
          }
          const after = carriedOut(before, made.changes);
          // What an application had before it went is for the store to remember.
          const present = new Set(after.map(({ draft }) => draft.name));
          newest = new Map([...known].filter(([, { name }]) => present.has(name)));
          const again = plan({ before: after, ...over, problemBefore: made.problem });
          assert.deepEqual([again.changes, again.events], [[], []]);
          if (next.kind === "failed") assert.deepEqual(after, before);
          before = after;
        }
      }),
      { numRuns: 500 },
    );
  });

  test("whoever stops between two clusters and plans again comes to the same end", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(someOutcome, fc.boolean()), { maxLength: 5 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
        (story, stops) => {
          let before: readonly PublishedApplication[] = [];
          for (const [outcome, consent] of story) {
            const over = { outcome, consent };
            const whole = carriedOut(before, plan({ before, ...over }).changes);
            let after = before;
            for (const stop of stops) {
              const parts = partsOf(after, over);
              const done = parts.slice(0, stop % (parts.length + 1)).flat();
              after = carriedOut(after, done);
            }
            after = carriedOut(after, plan({ before: after, ...over }).changes);
            assert.deepEqual(byName(after), byName(whole));
            before = whole;
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test("what waits is known to wait before the set has grown", () => {
    const had = published(...names(30).map((name) => ({ name, cluster: "one" })));
    const grown = generated(...names(100).map((name) => ({ name: `new-${name}`, cluster: "two" })));
    const [first = []] = partsOf(had, { outcome: grown });
    assert.equal(first.length, 30);
    const again = plan({ before: carriedOut(had, first), outcome: grown });
    assert.equal(again.held.length, 30);
    assert.ok(!again.changes.some(({ kind }) => kind === "remove"));
  });

  test("an application is offered in one cluster at a time, or leaves the other by tombstone", () => {
    fc.assert(
      fc.property(fc.array(someOutcome, { maxLength: 6 }), (story) => {
        const offered = new Map<string, Set<ClusterId>>();
        let before: readonly PublishedApplication[] = [];
        for (const next of story) {
          const made = plan({ before, outcome: next, consent: true });
          for (const change of made.changes) {
            const name = change.kind === "remove" ? change.name : change.record.name;
            const places = offered.get(name) ?? new Set();
            const tombstone = change.kind === "remove" ? change.tombstone : change.leaves;
            if (tombstone !== undefined) places.delete(tombstone.cluster);
            if (change.kind === "write" && change.desired !== undefined)
              places.add(change.desired.cluster);
            offered.set(name, places);
            assert.ok(places.size <= 1, name);
          }
          before = carriedOut(before, made.changes);
        }
      }),
      { numRuns: 300 },
    );
  });
});

type NumberedIn = {
  readonly cluster: ClusterId;
  readonly name: ApplicationName;
  readonly generation: Generation;
};

function* numbered(changes: readonly ApplicationChange[]): Generator<NumberedIn> {
  for (const change of changes) {
    const tombstone = change.kind === "remove" ? change.tombstone : change.leaves;
    if (tombstone !== undefined)
      yield {
        cluster: tombstone.cluster,
        name: tombstone.application,
        generation: tombstone.generation,
      };
    if (change.kind === "write" && change.desired !== undefined)
      yield {
        cluster: change.desired.cluster,
        name: change.record.name,
        generation: change.desired.entry.generation,
      };
  }
}

suite("admit", () => {
  test("finds a cluster by its name or its server, with or without a slash at the end", () => {
    const byServer = application({
      name: "a",
      spec: { destination: { server: `${two.server}/` } },
    });
    assert.deepEqual(
      admit(byServer, clusters, new Map()),
      ok({ cluster: two, serviceAccount: undefined }),
    );
    assert.deepEqual(
      admit(application({ name: "a" }), clusters, new Map()),
      ok({ cluster: one, serviceAccount: undefined }),
    );
  });

  test("says with whose rights, when the project does", () => {
    const team = projectOf([{ server: one.server, namespace: "ns", account: "deployer" }]);
    const wish = application({ name: "a", spec: { project: "team" } });
    assert.deepEqual(
      admit(wish, clusters, team),
      ok({ cluster: one, serviceAccount: "ns:deployer" }),
    );
    const elsewhere = application({ name: "b", cluster: "two", spec: { project: "team" } });
    const refused = admit(elsewhere, clusters, team);
    assert.ok(!refused.ok);
    assert.equal(refused.problem.code, "WH-DST-3514");
  });

  test("asks the project", () => {
    const closed = parseAppProject({ metadata: { name: "team" }, spec: {} });
    assert.ok(closed.ok);
    const made = admit(
      application({ name: "a", spec: { project: "team" } }),
      clusters,
      new Map([["team", closed.value]]),
    );
    assert.ok(!made.ok);
    assert.equal(made.problem.code, "WH-DST-3512");
  });
});

/** A project `team` that allows everything, with whose rights its applications are looked after. */
function projectOf(
  items: readonly {
    readonly server: string;
    readonly namespace: string;
    readonly account: string;
  }[],
) {
  const read = parseAppProject({
    metadata: { name: "team" },
    spec: {
      sourceRepos: ["*"],
      destinations: [{ name: "*", server: "*", namespace: "*" }],
      destinationServiceAccounts: items.map(({ server, namespace, account }) => ({
        server,
        namespace,
        defaultServiceAccount: account,
      })),
    },
  });
  assert.ok(read.ok);
  return new Map([["team", read.value]]);
}

suite("whose rights an application is looked after with", () => {
  const wish: Wish = { name: "a", spec: { project: "team" } };
  const everywhere = (account: string) => projectOf([{ server: "*", namespace: "*", account }]);
  const first = plan({ outcome: generated(wish), projects: everywhere("deployer") });
  const before = carriedOut([], first.changes);
  const offeredIn = ({ changes }: WholePlan) =>
    changes.flatMap((change) =>
      change.kind === "write" && change.desired !== undefined
        ? [[change.desired.entry.generation, change.desired.entry.serviceAccount]]
        : [],
    );

  test("is offered with it", () => assert.deepEqual(offeredIn(first), [[1, "ns:deployer"]]));

  test("that stays as it was offers nothing", () => {
    const again = plan({ outcome: generated(wish), projects: everywhere("deployer"), before });
    assert.deepEqual(again.changes, []);
  });

  test("that changes is a new generation", () => {
    const next = plan({ outcome: generated(wish), projects: everywhere("other"), before });
    assert.deepEqual(offeredIn(next), [[2, "ns:other"]]);
  });

  test("that the project leaves to the spoke is one too", () => {
    const open = parseAppProject({
      metadata: { name: "team" },
      spec: { sourceRepos: ["*"], destinations: [{ name: "*", server: "*", namespace: "*" }] },
    });
    assert.ok(open.ok);
    const next = plan({
      outcome: generated(wish),
      projects: new Map([["team", open.value]]),
      before,
    });
    assert.deepEqual(offeredIn(next), [[2, undefined]]);
  });

  test("that is nobody's any more keeps what is offered, beside the problem", () => {
    const next = plan({ outcome: generated(wish), projects: projectOf([]), before });
    assert.deepEqual(told(next), ["a: kept WH-DST-3514"]);
  });
  suite("what fails beside it, and what may go", () => {
    const flaw = (application: string | undefined, kind: Flaw["kind"] = "generation"): Flaw => ({
      kind,
      application: application as ApplicationName | undefined,
      problem: problem("WH-TPL-3202", "no such key"),
    });
    const beside = (flaws: readonly Flaw[], ...wishes: readonly Wish[]): OriginOutcome => ({
      ...generated(...wishes),
      kind: "generated",
      applications: wishes.map(outcome),
      flaws,
    });
    const had = published({ name: "a" }, { name: "b" }, { name: "c" });

    test("any number of elements that fail keep nobody else back", () => {
      const flaws = Array.from({ length: 200_000 }, (_, index) => flaw(`x-${index}`));
      const made = plan({ before: had, outcome: beside(flaws, { name: "a", content: "new" }) });
      assert.deepEqual(told(made), ["a: one 2 commit-of-new"]);
      assert.equal(made.problem?.message, "no such key (and 199999 more)");
    });

    test("an element that fails keeps its application, and nothing else is removed", () => {
      const made = plan({
        before: had,
        outcome: beside([flaw("b")], { name: "a", content: "new" }),
      });
      assert.deepEqual(told(made), ["b: kept WH-TPL-3202", "a: one 2 commit-of-new"]);
      assert.equal(made.problem?.message, "no such key");
    });

    test("a name that two elements give stays, and what is really gone goes", () => {
      const made = plan({ before: had, outcome: beside([flaw("b", "validation")], { name: "a" }) });
      assert.deepEqual(told(made), ["b: kept WH-TPL-3202", "remove c@one 2 no-longer-generated"]);
    });

    const keepsBecause = "its policy says so";

    test("a set that may not delete keeps what it no longer generates", () => {
      const made = plan({ before: had, outcome: generated({ name: "a" }), keepsBecause });
      assert.deepEqual(told(made), []);
      assert.equal(made.problem, undefined);
    });

    test("a set that may not delete keeps its row and its applications when it is gone", () => {
      const made = plan({ before: had, outcome: { kind: "removed" }, keepsBecause });
      assert.deepEqual([told(made), made.isRowNeeded], [[], true]);
      assert.equal(made.problem?.code, "WH-GEN-3115");
      assert.equal(
        made.problem?.message,
        "ApplicationSet web is gone from Git; its 3 applications stay, because its policy says so",
      );
    });
  });

  suite("a rollout", () => {
    const strategy: RolloutStrategy = {
      steps: ["canary", "prod"].map((tier) => ({
        expressions: [{ key: "tier", operator: "In", values: [tier] }],
        maxUpdate: { kind: "all" },
      })),
      deletesInReverse: true,
    };
    const tiered = (content: string, ...broken: readonly string[]): OriginOutcome => ({
      kind: "generated",
      flaws: [],
      applications: ["canary", "prod-1", "prod-2"].map((name) => {
        const labels = { tier: name.replace(/-.*/, "") };
        return outcome({ name, content, labels, broken: broken.includes(name) });
      }),
    });
    const states = (made: WholePlan): string => made.rollout.map(({ status }) => status).join(" ");
    const healthyAt = (generation: number): ApplicationStatus => ({
      syncStatus: "Synced",
      health: { state: "Healthy", message: "" },
      storedGeneration: generation,
      appliedGeneration: generation,
      healthyGeneration: generation,
      appliedRevision: "",
      operation: undefined,
      conditions: [],
      reportedAtMs: 1,
    });

    /** A hub and clusters that carry out what they are offered when told to. */
    class World {
      published: readonly PublishedApplication[] = [];
      statuses: WholePlan["rollout"] = [];
      reported = new Map<ApplicationName, ApplicationStatus>();
      leaving = new Set<ApplicationName>();

      pass(made: OriginOutcome): WholePlan {
        const { statuses, reported, leaving } = this;
        const next = plan({
          before: this.published,
          outcome: made,
          consent: true,
          rollout: { strategy, statuses, reported, leaving },
        });
        this.published = carriedOut(this.published, next.changes);
        this.statuses = next.rollout;
        return next;
      }

      report(...names: readonly string[]): void {
        for (const { draft, desired } of this.published)
          if (names.includes(draft.name) && desired !== undefined)
            this.reported.set(draft.name, healthyAt(desired.entry.generation));
      }
    }

    test("lets a change go step by step, as clusters become healthy", () => {
      const world = new World();
      assert.deepEqual(told(world.pass(tiered("a"))), [
        "canary: one 1 commit-of-a",
        "prod-1: kept",
        "prod-2: kept",
      ]);
      assert.deepEqual(told(world.pass(tiered("a"))), []);
      world.report("canary");
      assert.deepEqual(told(world.pass(tiered("a"))), [
        "prod-1: one 1 commit-of-a",
        "prod-2: one 1 commit-of-a",
      ]);
      world.report("prod-1", "prod-2");
      assert.equal(states(world.pass(tiered("a"))), "Healthy Healthy Healthy");
      const change = world.pass(tiered("b"));
      assert.deepEqual(
        [told(change), states(change)],
        [["canary: one 2 commit-of-b"], "Pending Waiting Waiting"],
      );
      assert.deepEqual(
        world.published.map(({ draft }) => draft.revision),
        ["commit-of-b", "commit-of-a", "commit-of-a"],
      );
    });

    test("is not hurried by a hub that stops after its first cluster", () => {
      const world = new World();
      const wanted = (namespace: string): OriginOutcome => ({
        kind: "generated",
        flaws: [],
        applications: ["canary", "prod-1", "prod-2"].map((name) => {
          const cluster = name === "canary" ? "one" : "two";
          const labels = { tier: name.replace(/-.*/, "") };
          return outcome({ name, labels, spec: { destination: { name: cluster, namespace } } });
        }),
      });
      for (let round = 0; round < 3; round += 1) {
        world.pass(wanted("before"));
        world.report("canary", "prod-1", "prod-2");
      }
      assert.equal(states(world.pass(wanted("before"))), "Healthy Healthy Healthy");
      const { published: had, statuses, reported, leaving } = world;
      const input: PlanInput = {
        ...base,
        before: had,
        outcome: wanted("after"),
        rollout: { strategy, statuses, reported, leaving },
      };
      const stopped = atOnce(planOrigin(input));
      const changes = [...stopped.steps].filter(({ cluster }) => cluster === one.id);
      world.published = carriedOut(
        had,
        changes.flatMap((step) => step.changes),
      );
      world.statuses = stopped.rollout;
      const next = world.pass(wanted("after"));
      assert.deepEqual(
        [told(next), states(next)],
        [["prod-1: kept", "prod-2: kept"], "Pending Waiting Waiting"],
      );
    });

    test("stops at an application that Git says nothing usable about", () => {
      const world = new World();
      for (let round = 0; round < 3; round += 1) {
        world.pass(tiered("a"));
        world.report("canary", "prod-1", "prod-2");
      }
      world.pass(tiered("a"));
      const made = world.pass(tiered("b", "canary"));
      assert.equal(states(made), "Pending Waiting Waiting");
      assert.deepEqual(
        world.pass(tiered("b", "canary")).rollout.map(({ sinceMs }) => sinceMs),
        made.rollout.map(({ sinceMs }) => sinceMs),
        "the same again is not written again",
      );
    });

    test("takes a removed set down from its last step, one after the other", () => {
      const world = new World();
      for (let round = 0; round < 3; round += 1) {
        world.pass(tiered("a"));
        world.report("canary", "prod-1", "prod-2");
      }
      const removed = (): readonly string[] => {
        const made = world.pass({ kind: "removed" });
        for (const change of made.changes)
          if (change.kind === "remove") world.leaving.add(change.name);
        return told(made);
      };
      assert.deepEqual(removed(), ["remove prod-1@one 2 set-removed"]);
      assert.deepEqual(removed(), [], "it is not gone from its cluster yet");
      world.leaving.clear();
      assert.deepEqual(removed(), ["remove prod-2@one 2 set-removed"]);
      world.leaving.clear();
      assert.deepEqual(removed(), ["remove canary@one 2 set-removed"]);
      assert.equal(world.pass({ kind: "removed" }).isRowNeeded, false);
    });
  });
});
