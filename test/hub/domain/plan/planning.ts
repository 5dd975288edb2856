import assert from "node:assert/strict";
import { fail, ok } from "../../../../proto/kit/result.ts";
import { digestOfText } from "../../../../proto/words/digest.ts";
import type { ClusterId } from "../../../../proto/words/ids.ts";
import type { Application } from "../../../../hub/domain/application.ts";
import { planOrigin } from "../../../../hub/domain/plan/plan-origin.ts";
import { atOnce } from "../../../../hub/domain/sliced.ts";
import type {
  ApplicationOutcome,
  OriginOutcome,
  OriginPlan,
  PlanInput,
} from "../../../../hub/domain/plan/input.ts";
import { problem } from "../../../../hub/domain/problem.ts";
import type { ApplicationChange, PublishedApplication } from "../../../../hub/domain/records.ts";
import { defaultShrinkLimits } from "../../../../hub/domain/shrink-guard.ts";
import { clusterFact, parseApplication } from "../builders.ts";

/** Plans of an origin over three clusters, and the obvious store that carries them out. */

export const clusters = ["one", "two", "three"].map((name) => clusterFact(name, {}));
const [first, second] = clusters;
assert.ok(first && second);
export const one = first;
export const two = second;

export type Wish = {
  readonly name: string;
  readonly cluster?: string;
  /** Stands for what it is rendered to. */
  readonly content?: string;
  readonly objects?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly keeps?: boolean;
  readonly broken?: boolean;
};

export function application({ name, cluster, labels, spec, keeps }: Wish): Application {
  const read = parseApplication({
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: {
      name,
      ...(labels === undefined ? {} : { labels }),
      finalizers: keeps === true ? [] : ["resources-finalizer.argocd.argoproj.io"],
    },
    spec: {
      source: { repoURL: "https://git.example.com/r.git", path: name },
      destination: { name: cluster ?? "one", namespace: "ns" },
      syncPolicy: { automated: {} },
      ...spec,
    },
  });
  assert.ok(read.ok);
  return read.value;
}

export const outcome = (wish: Wish): ApplicationOutcome => ({
  application: application(wish),
  rendered:
    wish.broken === true
      ? fail(problem("WH-RND-3402", "a.yaml: kind is missing"))
      : ok({
          revision: `commit-of-${wish.content ?? "a"}`,
          bundle: digestOfText(wish.content ?? "a"),
          objects: wish.objects ?? 1,
        }),
});

export const generated = (...wishes: readonly Wish[]): OriginOutcome => ({
  kind: "generated",
  applications: wishes.map(outcome),
  flaws: [],
});

export const base: PlanInput = {
  origin: { kind: "application-set", name: "web" },
  outcome: { kind: "removed" },
  before: [],
  problemBefore: undefined,
  conditionsBefore: [],
  clusters,
  projects: new Map(),
  owners: new Map(),
  leftBehind: [],
  consent: false,
  shrink: defaultShrinkLimits,
  keepsBecause: undefined,
  rollout: undefined,
  actor: "c0ffee",
  trace: "00-11111111111111111111111111111111-2222222222222222-01",
  nowMs: 1000,
};

export type WholePlan = Omit<OriginPlan, "steps"> & {
  readonly changes: readonly ApplicationChange[];
};

/** The plan with its steps taken; its events are those of the steps and of the origin. */
export function plan(over: Partial<PlanInput>): WholePlan {
  const { steps, ...rest } = atOnce(planOrigin({ ...base, ...over }));
  const taken = [...steps];
  return {
    ...rest,
    changes: taken.flatMap(({ changes }) => changes),
    events: [...taken.flatMap(({ events }) => events), ...rest.events],
  };
}

/** The obvious store: what is published after the changes. */
export function carriedOut(
  before: readonly PublishedApplication[],
  changes: readonly ApplicationChange[],
): readonly PublishedApplication[] {
  const after = new Map(before.map((published) => [published.draft.name, published]));
  for (const change of changes) {
    if (change.kind === "remove") after.delete(change.name);
    else
      after.set(change.record.name, {
        draft: change.record,
        desired: change.desired ?? after.get(change.record.name)?.desired,
      });
  }
  return [...after.values()];
}

export const published = (...wishes: readonly Wish[]): readonly PublishedApplication[] =>
  carriedOut([], plan({ outcome: generated(...wishes) }).changes);

/** A plan in a line a change. */
export const told = (made: WholePlan): readonly string[] =>
  made.changes.map((change) => {
    if (change.kind === "remove") {
      const { tombstone } = change;
      return tombstone === undefined
        ? `forget ${change.name}`
        : `remove ${change.name}@${nameOf(tombstone.cluster)} ${tombstone.generation} ${tombstone.cause}${tombstone.keepObjects ? " keep" : ""}`;
    }
    const offered =
      change.desired === undefined
        ? "kept"
        : `${nameOf(change.desired.cluster)} ${change.desired.entry.generation} ${change.desired.entry.revision}`;
    const leaves =
      change.leaves === undefined
        ? ""
        : ` leaves ${nameOf(change.leaves.cluster)} ${change.leaves.generation}`;
    return `${change.record.name}: ${offered}${leaves}${change.record.problem === undefined ? "" : ` ${change.record.problem.code}`}`;
  });

/** The changes of a plan in parts that go together: those of each cluster. */
export function partsOf(
  before: readonly PublishedApplication[],
  over: Partial<PlanInput>,
): readonly (readonly ApplicationChange[])[] {
  const parts: {
    readonly cluster: ClusterId | undefined;
    readonly changes: ApplicationChange[];
  }[] = [];
  for (const { cluster, changes } of atOnce(planOrigin({ ...base, before, ...over })).steps) {
    const last = parts.at(-1);
    if (last !== undefined && last.cluster === cluster) last.changes.push(...changes);
    else parts.push({ cluster, changes: [...changes] });
  }
  const clustersMet = parts.map(({ cluster }) => cluster);
  assert.equal(
    new Set(clustersMet).size,
    clustersMet.length,
    "what a cluster is offered is together",
  );
  return parts.map(({ changes }) => changes);
}

export const byName = (all: readonly PublishedApplication[]): readonly PublishedApplication[] =>
  all.toSorted((a, b) => (a.draft.name < b.draft.name ? -1 : 1));

export const names = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `a${index}`);

const nameOf = (id: ClusterId): string => clusters.find((cluster) => cluster.id === id)?.name ?? id;
