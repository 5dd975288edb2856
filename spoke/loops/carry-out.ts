import type { Log } from "../../proto/kit/log.ts";
import type { DesiredApplication } from "../../proto/words/desired.ts";
import { objectKeyParts, splitApiVersion, type ObjectKey } from "../../proto/words/object-key.ts";
import { strangerManagedBy, wouldOnlyMark } from "../domain/adoption.ts";
import { isFailure, problemOfApply } from "../domain/apply-problem.ts";
import type { ClusterApi } from "../domain/cluster.ts";
import {
  describeApplicationProblem,
  describeObjectProblem,
  objectName,
  type ApplicationProblem,
  type ObjectProblem,
} from "../domain/conditions.ts";
import { explainHealth } from "../domain/health/index.ts";
import type { InventoryEntry } from "../domain/inventory.ts";
import type { KubeObject } from "../domain/kube-object.ts";
import { liveFrom, type LiveObject } from "../domain/live.ts";
import { applyOrder, removalSteps, type Wave } from "../domain/order.ts";
import type { Action, DesiredObject } from "../domain/plan.ts";
import type { Attempt } from "../domain/sync.ts";
import { syncOptionsOf } from "../domain/sync-options.ts";
import type { ApplicationWork } from "./application-work.ts";
import { readPrepared, type BundleNeeds, type LoadedBundle } from "./bundles.ts";
import type { ClusterView } from "./cluster-view.ts";
import {
  findDoomed,
  namespaceIn,
  namespaceKey,
  newDoomNotice,
  type DoomedNamespaces,
} from "./doomed-namespaces.ts";
import type { Inventories } from "./inventories.ts";
import type { LiveObjects } from "./live-objects.ts";
import { findingsOf } from "./pod-looks.ts";
import { namesOf, removeObject } from "./remove-object.ts";
import { sideBySide } from "./side-by-side.ts";

export type CarryOutNeeds = {
  readonly cluster: ClusterApi;
  readonly inventories: Inventories;
  readonly objects: LiveObjects;
  readonly view: ClusterView;
  readonly bundles: BundleNeeds;
  readonly hubId: () => string;
  /** All that are held. */
  readonly applications: () => readonly string[];
  readonly nowMs: () => number;
  readonly log: Log;
};

export type CarryOutSettings = {
  /** Requests at once for the objects of one kind. */
  readonly objectsAtOnceMost: number;
  /** How often one object is applied in one attempt before somebody else is said to fight over it. */
  readonly appliesMost: number;
};

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

/**
 * Brings an application as far towards its bundle as can be done without waiting for the cluster.
 *
 * It starts from what the cluster holds, whatever happened before, so it is also how an attempt goes on
 * after a wait, a failure or a restart. Every key is in the durable inventory before its object is applied.
 * What it meets object by object is left in `work.problems`. Throws Trouble when the API server is away.
 */
