/** ReplicaSets (and ReplicationControllers): as many pods as they ask for. */
import { withConditions } from "../conditions.ts";
import { mapAt, numberAt, type JsonMap } from "../json.ts";
import { builtIn } from "../kinds.ts";
import { isTerminating, namespaceOf, type KubeObject } from "../object.ts";
import { ApiError } from "../status.ts";
import { controllerOfChange, itself, nameOf, type Controller, type Host } from "./host.ts";
import { adopt, countPods, leastUseful, podFrom } from "./workloads.ts";

export function createReplicaSetController(
  host: Host,
  kindKey: "apps/replicasets" | "/replicationcontrollers",
): Controller {
  const kind = builtIn(kindKey);
  const pods = builtIn("/pods");
  const { store, time } = host.world;

  const makePods = (set: KubeObject, count: number): string | undefined => {
    try {
      for (let made = 0; made < count; made += 1)
        host.make(
          pods.key,
          podFrom(set, mapAt(set, "spec", "template"), {
            generateName: `${set.metadata.name}-`,
          }),
        );
      return undefined;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return error.message;
    }
  };

  const statusOf = (set: KubeObject, refused: string | undefined): JsonMap => {
    const { active, ready } = countPods(host.controlled(set, pods.key));
    const counts = {
      replicas: active.length,
      ...(active.length === 0 ? {} : { fullyLabeledReplicas: active.length }),
      ...(ready.length === 0
        ? {}
        : { readyReplicas: ready.length, availableReplicas: ready.length }),
      observedGeneration: set.metadata.generation ?? 0,
    };
    return refused === undefined
      ? counts
      : {
          ...counts,
          conditions: withConditions(set, time.stamp(), [
            { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: refused },
          ]),
        };
  };

  return {
    name: kind.plural,
    concerns: (change) => {
      if (change.kind === pods.key) return controllerOfChange(change, kind.kind);
      // Room in a quota is news for whoever waits for it.
      if (change.kind === "/resourcequotas")
        return store.list(kind.key, namespaceOf(change.last)).map(nameOf);
      return itself(kind.key)(change);
    },
    reconcile: (name) => {
      const set = host.get(kind.key, name);
      if (set === undefined) return;
      if ((set.metadata.generation ?? 1) !== numberAt(set, "status", "observedGeneration"))
        adopt(host, set, pods.key);
      let refused: string | undefined;
      if (!isTerminating(set)) {
        const wanted = numberAt(set, "spec", "replicas") ?? 1;
        const { active } = countPods(host.controlled(set, pods.key));
        if (active.length < wanted) refused = makePods(set, wanted - active.length);
        else for (const pod of leastUseful(active, active.length - wanted)) host.remove(pods, pod);
      }
      host.setStatus(kind.key, set, statusOf(set, refused));
    },
  };
}
