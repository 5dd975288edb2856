import type { KubeObject } from "../../../spoke/domain/kube-object.ts";
import { isTree, type Tree } from "../field-sets.ts";

/** The status a finished rollout leaves behind; `undefined` for kinds without controllers here. */
export function finishedStatus(object: KubeObject): Tree | undefined {
  const spec = isTree(object["spec"]) ? object["spec"] : {};
  const replicas = typeof spec["replicas"] === "number" ? spec["replicas"] : 1;
  const observedGeneration = object.metadata.generation ?? 1;
  switch (object.kind) {
    case "Deployment":
      return {
        observedGeneration,
        replicas,
        updatedReplicas: replicas,
        readyReplicas: replicas,
        availableReplicas: replicas,
        conditions: [
          { type: "Available", status: "True", reason: "MinimumReplicasAvailable" },
          { type: "Progressing", status: "True", reason: "NewReplicaSetAvailable" },
        ],
      };
    case "StatefulSet":
      return {
        observedGeneration,
        replicas,
        updatedReplicas: replicas,
        readyReplicas: replicas,
        currentReplicas: replicas,
        availableReplicas: replicas,
        currentRevision: `r${observedGeneration}`,
        updateRevision: `r${observedGeneration}`,
      };
    case "DaemonSet":
      return {
        observedGeneration,
        desiredNumberScheduled: 1,
        currentNumberScheduled: 1,
        updatedNumberScheduled: 1,
        numberReady: 1,
        numberAvailable: 1,
      };
    case "Job":
      return { succeeded: 1, conditions: [{ type: "Complete", status: "True" }] };
    case "Namespace":
      return { phase: "Active" };
    case "Pod":
      return {
        phase: "Running",
        conditions: [{ type: "Ready", status: "True" }],
      };
    case "PersistentVolumeClaim":
      return { phase: "Bound" };
    case "CustomResourceDefinition":
      return {
        conditions: [
          { type: "NamesAccepted", status: "True", reason: "NoConflicts" },
          { type: "Established", status: "True", reason: "InitialNamesAccepted" },
        ],
      };
    default:
      return undefined;
  }
}
