import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { degraded, healthy, progressing } from "../../../../spoke/domain/health/assessment.ts";
import {
  findingsIn,
  podSelectorOf,
  withFindings,
  type PodFinding,
} from "../../../../spoke/domain/health/pods-behind.ts";
import type { KubeObject } from "../../../../spoke/domain/kube-object.ts";

const workload = (kind: string, spec: object = { selector: { matchLabels: { app: "web" } } }) => ({
  apiVersion: kind === "Job" ? "batch/v1" : "apps/v1",
  kind,
  metadata: { name: "web", namespace: "shop" },
  spec,
});

type PodDraft = {
  readonly name?: string;
  readonly createdAt?: string;
  readonly revision?: string;
  readonly isTerminating?: boolean;
  readonly status: object;
};

const pod = (draft: PodDraft): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: draft.name ?? "web-a",
    creationTimestamp: draft.createdAt ?? "2026-01-01T00:00:00Z",
    labels: { "pod-template-hash": draft.revision ?? "a" },
    ...(draft.isTerminating === true ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
  },
  status: draft.status,
});

const container = (fields: object) => ({ containerStatuses: [{ name: "main", ...fields }] });
const waits = (reason: string, message = "", more: object = {}) => ({
  phase: "Pending",
  ...container({ ready: false, state: { waiting: { reason, message } }, ...more }),
});
const exit = (exitCode: number, message = "") => ({
  terminated: { exitCode, reason: exitCode === 0 ? "Completed" : "Error", message },
});
const crashing = waits("CrashLoopBackOff", "back-off 10s", { lastState: exit(3) });
const noImage = waits("ImagePullBackOff", 'Back-off pulling image "web:none"');
const unscheduled = (reason: string, message: string) => ({
  phase: "Pending",
  conditions: [
    {
      type: "PodScheduled",
      status: "False",
      reason,
      message,
      lastTransitionTime: "2026-01-01T00:00:00Z",
    },
  ],
});
const fine = { phase: "Running", ...container({ ready: true, state: { running: {} } }) };

const asText = ({ kind, pod: name, text }: PodFinding): string => `${kind} ${name}: ${text}`;

suite("what pods say of their workload", () => {
  type Row = {
    readonly name: string;
    readonly kind?: string;
    readonly pods: readonly PodDraft[];
    readonly expect: readonly string[];
  };
  const rows: readonly Row[] = [
    { name: "nothing, when they are well", pods: [{ status: fine }], expect: [] },
    { name: "nothing, when there are none", pods: [], expect: [] },
    {
      name: "an image that cannot be pulled",
      pods: [{ status: noImage }],
      expect: ['stuck web-a: container "main" ImagePullBackOff: Back-off pulling image "web:none"'],
    },
    {
      name: "a reason without a message",
      pods: [{ status: waits("CreateContainerConfigError") }],
      expect: ['stuck web-a: container "main" CreateContainerConfigError'],
    },
    {
      name: "a container that is only being made",
      pods: [{ status: waits("ContainerCreating") }],
      expect: [],
    },
    {
      name: "a container that crashes, with its exit code",
      pods: [{ status: crashing }],
      expect: ['stuck web-a: container "main" CrashLoopBackOff: exit code 3 (Error)'],
    },
    {
      name: "not a container's last words, which may be its log",
      pods: [{ status: waits("CrashLoopBackOff", "", { lastState: exit(1, "no route\nat x") }) }],
      expect: ['stuck web-a: container "main" CrashLoopBackOff: exit code 1 (Error)'],
    },
    {
      name: "a back-off whose last end is not told",
      pods: [{ status: waits("CrashLoopBackOff", "back-off 10s") }],
      expect: ['stuck web-a: container "main" CrashLoopBackOff: back-off 10s'],
    },
    {
      name: "a container that runs again between two crashes",
      pods: [
        {
          status: {
            phase: "Running",
            ...container({
              ready: false,
              restartCount: 2,
              state: { running: {} },
              lastState: exit(3),
            }),
          },
        },
      ],
      expect: ['stuck web-a: container "main" keeps failing: exit code 3 (Error)'],
    },
    {
      name: "one crash, which may have been the last",
      pods: [
        {
          status: {
            phase: "Running",
            ...container({
              ready: false,
              restartCount: 1,
              state: { running: {} },
              lastState: exit(3),
            }),
          },
        },
      ],
      expect: ['waiting web-a: container "main" is not ready'],
    },
    {
      name: "a container that came back from its crashes",
      pods: [
        {
          status: {
            phase: "Running",
            ...container({
              ready: true,
              restartCount: 7,
              state: { running: {} },
              lastState: exit(3),
            }),
          },
        },
      ],
      expect: [],
    },
    {
      name: "an init container that holds up the others",
      pods: [
        {
          status: {
            phase: "Pending",
            initContainerStatuses: [
              { name: "init", state: { waiting: { reason: "CrashLoopBackOff", message: "m" } } },
            ],
            ...container({ state: { waiting: { reason: "PodInitializing" } } }),
          },
        },
      ],
      expect: ['stuck web-a: container "init" CrashLoopBackOff: m'],
    },
    {
      name: "that no node takes them",
      pods: [{ status: unscheduled("Unschedulable", "0/3 nodes are available") }],
      expect: ["unschedulable web-a: Unschedulable: 0/3 nodes are available"],
    },
    {
      name: "that they are held back on purpose",
      pods: [{ status: unscheduled("SchedulingGated", "gated") }],
      expect: ["waiting web-a: SchedulingGated: gated"],
    },
    {
      name: "that one was evicted",
      pods: [{ status: { phase: "Failed", reason: "Evicted", message: "low on memory" } }],
      expect: ["waiting web-a: Evicted: low on memory"],
    },
    {
      name: "the worst first, and the same once",
      pods: [
        { name: "web-1", status: unscheduled("Unschedulable", "no room") },
        { name: "web-3", status: noImage },
        { name: "web-2", status: noImage },
      ],
      expect: [
        'stuck web-2 and 1 more: container "main" ImagePullBackOff: Back-off pulling image "web:none"',
        "unschedulable web-1: Unschedulable: no room",
      ],
    },
    {
      name: "nothing any more, when they are going",
      pods: [{ status: noImage, isTerminating: true }],
      expect: [],
    },
    {
      name: "of a Deployment: the newest revision's only",
      pods: [
        { name: "old", status: noImage },
        { name: "new", revision: "b", createdAt: "2026-01-01T00:00:01Z", status: fine },
      ],
      expect: [],
    },
    {
      name: "of a StatefulSet: every one's, since a bad old one keeps the new ones out",
      kind: "StatefulSet",
      pods: [
        { name: "web-0", status: noImage },
        { name: "web-1", revision: "b", createdAt: "2026-01-01T00:00:01Z", status: fine },
      ],
      expect: ['stuck web-0: container "main" ImagePullBackOff: Back-off pulling image "web:none"'],
    },
    {
      name: "of a Job: how the last one failed, which the Job may yet make good",
      kind: "Job",
      pods: [{ status: { phase: "Failed", ...container({ state: exit(4) }) } }],
      expect: ['waiting web-a: container "main" failed: exit code 4 (Error)'],
    },
    {
      name: "of a Job: crashes are its own business",
      kind: "Job",
      pods: [{ status: crashing }],
      expect: ['waiting web-a: container "main" CrashLoopBackOff: exit code 3 (Error)'],
    },
    {
      name: "of a Job: an image that cannot be pulled never ends by itself",
      kind: "Job",
      pods: [{ status: noImage }],
      expect: ['stuck web-a: container "main" ImagePullBackOff: Back-off pulling image "web:none"'],
    },
  ];
  for (const { name, kind = "Deployment", pods, expect } of rows)
    test(name, () =>
      assert.deepEqual(findingsIn(workload(kind), pods.map(pod)).map(asText), expect),
    );
});

