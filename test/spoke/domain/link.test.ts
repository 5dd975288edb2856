import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import {
  nextTickAtMs,
  startOffline,
  stepLink,
  type LinkEffect,
  type LinkEvent,
  type LinkState,
  type LinkTiming,
} from "../../../spoke/domain/link.ts";

const timing: LinkTiming = {
  silenceLimitMs: (heartbeatMs) => heartbeatMs * 2 + 10,
  retryMs: (failures) => failures * 100,
  steadyAfterMs: 1_000,
  replacedPauseMs: () => 30_000,
  firstLookMs: 1_000,
  lookAgainMs: () => 5_000,
};

const problem = { code: "WH-ID-2104", sentence: "the cluster was removed" };
const offline = (failures: number, retryAtMs: number): LinkState => ({
  kind: "offline",
  failures,
  retryAtMs,
});
const dialing = (failures = 0): LinkState => ({ kind: "dialing", failures });
const attached = (change: Partial<Extract<LinkState, { kind: "attached" }>> = {}): LinkState => ({
  kind: "attached",
  session: "s",
  epoch: 1,
  failures: 0,
  sinceMs: 0,
  heardAtMs: 0,
  silenceLimitMs: 100,
  ...change,
});
const refused = (lookAgainAtMs: number): LinkState => ({ kind: "refused", problem, lookAgainAtMs });

suite("stepLink", () => {
  const rows: readonly {
    name: string;
    state: LinkState;
    event: LinkEvent;
    expect: LinkState;
    effects?: readonly LinkEffect[];
  }[] = [
    {
      name: "waits until it is time to dial",
      state: offline(1, 50),
      event: { kind: "tick", nowMs: 49 },
      expect: offline(1, 50),
    },
    {
      name: "dials when it is",
      state: offline(1, 50),
      event: { kind: "tick", nowMs: 50 },
      expect: dialing(1),
      effects: ["dial"],
    },
    {
      name: "does not dial twice",
      state: dialing(),
      event: { kind: "tick", nowMs: 9_999 },
      expect: dialing(),
    },
    {
      name: "is attached once welcomed, and compares roots",
      state: dialing(2),
      event: { kind: "welcomed", session: "s", epoch: 4, heartbeatMs: 50, nowMs: 7 },
      expect: attached({ epoch: 4, failures: 2, sinceMs: 7, heardAtMs: 7, silenceLimitMs: 110 }),
      effects: ["compare-roots"],
    },
    {
      name: "counts a failed dial",
      state: dialing(2),
      event: { kind: "lost", nowMs: 10 },
      expect: offline(3, 310),
    },
    {
      name: "forgets failures after a session that lasted",
      state: attached({ failures: 5 }),
      event: { kind: "lost", nowMs: 1_000 },
      expect: offline(0, 1_000),
    },
    {
      name: "counts a session that did not last as a failure",
      state: attached({ failures: 5 }),
      event: { kind: "lost", nowMs: 999 },
      expect: offline(6, 1_599),
    },
    {
      name: "notes that something was heard",
      state: attached(),
      event: { kind: "heard", nowMs: 60 },
      expect: attached({ heardAtMs: 60 }),
    },
    {
      name: "bears silence up to the limit",
      state: attached(),
      event: { kind: "tick", nowMs: 100 },
      expect: attached(),
    },
    {
      name: "hangs up on a hub that fell silent",
      state: attached(),
      event: { kind: "tick", nowMs: 101 },
      expect: offline(1, 201),
      effects: ["hang-up"],
    },
    {
      name: "comes back when a draining hub says so",
      state: attached({ failures: 3 }),
      event: { kind: "told-to-leave", reason: "draining", reconnectAfterMs: 40, nowMs: 10 },
      expect: offline(0, 50),
      effects: ["hang-up"],
    },
    {
      name: "keeps away for a while after another took the session over",
      state: attached(),
      event: { kind: "told-to-leave", reason: "replaced", reconnectAfterMs: 40, nowMs: 10 },
      expect: offline(0, 30_010),
      effects: ["hang-up"],
    },
    {
      name: "does not dial with an identity that was refused",
      state: dialing(),
      event: { kind: "refused", problem, nowMs: 10 },
      expect: refused(1_010),
      effects: ["hang-up"],
    },
    {
      name: "looks for another identity from time to time",
      state: refused(100),
      event: { kind: "tick", nowMs: 100 },
      expect: refused(5_100),
      effects: ["look-for-identity"],
    },
    {
      name: "stays refused until there is one",
      state: refused(100),
      event: { kind: "lost", nowMs: 100 },
      expect: refused(100),
    },
    {
      name: "dials at once with another identity",
      state: refused(100),
      event: { kind: "identity-changed", nowMs: 20 },
      expect: offline(0, 20),
    },
    {
      name: "comes back at once with a renewed certificate",
      state: attached({ failures: 2 }),
      event: { kind: "identity-changed", nowMs: 20 },
      expect: offline(0, 20),
      effects: ["hang-up"],
    },
  ];
  for (const { name, state, event, expect, effects = [] } of rows) {
    test(name, () => assert.deepEqual(stepLink(state, event, timing), { state: expect, effects }));
  }
});

suite("the link machine as a whole", () => {
  const events: fc.Arbitrary<(nowMs: number) => LinkEvent> = fc.constantFrom(
    (nowMs: number): LinkEvent => ({ kind: "tick", nowMs }),
    (nowMs: number): LinkEvent => ({
      kind: "welcomed",
      session: "s",
      epoch: 1,
      heartbeatMs: 50,
      nowMs,
    }),
    (nowMs: number): LinkEvent => ({ kind: "heard", nowMs }),
    (nowMs: number): LinkEvent => ({ kind: "lost", nowMs }),
    (nowMs: number): LinkEvent => ({ kind: "refused", problem, nowMs }),
    (nowMs: number): LinkEvent => ({
      kind: "told-to-leave",
      reason: "replaced",
      reconnectAfterMs: 0,
      nowMs,
    }),
  );
  const story = fc.array(fc.tuple(events, fc.nat({ max: 500 })), { maxLength: 40 });

  test("whatever happened, waiting leads to a dial or a look, and never to two dials without an end", () => {
    const law = fc.property(story, (happenings) => {
      let state = startOffline(0);
      let nowMs = 0;
      let dials = 0;
      for (const [event, afterMs] of happenings) {
        nowMs += afterMs;
        const before = state.kind;
        const step = stepLink(state, event(nowMs), timing);
        if (step.effects.includes("dial")) {
          dials += 1;
          assert.equal(before, "offline");
        }
        state = step.state;
      }
      const tickAtMs = nextTickAtMs(state);
      if (state.kind === "dialing") assert.equal(tickAtMs, undefined);
      else {
        const { effects } = stepLink(state, { kind: "tick", nowMs: tickAtMs ?? 0 }, timing);
        assert.equal(effects.length, 1, `${state.kind} does nothing at the time it gave`);
      }
      assert.ok(dials <= happenings.length);
    });
    fc.assert(law, { numRuns: 500 });
  });
});
