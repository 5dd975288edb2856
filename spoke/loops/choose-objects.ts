import type { ObjectKey } from "../../proto/words/object-key.ts";
import { strangerManagedBy, wouldOnlyMark } from "../domain/adoption.ts";
import type { ObjectProblem } from "../domain/conditions.ts";
import type { InventoryEntry } from "../domain/inventory.ts";
import type { KubeObject } from "../domain/kube-object.ts";
import { liveFrom } from "../domain/live.ts";
import type { Action, DesiredObject } from "../domain/plan.ts";
import { actionsOf, isSuperseded, manifestOf, type OngoingPass } from "./ongoing-pass.ts";
import { sideBySide } from "./side-by-side.ts";

/** What is to be applied of these objects, claimed and durably so; their actions are put into `actions`. */
export async function chooseObjects(
  pass: OngoingPass,
  members: readonly DesiredObject[],
  actions: Map<ObjectKey, Action>,
  signal: AbortSignal,
): Promise<ReadonlySet<DesiredObject>> {
  const { work, needs } = pass;
  const { inventories } = needs;
  const { application } = work;
  await lookBeforeCreating(pass, members, signal);
  const adoptable = await findAdoptable(pass, members, signal);
  const chosen = new Set<DesiredObject>();
  if (isSuperseded(pass)) return chosen;
  // From here to the claim nothing is awaited: no other application can claim the same object in between.
  for (const [key, action] of actionsOf(pass, members)) actions.set(key, action);
  for (const member of members) {
    const action = actions.get(member.key);
    const problem = problemBefore(pass, action, adoptable);
    if (problem !== undefined) work.problems.set(member.key, problem);
    if (!isToApply(action, adoptable)) continue;
    chosen.add(member);
    if (!inventories.of(application).has(member.key)) inventories.set(application, intent(member));
  }
  if (chosen.size > 0) await saveIntents(pass, signal);
  return chosen;
}

/** The watches do not show what has not our label. Where there was such a thing, it is looked at first. */
async function lookBeforeCreating(
  pass: OngoingPass,
  members: readonly DesiredObject[],
  signal: AbortSignal,
): Promise<void> {
  const { work, found, foundWhole, needs, settings } = pass;
  const suspects = members.filter(({ key }) => work.taken.has(key) && !found.has(key));
  if (suspects.length === 0) return;
  const actions = actionsOf(pass, suspects);
  const unseen = suspects.filter(({ key }) => actions.get(key)?.kind === "create");
  const look = async ({ key }: DesiredObject): Promise<void> => {
    const object = await needs.cluster.get(key, signal);
    found.set(key, object === undefined ? undefined : liveFrom(object));
    if (object !== undefined) foundWhole.set(key, object);
  };
  await sideBySide(unseen, settings.objectsAtOnceMost, look, signal);
}

async function findAdoptable(
  pass: OngoingPass,
  members: readonly DesiredObject[],
  signal: AbortSignal,
): Promise<ReadonlySet<ObjectKey>> {
  const { foundWhole, needs, settings } = pass;
  const actions = actionsOf(pass, members);
  const adoptable = new Set<ObjectKey>();
  const check = async (object: DesiredObject): Promise<void> => {
    const whole = foundWhole.get(object.key) ?? (await needs.cluster.get(object.key, signal));
    if (whole !== undefined && (await isAdoptable(pass, object, whole, signal)))
      adoptable.add(object.key);
  };
  const strangers = members.filter(({ key }) => actions.get(key)?.kind === "adopt");
  await sideBySide(strangers, settings.objectsAtOnceMost, check, signal);
  return adoptable;
}

async function isAdoptable(
  pass: OngoingPass,
  object: DesiredObject,
  existing: KubeObject,
  signal: AbortSignal,
): Promise<boolean> {
  const manifest = await manifestOf(pass, object, signal);
  if (manifest === undefined) return false;
  const { cluster } = pass.needs;
  const outcome = await cluster.apply(manifest, { force: false, dryRun: true }, signal);
  if (outcome.kind === "applied" && wouldOnlyMark(existing, outcome.object)) return true;
  // Whatever else is the matter with it: it is somebody else's.
  pass.work.problems.set(object.key, strangerManagedBy(liveFrom(existing).managers));
  return false;
}

function problemBefore(
  { work, needs }: OngoingPass,
  action: Action | undefined,
  adoptable: ReadonlySet<ObjectKey>,
): ObjectProblem | undefined {
  switch (action?.kind) {
    case "refuse":
      return action.problem;
    case "adopt":
      return adoptable.has(action.desired.key)
        ? undefined
        : (work.problems.get(action.desired.key) ?? strangerManagedBy([]));
    case "unread":
      return {
        kind: "unreadable",
        message: needs.view.whyUnreadable(work, action.desired.key) ?? "its watch was not current",
      };
    default:
      return undefined;
  }
}

const isToApply = (action: Action | undefined, adoptable: ReadonlySet<ObjectKey>): boolean =>
  action?.kind === "create" ||
  action?.kind === "update" ||
  (action?.kind === "adopt" && adoptable.has(action.desired.key));

const intent = ({ key, version }: DesiredObject): InventoryEntry => ({
  key,
  version,
  uid: "",
  applied: "",
  fingerprint: "",
});

/** Only new keys need to be durable before the apply; what is already listed stays listed. */
async function saveIntents({ work, needs }: OngoingPass, signal: AbortSignal): Promise<void> {
  const entries = [...needs.inventories.of(work.application).values()];
  if (entries.some(({ uid, applied }) => uid === "" && applied === ""))
    await needs.inventories.save(work.application, signal);
}