export async function carryOut(
  work: ApplicationWork,
  attempt: Attempt,
  desired: DesiredApplication,
  bundle: LoadedBundle,
  needs: CarryOutNeeds,
  settings: CarryOutSettings,
  signal: AbortSignal,
): Promise<Pass> {
  const { cluster, inventories, objects, view } = needs;
  const { application } = work;
  const found = new Map<ObjectKey, LiveObject | undefined>();
  const foundWhole = new Map<ObjectKey, KubeObject>();
  let bundleProblem: ApplicationProblem | undefined;
  work.problems.clear();
  for (const key of bundle.duplicates) work.problems.set(key, { kind: "duplicate" });

  const save = (): Promise<void> => inventories.save(application, signal);
  const plan = () => view.plan(work, attempt.confirmed, found);
  const isSuperseded = (): boolean =>
    work.isDropped ||
    work.tombstone !== undefined ||
    work.desired?.generation !== attempt.generation;
  const met = (key: ObjectKey, problem: ObjectProblem): undefined =>
    void work.problems.set(key, problem);

  try {
    const pass = await passOver();
    await save();
    return pass;
  } catch (error) {
    signal.throwIfAborted();
    // Best effort: what was applied is in memory, and the next pass writes it.
    await save().catch(() => undefined);
    throw error;
  }

  async function passOver(): Promise<Pass> {
    const rival = bundle.objects
      .map(({ key }) => inventories.otherOwner(key, application))
      .find((owner) => owner !== undefined && view.isUnread(owner));
    if (rival !== undefined) return waitForBundleOf(rival);
    const waves = applyOrder(bundle.objects);
    for (const [index, wave] of waves.entries()) {
      const stopped = await applyWave(wave);
      if (stopped !== undefined) return stopped;
      const isLast = index === waves.length - 1;
      const waitingFor = isLast ? undefined : firstUnsettled(objectsIn(wave));
      if (waitingFor !== undefined) return { kind: "held-up", waitingFor };
    }
    return await removeLeftovers();
  }

  async function applyWave(wave: Wave<DesiredObject>): Promise<Pass | undefined> {
    const all = objectsIn(wave);
    const doomed = await findDoomed(
      work,
      all.map(({ key }) => key),
      needs,
      signal,
    );
    const members = all.filter(({ key }) => !doomed.has(namespaceIn(key) ?? ""));
    const actions = new Map<ObjectKey, Action>();
    const chosen = new Set(await choose(members, actions));
    if (isSuperseded()) return { kind: "superseded" };
    if (chosen.size > 0)
      await ensureNamespace(members.filter(({ key }) => actions.get(key)?.kind === "create"));
    for (const group of wave.groups) {
      let pending = group.objects.filter((object) => chosen.has(object));
      while (pending.length > 0) {
        if (isSuperseded()) return { kind: "superseded" };
        const taken: DesiredObject[] = [];
        const apply = async (object: DesiredObject): Promise<void> => {
          const isNew = actions.get(object.key)?.kind === "create";
          if ((await applyOne(object, isNew)) === "taken") taken.push(object);
        };
        await sideBySide(pending, settings.objectsAtOnceMost, apply, signal);
        if (bundleProblem !== undefined) return failedBy(bundleProblem);
        pending = taken.length === 0 ? [] : [...(await choose(taken, actions))];
      }
    }
    const stopped = await afterWave(members, actions);
    if (stopped?.kind === "superseded") return stopped;
    // Also when something else failed: what was left out has to say why.
    const waiting = await waitForDoomed(all, doomed);
    return stopped?.kind === "failed" ? stopped : (waiting ?? stopped);
  }

  /** What is to be applied of these objects, claimed and durably so; their actions are put into `actions`. */
  async function choose(
    members: readonly DesiredObject[],
    actions: Map<ObjectKey, Action>,
  ): Promise<ReadonlySet<DesiredObject>> {
    await lookBeforeCreating(members);
    const adoptable = await findAdoptable(members);
    const chosen = new Set<DesiredObject>();
    if (isSuperseded()) return chosen;
    // From here to the claim nothing is awaited: no other application can claim the same object in between.
    for (const [key, action] of actionsOf(members)) actions.set(key, action);
    for (const member of members) {
      const action = actions.get(member.key);
      const problem = problemBefore(action, adoptable);
      if (problem !== undefined) met(member.key, problem);
      if (!isToApply(action, adoptable)) continue;
      chosen.add(member);
      if (!inventories.of(application).has(member.key))
        inventories.set(application, intent(member));
    }
    if (chosen.size > 0) await saveIntents();
    return chosen;
  }

  /** Nothing can be made in a namespace that is being deleted. Trying again and again would not hasten it. */
  async function waitForDoomed(
    members: readonly DesiredObject[],
    before: DoomedNamespaces,
  ): Promise<Pass | undefined> {
    // Refused just now, and why is in the namespace itself.
    const doomed =
      work.doomed.size === 0
        ? before
        : await findDoomed(
            work,
            members.map(({ key }) => key),
            needs,
            signal,
          );
    for (const { key } of members) {
      const namespace = namespaceIn(key) ?? "";
      const doom = doomed.get(namespace);
      if (doom !== undefined && !isFailure(work.problems.get(key)))
        met(key, { kind: "namespace-terminating", namespace, remaining: doom.remaining });
    }
    const [first] = doomed;
    if (first === undefined) {
      const isRefused = ({ key }: DesiredObject): boolean =>
        work.problems.get(key)?.kind === "namespace-terminating";
      const refused = members.find(isRefused);
      // It went between the refusal and the look.
      return refused === undefined
        ? undefined
        : {
            kind: "held-up",
            waitingFor: `another try at ${objectName(refused.key)}`,
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

  /** Only new keys need to be durable before the apply; what is already listed stays listed. */
  async function saveIntents(): Promise<void> {
    const entries = [...inventories.of(application).values()];
    if (entries.some(({ uid, applied }) => uid === "" && applied === "")) await save();
  }

  /** The watches do not show what has not our label. Where there was such a thing, it is looked at first. */
  async function lookBeforeCreating(members: readonly DesiredObject[]): Promise<void> {
    const suspects = members.filter(({ key }) => work.taken.has(key) && !found.has(key));
    if (suspects.length === 0) return;
    const actions = actionsOf(suspects);
    const unseen = suspects.filter(({ key }) => actions.get(key)?.kind === "create");
    const look = async ({ key }: DesiredObject): Promise<void> => {
      const object = await cluster.get(key, signal);
      found.set(key, object === undefined ? undefined : liveFrom(object));
      if (object !== undefined) foundWhole.set(key, object);
    };
    await sideBySide(unseen, settings.objectsAtOnceMost, look, signal);
  }

  async function findAdoptable(members: readonly DesiredObject[]): Promise<ReadonlySet<ObjectKey>> {
    const actions = actionsOf(members);
    const adoptable = new Set<ObjectKey>();
    const check = async (object: DesiredObject): Promise<void> => {
      const whole = foundWhole.get(object.key) ?? (await cluster.get(object.key, signal));
      if (whole !== undefined && (await isAdoptable(object, whole))) adoptable.add(object.key);
    };
    const strangers = members.filter(({ key }) => actions.get(key)?.kind === "adopt");
    await sideBySide(strangers, settings.objectsAtOnceMost, check, signal);
    return adoptable;
  }

  async function isAdoptable(object: DesiredObject, existing: KubeObject): Promise<boolean> {
    const manifest = await preparedManifest(object);
    if (manifest === undefined) return false;
    const outcome = await cluster.apply(manifest, { force: false, dryRun: true }, signal);
    if (outcome.kind === "applied" && wouldOnlyMark(existing, outcome.object)) return true;
    // Whatever else is the matter with it: it is somebody else's.
    met(object.key, strangerManagedBy(liveFrom(existing).managers));
    return false;
  }

  function problemBefore(
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
          message: view.whyUnreadable(work, action.desired.key) ?? "its watch was not current",
        };
      default:
        return undefined;
    }
  }

  /** `taken`: it had to be new, and is not; nothing is claimed of it any more. */
  async function applyOne(object: DesiredObject, isNew: boolean): Promise<"taken" | undefined> {
    if (isSuperseded()) return undefined;
    const { key } = object;
    const namespace = namespaceIn(key);
    if (namespace !== undefined) {
      if (work.doomed.has(namespace)) return undefined;
      const home = namespaceKey(namespace);
      if (isFailure(work.problems.get(home)))
        return met(key, { kind: "dependency-failed", on: objectName(home) });
    }
    const times = (work.applies.get(key) ?? 0) + 1;
    if (times > settings.appliesMost) {
      const by = view.live(work, key)?.lastChangedBy || "somebody";
      return met(key, { kind: "contested", by });
    }
    const manifest = await preparedManifest(object);
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
      if (problem.kind === "namespace-terminating")
        work.doomed.set(problem.namespace, newDoomNotice);
      return met(key, problem);
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

  async function preparedManifest(object: DesiredObject): Promise<KubeObject | undefined> {
    const type = bundle.types.get(object.key);
    if (type === undefined) return undefined;
    const prepared = await readPrepared(object, type, desired, needs.bundles, signal);
    if (prepared.ok) return prepared.value.object;
    bundleProblem = prepared.problem;
    work.isStale = true;
    return undefined;
  }

  /** Makes the destination namespace when the policy says so. It is not ours: no marker, no inventory, no prune. */
  async function ensureNamespace(created: readonly DesiredObject[]): Promise<void> {
    if (!desired.policy.createNamespace) return;
    const name = desired.destinationNamespace || "default";
    const key = namespaceKey(name);
    const isNeeded = created.some((object) => objectKeyParts(object.key).namespace === name);
    if (!isNeeded || bundle.objects.some((object) => object.key === key)) return;
    if ((await cluster.get(key, signal)) !== undefined) return;
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
    const outcome = await cluster.apply(namespace, { force: false, dryRun: false }, signal);
    needs.log.info("namespace created", { application, namespace: name, outcome: outcome.kind });
  }

  async function afterWave(
    members: readonly DesiredObject[],
    actions: ReadonlyMap<ObjectKey, Action>,
  ): Promise<Pass | undefined> {
    if (isSuperseded()) return { kind: "superseded" };
    const waits: string[] = [];
    let againAtMs: number | undefined;
    for (const member of members) {
      const action = actions.get(member.key);
      if (action?.kind === "hold") waits.push(`${objectName(member.key)} to be gone`);
      if (action?.kind !== "blocked") continue;
      const definition = bundle.objects.find(({ defines }) => isKindOf(member.key, defines));
      const unreadable = bundle.unreadable.get(groupKind(member.key));
      if (unreadable !== undefined) {
        met(member.key, { kind: "unreadable", message: unreadable });
      } else if (definition === undefined) {
        met(member.key, { kind: "unknown-kind", message: kindText(member) });
      } else if (isFailure(work.problems.get(definition.key))) {
        met(member.key, { kind: "dependency-failed", on: objectName(definition.key) });
      } else {
        met(member.key, { kind: "awaits-definition", definition: objectName(definition.key) });
        waits.push(`${objectName(definition.key)} to be established`);
        if (firstUnsettled([definition]) !== undefined) continue;
        if (await isServedNow(member)) return { kind: "stale" };
        // Established, and discovery has yet to say so.
        againAtMs = needs.nowMs() + discoveryLagMs;
      }
    }
    const failures = members.filter(({ key }) => isFailure(work.problems.get(key)));
    if (failures.length > 0) return failedObjects(failures.map(({ key }) => key));
    const [waitingFor] = waits;
    if (waitingFor === undefined) return undefined;
    return againAtMs === undefined
      ? { kind: "held-up", waitingFor }
      : { kind: "held-up", waitingFor, againAtMs };
  }

  async function isServedNow({ key }: DesiredObject): Promise<boolean> {
    const { group, kind } = objectKeyParts(key);
    cluster.forgetDiscovery(group);
    return (await needs.bundles.findType(group, kind, signal)) !== undefined;
  }

  async function removeLeftovers(): Promise<Pass> {
    recoverMarked();
    forgetGone();
    const prunes = plan().actions.filter((action) => action.kind === "prune");
    if (prunes.length === 0) return { kind: "done", message: doneMessage() };
    const unread = needs.applications().find((name) => view.isUnread(name));
    if (unread !== undefined) return waitForBundleOf(unread);
    const waitingFor = firstUnsettled(bundle.objects);
    if (waitingFor !== undefined)
      return { kind: "held-up", waitingFor: `${waitingFor}, before anything is pruned` };
    if (isSuperseded()) return { kind: "superseded" };
    const steps = removalSteps(prunes.map(({ entry }) => removable(entry)));
    for (const step of steps) {
      const pending = step.filter(({ live }) => !isBeingRemoved(live, work));
      const remove = ({ entry }: Removable): Promise<void> =>
        removeObject(work, entry, needs, signal);
      await sideBySide(pending, settings.objectsAtOnceMost, remove, signal);
      const failures = step.filter(({ key }) => isFailure(work.problems.get(key)));
      if (failures.length > 0) return failedObjects(failures.map(({ key }) => key));
      const left = step.filter(({ key }) => inventories.of(application).has(key));
      if (left.length > 0)
        return {
          kind: "removing",
          waitingFor: `${namesOf(left.map(({ key }) => key))} to be gone`,
        };
    }
    return { kind: "done", message: doneMessage() };
  }

  /** What one application gives up another may declare, in the very same version of the desired set. */
  function waitForBundleOf(name: string): Pass {
    return {
      kind: "held-up",
      waitingFor: `the bundle of application ${name} to be read`,
      againAtMs: needs.nowMs() + discoveryLagMs,
    };
  }

  /** The inventory was lost for these; the marker says they are ours, and the next generation may prune them. */
  function recoverMarked(): void {
    for (const action of plan().actions) {
      if (action.kind !== "recover") continue;
      const { uid, object } = action.live;
      const { version } = splitApiVersion(object.apiVersion);
      inventories.set(application, { key: action.key, version, uid, applied: "", fingerprint: "" });
      work.recovered.add(action.key);
      work.recoveredAt = attempt.generation;
    }
  }

  function forgetGone(): void {
    for (const action of plan().actions)
      if (action.kind === "forget") inventories.delete(application, action.entry.key);
  }

  function removable(entry: InventoryEntry): Removable {
    const live = view.live(work, entry.key, found);
    return {
      key: entry.key,
      entry,
      live,
      wave: live === undefined ? 0 : syncOptionsOf(live.object).wave,
      defines: undefined,
    };
  }

  function actionsOf(members: readonly DesiredObject[]): ReadonlyMap<ObjectKey, Action> {
    const wanted = new Set(members.map(({ key }) => key));
    return new Map(
      plan().actions.flatMap((action) =>
        "desired" in action && wanted.has(action.desired.key)
          ? [[action.desired.key, action] as const]
          : [],
      ),
    );
  }

  /** What the first object that is not well is waited for; `undefined` when all are. */
  function firstUnsettled(members: readonly DesiredObject[]): string | undefined {
    for (const member of members) {
      if (member.ignoreHealth) continue;
      const live = view.live(work, member.key);
      if (live === undefined) {
        if (member.mayVanish && inventories.of(application).get(member.key)?.applied !== "")
          continue;
        return `${objectName(member.key)} to be there`;
      }
      const health = explainHealth(live.object, findingsOf(work, live), needs.nowMs());
      if (health === undefined || health.state === "Healthy" || health.state === "Suspended")
        continue;
      const why = health.message === "" ? health.state : `${health.state}: ${health.message}`;
      return `${objectName(member.key)} to be healthy (${why})`;
    }
    return undefined;
  }

  function failedObjects(keys: readonly ObjectKey[]): Pass {
    const [first] = keys;
    const problem = first === undefined ? undefined : work.problems.get(first);
    if (first === undefined || problem === undefined)
      return { kind: "failed", message: "some objects failed" };
    const sentence = `${objectName(first)}: ${describeObjectProblem(first, problem).message}`;
    const count = keys.length === 1 ? "" : `${keys.length} objects failed, the first: `;
    return { kind: "failed", message: `${count}${sentence}` };
  }

  function doneMessage(): string {
    const { appliedCount, removedCount } = work;
    if (appliedCount + removedCount === 0) return "nothing to do";
    return `applied ${appliedCount}, removed ${removedCount}`;
  }
}

type Removable = {
  readonly key: ObjectKey;
  readonly entry: InventoryEntry;
  readonly live: LiveObject | undefined;
  readonly wave: number;
  readonly defines: undefined;
};

const isBeingRemoved = (live: LiveObject | undefined, work: ApplicationWork): boolean =>
  live?.object.metadata.deletionTimestamp !== undefined || work.removing.has(live?.uid ?? "");

/** How long the cluster may need to know everywhere what it knows somewhere. */
const discoveryLagMs = 1_000;

const objectsIn = (wave: Wave<DesiredObject>): readonly DesiredObject[] =>
  wave.groups.flatMap(({ objects }) => objects);

const intent = ({ key, version }: DesiredObject): InventoryEntry => ({
  key,
  version,
  uid: "",
  applied: "",
  fingerprint: "",
});

const isToApply = (action: Action | undefined, adoptable: ReadonlySet<ObjectKey>): boolean =>
  action?.kind === "create" ||
  action?.kind === "update" ||
  (action?.kind === "adopt" && adoptable.has(action.desired.key));

const isKindOf = (key: ObjectKey, defines: DesiredObject["defines"]): boolean => {
  const { group, kind } = objectKeyParts(key);
  return defines?.group === group && defines.kind === kind;
};

const groupKind = (key: ObjectKey): string => {
  const { group, kind } = objectKeyParts(key);
  return `${group}/${kind}`;
};

const kindText = ({ key, version }: DesiredObject): string => {
  const { group, kind } = objectKeyParts(key);
  return `${kind} in ${group === "" ? version : `${group}/${version}`}`;
};

const failedBy = (problem: ApplicationProblem): Pass => ({
  kind: "failed",
  message: describeApplicationProblem(problem).message,
});
