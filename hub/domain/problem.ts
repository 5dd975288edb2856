import type { Problem } from "./records.ts";

/** A problem before it has a history: `sinceMs` is known only beside what was there before. */
export type ProblemDraft = { readonly code: string; readonly message: string };

export const problem = (code: string, message: string): ProblemDraft => ({ code, message });

/** Gives a problem its beginning. The same code and message as before keeps the old beginning. */
export function problemSince(
  draft: ProblemDraft | undefined,
  before: Problem | undefined,
  nowMs: number,
): Problem | undefined {
  if (draft === undefined) return undefined;
  const same = before?.code === draft.code && before.message === draft.message;
  return { code: draft.code, message: draft.message, sinceMs: same ? before.sinceMs : nowMs };
}

/** Codes of the problems made in this room. `docs/troubleshooting.md` has a heading for each. */
export const codes = {
  badApplicationSet: "WH-GEN-3101",
  unsupportedGenerator: "WH-GEN-3102",
  generatorFailed: "WH-GEN-3103",
  repositoryUnknown: "WH-GEN-3104",
  duplicateName: "WH-GEN-3105",
  nameTaken: "WH-GEN-3106",
  badGeneratedApplication: "WH-GEN-3107",
  badApplication: "WH-GEN-3108",
  badProject: "WH-GEN-3109",
  removalsHeld: "WH-GEN-3110",
  definedTwice: "WH-GEN-3111",
  badFleetDocument: "WH-GEN-3112",
  unsupportedField: "WH-GEN-3113",
  sourceNotConnected: "WH-GEN-3114",
  keptThoughGone: "WH-GEN-3115",
  tooManyElements: "WH-GEN-3116",
  badTemplate: "WH-TPL-3201",
  templateFailed: "WH-TPL-3202",
  templateLimit: "WH-TPL-3203",
  badTemplatePatch: "WH-TPL-3205",
  unsupportedSource: "WH-RND-3401",
  badManifest: "WH-RND-3402",
  duplicateObject: "WH-RND-3403",
  hookUnsupported: "WH-RND-3404",
  objectTooLarge: "WH-RND-3405",
  wouldBecomeEmpty: "WH-RND-3406",
  badSource: "WH-RND-3407",
  unknownCluster: "WH-DST-3501",
  badDestination: "WH-DST-3502",
  unknownProject: "WH-DST-3511",
  sourceNotPermitted: "WH-DST-3512",
  destinationNotPermitted: "WH-DST-3513",
  noServiceAccount: "WH-DST-3514",
} as const;
