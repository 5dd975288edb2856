import type { ApplicationName } from "../../../proto/words/ids.ts";
import type { ApplicationStatus } from "../records.ts";
import type { RolloutStatus } from "./rollout.ts";

/** What is on record of a set's rollout, and what it depends on. */
export type RolloutRecord = {
  /** By name. */
  readonly statuses: readonly RolloutStatus[];
  /** What clusters say of the set's applications. */
  readonly reported: ReadonlyMap<ApplicationName, ApplicationStatus>;
  /** Of the applications in `statuses`, those removed whose cluster has not carried it out yet. */
  readonly leaving: ReadonlySet<ApplicationName>;
};

/** How the record of a rollout changes. */
export type RolloutChange =
  | { readonly kind: "unchanged" }
  /** There is none any more. */
  | { readonly kind: "cleared" }
  | {
      readonly kind: "changed";
      readonly written: readonly RolloutStatus[];
      readonly dropped: readonly ApplicationName[];
    };

/** What turns one record into the other. A status that is the same object is the same status. */
export function rolloutChange(
  before: readonly RolloutStatus[],
  after: readonly RolloutStatus[],
): RolloutChange {
  const known = new Set(before);
  const present = new Set(after.map(({ application }) => application));
  const written = after.filter((status) => !known.has(status));
  const dropped = before.flatMap(({ application }) =>
    present.has(application) ? [] : [application],
  );
  return written.length === 0 && dropped.length === 0
    ? { kind: "unchanged" }
    : { kind: "changed", written, dropped };
}
