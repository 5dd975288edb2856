import type { Log } from "../../proto/kit/log.ts";
import { describeError, Trouble } from "../../proto/kit/trouble.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import type { ClusterApi } from "../domain/cluster.ts";
import { assessHealth } from "../domain/health/index.ts";
import {
  findingsIn,
  isUnwell,
  podSelectorOf,
  type PodFinding,
  type PodSelector,
} from "../domain/health/pods-behind.ts";
import type { ResourceType } from "../domain/kube-object.ts";
import type { LiveObject } from "../domain/live.ts";
import type { Alarms } from "./alarms.ts";
import { actingFor } from "./acting-for.ts";
import type { ApplicationWork } from "./application-work.ts";
import type { ClusterView } from "./cluster-view.ts";
import { sideBySide } from "./side-by-side.ts";

export type PodLooksNeeds = {
  readonly cluster: ClusterApi;
  readonly view: Pick<ClusterView, "live">;
  readonly alarms: Alarms<ApplicationName>;
  readonly nowMs: () => number;
  readonly log: Log;
};

export type PodLooksSettings = {
  readonly objectsAtOnceMost: number;
  /** How long a workload may be unwell before its pods are looked at, and the pause after the first look. */
  readonly podsFirstMs: number;
  /** The pauses double up to this one while nothing moves. */
  readonly podsMostMs: number;
};

/** What is known of the pods of one workload that is not well. */
export type PodLook = {
  readonly generation: number;
  readonly resourceVersion: string;
  readonly findings: readonly PodFinding[];
  readonly dueAtMs: number;
  readonly pauseMs: number;
};

export type PodLooks = {
  /**
   * Looks at the pods of the application's workloads that are not well, where it is time to, and sets the
   * alarm for the next look. One list a workload; none while all is well. An API server that refuses costs
   * the explanation, nothing else.
   */
  readonly refresh: (work: ApplicationWork, signal: AbortSignal) => Promise<void>;
};

/** Known without asking: every API server serves it. */
const podType: ResourceType = {
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  namespaced: true,
  verbs: ["list"],
};

export function createPodLooks(needs: PodLooksNeeds, settings: PodLooksSettings): PodLooks {
  const { cluster, view, alarms, nowMs, log } = needs;

  async function refresh(work: ApplicationWork, signal: AbortSignal): Promise<void> {
    const unwell = unwellIn(work);
    for (const uid of work.podLooks.keys()) if (!unwell.has(uid)) work.podLooks.delete(uid);
    for (const { live } of unwell.values()) work.podLooks.set(live.uid, planned(work, live));
    const due = [...unwell.values()].filter(
      ({ live }) => (work.podLooks.get(live.uid)?.dueAtMs ?? 0) <= nowMs(),
    );
    await sideBySide(due, settings.objectsAtOnceMost, (one) => look(work, one, signal), signal);
    for (const { dueAtMs } of work.podLooks.values()) alarms.set(work.application, dueAtMs);
  }

  type Unwell = { readonly live: LiveObject; readonly pods: PodSelector };

  function unwellIn(work: ApplicationWork): ReadonlyMap<string, Unwell> {
    const found = new Map<string, Unwell>();
    for (const { key } of work.bundle?.objects ?? []) {
      const live = view.live(work, key);
      const pods = live === undefined ? undefined : podSelectorOf(live.object);
      if (live === undefined || pods === undefined) continue;
      if (live.object.metadata.deletionTimestamp !== undefined) continue;
      const assessment = assessHealth(live.object, nowMs());
      if (assessment !== undefined && isUnwell(assessment)) found.set(live.uid, { live, pods });
    }
    return found;
  }

  /** A workload that moves is looked at soon, and no more often than one that has just become unwell. */
  function planned(work: ApplicationWork, live: LiveObject): PodLook {
    const known = work.podLooks.get(live.uid);
    const { generation = 0, resourceVersion = "" } = live.object.metadata;
    const { podsFirstMs } = settings;
    const soonMs = nowMs() + podsFirstMs;
    if (known?.generation !== generation)
      return { generation, resourceVersion, findings: [], dueAtMs: soonMs, pauseMs: podsFirstMs };
    if (known.resourceVersion === resourceVersion) return known;
    const dueAtMs = Math.min(known.dueAtMs, soonMs);
    return { ...known, resourceVersion, dueAtMs, pauseMs: podsFirstMs };
  }

  async function look(
    work: ApplicationWork,
    { live, pods }: Unwell,
    signal: AbortSignal,
  ): Promise<void> {
    const known = work.podLooks.get(live.uid);
    if (known === undefined) return;
    const pauseMs = Math.min(known.pauseMs * 2, settings.podsMostMs);
    const next = { ...known, dueAtMs: nowMs() + known.pauseMs, pauseMs };
    try {
      const listed = await actingFor(work, cluster).list(podType, pods, signal);
      work.podLooks.set(live.uid, { ...next, findings: findingsIn(live.object, listed) });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Trouble)) throw error;
      work.podLooks.set(live.uid, next);
      const problem = describeError(error);
      log.debug("pods were not looked at", { application: work.application, problem });
    }
  }

  return { refresh };
}

/** What the pods of this very state of a workload say. */
export function findingsOf(work: ApplicationWork, live: LiveObject): readonly PodFinding[] {
  const known = work.podLooks.get(live.uid);
  return known?.generation === (live.object.metadata.generation ?? 0) ? known.findings : [];
}
