import { canonicalJson } from "../../proto/words/digest.ts";
import type { ApplicationSet } from "../domain/application-set.ts";
import type { OriginOutcome, OriginPlan } from "../domain/plan/input.ts";
import type { Origin } from "../domain/origin.ts";
import type { ApplicationSetRecord, FleetEventDraft } from "../domain/records.ts";

/** All that publishing writes of a set. */
export type SetRow = Omit<ApplicationSetRecord, "applications">;

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
