/**
 * What happens to fake nodes and pods, as the stages kwok plays: a node is ready, a pod becomes ready or fails
 * on purpose, a Job's pod completes, a deleted pod goes.
 *
 * A pod fails by the same annotation and the same words in its image as in the simulated cluster, so that a
 * story reads the same on both.
 */

const failAnnotation = `.metadata.annotations["simulation.wheelhouse.dev/fail"]`;

type Requirement = {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values?: readonly string[];
};

type Stage = {
  readonly name: string;
  readonly kind: "Node" | "Pod";
  readonly when: readonly Requirement[];
  readonly weight?: number;
  readonly next: { readonly statusTemplate: string } | { readonly delete: true };
};

const isHere: Requirement = { key: ".metadata.deletionTimestamp", operator: "DoesNotExist" };
const isPending: Requirement = { key: ".status.phase", operator: "In", values: ["Pending"] };
const isRunning: Requirement = { key: ".status.phase", operator: "In", values: ["Running"] };
const ofJob: Requirement = {
  key: ".metadata.ownerReferences.[].kind",
  operator: "In",
  values: ["Job"],
};
const isReady = (operator: "In" | "NotIn"): Requirement => ({
  key: '.status.conditions.[] | select( .type == "Ready" ) | .status',
  operator,
  values: ["True"],
});
const waitsFor = (operator: "In" | "NotIn", reason: string): Requirement => ({
  key: ".status.containerStatuses.[].state.waiting.reason",
  operator,
  values: [reason],
});

/** A pod meant to fail so: by annotation, or by a word in one of its images. */
const failing = (failure: string, imagePattern: string): readonly Requirement[][] => [
  [{ key: failAnnotation, operator: "In", values: [failure] }],
  [
    { key: failAnnotation, operator: "DoesNotExist" },
    {
      key: `.spec.containers.[] | select( .image | test("${imagePattern}") ) | .name`,
      operator: "Exists",
    },
  ],
];

/** Patterns of jq's `test`, the words as in the simulated cluster. */
const imagePatterns = {
  "image-pull":
    "[:/-](missing|broken|does-not-exist|no-such-image)($|[^a-z0-9])|^(missing|broken)($|[^a-z0-9])",
  "crash-loop": "crash",
  "never-ready": "never-ready",
  "job-fail": "job-fail|[:/-]fails?($|[^a-z0-9])",
};

const conditions = (ready: "True" | "False", reason = "", message = ""): string => `
{{ $now := Now }}
conditions:
- { type: PodScheduled, status: "True", lastTransitionTime: {{ $now | Quote }} }
- { type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }} }
${["Ready", "ContainersReady"]
  .map(
    (type) =>
      `- { type: ${type}, status: "${ready}", lastTransitionTime: {{ $now | Quote }}${
        reason === "" ? "" : `, reason: ${reason}, message: ${JSON.stringify(message)}`
      } }`,
  )
  .join("\n")}`;

const addresses = `
startTime: {{ $now | Quote }}
{{ with NodeIPWith .spec.nodeName }}
hostIP: {{ . | Quote }}
{{ end }}
{{ with PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) }}
podIP: {{ . | Quote }}
podIPs: [ { ip: {{ . | Quote }} } ]
{{ end }}`;

/** Each container of the pod in this state; `state` is YAML flow text, in which `$item` is the container. */
const containers = (options: {
  readonly ready: boolean;
  readonly state: string;
  readonly more?: string;
  readonly restarts?: number;
}): string => `
containerStatuses:
{{ range .spec.containers }}
{{ $item := . }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: ${options.ready}
  started: ${options.ready}
  restartCount: ${options.restarts ?? 0}
  state: ${options.state}
  ${options.more ?? ""}
{{ end }}
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: true
  restartCount: 0
  {{ if eq ( or .restartPolicy "" ) "Always" }}
  started: true
  state: { running: { startedAt: {{ $now | Quote }} } }
  {{ else }}
  state: { terminated: { exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} } }
  {{ end }}
{{ end }}`;

const running = "{ running: { startedAt: {{ $now | Quote }} } }";
const terminated = (exitCode: number, reason: string): string =>
  `{ terminated: { exitCode: ${exitCode}, reason: ${reason}, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} } }`;
