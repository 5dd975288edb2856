import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  AttachRequestSchema,
  AttachResponseSchema,
  CommandKind as WireCommandKind,
  GoAwayReason as WireGoAway,
  type Ack as WireAck,
  type AckSchema,
  type AttachRequest,
  type AttachResponse,
  type Command as WireCommand,
  type Heartbeat as WireHeartbeat,
  type HeartbeatSchema,
  type Hello as WireHello,
  type Report as WireReport,
  type Welcome as WireWelcome,
} from "../gen/wheelhouse/v1/link_pb.ts";
import type { Result } from "../kit/result.ts";
import { unreachable } from "../kit/unreachable.ts";
import {
  commandKinds,
  type Ack,
  type Command,
  type CommandKind,
  type FencedMessage,
  type GoAwayReason,
  type Heartbeat,
  type Hello,
  type HubMessage,
  type Report,
  type SpokeMessage,
  type Welcome,
} from "../words/link-messages.ts";
import {
  desiredDigestsFromWire,
  desiredDigestsToWire,
  desiredFromWire,
  desiredToWire,
} from "./desired.ts";
import {
  applicationFrom,
  count,
  decode,
  digestBytes,
  digestFrom,
  knownWord,
  listOf,
  refuse,
  wireLimits,
  word,
} from "./fields.ts";
import { applicationReportFromWire, applicationReportToWire } from "./report.ts";

const { wordCharsMost, messageCharsMost, applicationsMost } = wireLimits;

const commandNumbers: Readonly<Record<CommandKind, WireCommandKind>> = {
  sync: WireCommandKind.SYNC,
  refresh: WireCommandKind.REFRESH,
};

const goAwayReasons = ["replaced", "draining", "untrusted"] as const;

const goAwayNumbers: Readonly<Record<GoAwayReason, WireGoAway>> = {
  replaced: WireGoAway.REPLACED,
  draining: WireGoAway.DRAINING,
  untrusted: WireGoAway.UNTRUSTED,
};

// ─── What a spoke says ───────────────────────────────────────────────────────────────────────────────

export const spokeMessageToWire = (message: SpokeMessage): AttachRequest =>
  create(AttachRequestSchema, { body: requestBody(message) });

type RequestBody = NonNullable<MessageInitShape<typeof AttachRequestSchema>["body"]>;

function requestBody(message: SpokeMessage): RequestBody {
  switch (message.kind) {
    case "hello":
      return {
        case: "hello",
        value: {
          protocolLeast: message.protocolLeast,
          protocolMost: message.protocolMost,
          capabilities: [...message.capabilities],
          spokeVersion: message.spokeVersion,
          bootId: message.bootId,
          heldVersion: BigInt(message.heldVersion),
          heldRoot: digestBytes(message.heldRoot),
          statusRoot: digestBytes(message.statusRoot),
          epochSeen: BigInt(message.epochSeen),
          clockMs: BigInt(message.clockMs),
          kubernetesVersion: message.kubernetesVersion,
        },
      };
    case "ack":
      return { case: "ack", value: { level: ackLevel(message.ack) } };
    case "report":
      return {
        case: "report",
        value: {
          sequence: BigInt(message.sequence),
          applications: message.applications.map(applicationReportToWire),
          gone: [...message.gone],
        },
      };
    case "heartbeat":
      return { case: "heartbeat", value: heartbeatToWire(message) };
    case "desired-digests":
      return { case: "desiredDigests", value: desiredDigestsToWire(message.digests) };
    case "command-result":
      return {
        case: "commandResult",
        value: { id: message.id, succeeded: message.succeeded, message: message.message },
      };
    default:
      return unreachable(message, "message of a spoke");
  }
}

type AckLevel = NonNullable<MessageInitShape<typeof AckSchema>["level"]>;

function ackLevel(ack: Ack): AckLevel {
  switch (ack.kind) {
    case "stored":
      return {
        case: "stored",
        value: { version: BigInt(ack.version), root: digestBytes(ack.root) },
      };
    case "applied":
    case "removed":
      return {
        case: ack.kind,
        value: { application: ack.application, generation: BigInt(ack.generation) },
      };
    case "healthy":
      return {
        case: "healthy",
        value: {
          application: ack.application,
          generation: BigInt(ack.generation),
          atMs: BigInt(ack.atMs),
        },
      };
    default:
      return unreachable(ack, "acknowledgement");
  }
}

