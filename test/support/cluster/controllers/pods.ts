/** Scheduler and kubelet in one: pods find a node, start, become ready, finish, or fail on purpose. */
import { conditionOf, isTrue, withConditions, type Condition } from "../conditions.ts";
import { listAt, mapAt, mapsAt, numberAt, textAt, type Json, type JsonMap } from "../json.ts";
import { builtIn } from "../kinds.ts";
import { isTerminating, uidOf, type KubeObject } from "../object.ts";
import { itself, nameOf, targetOf, type Controller, type Failure, type Host } from "./host.ts";

const pods = builtIn("/pods");

/** How long each step takes, in simulated milliseconds. */
const scheduleMs = 50;
const startMs = 800;
const readyMs = 400;
const workMs = 1000;
const stopMs = 500;
const firstBackOffMs = 10_000;
const restartsMost = 5;

/** The annotation that chooses a pod's fate. */
export const failAnnotation = "simulation.wheelhouse.dev/fail";

const failures: readonly Failure[] = ["image-pull", "crash-loop", "never-ready", "job-fail"];

/** Words in an image that choose a pod's fate: `registry/app:missing`, `crash-loop:1`. */
const imageFailures: readonly (readonly [word: RegExp, failure: Failure])[] = [
  [/[:/-](missing|broken|does-not-exist|no-such-image)\b|^(missing|broken)\b/, "image-pull"],
  [/crash/, "crash-loop"],
  [/never-ready/, "never-ready"],
  [/job-fail|[:/-]fails?\b/, "job-fail"],
];

/** What is meant to go wrong with a pod: by annotation, by image, by the cluster's own rule. */
export function failureOf(
  pod: KubeObject,
  rule: (pod: KubeObject) => Failure | undefined,
): Failure | undefined {
  const annotated = pod.metadata.annotations?.[failAnnotation];
  const named = failures.find((failure) => failure === annotated);
  if (named !== undefined) return named;
  for (const container of mapsAt(pod, "spec", "containers")) {
    const image = textAt(container, "image");
    const found = imageFailures.find(([word]) => word.test(image));
    if (found !== undefined) return found[1];
  }
  return rule(pod);
}

export const isReady = (pod: KubeObject): boolean => isTrue(pod, "Ready");

export const isFinished = (pod: KubeObject): boolean => {
  const phase = textAt(pod, "status", "phase");
  return phase === "Succeeded" || phase === "Failed";
};

/** Counts towards replicas: neither finished nor on its way out. */
export const isActive = (pod: KubeObject): boolean => !isFinished(pod) && !isTerminating(pod);

