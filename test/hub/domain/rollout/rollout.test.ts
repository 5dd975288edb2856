import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import type { ApplicationName } from "../../../../proto/words/ids.ts";
import { FieldReader, type JsonObject } from "../../../../hub/domain/document.ts";
import type { Labels } from "../../../../hub/domain/records.ts";
import {
  readStrategy,
  updatesMost,
  type RolloutStrategy,
} from "../../../../hub/domain/rollout/strategy.ts";
import { issueSentence, rolloutSteps } from "../../../../hub/domain/rollout/steps.ts";
import {
  nextStatuses,
  openApplications,
  releaseWaiting,
  type RolloutState,
  type RolloutStatus,
  type RolloutView,
} from "../../../../hub/domain/rollout/rollout.ts";

const name = (text: string): ApplicationName => text as ApplicationName;

const view = (over: Partial<RolloutView>): RolloutView => ({
  application: name("web"),
  targetRevisions: ["c1"],
  specDiffers: false,
  isSynced: true,
  isHealthy: true,
  isStuck: false,
  operation: undefined,
  seenAtMs: 2_000,
  ...over,
});

const status = (state: RolloutState, over: Partial<RolloutStatus> = {}): RolloutStatus => ({
  application: name("web"),
  status: state,
  step: 1,
  message: "",
  targetRevisions: ["c1"],
  sinceMs: 1_000,
  ...over,
});

const strategy = (spec: JsonObject): RolloutStrategy | undefined =>
  readStrategy(new FieldReader({ strategy: spec }, "spec"));

const rolling = (...maxUpdates: readonly (number | string | null)[]): RolloutStrategy => {
  const steps = maxUpdates.map((maxUpdate) => ({ maxUpdate }));
  const read = strategy({ type: "RollingSync", rollingSync: { steps } });
  assert.ok(read);
  return read;
};

suite("the state of one application in a rollout", () => {
  const started = { phase: "Succeeded", startedAtMs: 1_500 } as const;
  const rows: readonly {
    readonly title: string;
    readonly before?: RolloutStatus;
    readonly seen: Partial<RolloutView>;
    readonly after: RolloutState;
    readonly message?: RegExp;
  }[] = [
    { title: "what is new and runs is Healthy", seen: {}, after: "Healthy" },
    { title: "what is new and not there waits", seen: { isSynced: false }, after: "Waiting" },
    {
      title: "a change waits, however healthy the application is",
      before: status("Healthy"),
      seen: { specDiffers: true, isSynced: false },
      after: "Waiting",
    },
    {
      title: "a change of what is synced all the same is there already",
      before: status("Healthy"),
      seen: { specDiffers: true, isHealthy: false },
      after: "Progressing",
    },
    {
      title: "a new revision that is there already is Healthy",
      before: status("Healthy"),
      seen: { targetRevisions: ["c2"] },
      after: "Healthy",
    },
    {
      title: "pending goes on when its sync began",
      before: status("Pending"),
      seen: { operation: started, isSynced: false },
      after: "Progressing",
    },
    {
      title: "a sync from before the release says nothing",
      before: status("Pending"),
      seen: { operation: { ...started, startedAtMs: 500 } },
      after: "Pending",
    },
    {
      title: "a sync that nobody looked at since says nothing",
      before: status("Pending"),
      seen: { operation: started, seenAtMs: 900 },
      after: "Pending",
    },
    {
      title: "what cannot be carried out is under way and stays there",
      before: status("Pending"),
      seen: { isStuck: true, isHealthy: false },
      after: "Progressing",
    },
    {
      title: "a sync tells more than an error does",
      before: status("Pending"),
      seen: { isStuck: true, operation: { phase: "Running", startedAtMs: 1_500 } },
      after: "Progressing",
      message: /became Progressing/,
    },
    {
      title: "an error that nobody looked at since says nothing",
      before: status("Pending"),
      seen: { isStuck: true, seenAtMs: 900 },
      after: "Pending",
    },
    {
      title: "what was never looked at is taken as it is",
      before: status("Pending"),
      seen: { operation: started, seenAtMs: undefined },
      after: "Progressing",
    },
    {
      title: "nothing is seen since a time that nobody wrote down",
      before: status("Pending", { sinceMs: undefined }),
      seen: { operation: started },
      after: "Pending",
    },
    {
      title: "progressing ends with health",
      before: status("Progressing"),
      seen: {},
      after: "Healthy",
    },
    {
      title: "progressing waits for health",
      before: status("Progressing"),
      seen: { isHealthy: false },
      after: "Progressing",
    },
    {
      title: "losing health later does not begin anew",
      before: status("Healthy"),
      seen: { isHealthy: false },
      after: "Healthy",
    },
  ];
  for (const { title, before, seen, after, message } of rows)
    test(title, () => {
      const [made] = nextStatuses(
        before ? [before] : [],
        [view(seen)],
        new Map([["web", 0]]),
        3_000,
      );
      assert.equal(made?.status, after);
      if (message !== undefined) assert.match(made?.message ?? "", message);
    });

  test("an application that is gone has no status, one of no step has -1", () =>
    assert.deepEqual(
      nextStatuses([status("Healthy", { application: name("old") })], [view({})], new Map(), 1).map(
        ({ application, step }) => [application, step],
      ),
      [["web", -1]],
    ));
});

