/** What the API server refuses in an object's content, worded as it words it. */
import { required } from "./causes.ts";
import { mapAt, textAt } from "./json.ts";
import type { Kind } from "./kinds.ts";
import { metadataChangeProblems, metadataProblems } from "./metadata.ts";
import type { KubeObject } from "./object.ts";
import { podProblems } from "./pod-validation.ts";
import type { Cause } from "./status.ts";
import { transitionProblems } from "./transitions.ts";
import type { Check } from "./validation/check.ts";
import { dataProblems, secret } from "./validation/data.ts";
import { definition } from "./validation/definitions.ts";
import { cronJob, job } from "./validation/jobs.ts";
import { ingress, service } from "./validation/networking.ts";
import { bindingProblems, roleRules } from "./validation/rights.ts";
import { autoscaler, budget } from "./validation/scaling.ts";
import { claim } from "./validation/storage.ts";
import { daemonSet, deployment, workload } from "./validation/workloads.ts";

const checks: { readonly [key: string]: Check } = {
  "/pods": (object) => podProblems("spec", mapAt(object, "spec")),
  "/services": service,
  "/configmaps": dataProblems,
  "/secrets": secret,
  "/persistentvolumeclaims": claim,
  "apps/deployments": deployment,
  "apps/replicasets": workload,
  "apps/statefulsets": workload,
  "apps/daemonsets": daemonSet,
  "batch/jobs": job,
  "batch/cronjobs": cronJob,
  "networking.k8s.io/ingresses": ingress,
  "policy/poddisruptionbudgets": budget,
  "autoscaling/horizontalpodautoscalers": autoscaler,
  "rbac.authorization.k8s.io/roles": roleRules,
  "rbac.authorization.k8s.io/clusterroles": roleRules,
  "rbac.authorization.k8s.io/rolebindings": (object) => bindingProblems(object, false),
  "rbac.authorization.k8s.io/clusterrolebindings": (object) => bindingProblems(object, true),
  "apiextensions.k8s.io/customresourcedefinitions": definition,
  "storage.k8s.io/storageclasses": (object) =>
    textAt(object, "provisioner") === "" ? [required("provisioner")] : [],
};

/** Every reason to refuse the object as it would be kept; `was` is missing when it is being created. */
export function validate(
  kind: Kind,
  was: KubeObject | undefined,
  is: KubeObject,
): readonly Cause[] {
  return [
    ...(was === undefined
      ? metadataProblems(kind, is)
      : [...metadataChangeProblems(is), ...transitionProblems(kind, was, is)]),
    ...(checks[kind.key]?.(is) ?? []),
  ];
}