const waiting = (reason: string, message: string): string =>
  `{ waiting: { reason: ${reason}, message: ${message} } }`;

/** The failing stages outweigh the healthy one, which would match as well. */
const failureWeight = 1_000_000;

/** What becomes of a pod that is meant to fail so. */
const fail = (
  failure: keyof typeof imagePatterns,
  when: readonly Requirement[],
  statusTemplate: string,
): readonly Stage[] =>
  failing(failure, imagePatterns[failure]).map((chosen, index) => ({
    name: `pod-${failure}-${index}`,
    kind: "Pod",
    when: [isHere, ...when, ...chosen],
    weight: failureWeight,
    next: { statusTemplate },
  }));

const notReady = conditions("False", "ContainersNotReady", "containers with unready status");

const failures: readonly Stage[] = [
  ...fail(
    "image-pull",
    [isPending, waitsFor("NotIn", "ImagePullBackOff")],
    `${notReady}
phase: Pending
${addresses}
${containers({
  ready: false,
  state: waiting(
    "ImagePullBackOff",
    '{{ printf "Back-off pulling image %q" $item.image | Quote }}',
  ),
})}`,
  ),
  ...fail(
    "crash-loop",
    [isPending],
    `${notReady}
phase: Running
${addresses}
${containers({
  ready: false,
  restarts: 3,
  state: waiting(
    "CrashLoopBackOff",
    '{{ printf "back-off 40s restarting failed container=%s" $item.name | Quote }}',
  ),
  more: `lastState: ${terminated(1, "Error")}`,
})}`,
  ),
  ...fail(
    "never-ready",
    [isPending],
    `${notReady}
phase: Running
${addresses}
${containers({ ready: false, state: running })}`,
  ),
  ...fail(
    "job-fail",
    [isRunning, ofJob],
    `${conditions("False", "PodFailed", "the pod failed")}
phase: Failed
${containers({ ready: false, state: terminated(1, "Error") })}`,
  ),
];

const stages: readonly Stage[] = [
  {
    name: "node-ready",
    kind: "Node",
    when: [isReady("NotIn")],
    next: {
      statusTemplate: `
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- { type: {{ .type | Quote }}, status: {{ .status | Quote }}, reason: {{ .reason | Quote }}, message: {{ .message | Quote }}, lastHeartbeatTime: {{ $now | Quote }}, lastTransitionTime: {{ $now | Quote }} }
{{ end }}
allocatable: { cpu: "1000", memory: 1Ti, pods: "10000", ephemeral-storage: 1Ti }
capacity: { cpu: "1000", memory: 1Ti, pods: "10000", ephemeral-storage: 1Ti }
phase: Running`,
    },
  },
  {
    name: "pod-ready",
    kind: "Pod",
    when: [isHere, isPending, isReady("NotIn"), waitsFor("NotIn", "ImagePullBackOff")],
    weight: 1,
    next: {
      statusTemplate: `${conditions("True")}
{{ range .spec.readinessGates }}
- { type: {{ .conditionType | Quote }}, status: "True", lastTransitionTime: {{ $now | Quote }} }
{{ end }}
phase: Running
${addresses}
${containers({ ready: true, state: running })}`,
    },
  },
  {
    name: "pod-complete",
    kind: "Pod",
    when: [isHere, isRunning, ofJob],
    weight: 1,
    next: {
      statusTemplate: `${conditions("False", "PodCompleted", "")}
phase: Succeeded
${containers({ ready: false, state: terminated(0, "Completed") })}`,
    },
  },
  {
    name: "pod-delete",
    kind: "Pod",
    when: [{ key: ".metadata.deletionTimestamp", operator: "Exists" }],
    next: { delete: true },
  },
  ...failures,
];

/** The documents of kwok's configuration file. JSON, which is YAML. */
export const stageFile = (): string =>
  stages
    .map(({ name, kind, when, weight, next }) =>
      JSON.stringify({
        apiVersion: "kwok.x-k8s.io/v1alpha1",
        kind: "Stage",
        metadata: { name },
        spec: {
          resourceRef: { apiGroup: "v1", kind },
          selector: { matchExpressions: when },
          ...(weight === undefined ? {} : { weight }),
          next,
        },
      }),
    )
    .join("\n---\n");
