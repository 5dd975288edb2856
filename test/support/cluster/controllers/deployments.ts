/** Deployments: a ReplicaSet for each template, and a rollout from the old ones to the newest. */
import { conditionOf, isTrue, withConditions, type Condition } from "../conditions.ts";
import {
  isMap,
  mapAt,
  numberAt,
  sameJson,
  textAt,
  without,
  type Json,
  type JsonMap,
} from "../json.ts";
import { builtIn } from "../kinds.ts";
import { isTerminating, uidOf, type KubeObject } from "../object.ts";
import {
  controllerOfChange,
  controllerReference,
  itself,
  type Controller,
  type Host,
} from "./host.ts";
import { labelsOf } from "../selectors.ts";
import { adopt, portion, templateHash, withTemplateLabels } from "./workloads.ts";

const deployments = builtIn("apps/deployments");
const sets = builtIn("apps/replicasets");

const hashLabel = "pod-template-hash";
const revisionNote = "deployment.kubernetes.io/revision";

const wanted = (object: KubeObject): number => numberAt(object, "spec", "replicas") ?? 1;
const has = (set: KubeObject, field: string): number => numberAt(set, "status", field) ?? 0;
const total = (all: readonly KubeObject[], count: (set: KubeObject) => number): number =>
  all.reduce((sum, set) => sum + count(set), 0);

const revisionOf = (object: KubeObject): number =>
  Number(object.metadata.annotations?.[revisionNote] ?? 0);

/** A ReplicaSet's template without the label that the Deployment's controller added. */
function plainTemplate(set: KubeObject): Json {
  const template = mapAt(set, "spec", "template");
  const labels = without(mapAt(template, "metadata", "labels"), hashLabel);
  return { ...template, metadata: { ...mapAt(template, "metadata"), labels } };
}

type Limits = { readonly surge: number; readonly unavailable: number };

function limitsOf(deployment: KubeObject): Limits {
  const rolling = mapAt(deployment, "spec", "strategy", "rollingUpdate");
  const count = wanted(deployment);
  const surge = portion(rolling["maxSurge"], count, "up");
  const unavailable = Math.min(portion(rolling["maxUnavailable"], count, "down"), count);
  // Without room in either direction nothing could ever move.
  return surge === 0 && unavailable === 0 ? { surge: 0, unavailable: 1 } : { surge, unavailable };
}

type Progress = { readonly generation: number; readonly cancel: () => void };

