import { ok, type Result } from "../../proto/kit/result.ts";
import { parseApplicationSet, type ApplicationSet } from "../domain/application-set.ts";
import type { ProblemDraft } from "../domain/problem.ts";
import type { Origin } from "../domain/origin.ts";
import type { ApplicationSetRecord, PublishedApplication } from "../domain/records.ts";
import { allowsDelete } from "../domain/set-policy.ts";
import { annotationConsents } from "../domain/shrink-guard.ts";

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
