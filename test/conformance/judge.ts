import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../../hub/domain/document.ts";
import { field } from "../../hub/domain/document.ts";
import {
  compareError,
  failed,
  readCorpus,
  show,
  text,
  type ConformanceCase,
  type Runner,
  type Verdict,
} from "./case.ts";
import { listedCases, listedKinds } from "./exceptions.ts";
import { generationRunners } from "./generation.ts";
import { reconciliationRunners } from "./reconciliation.ts";
import { rolloutRunners } from "./rollout.ts";

const runners: ReadonlyMap<string, Runner> = new Map([
  ...generationRunners,
  ...reconciliationRunners,
  ...rolloutRunners,
]);

/** Runs one case and compares what it comes to with what is expected. */
export function judge(one: ConformanceCase, paramSets: JsonObject): Verdict {
  const runner = runners.get(one.kind);
  if (runner === undefined) return failed(`nothing here answers cases of kind ${one.kind}`);
  const outcome = runner(one, paramSets);
  if (!outcome.ok) return compareError(one, outcome.problem.message);
  if (field(one.expected, "error") !== undefined)
    return failed(`expected the error ${text(one.expected, "error")}, got ${show(outcome.value)}`);
  return outcome.value;
}

export type CategoryCount = { passed: number; listed: number; failed: number };

export type Judgement = {
  readonly categories: ReadonlyMap<string, CategoryCount>;
  readonly total: CategoryCount;
  readonly listed: readonly { readonly id: string; readonly because: string }[];
  readonly failures: readonly { readonly id: string; readonly difference: string }[];
  /** Cases that are listed and pass all the same, or are not there; kinds that are listed and answered. */
  readonly stale: readonly string[];
};

/** The folder of cases in a corpus; `undefined` when there is none. */
export const casesFolder = (corpus: string): string | undefined =>
  [join(corpus, "applicationset"), corpus].find(
    (folder) => existsSync(folder) && readdirSync(folder).some((file) => file.endsWith(".json")),
  );

/** A kind is listed as a whole only while nothing here answers it: then every case of it fails, whatever it says. */
const unansweredBecause = (kind: string): string | undefined =>
  runners.has(kind) ? undefined : listedKinds.get(kind);

const answeredKinds = (): readonly string[] =>
  [...listedKinds.keys()].filter((kind) => runners.has(kind));

/** Judges every case of a folder. A case that is on the list and does not pass is listed, not failed. */
export function judgeFolder(folder: string): Judgement {
  const categories = new Map<string, CategoryCount>();
  const total: CategoryCount = { passed: 0, listed: 0, failed: 0 };
  const listed: { id: string; because: string }[] = [];
  const failures: { id: string; difference: string }[] = [];
  const stale = new Set([...listedCases.keys(), ...answeredKinds()]);
  for (const name of readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .toSorted()) {
    const file = readCorpus(readFileSync(join(folder, name), "utf8"));
    for (const one of file.cases) {
      const count = categories.get(one.category) ?? { passed: 0, listed: 0, failed: 0 };
      categories.set(one.category, count);
      const verdict = judge(one, file.paramSets);
      const because = listedCases.get(one.id) ?? unansweredBecause(one.kind);
      const result = verdict.kind === "failed" && because !== undefined ? "listed" : verdict.kind;
      count[result] += 1;
      total[result] += 1;
      if (verdict.kind === "failed" && because === undefined)
        failures.push({ id: one.id, difference: verdict.difference });
      if (verdict.kind === "failed" && because !== undefined) {
        listed.push({ id: one.id, because });
        stale.delete(one.id);
      }
    }
  }
  return { categories, total, listed, failures, stale: [...stale] };
}
