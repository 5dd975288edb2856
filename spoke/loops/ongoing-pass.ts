import type { Log } from "../../proto/kit/log.ts";
import type { DesiredApplication } from "../../proto/words/desired.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import type { ObjectKey } from "../../proto/words/object-key.ts";
import type { ClusterApi } from "../domain/cluster.ts";
import type { ApplicationProblem } from "../domain/conditions.ts";
import type { KubeObject } from "../domain/kube-object.ts";
import type { LiveObject } from "../domain/live.ts";
import type { Pass } from "../domain/pass.ts";
import type { Action, DesiredObject, Plan } from "../domain/plan.ts";
import type { Attempt } from "../domain/sync.ts";
import type { ApplicationWork } from "./application-work.ts";
import { readPrepared, type BundleNeeds, type LoadedBundle } from "./bundles.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { Inventories } from "./inventories.ts";
import type { LiveObjects } from "./live-objects.ts";

export type PassNeeds = {
  readonly cluster: ClusterApi;
  readonly inventories: Inventories;
  readonly objects: LiveObjects;
  readonly view: ClusterView;
  readonly bundles: BundleNeeds;
  readonly hubId: () => string;
  /** All that are held. */
  readonly applications: () => readonly ApplicationName[];
  readonly nowMs: () => number;
  readonly log: Log;
};

export type PassSettings = {
  /** Requests at once for the objects of one kind. */
  readonly objectsAtOnceMost: number;
  /** How often one object is applied in one attempt before somebody else is said to fight over it. */
  readonly appliesMost: number;
};

/** A pass over an application while it lasts: what it is about, and what it has come to know on its way. */
export type OngoingPass = {
  readonly work: ApplicationWork;
  readonly attempt: Attempt;
  readonly desired: DesiredApplication;
  readonly bundle: LoadedBundle;
  readonly needs: PassNeeds;
  readonly settings: PassSettings;
  /** What was looked at because no watch shows it; `undefined` values: not there. */
  readonly found: Map<ObjectKey, LiveObject | undefined>;
  /** The same, as the API server gave it. */
  readonly foundWhole: Map<ObjectKey, KubeObject>;
  /** The bundle cannot be read after all, so nothing more of it is applied. */
  bundleProblem: ApplicationProblem | undefined;
};

/** How long the cluster may need to know everywhere what it knows somewhere. */
export const discoveryLagMs = 1_000;

/** Whether its attempt is for something that is not wanted any more. */
export const isSuperseded = ({ work, attempt, desired }: OngoingPass): boolean =>
  work.isDropped ||
  work.isReplaced ||
  work.tombstone !== undefined ||
  work.desired !== desired ||
  desired.generation !== attempt.generation;

/** Made anew each time: every answer of the cluster may change it. */
export const planOf = ({ work, attempt, found, needs }: OngoingPass): Plan =>
  needs.view.plan(work, attempt.confirmed, found);

/** What the plan has for these objects. */
export function actionsOf(
  pass: OngoingPass,
  members: readonly DesiredObject[],
): ReadonlyMap<ObjectKey, Action> {
  const wanted = new Set(members.map(({ key }) => key));
  return new Map(
    planOf(pass).actions.flatMap((action) =>
      "desired" in action && wanted.has(action.desired.key)
        ? [[action.desired.key, action] as const]
        : [],
    ),
  );
}

/** An object as it is sent. Nothing for a kind that is not served, nor when the bundle cannot be read any more. */
export async function manifestOf(
  pass: OngoingPass,
  object: DesiredObject,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const { work, desired, bundle, needs } = pass;
  const type = bundle.types.get(object.key);
  if (type === undefined) return undefined;
  const prepared = await readPrepared(object, type, desired, needs.bundles, signal);
  if (prepared.ok) return prepared.value.object;
  pass.bundleProblem = prepared.problem;
  work.isStale = true;
  return undefined;
}

/** What one application gives up another may declare, in the very same version of the desired set. */
export const waitForBundleOf = (name: ApplicationName, { needs }: OngoingPass): Pass => ({
  kind: "held-up",
  waitingFor: `the bundle of application ${name} to be read`,
  againAtMs: needs.nowMs() + discoveryLagMs,
});
