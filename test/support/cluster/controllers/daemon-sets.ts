/** DaemonSets: one pod on every node. */
import { compact, mapAt, numberAt, textAt } from "../json.ts";
import { builtIn } from "../kinds.ts";
import { isTerminating, namespaceOf, type KubeObject } from "../object.ts";
import { labelsOf, matchesLabels, requirementsOf } from "../selectors.ts";
import {
  controllerOfChange,
  controllerReference,
  itself,
  nameOf,
  type Controller,
  type Host,
} from "./host.ts";
import { isReady } from "./pods.ts";
import { adopt, podFrom, portion, templateHash, withTemplateLabels } from "./workloads.ts";

const kind = builtIn("apps/daemonsets");
const pods = builtIn("/pods");
const revisions = builtIn("apps/controllerrevisions");

const revisionLabel = "controller-revision-hash";

export function createDaemonSetController(host: Host): Controller {
  const { store } = host.world;

  const hashOf = (set: KubeObject): string => templateHash(mapAt(set, "spec", "template"));

  const nodesFor = (set: KubeObject): readonly KubeObject[] => {
    const selector = requirementsOf({
      matchLabels: mapAt(set, "spec", "template", "spec", "nodeSelector"),
    });
    return store.list("/nodes").filter((node) => matchesLabels(selector, labelsOf(node)));
  };

  const nodeOf = (pod: KubeObject): string => textAt(pod, "spec", "nodeName");

  const isUpdated = (set: KubeObject, pod: KubeObject): boolean =>
    pod.metadata.labels?.[revisionLabel] === hashOf(set);

  const place = (set: KubeObject, node: KubeObject): void => {
    const template = withTemplateLabels(mapAt(set, "spec", "template"), {
      [revisionLabel]: hashOf(set),
      "pod-template-generation": String(set.metadata.generation ?? 1),
    });
    const spec = { ...mapAt(template, "spec"), nodeName: node.metadata.name };
    const name = { generateName: `${set.metadata.name}-` };
    host.make(pods.key, podFrom(set, { ...template, spec }, name));
  };

  const keepRevision = (set: KubeObject): void => {
    const name = `${set.metadata.name}-${hashOf(set)}`;
    if (store.get(revisions.key, namespaceOf(set), name) !== undefined) return;
    host.make(revisions.key, {
      apiVersion: "apps/v1",
      kind: "ControllerRevision",
      metadata: { name, namespace: namespaceOf(set), ownerReferences: controllerReference(set) },
      data: { spec: { template: mapAt(set, "spec", "template") } },
      revision: host.controlled(set, revisions.key).length + 1,
    });
  };

  const replaceOld = (set: KubeObject, owned: readonly KubeObject[], nodes: number): void => {
    if (textAt(set, "spec", "updateStrategy", "type") === "OnDelete") return;
    const rolling = mapAt(set, "spec", "updateStrategy", "rollingUpdate");
    const room = Math.max(1, portion(rolling["maxUnavailable"], nodes, "up"));
    const outdated = owned.filter((pod) => !isTerminating(pod) && !isUpdated(set, pod));
    for (const pod of outdated.filter((one) => !isReady(one))) host.remove(pods, pod);
    const missing = nodes - owned.filter((pod) => !isTerminating(pod) && isReady(pod)).length;
    for (const pod of outdated.filter(isReady).slice(0, Math.max(0, room - missing)))
      host.remove(pods, pod);
  };

  const report = (set: KubeObject, nodes: readonly KubeObject[]): void => {
    const owned = host.controlled(set, pods.key).filter((pod) => !isTerminating(pod));
    const ready = owned.filter(isReady).length;
    const updated = owned.filter((pod) => isUpdated(set, pod)).length;
    const some = (count: number): number | undefined => (count === 0 ? undefined : count);
    host.setStatus(
      kind.key,
      set,
      compact({
        currentNumberScheduled: owned.length,
        numberMisscheduled: 0,
        desiredNumberScheduled: nodes.length,
        numberReady: ready,
        observedGeneration: set.metadata.generation ?? 1,
        updatedNumberScheduled: some(updated),
        numberAvailable: some(ready),
        numberUnavailable: some(nodes.length - ready),
      }),
    );
  };

  return {
    name: kind.plural,
    concerns: (change) => {
      if (change.kind === pods.key) return controllerOfChange(change, kind.kind);
      if (change.kind === "/nodes" && (change.was === undefined || change.is === undefined))
        return store.list(kind.key).map(nameOf);
      return itself(kind.key)(change);
    },
    reconcile: (name) => {
      const set = host.get(kind.key, name);
      if (set === undefined) return;
      const nodes = nodesFor(set);
      if (!isTerminating(set)) {
        if (set.metadata.generation !== numberAt(set, "status", "observedGeneration"))
          adopt(host, set, pods.key);
        keepRevision(set);
        const owned = host.controlled(set, pods.key);
        const names = new Set(nodes.map((node) => node.metadata.name));
        for (const node of nodes) {
          const isServed = owned.some((pod) => nodeOf(pod) === node.metadata.name);
          if (!isServed) place(set, node);
        }
        for (const pod of owned)
          if (!names.has(nodeOf(pod)) && !isTerminating(pod)) host.remove(pods, pod);
        replaceOld(set, host.controlled(set, pods.key), nodes.length);
      }
      report(host.get(kind.key, name) ?? set, nodes);
    },
  };
}
