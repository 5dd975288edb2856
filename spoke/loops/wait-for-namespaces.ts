import { isFailure } from "../domain/apply-problem.ts";
import { objectName } from "../domain/conditions.ts";
import type { Pass } from "../domain/pass.ts";
import type { DesiredObject } from "../domain/plan.ts";
import {
  findDoomed,
  namespaceIn,
  namespaceKey,
  type DoomedNamespaces,
} from "./doomed-namespaces.ts";
import { discoveryLagMs, type OngoingPass } from "./ongoing-pass.ts";

/**
 * Nothing can be made in a namespace that is being deleted, and trying again and again would not hasten it.
 *
 * `before` are those that were known when the sync wave began. `undefined` when there is none to wait for.
 */
export async function waitForNamespaces(
  { work, needs }: OngoingPass,
  members: readonly DesiredObject[],
  before: DoomedNamespaces,
  signal: AbortSignal,
): Promise<Pass | undefined> {
  const keys = members.map(({ key }) => key);
  // Refused just now, and why is in the namespace itself.
  const doomed = work.doomed.size === 0 ? before : await findDoomed(work, keys, needs, signal);
  for (const key of keys) {
    const namespace = namespaceIn(key) ?? "";
    const doom = doomed.get(namespace);
    if (doom !== undefined && !isFailure(work.problems.get(key)))
      work.problems.set(key, {
        kind: "namespace-terminating",
        namespace,
        remaining: doom.remaining,
      });
  }
  const [first] = doomed;
  if (first === undefined) {
    const refused = keys.find((key) => work.problems.get(key)?.kind === "namespace-terminating");
    // It went between the refusal and the look.
    return refused === undefined
      ? undefined
      : {
          kind: "held-up",
          waitingFor: `another try at ${objectName(refused)}`,
          againAtMs: needs.nowMs() + discoveryLagMs,
        };
  }
  const [name, { remaining }] = first;
  const why = remaining === "" ? "" : ` (${remaining})`;
  const waitingFor = `${objectName(namespaceKey(name))} to be gone${why}`;
  const againAtMs = Math.min(...[...doomed.values()].flatMap((one) => one.againAtMs ?? []));
  return Number.isFinite(againAtMs)
    ? { kind: "held-up", waitingFor, againAtMs }
    : { kind: "held-up", waitingFor };
}
