import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { systemClock } from "../../../proto/kit/clock.ts";
import { silentLog } from "../../../proto/kit/log.ts";
import { unlessAborted } from "../../../proto/kit/unless-aborted.ts";
import { desiredRoot } from "../../../proto/words/desired.ts";
import { digestOfText } from "../../../proto/words/digest.ts";
import type { ApplicationName } from "../../../proto/words/ids.ts";
import type { Hello, HubMessage, SpokeMessage } from "../../../proto/words/link-messages.ts";
import { attach } from "../../../hub/link/attach.ts";
import type { AttachSettings } from "../../../hub/link/exchange.ts";
import { AttachedSessions } from "../../../hub/link/attached-sessions.ts";
import { eventually } from "../../support/eventually.ts";
import { fakeLinkStore } from "../../support/fake-link-store.ts";

const nothing = desiredRoot(new Map());

const hello: Hello = {
  kind: "hello",
  protocolLeast: 1,
  protocolMost: 1,
  capabilities: [],
  spokeVersion: "0.1.0",
  bootId: "boot",
  heldVersion: 0,
  heldRoot: nothing,
  statusRoot: nothing,
  epochSeen: 0,
  clockMs: Date.now(),
  kubernetesVersion: "v1.35.0",
};

/** A session with a spoke that says what it is told to say and then nothing, and takes what it is told to take. */
function session(
  says: readonly SpokeMessage[],
  given: Partial<AttachSettings> & {
    readonly takes?: number;
    readonly leaves?: boolean;
    readonly vouchedFor?: () => "nothing" | "most" | "all";
  } = {},
) {
  const {
    takes = Number.POSITIVE_INFINITY,
    leaves = false,
    vouchedFor = () => "all",
    ...settings
  } = given;
  const store = fakeLinkStore();
  const cluster = store.addCluster("one");
  store.certificates.set("serial", cluster);
  const sessions = new AttachedSessions();
  const heard: HubMessage[] = [];
  const stopping = new AbortController();
  async function* incoming(): AsyncGenerator<SpokeMessage> {
    yield* says;
    if (!leaves) await unlessAborted(new Promise<never>(() => {}), stopping.signal);
  }
  const ended = attach(
    { cluster, serial: "serial", notBeforeMs: 0, notAfterMs: Number.MAX_SAFE_INTEGER },
    {
      incoming: incoming(),
      send: async ({ message }, signal) => {
        if (heard.length >= takes) await unlessAborted(new Promise<never>(() => {}), signal);
        heard.push(message);
      },
    },
    {
      store,
      sessions,
      reports: { add: async () => {} },
      identities: store.identities,
      vouchedFor,
      newSessionId: () => "session",
      clock: systemClock,
      log: silentLog,
    },
    {
      heartbeatMs: 60_000,
      silenceLimitMs: 60_000,
      trustCheckMs: 60_000,
      helloLimitMs: 200,
      goodbyeMs: 50,
      messages: { burst: 2_000, perSecond: 200 },
      inline: { blobBytesMost: 0, totalBytesMost: 0 },
      ...settings,
    },
    stopping.signal,
  );
  return { store, cluster, sessions, heard, ended, stop: () => stopping.abort(new Error("over")) };
}

