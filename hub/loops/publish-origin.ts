import { ok, type Result } from "../../proto/kit/result.ts";
import { canonicalJson, type Digest } from "../../proto/words/digest.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import { parseApplicationSet, type ApplicationSet } from "../domain/application-set.ts";
import type { OriginOutcome, OriginPlan, RolloutInput } from "../domain/plan/input.ts";
import type {
  ApplicationSetRecord,
  FleetEventDraft,
  Origin,
  PublishedApplication,
} from "../domain/records.ts";
import type { ProblemDraft } from "../domain/problem.ts";
import { rolloutChange, type RolloutChange } from "../domain/rollout/record.ts";
import { rolloutStates } from "../domain/rollout/rollout.ts";
import { allowsDelete } from "../domain/set-policy.ts";
import { annotationConsents } from "../domain/shrink-guard.ts";

/** All that publishing writes of a set. */
export type SetRow = Omit<ApplicationSetRecord, "applications">;

/** The names an outcome asks for, or would if it had not failed there. */
export const wantedNames = (outcome: OriginOutcome): readonly ApplicationName[] =>
  outcome.kind === "generated"
    ? [
        ...outcome.applications.map(({ application }) => application.name),
        ...outcome.flaws.flatMap(({ application }) =>
          application === undefined ? [] : [application],
        ),
      ]
    : [];

/** One text for each origin. */
export const originKey = (origin: Origin): string => `${origin.kind} ${origin.name}`;

/** Bundles that are offered already, so that the store surely has them. */
export const bundlesOf = (before: readonly PublishedApplication[]): ReadonlySet<Digest> =>
  new Set(before.flatMap(({ desired }) => (desired === undefined ? [] : [desired.entry.bundle])));

/** Whether the author agreed to any number of removals; `set` is what it says now, or said last. */
export function consents(
  origin: Origin,
  set: ApplicationSet | undefined,
  before: readonly PublishedApplication[],
): boolean {
  if (origin.kind === "application")
    return before.some(({ draft }) => annotationConsents(draft.annotations));
  return set !== undefined && annotationConsents(set.annotations);
}

/** What an origin says now, or said last: `undefined` when it is no set. */
export type Words = Result<ApplicationSet | undefined, ProblemDraft>;

/** A set as its row has it. Another release of the hub may have written what this one cannot read. */
export const lastWords = (row: ApplicationSetRecord | undefined): Words =>
  row === undefined ? ok(undefined) : parseApplicationSet(JSON.parse(row.document));

/**
 * Why what an origin made stays when it is not wanted any more, in words that follow "because"; `undefined`: it goes.
 * What cannot be read may have said so, and is no order to delete.
 */
export function keepsBecause(words: Words): string | undefined {
  if (!words.ok) return `this hub cannot read what it said last: ${words.problem.message}`;
  if (words.value === undefined || allowsDelete(words.value.policy.applicationsSync))
    return undefined;
  return "its syncPolicy.applicationsSync does not let it delete";
}

type Written = {
  readonly commit: string;
  readonly atMs: number;
  /** Whether any of its applications changes. */
  readonly changes: boolean;
};

/** What to write of an origin besides its applications. */
export function setRow(
  { origin, file }: { readonly origin: Origin; readonly file: string },
  { outcome, set }: { readonly outcome: OriginOutcome; readonly set: ApplicationSet | undefined },
  plan: OriginPlan,
  before: ApplicationSetRecord | undefined,
  { commit, atMs, changes }: Written,
): SetRow | "removed" | "unchanged" {
  if (origin.kind === "application") return "unchanged";
  if (outcome.kind === "removed" && !plan.isRowNeeded) return "removed";
  const row: SetRow = {
    name: origin.name,
    project: set?.project ?? before?.project ?? "",
    path: file === "" ? (before?.path ?? "") : file,
    commit,
    document: set === undefined ? (before?.document ?? "{}") : canonicalJson(set.document),
    generatedAtMs: outcome.kind === "generated" ? atMs : (before?.generatedAtMs ?? 0),
    problem: plan.problem,
    conditions: plan.conditions,
  };
  // Having been read again at another commit is not worth a write by itself.
  const same =
    before !== undefined &&
    !changes &&
    before.project === row.project &&
    before.path === row.path &&
    before.document === row.document &&
    JSON.stringify(before.conditions) === JSON.stringify(row.conditions) &&
    JSON.stringify(before.problem) === JSON.stringify(row.problem);
  return same ? "unchanged" : row;
}

/** How the record of an origin's rollout changes. What failed leaves it as it is. */
export function rolloutChangeOf(
  { outcome }: { readonly outcome: OriginOutcome },
  plan: OriginPlan,
  before: RolloutInput | undefined,
): RolloutChange {
  if (before !== undefined) return rolloutChange(before.statuses, plan.rollout);
  return outcome.kind === "failed" ? { kind: "unchanged" } : { kind: "cleared" };
}

/** What a rollout tells people as it goes on: one sentence, whatever it moves. */
export function rolloutEvents(origin: Origin, change: RolloutChange): readonly FleetEventDraft[] {
  if (change.kind !== "changed" || change.written.length === 0) return [];
  const counts = rolloutStates.flatMap((state) => {
    const count = change.written.filter(({ status }) => status === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  const message = `the rollout of ${origin.name} goes on: ${counts.join(", ")}`;
  return [{ kind: "set-changed", subject: origin.name, cluster: "", message }];
}

/** What a set's row tells people when it changes. */
export function setEvents(
  origin: Origin,
  set: SetRow | "removed" | "unchanged",
  before: ApplicationSetRecord | undefined,
): readonly FleetEventDraft[] {
  if (set === "unchanged" || origin.kind === "application") return [];
  const about = { kind: "set-changed", subject: origin.name, cluster: "" } as const;
  if (set === "removed")
    return [{ ...about, message: `applicationset ${origin.name} is gone from Git` }];
  if (before === undefined)
    return [{ ...about, message: `applicationset ${origin.name} was read from ${set.path}` }];
  if (before.document !== set.document)
    return [{ ...about, message: `applicationset ${origin.name} changed at ${set.commit}` }];
  return [];
}