export function createPodController(host: Host): Controller {
  const { time, store, resources } = host.world;
  /** The step each pod is waiting for, so that a change in between does not start it twice. */
  const waiting = new Map<string, { readonly step: string; readonly cancel: () => void }>();
  let addresses = 0;

  const after = (pod: KubeObject, step: string, delayMs: number, run: () => void): void => {
    const uid = uidOf(pod);
    const current = waiting.get(uid);
    if (current?.step === step) return;
    current?.cancel();
    const cancel = time.after(delayMs, () => {
      waiting.delete(uid);
      run();
    });
    waiting.set(uid, { step, cancel });
  };

  /** Runs a step on the pod as it then is, if it is still there. */
  const step = (pod: KubeObject, name: string, delayMs: number, act: (pod: KubeObject) => void) =>
    after(pod, name, delayMs, () => {
      const now = store.get(pods.key, nameOf(pod).namespace, pod.metadata.name);
      if (now !== undefined && uidOf(now) === uidOf(pod)) act(now);
    });

  const setStatus = (pod: KubeObject, status: JsonMap, conditions: readonly Condition[]): void => {
    const next = {
      ...mapAt(pod, "status"),
      ...status,
      ...(pod.metadata.generation === undefined
        ? {}
        : { observedGeneration: pod.metadata.generation }),
      conditions: withConditions(pod, time.stamp(), conditions),
    };
    host.setStatus(pods.key, pod, next, "kubelet");
  };

  const bind = (pod: KubeObject): void => {
    const node = store.list("/nodes").find((one) => !isCordoned(one));
    if (node === undefined) {
      const message = `0/${store.list("/nodes").length} nodes are available: no nodes available to schedule pods.`;
      if (textAt(conditionOf(pod, "PodScheduled"), "message") === message) return;
      host.setStatus(
        pods.key,
        pod,
        {
          ...mapAt(pod, "status"),
          conditions: withConditions(pod, time.stamp(), [
            { type: "PodScheduled", status: "False", reason: "Unschedulable", message },
          ]),
        },
        "kube-scheduler",
      );
      return;
    }
    const spec = { ...mapAt(pod, "spec"), nodeName: node.metadata.name };
    resources.replace(targetOf(pods, pod, "binding"), pod, { ...pod, spec }, "kube-scheduler");
  };

  const accept = (pod: KubeObject): void => {
    setStatus(
      pod,
      {
        phase: "Pending",
        hostIP: "10.0.0.1",
        hostIPs: [{ ip: "10.0.0.1" }],
        startTime: time.stamp(),
        containerStatuses: containers(pod, () => ({
          state: { waiting: { reason: "ContainerCreating" } },
        })),
      },
      [
        { type: "PodReadyToStartContainers", status: "False" },
        { type: "Initialized", status: "True" },
        notReady("Ready", pod),
        notReady("ContainersReady", pod),
        { type: "PodScheduled", status: "True" },
      ],
    );
  };

  const start = (pod: KubeObject): void => {
    const failure = failureOf(pod, host.world.failureOf);
    if (failure === "image-pull") {
      refuseImage(pod);
      return;
    }
    addresses += 1;
    const ip = `10.244.${Math.floor(addresses / 250) % 250}.${(addresses % 250) + 1}`;
    const startedAt = time.stamp();
    setStatus(
      pod,
      {
        phase: "Running",
        podIP: ip,
        podIPs: [{ ip }],
        ...initStatuses(pod, startedAt),
        containerStatuses: containers(pod, (name) => ({
          state: { running: { startedAt } },
          started: true,
          containerID: `containerd://${uidOf(pod)}-${name}`,
        })),
      },
      [
        { type: "PodReadyToStartContainers", status: "True" },
        notReady("Ready", pod),
        notReady("ContainersReady", pod),
      ],
    );
  };

  const refuseImage = (pod: KubeObject): void => {
    const isSecondTry =
      textAt(mapsAt(pod, "status", "containerStatuses")[0], "state", "waiting", "reason") ===
      "ErrImagePull";
    setStatus(
      pod,
      {
        phase: "Pending",
        containerStatuses: containers(pod, (_, image) => ({
          state: {
            waiting: isSecondTry
              ? { reason: "ImagePullBackOff", message: `Back-off pulling image "${image}"` }
              : {
                  reason: "ErrImagePull",
                  message: `failed to pull and unpack image "${image}": ${image}: not found`,
                },
          },
        })),
      },
      [notReady("Ready", pod), notReady("ContainersReady", pod)],
    );
  };

  const becomeReady = (pod: KubeObject): void => {
    const current = mapsAt(pod, "status", "containerStatuses");
    setStatus(pod, { containerStatuses: current.map((status) => ({ ...status, ready: true })) }, [
      { type: "Ready", status: "True" },
      { type: "ContainersReady", status: "True" },
    ]);
  };

  const finish = (pod: KubeObject, failed: boolean): void => {
    const at = time.stamp();
    const reason = failed ? "Error" : "Completed";
    const terminated = {
      exitCode: failed ? 1 : 0,
      reason,
      startedAt: textAt(pod, "status", "startTime") || at,
      finishedAt: at,
    };
    const cause = failed ? "PodFailed" : "PodCompleted";
    setStatus(
      pod,
      {
        phase: failed ? "Failed" : "Succeeded",
        containerStatuses: containers(pod, () => ({ state: { terminated }, started: false })),
      },
      [
        { type: "Ready", status: "False", reason: cause },
        { type: "ContainersReady", status: "False", reason: cause },
      ],
    );
  };

  const crash = (pod: KubeObject): void => {
    const restarts = restartsOf(pod) + 1;
    const at = time.stamp();
    const backOff = Math.min(firstBackOffMs * 2 ** (restarts - 1), 300_000);
    setStatus(
      pod,
      {
        phase: "Running",
        containerStatuses: containers(pod, (name) => ({
          restartCount: restarts,
          state: {
            waiting: {
              reason: "CrashLoopBackOff",
              message: `back-off ${backOff / 1000}s restarting failed container=${name} pod=${pod.metadata.name}_${nameOf(pod).namespace}(${uidOf(pod)})`,
            },
          },
          lastState: {
            terminated: { exitCode: 1, reason: "Error", startedAt: at, finishedAt: at },
          },
        })),
      },
      [notReady("Ready", pod), notReady("ContainersReady", pod)],
    );
  };

  const next = (pod: KubeObject): void => {
    const failure = failureOf(pod, host.world.failureOf);
    const runsToEnd = textAt(pod, "spec", "restartPolicy") !== "Always";
    const state = mapAt(mapsAt(pod, "status", "containerStatuses")[0], "state");
    const waitingFor = textAt(state, "waiting", "reason");
    if (textAt(pod, "spec", "nodeName") === "") {
      if (listAt(pod, "spec", "schedulingGates").length === 0)
        step(pod, "schedule", scheduleMs, bind);
    } else if (textAt(pod, "status", "startTime") === "") {
      step(pod, "accept", 0, accept);
    } else if (waitingFor === "ContainerCreating") {
      step(pod, "start", startMs, start);
    } else if (waitingFor === "ErrImagePull") {
      step(pod, "back off", startMs, refuseImage);
    } else if (failure === "crash-loop" && waitingFor === "CrashLoopBackOff") {
      // After some restarts the clock is left alone: a test that waits for more has seen enough.
      const restarts = restartsOf(pod);
      if (restarts < restartsMost)
        step(pod, `restart ${restarts}`, firstBackOffMs * 2 ** (restarts - 1), crash);
    } else if ("running" in state) {
      if (failure === "crash-loop") step(pod, "crash", readyMs, crash);
      else if (runsToEnd && failure !== "never-ready")
        step(pod, "finish", workMs, (now) => finish(now, failure === "job-fail"));
      else if (failure === undefined && !isReady(pod)) step(pod, "ready", readyMs, becomeReady);
    }
  };

  return {
    name: "pods",
    concerns: (change) =>
      change.kind === "/nodes" && change.was === undefined
        ? store.list(pods.key).filter(isUnscheduled).map(nameOf)
        : itself(pods.key)(change),
    reconcile: (name) => {
      const pod = host.get(pods.key, name);
      if (pod === undefined) return;
      if (isTerminating(pod)) {
        const grace = pod.metadata.deletionGracePeriodSeconds ?? 0;
        if (grace > 0)
          step(pod, "stop", Math.min(stopMs, grace * 1000), (now) =>
            host.remove(pods, now, { graceSeconds: 0 }),
          );
        return;
      }
      if (!isFinished(pod)) next(pod);
    },
  };
}

