/** StatefulSets: numbered pods, one after the other, each with its claims. */
import { compact, mapAt, mapsAt, numberAt, textAt, type JsonMap } from "../json.ts";
import { builtIn } from "../kinds.ts";
import { isTerminating, namespaceOf, type KubeObject } from "../object.ts";
import {
  controllerOfChange,
  controllerReference,
  itself,
  nameOf,
  type Controller,
  type Host,
} from "./host.ts";
import { isReady } from "./pods.ts";
import { adopt, podFrom, templateHash, withTemplateLabels } from "./workloads.ts";

const kind = builtIn("apps/statefulsets");
const pods = builtIn("/pods");
const claims = builtIn("/persistentvolumeclaims");
const revisions = builtIn("apps/controllerrevisions");

const revisionLabel = "controller-revision-hash";

export function createStatefulSetController(host: Host): Controller {
  const { store } = host.world;

  const ordinalOf = (pod: KubeObject): number =>
    Number(pod.metadata.name.slice(pod.metadata.name.lastIndexOf("-") + 1));

  const revisionOf = (set: KubeObject): string =>
    `${set.metadata.name}-${templateHash(mapAt(set, "spec", "template"))}`;

  const keepRevision = (set: KubeObject): void => {
    const name = revisionOf(set);
    if (store.get(revisions.key, namespaceOf(set), name) !== undefined) return;
    const owned = host.controlled(set, revisions.key);
    host.make(revisions.key, {
      apiVersion: "apps/v1",
      kind: "ControllerRevision",
      metadata: {
        name,
        namespace: namespaceOf(set),
        ownerReferences: controllerReference(set),
      },
      data: { spec: { template: { ...mapAt(set, "spec", "template"), $patch: "replace" } } },
      revision: Math.max(0, ...owned.map((one) => numberAt(one, "revision") ?? 0)) + 1,
    });
  };

  const makePod = (set: KubeObject, ordinal: number): void => {
    const name = `${set.metadata.name}-${ordinal}`;
    const volumes = mapsAt(set, "spec", "volumeClaimTemplates").map((template) => {
      const volume = textAt(template, "metadata", "name");
      const claim = `${volume}-${name}`;
      if (store.get(claims.key, namespaceOf(set), claim) === undefined)
        host.make(claims.key, {
          apiVersion: "v1",
          kind: "PersistentVolumeClaim",
          metadata: { name: claim, namespace: namespaceOf(set) },
          spec: mapAt(template, "spec"),
        });
      return { name: volume, persistentVolumeClaim: { claimName: claim } };
    });
    const template = withTemplateLabels(mapAt(set, "spec", "template"), {
      [revisionLabel]: revisionOf(set),
      "statefulset.kubernetes.io/pod-name": name,
      "apps.kubernetes.io/pod-index": String(ordinal),
    });
    const spec = mapAt(template, "spec");
    const withVolumes: JsonMap =
      volumes.length === 0 ? spec : { ...spec, volumes: [...mapsAt(spec, "volumes"), ...volumes] };
    const named = { ...withVolumes, hostname: name, subdomain: textAt(set, "spec", "serviceName") };
    host.make(pods.key, podFrom(set, { ...template, spec: named }, { name }));
  };

  /** Does the next thing there is to do; the pods' changes bring us back here. */
  const step = (set: KubeObject, owned: readonly KubeObject[]): void => {
    const replicas = numberAt(set, "spec", "replicas") ?? 1;
    const start = numberAt(set, "spec", "ordinals", "start") ?? 0;
    const isParallel = textAt(set, "spec", "podManagementPolicy") === "Parallel";
    const byOrdinal = new Map(owned.map((pod) => [ordinalOf(pod), pod]));
    for (let ordinal = start; ordinal < start + replicas; ordinal += 1) {
      const pod = byOrdinal.get(ordinal);
      if (pod === undefined) makePod(set, ordinal);
      if (!isParallel && (pod === undefined || isTerminating(pod) || !isReady(pod))) return;
    }
    const surplus = owned
      .filter((pod) => ordinalOf(pod) >= start + replicas || ordinalOf(pod) < start)
      .toSorted((a, b) => ordinalOf(b) - ordinalOf(a));
    for (const pod of isParallel ? surplus : surplus.slice(0, 1))
      if (!isTerminating(pod)) host.remove(pods, pod);
    if (surplus.length === 0) replaceOld(set, owned);
  };

  const replaceOld = (set: KubeObject, owned: readonly KubeObject[]): void => {
    if (textAt(set, "spec", "updateStrategy", "type") === "OnDelete") return;
    const partition = numberAt(set, "spec", "updateStrategy", "rollingUpdate", "partition") ?? 0;
    if (owned.some((pod) => isTerminating(pod) || !isReady(pod))) return;
    const outdated = owned
      .filter((pod) => ordinalOf(pod) >= partition && !isUpdated(set, pod))
      .toSorted((a, b) => ordinalOf(b) - ordinalOf(a));
    const [next] = outdated;
    if (next !== undefined) host.remove(pods, next);
  };

  const isUpdated = (set: KubeObject, pod: KubeObject): boolean =>
    pod.metadata.labels?.[revisionLabel] === revisionOf(set);

  /** A broken pod of an older revision is replaced first: it would hold up everything. */
  const replaceBroken = (set: KubeObject, owned: readonly KubeObject[]): void => {
    const broken = owned.find(
      (pod) => !isReady(pod) && !isTerminating(pod) && !isUpdated(set, pod),
    );
    if (broken !== undefined && textAt(set, "spec", "updateStrategy", "type") !== "OnDelete")
      host.remove(pods, broken);
  };

  const report = (set: KubeObject, owned: readonly KubeObject[]): void => {
    const active = owned.filter((pod) => !isTerminating(pod));
    const ready = active.filter(isReady).length;
    const updated = active.filter((pod) => isUpdated(set, pod)).length;
    const replicas = numberAt(set, "spec", "replicas") ?? 1;
    const updateRevision = revisionOf(set);
    const isDone = updated === replicas && ready === replicas && owned.length === replicas;
    const before = textAt(set, "status", "currentRevision");
    const currentRevision = isDone || before === "" ? updateRevision : before;
    const current = active.filter(
      (pod) => pod.metadata.labels?.[revisionLabel] === currentRevision,
    ).length;
    const some = (count: number): number | undefined => (count === 0 ? undefined : count);
    host.setStatus(
      kind.key,
      set,
      compact({
        observedGeneration: set.metadata.generation ?? 1,
        replicas: owned.length,
        readyReplicas: some(ready),
        currentReplicas: some(current),
        updatedReplicas: some(updated),
        currentRevision,
        updateRevision,
        collisionCount: 0,
        availableReplicas: ready,
      }),
    );
  };

  return {
    name: kind.plural,
    concerns: (change) =>
      change.kind === pods.key ? controllerOfChange(change, kind.kind) : itself(kind.key)(change),
    reconcile: (name) => {
      const set = host.get(kind.key, name);
      if (set === undefined) return;
      if (set.metadata.generation !== numberAt(set, "status", "observedGeneration"))
        adopt(host, set, pods.key);
      if (!isTerminating(set)) {
        keepRevision(set);
        replaceBroken(set, host.controlled(set, pods.key));
        step(set, host.controlled(set, pods.key));
      }
      report(host.get(kind.key, nameOf(set)) ?? set, host.controlled(set, pods.key));
    },
  };
}
