/** Everything that acts by itself in a cluster, driven by what changes in the store. */
import type { KubeObject } from "../object.ts";
import { createDaemonSetController } from "./daemon-sets.ts";
import { createDefinitionController } from "./definitions.ts";
import { createDeploymentController } from "./deployments.ts";
import { createGarbageCollector } from "./garbage.ts";
import { Host, type Failure, type World } from "./host.ts";
import { createJobController } from "./jobs.ts";
import { createNamespaceController } from "./namespaces.ts";
import { createPodController } from "./pods.ts";
import { createReplicaSetController } from "./replica-sets.ts";
import { createStatefulSetController } from "./stateful-sets.ts";
import { createSurroundings } from "./surroundings.ts";

export type { Failure };

export type Controllers = {
  /** What a cluster is born with: nodes, a storage class. */
  readonly furnish: (nodes: readonly string[]) => void;
  readonly stop: () => void;
};

/** `isWhole` false: only what lives in the API server itself, so that definitions still become kinds. */
export function startControllers({
  isWhole,
  ...world
}: World & { readonly isWhole: boolean }): Controllers {
  const host = new Host(world);
  host.add(createDefinitionController(host));
  if (isWhole) {
    host.add(createNamespaceController(host));
    host.add(createGarbageCollector(host));
    host.add(createDeploymentController(host));
    host.add(createReplicaSetController(host, "apps/replicasets"));
    host.add(createReplicaSetController(host, "/replicationcontrollers"));
    host.add(createStatefulSetController(host));
    host.add(createDaemonSetController(host));
    host.add(createJobController(host));
    host.add(createPodController(host));
    for (const controller of createSurroundings(host)) host.add(controller);
  }
  return { furnish: (nodes) => furnish(host, nodes), stop: () => host.stop() };
}

function furnish(host: Host, nodes: readonly string[]): void {
  const now = host.world.time.stamp();
  for (const name of nodes) host.make("/nodes", nodeNamed(name, now), "kubelet");
  host.make("storage.k8s.io/storageclasses", {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: {
      name: "standard",
      annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
    },
    provisioner: "simulated.wheelhouse.dev/volumes",
    reclaimPolicy: "Delete",
    volumeBindingMode: "Immediate",
  });
}

function nodeNamed(name: string, now: string): KubeObject {
  const amounts = { cpu: "8", memory: "32Gi", pods: "110", "ephemeral-storage": "100Gi" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
      },
    },
    spec: {},
    status: {
      capacity: amounts,
      allocatable: amounts,
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "KubeletReady",
          message: "kubelet is posting ready status",
          lastHeartbeatTime: now,
          lastTransitionTime: now,
        },
      ],
      addresses: [
        { type: "InternalIP", address: "10.0.0.1" },
        { type: "Hostname", address: name },
      ],
      nodeInfo: { kubeletVersion: "v1.36.3", operatingSystem: "linux", architecture: "amd64" },
    },
  };
}
