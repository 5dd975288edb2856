import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { suite } from "node:test";
import { assessHealth } from "../../../../spoke/domain/health/index.ts";
import { rollUpHealth } from "../../../../spoke/domain/health/roll-up.ts";
import type { KubeObject } from "../../../../spoke/domain/kube-object.ts";
import { liveFrom } from "../../../../spoke/domain/live.ts";
import type { HealthState } from "../../../../proto/words/health.ts";

const folder = join(import.meta.dirname, "../../../../../shared/conformance/health");
const isHere = existsSync(folder);
const skip =
  isHere || process.env["CI"] !== undefined
    ? false
    : `the conformance corpus is not beside the repository; put it at ${folder}`;

type Verdict = { readonly status: string; readonly message: string };

type Case = {
  readonly id: string;
  readonly kind: string;
  readonly object: KubeObject;
  readonly expected: Verdict | null;
};

type AggregateCase = {
  readonly id: string;
  readonly engine: string;
  readonly resources: readonly {
    /** In Argo CD's cases; Flux has words of its own. */
    readonly status: HealthState;
    readonly live: boolean;
    readonly annotations?: Record<string, string>;
    readonly group?: string;
    readonly kind?: string;
  }[];
  readonly expected: string;
};

/** Where we answer otherwise than Argo CD, what we say, and why. */
const onPurpose: ReadonlyMap<string, Verdict & { readonly because: string }> = new Map([
  [
    "argo-branch/deployment/replicafailure-not-consulted",
    {
      status: "Degraded",
      message: "quota",
      because:
        "a quota or admission refusal of the first pod is told at once, not after the deadline",
    },
  ],
  [
    "argo-branch/pod/init-container-backoff-not-consulted",
    {
      status: "Degraded",
      message: "init down",
      because: "an init container in back-off stops the pod just as any other",
    },
  ],
  [
    "argo-branch/job/failed-condition-status-ignored",
    {
      status: "Progressing",
      message: "",
      because: "a condition with status False says that it does not hold",
    },
  ],
  [
    "argo-branch/job/resumed-reports-healthy-while-running",
    { status: "Progressing", message: "", because: "a resumed job is running" },
  ],
  [
    "argo-lua/batch/CronJob/suspended",
    {
      status: "Suspended",
      message: "CronJob is Suspended",
      because: "our sync waves go on past what is suspended, so it need not be called healthy",
    },
  ],
  [
    "argo-lua/apiextensions.k8s.io/CustomResourceDefinition/crd-v1-terminating-timestamp-progressing",
    {
      status: "Progressing",
      message: "Pending deletion",
      because: "deletion is told in the same words for every kind",
    },
  ],
]);

/** Kinds of the Lua corpus that we assess ourselves so far; the rest waits for checks as data. */
const ownKinds = new Set(["CronJob", "PodDisruptionBudget", "CustomResourceDefinition"]);

// At this moment no state has lasted long enough to be called a failure by its age.
const longAgoMs = 0;

suite("health conformance", { skip }, () => {
  const names = ["argo-builtin", "argo-branch", "argo-lua"];
  for (const name of isHere ? names : []) {
    for (const one of casesOf(name)) {
      if (name === "argo-lua" && !ownKinds.has(one.kind)) continue;
      test(one.id, () => {
        // Fixtures of the corpus may lack metadata altogether; live objects never do.
        const object = { ...one.object, metadata: one.object.metadata ?? { name: "" } };
        const { status, message } = onPurpose.get(one.id) ?? one.expected ?? {};
        const expected = status === undefined ? undefined : { state: status, message };
        assert.deepEqual(verdict(object), expected, onPurpose.get(one.id)?.because);
        const trimmed = liveFrom(object).object;
        assert.deepEqual(
          verdict(trimmed),
          expected,
          "what we keep of an object is enough to judge it",
        );
      });
    }
  }

  test("every difference on purpose names a case that exists and really differs", () => {
    const known = new Map(names.flatMap(casesOf).map((one) => [one.id, one]));
    for (const [id, { status, message }] of onPurpose) {
      assert.ok(known.has(id), `${id} is not in the corpus`);
      assert.notDeepEqual(known.get(id)?.expected, { status, message }, id);
    }
  });

  for (const one of isHere ? aggregateCases() : []) {
    // Flux rolls up in its own words and order; ours is Argo CD's.
    if (one.engine !== "argo") continue;
    test(one.id, () => {
      const rolled = rollUpHealth(
        one.resources.map(({ status, live, annotations = {}, group = "", kind = "" }) => ({
          group,
          kind,
          annotations,
          health: status,
          isLive: live,
        })),
      );
      assert.equal(rolled, one.expected);
    });
  }
});

const verdict = (object: KubeObject): unknown => {
  const assessment = assessHealth(object, longAgoMs);
  return assessment === undefined
    ? undefined
    : { state: assessment.state, message: assessment.message };
};

function casesOf(name: string): readonly Case[] {
  return casesIn(name) as readonly Case[];
}

function aggregateCases(): readonly AggregateCase[] {
  return casesIn("aggregate") as readonly AggregateCase[];
}

function casesIn(name: string): readonly unknown[] {
  const file: unknown = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
  return (file as { readonly cases: readonly unknown[] }).cases;
}
