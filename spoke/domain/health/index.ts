import { splitApiVersion } from "../../../proto/words/object-key.ts";
import type { KubeObject } from "../kube-object.ts";
import { assessApiService } from "./api-service.ts";
import { progressing, unknown, type Assessment } from "./assessment.ts";
import { assessAutoscaler } from "./autoscaler.ts";
import { whatIsAwaited } from "./awaited.ts";
import { assessCronJob } from "./cron-job.ts";
import { assessDaemonSet } from "./daemon-set.ts";
import { assessDefinition } from "./definition.ts";
import { assessDeletion } from "./deletion.ts";
import { assessDeployment } from "./deployment.ts";
import { assessDisruptionBudget } from "./disruption-budget.ts";
import { isBehind, saysGeneration } from "./generation.ts";
import { assessIngress } from "./ingress.ts";
import { assessJob } from "./job.ts";
import { assessPod } from "./pod.ts";
import { withFindings, type PodFinding } from "./pods-behind.ts";
import { assessReplicaSet } from "./replica-set.ts";
import { assessService } from "./service.ts";
import { assessStatefulSet } from "./stateful-set.ts";
import { assessVolumeClaim } from "./volume-claim.ts";
import { assessWorkflow } from "./workflow.ts";

export type { Assessment } from "./assessment.ts";

/**
 * Health of a live object, from the object alone; `undefined` for kinds that have no health.
 *
 * `nowMs` matters where a state is bearable for a while; such an answer says when to ask again.
 */
export function assessHealth(object: KubeObject, nowMs: number): Assessment | undefined {
  if (object.metadata.deletionTimestamp !== undefined) return assessDeletion(object, nowMs);
  const { group } = splitApiVersion(object.apiVersion);
  const check = checks.get(`${group}/${object.kind}`);
  if (check === undefined) return undefined;
  if (!check.versions.includes(object.apiVersion))
    return unknown(
      `unsupported ${check.name ?? object.kind} GVK: ${object.apiVersion}, Kind=${object.kind}`,
    );
  // Workloads say in their own words that their controller is behind; some of them look elsewhere first.
  if (check.gated && saysGeneration(object) && isBehind(object))
    return progressing("Waiting for the newest generation to be observed");
  return check.assess(object, nowMs);
}

/** The same, with what is known beyond the object: what its pods say, and what it waits for. */
export function explainHealth(
  object: KubeObject,
  findings: readonly PodFinding[],
  nowMs: number,
): Assessment | undefined {
  const assessment = assessHealth(object, nowMs);
  if (assessment === undefined || object.metadata.deletionTimestamp !== undefined)
    return assessment;
  const awaited =
    assessment.state === "Progressing" && assessment.message === "" ? whatIsAwaited(object) : "";
  return awaited === ""
    ? withFindings(assessment, findings, nowMs)
    : { ...assessment, message: awaited };
}

/** Whether assessing this kind looks at spec and status. */
export const hasHealthCheck = (group: string, kind: string): boolean =>
  checks.has(`${group}/${kind}`) || (group === "" && kind === "Namespace");

type Check = {
  readonly versions: readonly string[];
  readonly assess: (object: KubeObject, nowMs: number) => Assessment;
  /** Whether a status that is behind the spec says nothing yet. */
  readonly gated: boolean;
  readonly name?: string;
};

const workload = (assess: Check["assess"], ...versions: string[]): Check => ({
  versions,
  assess,
  gated: false,
});

const gated = (assess: Check["assess"], ...versions: string[]): Check => ({
  versions,
  assess,
  gated: true,
});

const checks: ReadonlyMap<string, Check> = new Map([
  ["apps/Deployment", workload(assessDeployment, "apps/v1")],
  ["apps/StatefulSet", workload(assessStatefulSet, "apps/v1")],
  ["apps/DaemonSet", workload(assessDaemonSet, "apps/v1")],
  ["apps/ReplicaSet", workload(assessReplicaSet, "apps/v1")],
  ["/Pod", workload(assessPod, "v1")],
  ["batch/Job", gated(assessJob, "batch/v1")],
  ["batch/CronJob", gated(assessCronJob, "batch/v1")],
  ["/PersistentVolumeClaim", gated(assessVolumeClaim, "v1")],
  ["/Service", gated(assessService, "v1")],
  [
    "networking.k8s.io/Ingress",
    gated(assessIngress, "networking.k8s.io/v1", "networking.k8s.io/v1beta1"),
  ],
  ["extensions/Ingress", gated(assessIngress, "extensions/v1beta1")],
  [
    "autoscaling/HorizontalPodAutoscaler",
    {
      ...gated(
        assessAutoscaler,
        "autoscaling/v1",
        "autoscaling/v2",
        "autoscaling/v2beta1",
        "autoscaling/v2beta2",
      ),
      name: "HPA",
    },
  ],
  [
    "apiregistration.k8s.io/APIService",
    gated(assessApiService, "apiregistration.k8s.io/v1", "apiregistration.k8s.io/v1beta1"),
  ],
  [
    "apiextensions.k8s.io/CustomResourceDefinition",
    gated(assessDefinition, "apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1beta1"),
  ],
  ["policy/PodDisruptionBudget", gated(assessDisruptionBudget, "policy/v1", "policy/v1beta1")],
  ["argoproj.io/Workflow", gated(assessWorkflow, "argoproj.io/v1alpha1")],
]);