/** `undefined` is a kind of message this code does not know yet, to be ignored. Fails with a sentence. */
export const spokeMessageFromWire = (
  request: AttachRequest,
): Result<SpokeMessage | undefined, string> =>
  decode(request.body.case ?? "message", () => requestMessage(request.body));

function requestMessage(body: AttachRequest["body"]): SpokeMessage | undefined {
  switch (body.case) {
    case "hello":
      return helloFromWire(body.value);
    case "ack": {
      const ack = ackFromWire(body.value);
      return ack === undefined ? undefined : { kind: "ack", ack };
    }
    case "report":
      return reportFromWire(body.value);
    case "heartbeat":
      return heartbeatFromWire(body.value);
    case "desiredDigests":
      return { kind: "desired-digests", digests: desiredDigestsFromWire(body.value) };
    case "commandResult":
      return {
        kind: "command-result",
        id: word("id", body.value.id, wordCharsMost),
        succeeded: body.value.succeeded,
        message: word("message", body.value.message, messageCharsMost),
      };
    case undefined:
      return undefined;
    default:
      return unreachable(body, "body of a request");
  }
}

const helloFromWire = (hello: WireHello): Hello => ({
  kind: "hello",
  protocolLeast: hello.protocolLeast,
  protocolMost: hello.protocolMost,
  capabilities: listOf(
    "capabilities",
    hello.capabilities,
    wireLimits.capabilitiesMost,
    (capability) => word("capability", capability, wordCharsMost),
  ),
  spokeVersion: word("spoke_version", hello.spokeVersion, wordCharsMost),
  bootId: word("boot_id", hello.bootId, wordCharsMost),
  heldVersion: count("held_version", hello.heldVersion),
  heldRoot: digestFrom("held_root", hello.heldRoot),
  statusRoot: digestFrom("status_root", hello.statusRoot),
  epochSeen: count("epoch_seen", hello.epochSeen),
  clockMs: count("clock_ms", hello.clockMs),
  kubernetesVersion: word("kubernetes_version", hello.kubernetesVersion, wordCharsMost),
});

function ackFromWire({ level }: WireAck): Ack | undefined {
  switch (level.case) {
    case "stored":
      return {
        kind: "stored",
        version: count("version", level.value.version),
        root: digestFrom("root", level.value.root),
      };
    case "applied":
    case "removed":
      return {
        kind: level.case,
        application: applicationFrom("application", level.value.application),
        generation: count("generation", level.value.generation),
      };
    case "healthy":
      return {
        kind: "healthy",
        application: applicationFrom("application", level.value.application),
        generation: count("generation", level.value.generation),
        atMs: count("at_ms", level.value.atMs),
      };
    case undefined:
      return undefined;
    default:
      return unreachable(level, "level of an acknowledgement");
  }
}

const reportFromWire = (report: WireReport): Report => ({
  kind: "report",
  sequence: count("sequence", report.sequence),
  applications: listOf(
    "applications",
    report.applications,
    applicationsMost,
    applicationReportFromWire,
  ),
  gone: listOf("gone", report.gone, applicationsMost, (name) => applicationFrom("gone", name)),
});

// ─── What a hub says ─────────────────────────────────────────────────────────────────────────────────

export const fencedMessageToWire = ({ epoch, message }: FencedMessage): AttachResponse =>
  create(AttachResponseSchema, { epoch: BigInt(epoch), body: responseBody(message) });

type ResponseBody = NonNullable<MessageInitShape<typeof AttachResponseSchema>["body"]>;

