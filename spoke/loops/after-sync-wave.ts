import { objectKeyParts, type ObjectKey } from "../../proto/words/object-key.ts";
import { isFailure } from "../domain/apply-problem.ts";
import { objectName } from "../domain/conditions.ts";
import { failureAmong, type Pass } from "../domain/pass.ts";
import type { Action, DesiredObject } from "../domain/plan.ts";
import { groupKind } from "./bundles.ts";
import { firstUnsettled } from "./first-unsettled.ts";
import { discoveryLagMs, isSuperseded, type OngoingPass } from "./ongoing-pass.ts";

/**
 * What a sync wave that was applied leaves to wait for: objects on their way out, and definitions of kinds that
 * the cluster does not serve yet. `undefined` when there is nothing, and nothing failed.
 */
export async function afterSyncWave(
  pass: OngoingPass,
  members: readonly DesiredObject[],
  actions: ReadonlyMap<ObjectKey, Action>,
  signal: AbortSignal,
): Promise<Pass | undefined> {
  if (isSuperseded(pass)) return { kind: "superseded" };
  const { bundle, needs } = pass;
  const { problems } = pass.work;
  const waits: string[] = [];
  let againAtMs: number | undefined;
  for (const member of members) {
    const { key } = member;
    const action = actions.get(key);
    if (action?.kind === "hold") waits.push(`${objectName(key)} to be gone`);
    if (action?.kind !== "blocked") continue;
    const definition = bundle.objects.find(({ defines }) => isKindOf(key, defines));
    const unreadable = bundle.unreadable.get(groupKind(key));
    if (unreadable !== undefined) {
      problems.set(key, { kind: "unreadable", message: unreadable });
    } else if (definition === undefined) {
      problems.set(key, { kind: "unknown-kind", message: kindText(member) });
    } else if (isFailure(problems.get(definition.key))) {
      problems.set(key, { kind: "dependency-failed", on: objectName(definition.key) });
    } else {
      problems.set(key, { kind: "awaits-definition", definition: objectName(definition.key) });
      waits.push(`${objectName(definition.key)} to be established`);
      if (firstUnsettled(pass, [definition]) !== undefined) continue;
      if (await isServedNow(pass, key, signal)) return { kind: "stale" };
      // Established, and discovery has yet to say so.
      againAtMs = needs.nowMs() + discoveryLagMs;
    }
  }
  const failed = failureAmong(
    members.map(({ key }) => key),
    problems,
  );
  if (failed !== undefined) return failed;
  const [waitingFor] = waits;
  if (waitingFor === undefined) return undefined;
  return againAtMs === undefined
    ? { kind: "held-up", waitingFor }
    : { kind: "held-up", waitingFor, againAtMs };
}

async function isServedNow(
  { needs }: OngoingPass,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<boolean> {
  const { group, kind } = objectKeyParts(key);
  needs.cluster.forgetDiscovery(group);
  return (await needs.bundles.findType(group, kind, signal)) !== undefined;
}

const isKindOf = (key: ObjectKey, defines: DesiredObject["defines"]): boolean => {
  const { group, kind } = objectKeyParts(key);
  return defines?.group === group && defines.kind === kind;
};

const kindText = ({ key, version }: DesiredObject): string => {
  const { group, kind } = objectKeyParts(key);
  return `${kind} in ${group === "" ? version : `${group}/${version}`}`;
};