const isUnscheduled = (pod: KubeObject): boolean => textAt(pod, "spec", "nodeName") === "";

const isCordoned = (node: KubeObject): boolean => mapAt(node, "spec")["unschedulable"] === true;

const restartsOf = (pod: KubeObject): number =>
  numberAt(mapsAt(pod, "status", "containerStatuses")[0], "restartCount") ?? 0;

const notReady = (type: string, pod: KubeObject): Condition => ({
  type,
  status: "False",
  reason: "ContainersNotReady",
  message: `containers with unready status: [${mapsAt(pod, "spec", "containers")
    .map((container) => textAt(container, "name"))
    .join(" ")}]`,
});

function containers(
  pod: KubeObject,
  state: (name: string, image: string) => JsonMap,
): readonly Json[] {
  return mapsAt(pod, "spec", "containers").map((container) => {
    const name = textAt(container, "name");
    const image = textAt(container, "image");
    return {
      name,
      image,
      imageID: "",
      ready: false,
      started: false,
      restartCount: restartsOf(pod),
      lastState: {},
      ...state(name, image),
    };
  });
}

function initStatuses(pod: KubeObject, at: string): JsonMap {
  const statuses = mapsAt(pod, "spec", "initContainers").map((container) => ({
    name: textAt(container, "name"),
    image: textAt(container, "image"),
    imageID: "",
    ready: true,
    restartCount: 0,
    lastState: {},
    state: { terminated: { exitCode: 0, reason: "Completed", startedAt: at, finishedAt: at } },
  }));
  return statuses.length === 0 ? {} : { initContainerStatuses: statuses };
}