suite("the steps of a rollout", () => {
  const waiting = ["a", "b", "c", "d"].map((one) => status("Waiting", { application: name(one) }));
  const stepOf = new Map(waiting.map(({ application }) => [application, 0]));
  const released = (made: readonly RolloutStatus[]): string =>
    made
      .flatMap(({ application, status: state }) => (state === "Pending" ? [application] : []))
      .join("");

  for (const [maxUpdate, wanted] of [
    [null, "abcd"],
    [2, "ab"],
    [0, ""],
    ["50%", "ab"],
    ["1%", "a"],
    ["0%", ""],
    ["00%", "a"],
    ["-50%", "a"],
    ["+50%", "ab"],
    ["some", "a"],
  ] as const)
    test(`maxUpdate ${maxUpdate} lets ${wanted === "" ? "nobody" : wanted} go`, () => {
      const open = new Set(stepOf.keys());
      assert.equal(released(releaseWaiting(rolling(maxUpdate), waiting, open, stepOf, 5)), wanted);
    });

  test("what is under way takes the room of what waits", () => {
    const statuses = [status("Progressing", { application: name("a") }), ...waiting.slice(1)];
    const open = new Set(stepOf.keys());
    assert.equal(released(releaseWaiting(rolling(2), statuses, open, stepOf, 5)), "b");
  });

  test("a step opens when all of the step before are there and Healthy", () => {
    const healthy = (...names: readonly string[]) =>
      names.map((one) => status("Healthy", { application: name(one) }));
    const open = (statuses: readonly RolloutStatus[], present: readonly string[]) =>
      [...openApplications([["a", "b"], [], ["c"]], statuses, new Set(present))].join("");
    assert.equal(open([], ["a", "b", "c"]), "ab");
    assert.equal(open(healthy("a"), ["a", "b", "c"]), "ab");
    assert.equal(open(healthy("a", "b"), ["a", "c"]), "ab");
    assert.equal(open(healthy("a", "b"), ["a", "b", "c"]), "abc");
  });

  test("labels choose the step, and what is odd is told", () => {
    const read = strategy({
      type: "RollingSync",
      deletionOrder: "reverse",
      rollingSync: {
        steps: [
          { matchExpressions: [{ key: "env", operator: "In", values: ["dev"] }] },
          { matchExpressions: [{ key: "env", operator: "NotIn", values: ["prod"] }] },
          { matchExpressions: [{ key: "env", operator: "Exists", values: [] }] },
        ],
      },
    });
    assert.ok(read?.deletesInReverse);
    const {
      steps,
      stepOf: found,
      issues,
    } = rolloutSteps(read, [
      { name: "a", labels: { env: "dev" } },
      { name: "b", labels: {} },
      { name: "c", labels: { env: "prod" } },
    ]);
    assert.deepEqual(steps, [["a"], ["a", "b"], ["b"]]);
    assert.deepEqual(
      [...found],
      [
        ["a", 0],
        ["b", 1],
      ],
    );
    assert.equal(
      issueSentence(issues),
      "Step 3 has invalid matchExpression operators: Exists. Supported Operators are 'In' and 'NotIn'",
    );
    assert.equal(
      issueSentence({ ...issues, invalidExpressions: [] }),
      "Applications 'a', 'b' are selected by multiple steps: [(1-2), (2-3)]",
    );
  });

  test("an operator nobody knows is told once a step, and only when it kept an application out", () => {
    const step = (...expressions: readonly (readonly [key: string, operator: string])[]) => ({
      matchExpressions: expressions.map(([key, operator]) => ({ key, operator, values: ["x"] })),
    });
    const read = strategy({
      type: "RollingSync",
      rollingSync: {
        steps: [
          step(["env", "Exists"], ["tier", "Gt"]),
          step(["env", "In"], ["env", "Lt"]),
          step(["zone", "Lt"]),
          step(["tier", "Gt"], ["env", "Exists"]),
        ],
      },
    });
    const labelled = (one: string, labels: Labels) => ({ name: one, labels });
    const { steps, issues } = rolloutSteps(read, [
      labelled("a", { env: "dev" }),
      labelled("b", { env: "dev", tier: "1" }),
      labelled("c", { tier: "1" }),
    ]);
    assert.deepEqual(steps, [[], [], ["a", "b", "c"], []]);
    assert.deepEqual(issues.invalidExpressions, [
      { step: 0, operator: "Exists" },
      { step: 3, operator: "Exists" },
      { step: 3, operator: "Gt" },
      { step: 0, operator: "Gt" },
    ]);
  });

  test("a strategy of another type, or without steps, is none", () => {
    assert.equal(strategy({ type: "AllAtOnce", rollingSync: {} }), undefined);
    assert.equal(strategy({ type: "RollingSync" }), undefined);
    assert.equal(
      strategy({ type: "RollingSync", rollingSync: {}, deletionOrder: "Reverse" })
        ?.deletesInReverse,
      false,
    );
  });

  test("never more under way than the limit, unless they were before", () => {
    const states = fc.constantFrom<RolloutState>("Waiting", "Pending", "Progressing", "Healthy");
    const law = fc.property(fc.array(states, { maxLength: 12 }), fc.nat(8), (some, most) => {
      const statuses = some.map((state, at) => status(state, { application: name(`a${at}`) }));
      const steps = new Map(statuses.map(({ application }) => [application, 0]));
      const count = (list: readonly RolloutStatus[]): number =>
        list.filter(({ status: state }) => state === "Pending" || state === "Progressing").length;
      const made = releaseWaiting(rolling(most), statuses, new Set(steps.keys()), steps, 1);
      assert.ok(count(made) <= Math.max(count(statuses), most));
      assert.ok(
        count(made) >= Math.min(updatesMost({ kind: "count", count: most }, 0), count(statuses)),
      );
    });
    fc.assert(law, { numRuns: 300 });
  });
});
