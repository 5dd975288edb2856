import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { assessHealth } from "../../../../spoke/domain/health/index.ts";
import type { KubeObject } from "../../../../spoke/domain/kube-object.ts";

/** What the shared corpus does not cover: states that depend on time, and where we know more on purpose. */

const sinceMs = Date.parse("2026-01-01T00:00:00Z");
const since = "2026-01-01T00:00:00Z";

const object = (
  apiVersion: string,
  kind: string,
  body: { readonly spec?: object; readonly status?: object; readonly metadata?: object },
): KubeObject => ({
  apiVersion,
  kind,
  ...body,
  metadata: { name: "demo", ...body.metadata },
});

const failingDeployment = object("apps/v1", "Deployment", {
  spec: { replicas: 2 },
  status: {
    replicas: 2,
    updatedReplicas: 2,
    availableReplicas: 1,
    conditions: [
      { type: "Progressing", status: "True", reason: "NewReplicaSetAvailable" },
      { type: "Available", status: "False", message: "too few pods", lastTransitionTime: since },
    ],
  },
});

const missingApi = object("apiregistration.k8s.io/v1", "APIService", {
  status: {
    conditions: [
      {
        type: "Available",
        status: "False",
        reason: "MissingEndpoints",
        message: "none",
        lastTransitionTime: since,
      },
    ],
  },
});

type Row = {
  readonly name: string;
  readonly object: KubeObject;
  readonly afterMs?: number;
  readonly expect: readonly [state: string, message: string] | undefined;
};

const rows: readonly Row[] = [
  {
    name: "a finished rollout that loses pods is Progressing at first",
    object: failingDeployment,
    afterMs: 59_999,
    expect: [
      "Progressing",
      "Waiting for rollout to finish: 1 of 2 updated replicas are available...",
    ],
  },
  {
    name: "a finished rollout that stays without pods is Degraded",
    object: failingDeployment,
    afterMs: 60_000,
    expect: ["Degraded", "too few pods"],
  },
  {
    name: "an API that just became unavailable is Progressing",
    object: missingApi,
    afterMs: 59_999,
    expect: ["Progressing", "MissingEndpoints: none"],
  },
  {
    name: "an API that stays unavailable is Degraded",
    object: missingApi,
    afterMs: 60_000,
    expect: ["Degraded", "MissingEndpoints: none"],
  },
  {
    name: "a job that is bound to fail is Degraded before its pods are gone",
    object: object("batch/v1", "Job", {
      status: { conditions: [{ type: "FailureTarget", status: "True", message: "backoff limit" }] },
    }),
    expect: ["Degraded", "backoff limit"],
  },
  {
    name: "an autoscaler whose target is scaled to zero is Suspended",
    object: object("autoscaling/v2", "HorizontalPodAutoscaler", {
      status: {
        conditions: [
          { type: "AbleToScale", status: "True", message: "ok" },
          {
            type: "ScalingActive",
            status: "False",
            reason: "ScalingDisabled",
            message: "scaling is disabled",
          },
        ],
      },
    }),
    expect: ["Suspended", "scaling is disabled"],
  },
  {
    name: "a controller that is behind the spec says nothing yet, with a number written as text too",
    object: object("policy/v1", "PodDisruptionBudget", {
      metadata: { generation: 3 },
      status: { observedGeneration: "2", conditions: [] },
    }),
    expect: ["Progressing", "Waiting for the newest generation to be observed"],
  },
  {
    name: "a controller that is ahead of the spec is not behind",
    object: object("policy/v1", "PodDisruptionBudget", {
      metadata: { generation: 3 },
      status: { observedGeneration: 4, conditions: [] },
    }),
    expect: ["Healthy", ""],
  },
  {
    name: "a budget without enough pods does its work",
    object: object("policy/v1", "PodDisruptionBudget", {
      status: {
        conditions: [{ type: "DisruptionAllowed", status: "False", reason: "InsufficientPods" }],
      },
    }),
    expect: ["Healthy", ""],
  },
  {
    name: "a budget that cannot be computed is Degraded",
    object: object("policy/v1", "PodDisruptionBudget", {
      status: {
        conditions: [
          { type: "DisruptionAllowed", status: "False", reason: "SyncFailed", message: "m" },
        ],
      },
    }),
    expect: ["Degraded", "m"],
  },
  {
    name: "a namespace that is there has no health",
    object: object("v1", "Namespace", { status: { phase: "Active" } }),
    expect: undefined,
  },
  {
    name: "a namespace that cannot be emptied is Degraded",
    object: object("v1", "Namespace", {
      metadata: { deletionTimestamp: since },
      status: {
        conditions: [
          { type: "NamespaceDeletionContentFailure", status: "True", message: "webhook down" },
        ],
      },
    }),
    expect: ["Degraded", "namespace cannot be emptied: webhook down"],
  },
  {
    name: "anything that is being deleted is Progressing, with a health check or without",
    object: object("v1", "ConfigMap", { metadata: { deletionTimestamp: since } }),
    expect: ["Progressing", "Pending deletion"],
  },
  {
    name: "a stateful set on OnDelete with old pods says so and is Healthy",
    object: object("apps/v1", "StatefulSet", {
      spec: { replicas: 1, updateStrategy: { type: "OnDelete" } },
      status: {
        observedGeneration: 1,
        readyReplicas: 1,
        currentRevision: "a",
        updateRevision: "b",
      },
    }),
    expect: ["Healthy", "statefulset has 1 ready pods, some of them still at revision a"],
  },
  {
    name: "a cron job that runs right now is Healthy",
    object: object("batch/v1", "CronJob", { status: { lastScheduleTime: since, active: [{}] } }),
    expect: ["Healthy", "CronJob is running"],
  },
  {
    name: "a cron job that never ran is Healthy",
    object: object("batch/v1", "CronJob", { status: {} }),
    expect: ["Healthy", "CronJob has not been scheduled yet"],
  },
  {
    name: "a definition that is being installed is Progressing",
    object: object("apiextensions.k8s.io/v1", "CustomResourceDefinition", {
      status: {
        conditions: [
          { type: "NamesAccepted", status: "True" },
          { type: "Established", status: "False", reason: "Installing" },
        ],
      },
    }),
    expect: ["Progressing", "CRD is being installed"],
  },
  {
    name: "a pod whose container was killed for memory is Degraded",
    object: object("v1", "Pod", {
      spec: { restartPolicy: "Never" },
      status: {
        phase: "Failed",
        containerStatuses: [
          { name: "main", state: { terminated: { reason: "OOMKilled", exitCode: 137 } } },
        ],
      },
    }),
    expect: ["Degraded", "OOMKilled"],
  },
];

suite("assessHealth", () => {
  for (const { name, object, afterMs = 0, expect } of rows) {
    test(name, () => {
      const assessment = assessHealth(object, sinceMs + afterMs);
      assert.deepEqual(
        assessment === undefined ? undefined : [assessment.state, assessment.message],
        expect,
      );
    });
  }
});
