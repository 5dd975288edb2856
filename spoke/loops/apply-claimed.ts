import { isFailure, problemOfApply } from "../domain/apply-problem.ts";
import { objectName, type ObjectProblem } from "../domain/conditions.ts";
import type { DesiredObject } from "../domain/plan.ts";
import { namespaceIn, namespaceKey, newDoomNotice } from "./doomed-namespaces.ts";
import { isSuperseded, manifestOf, type OngoingPass } from "./ongoing-pass.ts";

/**
 * Applies one object that was claimed. What was refused is left in `work.problems`.
 *
 * `taken`: it had to be new, and is not; nothing is claimed of it any more.
 */
export async function applyClaimed(
  pass: OngoingPass,
  object: DesiredObject,
  isNew: boolean,
  signal: AbortSignal,
): Promise<"taken" | undefined> {
  if (isSuperseded(pass)) return undefined;
  const { work, desired, found, needs, settings } = pass;
  const { cluster, inventories, objects, view } = needs;
  const { application } = work;
  const { key } = object;
  const met = (problem: ObjectProblem): undefined => void work.problems.set(key, problem);

  const namespace = namespaceIn(key);
  if (namespace !== undefined) {
    if (work.doomed.has(namespace)) return undefined;
    const home = namespaceKey(namespace);
    if (isFailure(work.problems.get(home)))
      return met({ kind: "dependency-failed", on: objectName(home) });
  }
  const times = (work.applies.get(key) ?? 0) + 1;
  if (times > settings.appliesMost) {
    const by = view.live(work, key)?.lastChangedBy || "somebody";
    return met({ kind: "contested", by });
  }
  const manifest = await manifestOf(pass, object, signal);
  if (manifest === undefined) return undefined;
  const force = desired.policy.conflicts === "override";
  // Once looked for and not found, it may be made without ado.
  const mustBeNew = isNew && !found.has(key);
  const outcome = await cluster.apply(manifest, { force, dryRun: false, mustBeNew }, signal);
  if (outcome.kind === "exists" && mustBeNew) {
    work.taken.add(key);
    if (inventories.of(application).get(key)?.uid === "") inventories.delete(application, key);
    return "taken";
  }
  if (outcome.kind !== "applied") {
    const problem = problemOfApply(key, outcome);
    if (problem.kind === "namespace-terminating") work.doomed.set(problem.namespace, newDoomNotice);
    return met(problem);
  }
  work.taken.delete(key);
  work.applies.set(key, times);
  work.appliedCount += 1;
  const live = objects.putAnswer(outcome.object);
  inventories.set(application, {
    key,
    version: object.version,
    uid: live.uid,
    applied: object.digest,
    fingerprint: live.fingerprint,
  });
  return undefined;
}
