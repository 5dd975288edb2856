import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { digestOfText } from "../../../proto/words/digest.ts";
import { makeObjectKey, type ObjectKey } from "../../../proto/words/object-key.ts";
import type { KubeObject } from "../../../spoke/domain/kube-object.ts";
import { liveFrom, type LiveObject } from "../../../spoke/domain/live.ts";
import type { ObjectProblem } from "../../../spoke/domain/conditions.ts";
import type { Action, DesiredObject } from "../../../spoke/domain/plan.ts";
import { draftReport, type ReportInput } from "../../../spoke/domain/report.ts";
import { applicationName } from "../../support/spoke-bench.ts";

const keyOf = (kind: string, name: string, group = ""): ObjectKey =>
  makeObjectKey({ group, kind, namespace: "shop", name });

const wanted = (key: ObjectKey, more: Partial<DesiredObject> = {}): DesiredObject => ({
  key,
  version: "v1",
  blob: digestOfText(""),
  digest: "d",
  isServed: true,
  syncWave: 0,
  defines: undefined,
  images: [],
  mayVanish: false,
  ignoreHealth: false,
  adopt: "if-equal",
  ...more,
});

const nothing = (key: ObjectKey, more: Partial<DesiredObject> = {}): Action => ({
  kind: "nothing",
  desired: wanted(key, more),
});

const claim = keyOf("PersistentVolumeClaim", "data");
const lost: KubeObject = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "data", namespace: "shop" },
  status: { phase: "Lost" },
};
const bound: KubeObject = { ...lost, status: { phase: "Bound" } };

function draft(
  actions: readonly Action[],
  live: ReadonlyMap<ObjectKey, KubeObject> = new Map(),
  more: Partial<ReportInput> = {},
) {
  const found = new Map<ObjectKey, LiveObject>(
    [...live].map(([key, object]) => [key, liveFrom(object)]),
  );
  return draftReport({
    application: applicationName("shop"),
    storedGeneration: 3,
    appliedGeneration: 3,
    healthyGeneration: 2,
    appliedRevision: "commit-3",
    plan: { actions },
    live: (key) => found.get(key),
    findings: () => [],
    alsoDeclaredBy: () => [],
    whyUnreadable: () => undefined,
    isYoung: false,
    problems: new Map<ObjectKey, ObjectProblem>(),
    problem: undefined,
    operation: undefined,
    isRemoving: false,
    nowMs: 0,
    ...more,
  });
}

