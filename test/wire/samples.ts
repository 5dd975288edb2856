import type { Digest } from "../../proto/words/digest.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import type { HubMessage, SpokeMessage } from "../../proto/words/link-messages.ts";
import { makeObjectKey } from "../../proto/words/object-key.ts";
import type { ServiceAccount } from "../../proto/words/service-account.ts";

const digest = (letter: string) => letter.repeat(64) as Digest;
const web = "web-prod" as ApplicationName;
const api = "api.prod" as ApplicationName;

/** One of each message with every field set, so that a field that loses its meaning is noticed. */
export const spokeSamples: Readonly<Record<string, SpokeMessage>> = {
  hello: {
    kind: "hello",
    protocolLeast: 1,
    protocolMost: 2,
    capabilities: ["a", "b"],
    spokeVersion: "0.1.0",
    bootId: "boot",
    heldVersion: 7,
    heldRoot: digest("a"),
    statusRoot: digest("b"),
    epochSeen: 3,
    clockMs: 1_700_000_000_123,
    kubernetesVersion: "v1.35.0",
  },
  "ack stored": { kind: "ack", ack: { kind: "stored", version: 7, root: digest("a") } },
  "ack applied": { kind: "ack", ack: { kind: "applied", application: web, generation: 4 } },
  "ack healthy": {
    kind: "ack",
    ack: { kind: "healthy", application: web, generation: 4, atMs: 1_700_000_000_123 },
  },
  "ack removed": { kind: "ack", ack: { kind: "removed", application: web, generation: 5 } },
  report: {
    kind: "report",
    sequence: 9,
    applications: [
      {
        application: web,
        storedGeneration: 4,
        appliedGeneration: 3,
        healthyGeneration: 2,
        appliedRevision: "0123456789abcdef0123456789abcdef01234567",
        syncStatus: "OutOfSync",
        health: { state: "Degraded", message: "1 of 3 pods ready ✗" },
        operation: {
          phase: "Running",
          generation: 4,
          message: "wave 1",
          startedAtMs: 1_700_000_000_123,
          finishedAtMs: undefined,
        },
        conditions: [{ code: "WH-APP-1017", message: "not ours" }],
        resources: [
          {
            key: makeObjectKey({
              group: "apps",
              kind: "Deployment",
              namespace: "web",
              name: "web",
            }),
            version: "v1",
            syncStatus: "Synced",
            health: "Progressing",
            message: "rolling out",
            images: ["registry.example/web:1"],
            awaitsPrune: false,
          },
          {
            key: makeObjectKey({ group: "", kind: "ConfigMap", namespace: "web", name: "old" }),
            version: "v1",
            syncStatus: "Unknown",
            health: undefined,
            message: "",
            images: [],
            awaitsPrune: true,
          },
        ],
      },
      {
        application: api,
        storedGeneration: 1,
        appliedGeneration: 1,
        healthyGeneration: 1,
        appliedRevision: "",
        syncStatus: "Synced",
        health: { state: "Healthy", message: "" },
        operation: {
          phase: "Succeeded",
          generation: 1,
          message: "",
          startedAtMs: 1_700_000_000_123,
          finishedAtMs: 1_700_000_000_456,
        },
        conditions: [],
        resources: [],
      },
    ],
    gone: [api],
  },
  heartbeat: {
    kind: "heartbeat",
    desiredRoot: digest("a"),
    statusRoot: undefined,
    desiredVersion: 7,
  },
  "desired digests": {
    kind: "desired-digests",
    digests: new Map([
      [web, digest("c")],
      [api, digest("d")],
    ]),
  },
  "command result": {
    kind: "command-result",
    id: "01HZX3Z6Q3V5J8K2M4N6P8R0T2",
    succeeded: true,
    message: "synced",
  },
};

export const hubSamples: Readonly<Record<string, HubMessage>> = {
  welcome: {
    kind: "welcome",
    protocol: 1,
    sessionId: "123e4567-e89b-42d3-a456-426614174000",
    desiredVersion: 8,
    desiredRoot: digest("a"),
    statusRoot: digest("b"),
    heartbeatMs: 45_000,
    clockMs: 1_700_000_000_123,
  },
  desired: {
    kind: "desired",
    change: {
      base: 7,
      target: 8,
      root: digest("a"),
      upserts: [
        {
          application: web,
          generation: 5,
          revision: "0123456789abcdef0123456789abcdef01234567",
          bundle: digest("e"),
          project: "default",
          destinationNamespace: "web",
          policy: {
            automated: true,
            prune: false,
            selfHeal: true,
            allowEmpty: false,
            createNamespace: true,
            conflicts: "report",
          },
          trace: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
        },
      ],
      tombstones: [
        {
          application: api,
          generation: 2,
          cause: "destination-changed",
          actor: "0123456789abcdef0123456789abcdef01234567",
          keepObjects: true,
        },
      ],
      strays: [api],
    },
    blobs: [{ digest: digest("f"), bytes: Uint8Array.from([1, 2, 3]) }],
  },
  "desired with service accounts": {
    kind: "desired",
    change: {
      base: 7,
      target: 8,
      root: digest("a"),
      upserts: [
        {
          application: web,
          generation: 5,
          revision: "0123456789abcdef0123456789abcdef01234567",
          bundle: digest("e"),
          project: "shop",
          destinationNamespace: "web",
          policy: {
            automated: true,
            prune: true,
            selfHeal: true,
            allowEmpty: true,
            createNamespace: true,
            conflicts: "override",
          },
          trace: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
          serviceAccount: "web:deployer" as ServiceAccount,
        },
      ],
      tombstones: [
        {
          application: api,
          generation: 2,
          cause: "set-removed",
          actor: "0123456789abcdef0123456789abcdef01234567",
          keepObjects: true,
          serviceAccount: "api:deployer" as ServiceAccount,
        },
      ],
      strays: [api],
    },
    blobs: [],
  },
  "desired digests wanted": { kind: "desired-digests-wanted" },
  command: {
    kind: "command",
    id: "01HZX3Z6Q3V5J8K2M4N6P8R0T2",
    order: "refresh",
    application: web,
    generation: 5,
    prune: true,
    expiresAtMs: 1_700_000_000_123,
  },
  heartbeat: {
    kind: "heartbeat",
    desiredRoot: digest("a"),
    statusRoot: digest("b"),
    desiredVersion: 8,
  },
  "report recorded": { kind: "report-recorded", sequence: 9 },
  "go away": { kind: "go-away", reason: "draining", reconnectAfterMs: 1_234 },
};

/** The epoch every hub's message was recorded with. */
export const sampleEpoch = 12;