suite("a workload's health with what its pods say", () => {
  const sinceMs = Date.parse("2026-01-01T00:00:00Z");
  const stuck: PodFinding = { kind: "stuck", pod: "p", text: "ImagePullBackOff" };
  const waiting: PodFinding = { kind: "waiting", pod: "p", text: "not ready" };
  const homeless: PodFinding = { kind: "unschedulable", pod: "p", text: "no room", sinceMs };
  const rows = [
    ["a healthy one stays so", healthy(), [stuck], 0, healthy()],
    ["without findings nothing changes", progressing("w"), [], 0, progressing("w")],
    [
      "pods that are stuck degrade it",
      progressing("0 of 1..."),
      [stuck],
      0,
      degraded("0 of 1: pod p: ImagePullBackOff"),
    ],
    [
      "they explain why a deadline passed",
      degraded("exceeded its progress deadline"),
      [stuck],
      0,
      degraded("exceeded its progress deadline: pod p: ImagePullBackOff"),
    ],
    [
      "what may come right only explains",
      progressing(),
      [waiting],
      0,
      progressing("pod p: not ready"),
    ],
    [
      "no room is bearable for a while",
      progressing("w"),
      [homeless],
      59_999,
      { ...progressing("w: pod p: no room"), reviewAtMs: sinceMs + 60_000 },
    ],
    ["and then is not", progressing("w"), [homeless], 60_000, degraded("w: pod p: no room")],
  ] as const;
  for (const [name, own, findings, afterMs, expect] of rows)
    test(name, () => assert.deepEqual(withFindings(own, findings, sinceMs + afterMs), expect));
});

suite("where the pods of a workload are", () => {
  const rows: readonly (readonly [string, KubeObject, string | undefined])[] = [
    ["by labels", workload("Deployment"), "app=web"],
    [
      "by labels and expressions",
      workload("DaemonSet", {
        selector: {
          matchLabels: { app: "web" },
          matchExpressions: [
            { key: "tier", operator: "In", values: ["a", "b"] },
            { key: "old", operator: "NotIn", values: ["yes"] },
            { key: "kept", operator: "Exists" },
            { key: "gone", operator: "DoesNotExist" },
          ],
        },
      }),
      "app=web,tier in (a,b),old notin (yes),kept,!gone",
    ],
    ["nowhere without a selector", workload("Job", {}), undefined],
    ["nowhere for other kinds", workload("ControllerRevision"), undefined],
  ];
  for (const [name, object, expect] of rows)
    test(name, () => assert.equal(podSelectorOf(object)?.labelSelector, expect));
});