suite("draftReport", () => {
  test("is Synced and Healthy when all is, and raises the healthy generation", () => {
    const { report } = draft([nothing(claim)], new Map([[claim, bound]]));
    assert.deepEqual(report, {
      application: "shop",
      storedGeneration: 3,
      appliedGeneration: 3,
      healthyGeneration: 3,
      appliedRevision: "commit-3",
      syncStatus: "Synced",
      health: { state: "Healthy", message: "" },
      operation: undefined,
      conditions: [],
      resources: [
        {
          key: claim,
          version: "v1",
          syncStatus: "Synced",
          health: "Healthy",
          message: "",
          images: [],
          awaitsPrune: false,
        },
      ],
    });
  });

  test("an older generation's health is not the health of a newer one", () => {
    const { report } = draft([nothing(claim)], new Map([[claim, bound]]), { appliedGeneration: 2 });
    assert.equal(report.healthyGeneration, 2);
  });

  test("names the worst object and why", () => {
    const { report } = draft([nothing(claim)], new Map([[claim, lost]]));
    assert.deepEqual(report.health, {
      state: "Degraded",
      message: "PersistentVolumeClaim shop/data",
    });
    assert.equal(report.healthyGeneration, 2);
  });

  test("leaves out of the roll-up what asks for it, what is not wanted, and what is not there", () => {
    const extra = keyOf("PersistentVolumeClaim", "extra");
    const ignored = keyOf("PersistentVolumeClaim", "ignored");
    const gone = keyOf("PersistentVolumeClaim", "gone");
    const named = (name: string): KubeObject => ({
      ...lost,
      metadata: { name, namespace: "shop" },
    });
    const entry = { key: extra, version: "v1", uid: "u", applied: "d", fingerprint: "f" };
    const { report } = draft(
      [
        nothing(claim),
        nothing(ignored, { ignoreHealth: true }),
        { kind: "create", desired: wanted(gone), why: "drift" },
        { kind: "keep", entry, why: "prune-off" },
      ],
      new Map([
        [claim, bound],
        [ignored, named("ignored")],
        [extra, named("extra")],
      ]),
    );
    assert.equal(report.health.state, "Healthy");
    assert.equal(report.syncStatus, "OutOfSync");
    assert.deepEqual(
      report.resources.map(({ key, health, awaitsPrune }) => [key, health, awaitsPrune]),
      [
        [claim, "Healthy", false],
        [extra, "Degraded", true],
        [gone, "Missing", false],
        [ignored, "Degraded", false],
      ],
    );
  });

  test("is Missing when nothing is there, and Unknown when nothing can be read", () => {
    const create: Action = { kind: "create", desired: wanted(claim), why: "new" };
    assert.equal(draft([create]).report.health.state, "Missing");
    const { report } = draft([{ kind: "unread", desired: wanted(claim) }]);
    assert.deepEqual([report.syncStatus, report.health.state], ["Unknown", "Unknown"]);
  });

  test("a problem becomes the object's message and a condition with a code", () => {
    const { report } = draft([nothing(claim)], new Map([[claim, bound]]), {
      problems: new Map([[claim, { kind: "namespace-missing", namespace: "shop" }]]),
    });
    assert.equal(report.conditions[0]?.code, "WH-APP-1012");
    assert.match(
      report.conditions[0]?.message ?? "",
      /^PersistentVolumeClaim shop\/data: namespace "shop" does not exist/,
    );
  });

  test("what the API server says about a Secret is not repeated", () => {
    const secret = keyOf("Secret", "password");
    const { report } = draft([{ kind: "create", desired: wanted(secret), why: "new" }], new Map(), {
      problems: new Map([
        [secret, { kind: "rejected", reason: "Invalid", message: 'Invalid value: "hunter2"' }],
      ]),
    });
    assert.ok(!JSON.stringify(report).includes("hunter2"));
    assert.match(report.resources[0]?.message ?? "", /refused by the API server: Invalid/);
  });

  test("a bundle that cannot be read makes the sync status Unknown, whatever the objects say", () => {
    const { report } = draft([nothing(claim)], new Map([[claim, bound]]), {
      problem: { kind: "bundle-missing", blob: "abc" },
    });
    assert.deepEqual([report.syncStatus, report.conditions[0]?.code], ["Unknown", "WH-APP-1020"]);
  });

  test("many conditions are cut, and how many were is told", () => {
    const keys = Array.from({ length: 30 }, (_, index) => keyOf("ConfigMap", `n${index}`));
    const { report } = draft(
      keys.map((key) => nothing(key)),
      new Map(),
      {
        problems: new Map(keys.map((key) => [key, { kind: "duplicate" }])),
      },
    );
    assert.equal(report.conditions.length, 20);
    assert.match(report.conditions.at(-1)?.message ?? "", /\(and 10 more\)$/);
  });

  test("says when to look again at what may become a failure by its age", () => {
    const pod = keyOf("Pod", "web");
    const since = "2026-01-01T00:00:00Z";
    const pending: KubeObject = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace: "shop" },
      spec: { restartPolicy: "Always" },
      status: {
        phase: "Pending",
        conditions: [
          {
            type: "PodScheduled",
            status: "False",
            reason: "Unschedulable",
            message: "no node",
            lastTransitionTime: since,
          },
        ],
      },
    };
    const at = (nowMs: number) => draft([nothing(pod)], new Map([[pod, pending]]), { nowMs });
    const reviewAtMs = at(Date.parse(since)).reviewAtMs;
    assert.equal(reviewAtMs, Date.parse(since) + 60_000);
    assert.equal(at(Date.parse(since)).report.health.state, "Progressing");
    assert.deepEqual(at(reviewAtMs ?? 0).report.health, {
      state: "Degraded",
      message: "Pod shop/web: no node",
    });
  });
});
