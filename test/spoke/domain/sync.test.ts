import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import {
  idle,
  isRunning,
  operationOf,
  stepSync,
  type SyncEffect,
  type SyncEvent,
  type SyncState,
} from "../../../spoke/domain/sync.ts";

const wanted = (
  generation: number,
  reason: "generation" | "command" = "generation",
  isReplaced = false,
): SyncEvent => ({
  kind: "wanted",
  generation,
  reason,
  confirmed: reason === "command",
  isReplaced,
});

/** The states a story goes through, and the effects of its last step. */
function tell(events: readonly (readonly [atMs: number, event: SyncEvent])[]): {
  readonly states: readonly string[];
  readonly state: SyncState;
  readonly effects: readonly string[];
} {
  let state = idle;
  let effects: readonly SyncEffect[] = [];
  const states: string[] = [];
  for (const [atMs, event] of events) {
    ({ state, effects } = stepSync(state, event, atMs));
    states.push(state.kind);
  }
  return { states, state, effects: effects.map(({ kind }) => kind) };
}

suite("stepSync", () => {
  test("goes from idle over fetching, applying, settling and pruning back to idle", () => {
    const { states, state, effects } = tell([
      [1, wanted(4)],
      [2, { kind: "fetched" }],
      [3, { kind: "held-up", waitingFor: "a wave" }],
      [4, { kind: "tick" }],
      [5, { kind: "removing", waitingFor: "x to be gone" }],
      [9, { kind: "done", message: "applied 3" }],
    ]);
    assert.deepEqual(states, ["fetching", "applying", "settling", "settling", "pruning", "idle"]);
    assert.deepEqual(effects, ["ended"]);
    assert.deepEqual(operationOf(state), {
      phase: "Succeeded",
      generation: 4,
      message: "applied 3",
      startedAtMs: 1,
      finishedAtMs: 9,
    });
  });

  test("begins anew for what replaces the running attempt's aim, whatever its number, and confirms nothing", () => {
    const story: (readonly [number, SyncEvent])[] = [
      [1, wanted(4, "command")],
      [2, { kind: "fetched" }],
    ];
    for (const generation of [3, 4, 5]) {
      const { state, effects } = tell([...story, [3, wanted(generation, "generation", true)]]);
      assert.deepEqual(effects, ["carry-out"]);
      assert.ok(state.kind === "fetching");
      assert.deepEqual(state.attempt, {
        generation,
        reason: "generation",
        confirmed: false,
        startedAtMs: 3,
        failures: 0,
      });
    }
  });

  test("waits after a problem, and begins anew when its time has come", () => {
    const story: (readonly [number, SyncEvent])[] = [
      [1, wanted(4)],
      [2, { kind: "problem", message: "refused", retryAtMs: 100 }],
    ];
    assert.deepEqual(tell(story).effects, ["ended", "wake"]);
    const early = tell([...story, [99, { kind: "tick" }]]);
    assert.deepEqual([early.state.kind, early.effects], ["waiting", ["wake"]]);
    const onTime = tell([...story, [100, { kind: "tick" }]]);
    assert.deepEqual([onTime.state.kind, onTime.effects], ["fetching", ["carry-out"]]);
    assert.ok(onTime.state.kind === "fetching");
    assert.deepEqual(onTime.state.attempt, {
      generation: 4,
      reason: "generation",
      confirmed: false,
      startedAtMs: 100,
      failures: 1,
    });
  });

  test("rests after a problem that nobody will try again", () => {
    const { state } = tell([
      [1, wanted(4, "command")],
      [2, { kind: "problem", message: "refused", retryAtMs: undefined }],
    ]);
    assert.equal(state.kind, "idle");
    assert.equal(operationOf(state)?.phase, "Failed");
  });

  const running: (readonly [number, SyncEvent])[] = [
    [1, wanted(4)],
    [2, { kind: "fetched" }],
    [3, { kind: "held-up", waitingFor: "a wave" }],
  ];
  const rows = [
    { name: "a newer generation takes over", event: wanted(5), expect: "fetching 5" },
    { name: "the same generation changes nothing", event: wanted(4), expect: "settling 4" },
    { name: "an older generation changes nothing", event: wanted(3), expect: "settling 4" },
    { name: "an order begins anew", event: wanted(4, "command"), expect: "fetching 4" },
  ];
  for (const { name, event, expect } of rows) {
    test(name, () => {
      const { state } = tell([...running, [4, event]]);
      assert.ok(isRunning(state));
      assert.equal(`${state.kind} ${state.attempt.generation}`, expect);
    });
  }

  test("an attempt ends exactly once, and no event of it means anything afterwards", () => {
    const someEvent: fc.Arbitrary<SyncEvent> = fc.oneof(
      fc.integer({ min: 1, max: 3 }).map((generation) => wanted(generation)),
      fc.constantFrom<SyncEvent>(
        { kind: "fetched" },
        { kind: "held-up", waitingFor: "x" },
        { kind: "removing", waitingFor: "x" },
        { kind: "done", message: "done" },
        { kind: "problem", message: "bad", retryAtMs: undefined },
        { kind: "problem", message: "bad", retryAtMs: 50 },
        { kind: "tick" },
      ),
    );
    const law = fc.property(fc.array(someEvent, { maxLength: 30 }), (events) => {
      let state = idle;
      for (const [atMs, event] of events.entries()) {
        const before = state;
        const step = stepSync(state, event, atMs);
        state = step.state;
        const ends = step.effects.filter(({ kind }) => kind === "ended").length;
        assert.equal(ends, isRunning(before) && !isRunning(state) ? 1 : 0);
        if (isRunning(before) && isRunning(state))
          assert.ok(state.attempt.generation >= before.attempt.generation, "never an older one");
      }
    });
    fc.assert(law, { numRuns: 500 });
  });
});
