import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import {
  AttachRequestSchema,
  AttachResponseSchema,
  Conflicts,
} from "../../../proto/gen/wheelhouse/v1/link_pb.ts";
import {
  fencedMessageFromWire,
  fencedMessageToWire,
  spokeMessageFromWire,
  spokeMessageToWire,
} from "../../../proto/wire/link.ts";
import { fencedMessages, spokeMessages } from "../../support/link-arbitraries.ts";

type Request = NonNullable<MessageInitShape<typeof AttachRequestSchema>["body"]>;
type Response = NonNullable<MessageInitShape<typeof AttachResponseSchema>["body"]>;

const digest = new Uint8Array(32);
/** A number no enum of ours has; the types of generated code do not let us write one. */
const later = 99 as never;

suite("messages of the link", () => {
  test("what a spoke says is what the hub hears", () => {
    const law = fc.property(spokeMessages, (message) => {
      const bytes = toBinary(AttachRequestSchema, spokeMessageToWire(message));
      const heard = spokeMessageFromWire(fromBinary(AttachRequestSchema, bytes));
      assert.deepEqual(heard, { ok: true, value: message });
    });
    fc.assert(law, { numRuns: 300 });
  });

  test("what a hub says is what the spoke hears", () => {
    const law = fc.property(fencedMessages, (message) => {
      const bytes = toBinary(AttachResponseSchema, fencedMessageToWire(message));
      const heard = fencedMessageFromWire(fromBinary(AttachResponseSchema, bytes));
      // Bytes come back as a view of the message; only their content counts.
      assert.deepEqual(plain(heard), plain({ ok: true, value: message }));
    });
    fc.assert(law, { numRuns: 300 });
  });

  test("a kind of message of a later day is ignored by both", () => {
    // Field 99, a message: nobody has heard of it.
    const unknown = Uint8Array.from([0x9a, 0x06, 0x02, 0x08, 0x01]);
    assert.deepEqual(spokeMessageFromWire(fromBinary(AttachRequestSchema, unknown)), {
      ok: true,
      value: undefined,
    });
    assert.deepEqual(fencedMessageFromWire(fromBinary(AttachResponseSchema, unknown)), {
      ok: true,
      value: undefined,
    });
  });

  const application = { application: "web", generation: 1n };
  const policy = { conflicts: Conflicts.OVERRIDE };
  const entry = { ...application, bundle: digest, policy };

  const refusedRequests: readonly { name: string; body: Request; says: RegExp }[] = [
    {
      name: "a digest of 31 bytes",
      body: {
        case: "ack",
        value: { level: { case: "stored", value: { root: digest.subarray(1) } } },
      },
      says: /^ack: root must be 32 bytes, got 31$/,
    },
    {
      name: "a version beyond what can be counted",
      body: {
        case: "ack",
        value: { level: { case: "stored", value: { root: digest, version: 2n ** 53n } } },
      },
      says: /^ack: version must be from 0 to 2\^53 - 1, got 9007199254740992$/,
    },
    {
      name: "a name that is none",
      body: { case: "report", value: { gone: ["../etc"] } },
      says: /^report: gone: application name "..\/etc" is not a DNS subdomain/,
    },
    {
      name: "an object key that is none",
      body: {
        case: "report",
        value: { applications: [{ application: "web", resources: [{ key: "x" }] }] },
      },
      says: /^report: key: "x" is not an object key/,
    },
    {
      name: "an operation without a phase",
      body: { case: "report", value: { applications: [{ application: "web", operation: {} }] } },
      says: /^report: phase is unspecified$/,
    },
    {
      name: "a text without end",
      body: { case: "commandResult", value: { id: "x".repeat(2_000) } },
      says: /^commandResult: id has 2000 characters, at most 1024 are accepted$/,
    },
    {
      name: "more entries than a cluster can have",
      body: { case: "report", value: { gone: Array.from({ length: 20_001 }, () => "web") } },
      says: /^report: gone has 20001 entries, at most 20000 are accepted$/,
    },
  ];
  for (const { name, body, says } of refusedRequests) {
    test(`${name} is refused in a sentence`, () => {
      const heard = spokeMessageFromWire(create(AttachRequestSchema, { body }));
      assert.match(heard.ok ? "accepted" : heard.problem, says);
    });
  }

  const refusedResponses: readonly { name: string; body: Response; says: RegExp }[] = [
    {
      name: "a policy that does not say what to do about conflicts",
      body: { case: "desired", value: { root: digest, upserts: [{ ...entry, policy: {} }] } },
      says: /^desired: conflicts is unspecified$/,
    },
    {
      name: "an entry without a policy",
      body: {
        case: "desired",
        value: { root: digest, upserts: [{ ...application, bundle: digest }] },
      },
      says: /^desired: policy is missing$/,
    },
    {
      name: "an entry without a generation",
      body: { case: "desired", value: { root: digest, upserts: [{ ...entry, generation: 0n }] } },
      says: /^desired: generation must be 1 or more, got 0$/,
    },
    {
      name: "a tombstone without a cause",
      body: { case: "desired", value: { root: digest, tombstones: [application] } },
      says: /^desired: cause is unspecified$/,
    },
    {
      name: "a command of a kind that is not known",
      body: { case: "command", value: { id: "1", kind: later, application: "web" } },
      says: /^command: kind 99 is not known$/,
    },
    {
      name: "a welcome without a heartbeat",
      body: { case: "welcome", value: { desiredRoot: digest, statusRoot: digest } },
      says: /^welcome: heartbeat_ms must be more than 0$/,
    },
    {
      name: "a good-bye without a reason",
      body: { case: "goAway", value: {} },
      says: /unspecified/,
    },
  ];
  for (const { name, body, says } of refusedResponses) {
    test(`${name} is refused in a sentence`, () => {
      const heard = fencedMessageFromWire(create(AttachResponseSchema, { body }));
      assert.match(heard.ok ? "accepted" : heard.problem, says);
    });
  }

  test("health and sync status of a later day read as Unknown", () => {
    const heard = spokeMessageFromWire(
      create(AttachRequestSchema, {
        body: {
          case: "report",
          value: {
            applications: [
              {
                application: "web",
                syncStatus: later,
                health: later,
                resources: [{ key: "/Pod//a", syncStatus: later, health: later }],
              },
            ],
          },
        },
      }),
    );
    assert.ok(heard.ok && heard.value?.kind === "report");
    const [report] = heard.value.applications;
    assert.equal(report?.syncStatus, "Unknown");
    assert.equal(report?.health.state, "Unknown");
    assert.equal(report?.resources[0]?.syncStatus, "Unknown");
    assert.equal(report?.resources[0]?.health, "Unknown");
  });
});

const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, inner: unknown) =>
      inner instanceof Uint8Array ? Buffer.from(inner).toString("hex") : inner,
    ),
  );