suite("attach", () => {
  test("a spoke that leaves is let go, and its session is closed", async () => {
    const { store, cluster, sessions, heard, ended } = session([hello], { leaves: true });
    assert.deepEqual(await ended, { kind: "left" });
    assert.equal(heard[0]?.kind, "welcome");
    assert.equal(sessions.attached, 0);
    assert.deepEqual([...store.cluster(cluster).sessions.values()], ["closed"]);
  });

  const refusals: readonly { name: string; says: readonly SpokeMessage[]; problem: RegExp }[] = [
    { name: "nothing", says: [], problem: /hello did not come within 200 ms/ },
    {
      name: "an acknowledgement before hello",
      says: [{ kind: "ack", ack: { kind: "stored", version: 1, root: nothing } }],
      problem: /the first message must be hello, got ack/,
    },
    { name: "hello twice", says: [hello, hello], problem: /hello came twice/ },
    {
      name: "an acknowledgement of what it was never offered",
      says: [hello, { kind: "ack", ack: { kind: "stored", version: 9, root: nothing } }],
      problem: /version 9 was never offered, at most 0 was/,
    },
  ];
  for (const { name, says, problem } of refusals) {
    test(`a spoke that says ${name} is refused`, async () => {
      const { sessions, ended, stop } = session(says);
      await assert.rejects(ended, problem);
      assert.equal(sessions.attached, 0);
      stop();
    });
  }

  test("a spoke that takes nothing for too long is late, though it talks", async () => {
    const beat: SpokeMessage = {
      kind: "heartbeat",
      desiredRoot: undefined,
      statusRoot: undefined,
      desiredVersion: 0,
    };
    const { store, cluster, sessions, ended, stop } = session([hello, beat], {
      takes: 1,
      silenceLimitMs: 100,
    });
    await eventually(() => assert.equal(sessions.attached, 1));
    store.desire(cluster, "web", [{ a: 1 }]);
    sessions.wake(cluster);
    assert.equal((await ended).kind, "silent");
    stop();
  });

  const unlike = new Map([["old" as ApplicationName, digestOfText("old")]]);
  for (const { name, heldVersion, digests } of [
    { name: "that holds nothing, for its disk is new", heldVersion: 0, digests: new Map() },
    { name: "that holds something", heldVersion: 7, digests: unlike },
    { name: "from which all was removed", heldVersion: 7, digests: new Map() },
  ])
    test(`a spoke ${name}, hears nothing from memory until Git has been read`, async () => {
      let vouched: "nothing" | "all" = "nothing";
      let asked = 0;
      const { store, cluster, sessions, heard, ended, stop } = session(
        [
          { ...hello, heldVersion },
          { kind: "desired-digests", digests },
        ],
        {
          vouchedFor: () => {
            asked += 1;
            return vouched;
          },
        },
      );
      const heardOf = (kind: HubMessage["kind"]) =>
        heard.filter((message) => message.kind === kind).length;
      store.desire(cluster, "web", [{ a: 1 }]);
      store.forgetHistory(cluster);
      await eventually(() => assert.ok(asked > 0));
      // A command goes out after whatever was offered before it.
      store.order(cluster, {});
      sessions.wake(cluster);
      await eventually(() => assert.equal(heardOf("command"), 1));
      assert.equal(heardOf("desired") + heardOf("desired-digests-wanted"), 0);
      vouched = "all";
      sessions.wake(cluster);
      await eventually(() => assert.equal(heardOf("desired"), 1));
      stop();
      await assert.rejects(ended, /over/);
    });

  for (const { name, heldVersion, hears } of [
    { name: "a spoke of unknown history keeps what it has", heldVersion: 7, hears: 0 },
    { name: "a spoke with a new disk hears what is known", heldVersion: 0, hears: 1 },
  ])
    test(`${name} while some sets fall over`, async () => {
      const { store, cluster, sessions, heard, ended, stop } = session(
        [
          { ...hello, heldVersion },
          { kind: "desired-digests", digests: new Map() },
        ],
        { vouchedFor: () => "most" },
      );
      const heardOf = (kind: HubMessage["kind"]) =>
        heard.filter((message) => message.kind === kind).length;
      store.desire(cluster, "web", [{ a: 1 }]);
      store.forgetHistory(cluster);
      // Each command goes out after whatever was offered before it.
      for (const count of [1, 2]) {
        store.order(cluster, {});
        sessions.wake(cluster);
        await eventually(() => assert.equal(heardOf("command"), count));
      }
      await eventually(() => assert.equal(heardOf("desired"), hears));
      stop();
      await assert.rejects(ended, /over/);
    });

  test("a removal nobody carried out is told to a spoke with a new disk, though the roots are equal", async () => {
    const { store, cluster, sessions, heard, ended, stop } = session([hello]);
    store.desire(cluster, "web", [{ a: 1 }]);
    store.tombstone(cluster, "web");
    sessions.wake(cluster);
    await eventually(() => {
      const [said] = heard.filter((message) => message.kind === "desired");
      const removed = said?.change.tombstones.map(({ application }) => application);
      assert.deepEqual(removed, ["web"]);
    });
    stop();
    await assert.rejects(ended, /over/);
  });

  test("a good-bye that nobody takes does not hold up the end", async () => {
    const { sessions, cluster, ended, stop } = session([hello], { takes: 1 });
    await eventually(() => assert.equal(sessions.attached, 1));
    sessions.dismiss(cluster, { kind: "draining", reconnectAfterMs: 7 });
    assert.deepEqual(await ended, { kind: "draining", reconnectAfterMs: 7 });
    stop();
  });

  test("a change and its undoing, before the spoke looked, count as stored", async () => {
    const { store, cluster, sessions, heard, ended, stop } = session([hello]);
    await eventually(() => assert.equal(heard.length, 1));
    store.desire(cluster, "web", [{ a: 1 }]);
    store.cluster(cluster).entries.clear();
    sessions.wake(cluster);
    await eventually(() => assert.equal(store.cluster(cluster).stored?.version, 1));
    assert.equal(heard.length, 1);
    stop();
    await assert.rejects(ended, /over/);
  });

  test("a spoke that holds another hub's set is asked what it is, not sent a delta", async () => {
    const { heard, ended, stop } = session([{ ...hello, heldRoot: digestOfText("another") }]);
    await eventually(() => assert.equal(heard[1]?.kind, "desired-digests-wanted"));
    stop();
    await assert.rejects(ended, /over/);
  });
});
