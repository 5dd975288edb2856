import type { ObjectKey } from "../../proto/words/object-key.ts";
import { isFailure } from "./apply-problem.ts";
import { describeObjectProblem, objectName, type ObjectProblem } from "./conditions.ts";

/** How far a pass over an application came. */
export type Pass =
  | { readonly kind: "done"; readonly message: string }
  /** `againAtMs`: nothing in the cluster will tell when it is over. */
  | { readonly kind: "held-up"; readonly waitingFor: string; readonly againAtMs?: number }
  | { readonly kind: "removing"; readonly waitingFor: string }
  | { readonly kind: "failed"; readonly message: string }
  /** A newer generation is wanted, or the application is gone. */
  | { readonly kind: "superseded" }
  /** The bundle has to be read again: a kind that was missing is served now. */
  | { readonly kind: "stale" };

/** How a pass ends in which some of these objects failed: their number, and what the first one met. */
export function failureAmong(
  keys: readonly ObjectKey[],
  problems: ReadonlyMap<ObjectKey, ObjectProblem>,
): Extract<Pass, { readonly kind: "failed" }> | undefined {
  const failures = keys.filter((key) => isFailure(problems.get(key)));
  const [first] = failures;
  const problem = first === undefined ? undefined : problems.get(first);
  if (first === undefined || problem === undefined) return undefined;
  const sentence = `${objectName(first)}: ${describeObjectProblem(first, problem).message}`;
  const count = failures.length === 1 ? "" : `${failures.length} objects failed, the first: `;
  return { kind: "failed", message: `${count}${sentence}` };
}
