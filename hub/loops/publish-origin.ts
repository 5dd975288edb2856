import type { Digest } from "../../proto/words/digest.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import { parseApplicationSet, type ApplicationSet } from "../domain/application-set.ts";
import type { OriginOutcome } from "../domain/desired-set.ts";
import type {
  ApplicationSetRecord,
  FleetEventDraft,
  Origin,
  PublishedApplication,
} from "../domain/records.ts";
import { annotationConsents } from "../domain/shrink-guard.ts";

/** All that publishing writes of a set. */
export type SetRow = Omit<ApplicationSetRecord, "applications">;

/** The names an outcome asks for. */
export const wantedNames = (outcome: OriginOutcome): readonly ApplicationName[] =>
  outcome.kind === "generated"
    ? outcome.applications.map(({ application }) => application.name)
    : [];

/** Bundles that are offered already, so that the store surely has them. */
export const bundlesOf = (before: readonly PublishedApplication[]): ReadonlySet<Digest> =>
  new Set(before.flatMap(({ desired }) => (desired === undefined ? [] : [desired.entry.bundle])));

/** Whether the author agreed to any number of removals; of what is gone, its last words count. */
export function consents(
  origin: Origin,
  set: ApplicationSet | undefined,
  before: readonly PublishedApplication[],
  row: ApplicationSetRecord | undefined,
): boolean {
  if (set !== undefined) return annotationConsents(set.annotations);
  if (origin.kind === "application")
    return before.some(({ draft }) => annotationConsents(draft.annotations));
  if (row === undefined) return false;
  const last = parseApplicationSet(JSON.parse(row.document));
  return last.ok && annotationConsents(last.value.annotations);
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
