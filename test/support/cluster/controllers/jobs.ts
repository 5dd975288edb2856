/** Jobs: pods that run to their end, as many as asked, retried as often as allowed. */
import { isTrue, withConditions, type Condition } from "../conditions.ts";
import { compact, mapAt, numberAt, textAt, type JsonMap } from "../json.ts";
import { builtIn } from "../kinds.ts";
import { isTerminating, uidOf, type KubeObject } from "../object.ts";
import { controllerOfChange, itself, nameOf, type Controller, type Host } from "./host.ts";
import { isActive, isReady } from "./pods.ts";
import { podFrom, withTemplateLabels } from "./workloads.ts";

const kind = builtIn("batch/jobs");
const pods = builtIn("/pods");

/** The first pause before a failed pod is replaced; it doubles each time. */
const retryMs = 10_000;

const phaseIs =
  (phase: string) =>
  (pod: KubeObject): boolean =>
    textAt(pod, "status", "phase") === phase;

export function createJobController(host: Host): Controller {
  const { time } = host.world;
  const deadlines = new Set<string>();
  const retries = new Map<string, number>();

  const makePods = (job: KubeObject, count: number): void => {
    const template = withTemplateLabels(mapAt(job, "spec", "template"), {});
    for (let made = 0; made < count; made += 1)
      host.make(pods.key, podFrom(job, template, { generateName: `${job.metadata.name}-` }));
  };

  const watchDeadline = (job: KubeObject): void => {
    const seconds = numberAt(job, "spec", "activeDeadlineSeconds");
    const uid = uidOf(job);
    if (seconds === undefined || deadlines.has(uid)) return;
    deadlines.add(uid);
    time.after(seconds * 1000, () => {
      const now = host.get(kind.key, nameOf(job));
      if (now === undefined || uidOf(now) !== uid || isOver(now)) return;
      fail(now, "DeadlineExceeded", "Job was active longer than specified deadline");
    });
  };

  const fail = (job: KubeObject, reason: string, message: string): void => {
    const owned = host.controlled(job, pods.key);
    for (const pod of owned.filter(isActive)) host.remove(pods, pod);
    const counts = countsOf(
      job,
      owned.filter((pod) => !isActive(pod)),
    );
    end(job, counts, [
      { type: "FailureTarget", status: "True", reason, message },
      { type: "Failed", status: "True", reason, message },
    ]);
  };

  const complete = (job: KubeObject, counts: JsonMap): void => {
    const reason = "CompletionsReached";
    const message = "Reached expected number of succeeded pods";
    end(job, { ...counts, completionTime: time.stamp() }, [
      { type: "SuccessCriteriaMet", status: "True", reason, message },
      { type: "Complete", status: "True", reason, message },
    ]);
  };

  const end = (job: KubeObject, counts: JsonMap, conditions: readonly Condition[]): void => {
    write(job, { ...counts, ready: 0 }, conditions);
    const ttl = numberAt(job, "spec", "ttlSecondsAfterFinished");
    if (ttl !== undefined) time.after(ttl * 1000, () => host.remove(kind, job));
  };

  const write = (job: KubeObject, counts: JsonMap, conditions: readonly Condition[]): void => {
    const now = time.stamp();
    const all = withConditions(job, now, conditions, (_, was) => ({
      lastProbeTime: was?.["lastProbeTime"] ?? now,
    }));
    const status = all.length === 0 ? counts : { ...counts, conditions: all };
    host.setStatus(kind.key, job, status);
  };

  const countsOf = (job: KubeObject, owned: readonly KubeObject[]): JsonMap => {
    const active = owned.filter(isActive);
    const some = (count: number): number | undefined => (count === 0 ? undefined : count);
    return compact({
      startTime: textAt(job, "status", "startTime") || time.stamp(),
      active: some(active.length),
      ready: active.filter(isReady).length,
      succeeded: some(owned.filter(phaseIs("Succeeded")).length),
      failed: some(owned.filter(phaseIs("Failed")).length),
      terminating: 0,
      uncountedTerminatedPods: {},
    });
  };

  const suspend = (job: KubeObject, owned: readonly KubeObject[]): void => {
    for (const pod of owned.filter(isActive)) host.remove(pods, pod);
    const { startTime: _, active: __, ...counts } = countsOf(job, owned);
    write(job, { ...counts, ready: 0 }, [
      { type: "Suspended", status: "True", reason: "JobSuspended", message: "Job suspended" },
    ]);
  };

  /** Replaces failed pods after a pause that grows; returns whether it is time now. */
  const mayRetry = (job: KubeObject, failed: number): boolean => {
    const uid = uidOf(job);
    if (failed === 0 || (retries.get(uid) ?? 0) >= failed) return true;
    time.after(retryMs * 2 ** (failed - 1), () => {
      retries.set(uid, failed);
      host.enqueue(kind.plural, nameOf(job));
    });
    // The pause runs; what comes in between must not start a second one.
    retries.set(uid, failed - 0.5);
    return false;
  };

  const advance = (job: KubeObject): void => {
    const owned = host.controlled(job, pods.key);
    if (mapAt(job, "spec")["suspend"] === true) {
      suspend(job, owned);
      return;
    }
    watchDeadline(job);
    const parallelism = numberAt(job, "spec", "parallelism") ?? 1;
    const completions = numberAt(job, "spec", "completions");
    const succeeded = owned.filter(phaseIs("Succeeded")).length;
    const failed = owned.filter(phaseIs("Failed")).length;
    const active = owned.filter(isActive).length;
    if (failed > (numberAt(job, "spec", "backoffLimit") ?? 6)) {
      fail(job, "BackoffLimitExceeded", "Job has reached the specified backoff limit");
      return;
    }
    // Without a number of completions, one success means that the work is done.
    const isDone =
      completions === undefined ? succeeded > 0 && active === 0 : succeeded >= completions;
    if (isDone) {
      complete(job, countsOf(job, owned));
      return;
    }
    const open = completions === undefined ? parallelism : completions - succeeded;
    const missing =
      completions === undefined && succeeded > 0 ? 0 : Math.min(parallelism, open) - active;
    const isWaiting = (retries.get(uidOf(job)) ?? 0) % 1 !== 0 && failed > 0;
    if (missing > 0 && !isWaiting && mayRetry(job, failed)) makePods(job, missing);
    const resumed: readonly Condition[] = isTrue(job, "Suspended")
      ? [{ type: "Suspended", status: "False", reason: "JobResumed", message: "Job resumed" }]
      : [];
    write(job, countsOf(job, host.controlled(job, pods.key)), resumed);
  };

  return {
    name: kind.plural,
    concerns: (change) =>
      change.kind === pods.key ? controllerOfChange(change, kind.kind) : itself(kind.key)(change),
    reconcile: (name) => {
      const job = host.get(kind.key, name);
      if (job === undefined || isTerminating(job) || isOver(job)) return;
      advance(job);
    },
  };
}

const isOver = (job: KubeObject): boolean => isTrue(job, "Complete") || isTrue(job, "Failed");