export function createDeploymentController(host: Host): Controller {
  const { time } = host.world;
  /** The running deadline of each rollout. */
  const deadlines = new Map<string, Progress>();
  const overdue = new Set<string>();

  const makeSet = (deployment: KubeObject, revision: number): KubeObject => {
    const template = mapAt(deployment, "spec", "template");
    const hash = templateHash(template);
    const spec = mapAt(deployment, "spec");
    const selector = mapAt(spec, "selector");
    const matchLabels = { ...mapAt(selector, "matchLabels"), [hashLabel]: hash };
    const labelled = withTemplateLabels(template, { [hashLabel]: hash });
    const labels = mapAt(labelled, "metadata", "labels");
    return host.make(sets.key, {
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: {
        name: `${deployment.metadata.name}-${hash}`,
        ...(deployment.metadata.namespace === undefined
          ? {}
          : { namespace: deployment.metadata.namespace }),
        labels: labelsOf({ metadata: { labels } }),
        annotations: {
          [revisionNote]: String(revision),
          "deployment.kubernetes.io/desired-replicas": String(wanted(deployment)),
          "deployment.kubernetes.io/max-replicas": String(
            wanted(deployment) + limitsOf(deployment).surge,
          ),
        },
        ownerReferences: controllerReference(deployment),
      },
      spec: {
        replicas: 0,
        ...(spec["minReadySeconds"] === undefined
          ? {}
          : { minReadySeconds: spec["minReadySeconds"] }),
        selector: { ...selector, matchLabels },
        template: labelled,
      },
    });
  };

  const scale = (set: KubeObject, replicas: number): void => {
    if (wanted(set) !== replicas) host.setSpec(sets.key, set, { replicas });
  };

  const roll = (deployment: KubeObject, fresh: KubeObject, old: readonly KubeObject[]): void => {
    const count = wanted(deployment);
    const running = old.filter((set) => wanted(set) > 0 || has(set, "replicas") > 0);
    if (textAt(deployment, "spec", "strategy", "type") === "Recreate") {
      for (const set of running) scale(set, 0);
      if (total(old, (set) => has(set, "replicas")) === 0) scale(fresh, count);
      return;
    }
    if (running.length === 0) {
      scale(fresh, count);
      return;
    }
    const { surge, unavailable } = limitsOf(deployment);
    const all = [fresh, ...running];
    const room = count + surge - total(all, wanted);
    const target = Math.min(count, wanted(fresh) + Math.max(0, room));
    scale(fresh, target);
    let spare = total(all, (set) => has(set, "availableReplicas")) - (count - unavailable);
    for (const set of running) {
      // Pods that never became available protect nothing; they go first and cost nothing.
      const useless = Math.max(0, wanted(set) - has(set, "availableReplicas"));
      const kept = wanted(set) - useless;
      const given = Math.max(0, Math.min(kept, spare));
      spare -= given;
      scale(set, kept - given);
    }
  };

  const forgetOldSets = (deployment: KubeObject, old: readonly KubeObject[]): void => {
    const limit = numberAt(deployment, "spec", "revisionHistoryLimit") ?? 10;
    const idle = old
      .filter((set) => wanted(set) === 0 && has(set, "replicas") === 0 && !isTerminating(set))
      .toSorted((a, b) => revisionOf(a) - revisionOf(b));
    for (const set of idle.slice(0, Math.max(0, idle.length - limit))) host.remove(sets, set);
  };

  const watchDeadline = (deployment: KubeObject, isDone: boolean, moved: boolean): void => {
    const uid = uidOf(deployment);
    const current = deadlines.get(uid);
    const generation = deployment.metadata.generation ?? 1;
    const isNew = current?.generation !== generation;
    if (isNew || moved || isDone) overdue.delete(uid);
    if (isDone) {
      current?.cancel();
      deadlines.delete(uid);
      return;
    }
    if (!isNew && !moved) return;
    current?.cancel();
    const seconds = numberAt(deployment, "spec", "progressDeadlineSeconds") ?? 600;
    const cancel = time.after(seconds * 1000, () => {
      overdue.add(uid);
      host.enqueue("deployments", {
        namespace: deployment.metadata.namespace ?? "",
        name: deployment.metadata.name,
      });
    });
    deadlines.set(uid, { generation, cancel });
  };

  const progressing = (
    deployment: KubeObject,
    fresh: KubeObject,
    isDone: boolean,
    moved: boolean,
  ): Condition => {
    const type = "Progressing";
    const name = JSON.stringify(fresh.metadata.name);
    const was = conditionOf(deployment, type);
    if (isDone)
      return {
        type,
        status: "True",
        reason: "NewReplicaSetAvailable",
        message: `ReplicaSet ${name} has successfully progressed.`,
      };
    if (overdue.has(uidOf(deployment)))
      return {
        type,
        status: "False",
        reason: "ProgressDeadlineExceeded",
        message: `ReplicaSet ${name} has timed out progressing.`,
      };
    const isKnown = was !== undefined && textAt(was, "message").includes(name);
    const wasDone = textAt(was, "reason") === "NewReplicaSetAvailable";
    if (!isKnown)
      return {
        type,
        status: "True",
        reason: "NewReplicaSetCreated",
        message: `Created new replica set ${name}`,
      };
    if (moved || wasDone || textAt(was, "status") !== "True")
      return {
        type,
        status: "True",
        reason: "ReplicaSetUpdated",
        message: `ReplicaSet ${name} is progressing.`,
      };
    return {
      type,
      status: "True",
      reason: textAt(was, "reason"),
      message: textAt(was, "message"),
    };
  };

  const report = (deployment: KubeObject, fresh: KubeObject, old: readonly KubeObject[]): void => {
    const count = wanted(deployment);
    const all = [fresh, ...old];
    const replicas = total(all, (set) => has(set, "replicas"));
    const updated = has(fresh, "replicas");
    const ready = total(all, (set) => has(set, "readyReplicas"));
    const available = total(all, (set) => has(set, "availableReplicas"));
    const unavailable = Math.max(0, total(all, wanted) - available);
    const isDone = updated === count && replicas === count && available >= count;
    const oldBefore = has(deployment, "replicas") - has(deployment, "updatedReplicas");
    const moved =
      updated > has(deployment, "updatedReplicas") ||
      replicas - updated < oldBefore ||
      ready > has(deployment, "readyReplicas") ||
      available > has(deployment, "availableReplicas");
    watchDeadline(deployment, isDone, moved);
    const isEnough = available >= count - limitsOf(deployment).unavailable;
    const failure = all.map((set) => conditionOf(set, "ReplicaFailure")).find(isMap);
    const conditions: Condition[] = [
      {
        type: "Available",
        status: isEnough ? "True" : "False",
        reason: isEnough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
        message: `Deployment ${isEnough ? "has" : "does not have"} minimum availability.`,
      },
      progressing(deployment, fresh, isDone, moved),
      ...(failure === undefined
        ? []
        : [
            {
              type: "ReplicaFailure",
              status: "True" as const,
              reason: textAt(failure, "reason"),
              message: textAt(failure, "message"),
            },
          ]),
    ];
    write(deployment, fresh, conditions, {
      observedGeneration: deployment.metadata.generation ?? 1,
      replicas,
      updatedReplicas: updated,
      readyReplicas: ready,
      availableReplicas: available,
      unavailableReplicas: unavailable,
    });
  };

  const write = (
    deployment: KubeObject,
    fresh: KubeObject,
    conditions: readonly Condition[],
    counts: { readonly [field: string]: number },
  ): void => {
    const now = time.stamp();
    const types = new Set(conditions.map((condition) => condition.type));
    const kept = withConditions(deployment, now, conditions, (condition, was) => ({
      lastUpdateTime:
        was !== undefined &&
        textAt(was, "reason") === condition.reason &&
        textAt(was, "message") === condition.message
          ? (was["lastUpdateTime"] ?? now)
          : now,
    })).filter((condition) => types.has(textAt(condition, "type")));
    // Zero is left out, as Go leaves it out.
    const status = Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
    host.setStatusAndNotes(
      deployments.key,
      deployment,
      { ...status, conditions: kept },
      { [revisionNote]: String(revisionOf(fresh)) },
    );
  };

  return {
    name: deployments.plural,
    concerns: (change) =>
      change.kind === sets.key
        ? controllerOfChange(change, "Deployment")
        : itself(deployments.key)(change),
    reconcile: (name) => {
      const deployment = host.get(deployments.key, name);
      if (deployment === undefined || isTerminating(deployment)) return;
      const generation = deployment.metadata.generation ?? 1;
      if (generation !== numberAt(deployment, "status", "observedGeneration"))
        adopt(host, deployment, sets.key);
      const owned = host.controlled(deployment, sets.key);
      const template = mapAt(deployment, "spec", "template");
      const newest = Math.max(0, ...owned.map(revisionOf));
      const found = owned.find((set) => sameJson(plainTemplate(set), template));
      const isPaused = mapAt(deployment, "spec")["paused"] === true;
      if (found === undefined && isPaused) {
        reportPaused(deployment);
        return;
      }
      const fresh =
        found === undefined
          ? makeSet(deployment, newest + 1)
          : renumbered(found, revisionOf(found) < newest ? newest + 1 : revisionOf(found));
      const old = owned.filter((set) => uidOf(set) !== uidOf(fresh));
      if (isPaused) {
        if (old.every((set) => wanted(set) === 0)) scale(fresh, wanted(deployment));
      } else roll(deployment, fresh, old);
      report(deployment, host.get(sets.key, nameIn(fresh)) ?? fresh, old);
      if (isTrue(deployment, "Available")) forgetOldSets(deployment, old);
    },
  };

  function reportPaused(deployment: KubeObject): void {
    const status: JsonMap = {
      ...mapAt(deployment, "status"),
      observedGeneration: deployment.metadata.generation ?? 1,
      conditions: withConditions(deployment, time.stamp(), [
        {
          type: "Progressing",
          status: "Unknown",
          reason: "DeploymentPaused",
          message: "Deployment is paused",
        },
      ]),
    };
    host.setStatus(deployments.key, deployment, status);
  }

  /** A template that comes back is the newest revision again. */
  function renumbered(set: KubeObject, revision: number): KubeObject {
    return revision === revisionOf(set)
      ? set
      : host.setMeta(sets, set, {
          annotations: { ...set.metadata.annotations, [revisionNote]: String(revision) },
        });
  }
}

const nameIn = (object: KubeObject) => ({
  namespace: object.metadata.namespace ?? "",
  name: object.metadata.name,
});