function responseBody(message: HubMessage): ResponseBody {
  switch (message.kind) {
    case "welcome":
      return {
        case: "welcome",
        value: {
          protocol: message.protocol,
          sessionId: message.sessionId,
          desiredVersion: BigInt(message.desiredVersion),
          desiredRoot: digestBytes(message.desiredRoot),
          statusRoot: digestBytes(message.statusRoot),
          heartbeatMs: message.heartbeatMs,
          clockMs: BigInt(message.clockMs),
        },
      };
    case "desired":
      return { case: "desired", value: desiredToWire(message.change, message.blobs) };
    case "desired-digests-wanted":
      return { case: "desiredDigestsWanted", value: {} };
    case "command":
      return {
        case: "command",
        value: {
          id: message.id,
          kind: commandNumbers[message.order],
          application: message.application,
          generation: BigInt(message.generation),
          prune: message.prune,
          expiresAtMs: BigInt(message.expiresAtMs),
        },
      };
    case "heartbeat":
      return { case: "heartbeat", value: heartbeatToWire(message) };
    case "report-recorded":
      return { case: "reportRecorded", value: { sequence: BigInt(message.sequence) } };
    case "go-away":
      return {
        case: "goAway",
        value: {
          reason: goAwayNumbers[message.reason],
          reconnectAfterMs: message.reconnectAfterMs,
        },
      };
    default:
      return unreachable(message, "message of a hub");
  }
}

/** `undefined` is a kind of message this code does not know yet, to be ignored. Fails with a sentence. */
export const fencedMessageFromWire = (
  response: AttachResponse,
): Result<FencedMessage | undefined, string> =>
  decode(response.body.case ?? "message", () => {
    const epoch = count("epoch", response.epoch);
    const message = responseMessage(response.body);
    return message === undefined ? undefined : { epoch, message };
  });

function responseMessage(body: AttachResponse["body"]): HubMessage | undefined {
  switch (body.case) {
    case "welcome":
      return welcomeFromWire(body.value);
    case "desired":
      return { kind: "desired", ...desiredFromWire(body.value) };
    case "desiredDigestsWanted":
      return { kind: "desired-digests-wanted" };
    case "command":
      return commandFromWire(body.value);
    case "heartbeat":
      return heartbeatFromWire(body.value);
    case "reportRecorded":
      return { kind: "report-recorded", sequence: count("sequence", body.value.sequence) };
    case "goAway":
      return {
        kind: "go-away",
        reason: knownWord("reason", goAwayReasons, goAwayNumbers, body.value.reason),
        reconnectAfterMs: body.value.reconnectAfterMs,
      };
    case undefined:
      return undefined;
    default:
      return unreachable(body, "body of a response");
  }
}

const welcomeFromWire = (welcome: WireWelcome): Welcome => ({
  kind: "welcome",
  protocol: welcome.protocol,
  sessionId: word("session_id", welcome.sessionId, wordCharsMost),
  desiredVersion: count("desired_version", welcome.desiredVersion),
  desiredRoot: digestFrom("desired_root", welcome.desiredRoot),
  statusRoot: digestFrom("status_root", welcome.statusRoot),
  // Without a pause between heartbeats both sides would do nothing else.
  heartbeatMs:
    welcome.heartbeatMs > 0 ? welcome.heartbeatMs : refuse("heartbeat_ms must be more than 0"),
  clockMs: count("clock_ms", welcome.clockMs),
});

const commandFromWire = (command: WireCommand): Command => ({
  kind: "command",
  id: command.id === "" ? refuse("id is empty") : word("id", command.id, wordCharsMost),
  order: knownWord("kind", commandKinds, commandNumbers, command.kind),
  application: applicationFrom("application", command.application),
  generation: count("generation", command.generation),
  prune: command.prune,
  expiresAtMs: count("expires_at_ms", command.expiresAtMs),
});

// ─── What both say ───────────────────────────────────────────────────────────────────────────────────

const noBytes = new Uint8Array();

const heartbeatToWire = (heartbeat: Heartbeat): MessageInitShape<typeof HeartbeatSchema> => ({
  desiredRoot: heartbeat.desiredRoot === undefined ? noBytes : digestBytes(heartbeat.desiredRoot),
  statusRoot: heartbeat.statusRoot === undefined ? noBytes : digestBytes(heartbeat.statusRoot),
  desiredVersion: BigInt(heartbeat.desiredVersion),
});

const heartbeatFromWire = (heartbeat: WireHeartbeat): Heartbeat => ({
  kind: "heartbeat",
  desiredRoot:
    heartbeat.desiredRoot.length === 0
      ? undefined
      : digestFrom("desired_root", heartbeat.desiredRoot),
  statusRoot:
    heartbeat.statusRoot.length === 0 ? undefined : digestFrom("status_root", heartbeat.statusRoot),
  desiredVersion: count("desired_version", heartbeat.desiredVersion),
});
