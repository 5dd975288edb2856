import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { problem } from "../../../hub/domain/problem.ts";
import type { RolloutState } from "../../../hub/domain/rollout/rollout.ts";
import type { OriginMemory } from "../../../hub/loops/publish-memory.ts";
import { failed, madeOf, type Made } from "../../../hub/loops/publish-set.ts";
import { memoryOf, standingOf, turnOf } from "../../../hub/loops/publish-standing.ts";
import { parseApplicationSet } from "../../../hub/domain/application-set.ts";
import { app, digest } from "../../contract/store/builders.ts";

const atMs = 1_000_000;
const minute = 60_000;

/** A set that keeps what others have written into its Applications, so that it asks what they are. */
const asksOthers = parseApplicationSet({
  apiVersion: "argoproj.io/v1alpha1",
  kind: "ApplicationSet",
  metadata: { name: "web" },
  spec: {
    generators: [],
    preservedFields: { annotations: ["note"] },
    template: { metadata: { name: "web" }, spec: {} },
  },
});

const generated = madeOf({ kind: "generated", applications: [], flaws: [] });

suite("whose turn it is in a pass", () => {
  assert.ok(asksOthers.ok);
  const open: OriginMemory = {
    inputs: digest("a"),
    uses: [],
    isSettled: false,
    restsUntilMs: 0,
    made: undefined,
  };
  const made = { outcome: generated, atMs: atMs - 9 * minute };
  const asking = { ...made, outcome: { ...generated, set: asksOthers.value } };
  const rows: readonly {
    readonly name: string;
    readonly remembered: OriginMemory | undefined;
    readonly isAnyLeftBehind?: boolean;
    readonly expect: "rest" | "plan" | "make";
  }[] = [
    { name: "who has other inputs is made", remembered: undefined, expect: "make" },
    { name: "who is settled rests", remembered: { ...open, isSettled: true }, expect: "rest" },
    { name: "who is open is made again", remembered: open, expect: "make" },
    {
      name: "who was too dear rests until its time",
      remembered: { ...open, restsUntilMs: atMs + 1 },
      expect: "rest",
    },
    {
      name: "and then is made",
      remembered: { ...open, restsUntilMs: atMs },
      expect: "make",
    },
    { name: "what was made is planned again", remembered: { ...open, made }, expect: "plan" },
    {
      name: "and made again when it is ten minutes old",
      remembered: { ...open, made: { ...made, atMs: atMs - 10 * minute } },
      expect: "make",
    },
    {
      name: "what others left behind is nothing to who does not ask",
      remembered: { ...open, made },
      isAnyLeftBehind: true,
      expect: "plan",
    },
    {
      name: "who asks what Applications are is made again while anything is left behind",
      remembered: { ...open, made: asking },
      isAnyLeftBehind: true,
      expect: "make",
    },
    {
      name: "and is not while nothing is",
      remembered: { ...open, made: asking },
      expect: "plan",
    },
  ];
  for (const { name, remembered, isAnyLeftBehind = false, expect } of rows)
    test(name, () => assert.equal(turnOf(remembered, { atMs, isAnyLeftBehind }).kind, expect));
});

suite("how an origin stands once it is recorded", () => {
  const removed = madeOf({ kind: "removed" });
  const rollout = (...states: readonly RolloutState[]) =>
    states.map((status, at) => ({
      application: app(`a${at}`),
      status,
      step: 1,
      message: "",
      targetRevisions: [],
      sinceMs: 0,
    }));
  const rows: readonly {
    readonly name: string;
    readonly made: Made;
    readonly isSettled?: boolean;
    readonly isRowNeeded?: boolean;
    readonly states?: readonly RolloutState[];
    readonly isLeftBehind?: boolean;
    readonly expect: ReturnType<typeof standingOf>;
  }[] = [
    { name: "settled when nothing is in the way", made: generated, expect: "settled" },
    { name: "open while something is", made: generated, isSettled: false, expect: "open" },
    {
      name: "open while a reason may go away by itself",
      made: { ...generated, transient: true },
      expect: "open",
    },
    {
      name: "open when it failed",
      made: failed(problem("X", "no")),
      isSettled: false,
      expect: "open",
    },
    {
      name: "rolling while any application is not Healthy",
      made: generated,
      states: ["Healthy", "Pending"],
      expect: "rolling",
    },
    {
      name: "settled once all of a rollout are Healthy",
      made: generated,
      states: ["Healthy", "Healthy"],
      expect: "settled",
    },
    { name: "gone when nothing is left of it", made: removed, isRowNeeded: false, expect: "gone" },
    {
      name: "leaving while the rest of a rollout goes",
      made: removed,
      states: [],
      expect: "leaving",
    },
    {
      name: "open when it is gone and lets go of nothing, whatever its rollout was",
      made: removed,
      states: ["Waiting"],
      isLeftBehind: true,
      isSettled: false,
      expect: "open",
    },
  ];
  for (const {
    name,
    made,
    isSettled = true,
    isRowNeeded = true,
    states,
    isLeftBehind = false,
    expect,
  } of rows)
    test(name, () =>
      assert.equal(
        standingOf(made, {
          plan: { isSettled, isRowNeeded, rollout: rollout(...(states ?? [])) },
          hasRollout: states !== undefined,
          isLeftBehind,
        }),
        expect,
      ),
    );

  test("what rolls is remembered as it was made, and what is too dear rests ten minutes", () => {
    const made = { outcome: generated, atMs };
    assert.deepEqual(memoryOf("rolling", made, atMs).made, made);
    assert.deepEqual(memoryOf("settled", made, atMs), {
      isSettled: true,
      restsUntilMs: 0,
      made: undefined,
    });
    const dear = { ...made, outcome: { ...generated, isTooDear: true } };
    assert.equal(memoryOf("open", dear, atMs).restsUntilMs, atMs + 10 * minute);
  });
});
