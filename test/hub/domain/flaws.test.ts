import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { ApplicationName } from "../../../proto/words/ids.ts";
import { Flaws, flawCharactersMost } from "../../../hub/domain/flaws.ts";
import { mayHide } from "../../../hub/domain/generate.ts";
import { problem } from "../../../hub/domain/problem.ts";

suite("flaws", () => {
  type Met = readonly [application: string | undefined, message: string];

  const told = (...met: readonly Met[]): readonly Met[] => {
    const flaws = new Flaws();
    for (const [application, message] of met)
      flaws.add({
        kind: "generation",
        application: application as ApplicationName | undefined,
        problem: problem("WH-TPL-3202", message),
      });
    assert.ok(mayHide(flaws.all()));
    return flaws.all().map((flaw) => [flaw.application, flaw.problem.message]);
  };

  const rows: readonly (readonly [name: string, met: readonly Met[], left: readonly Met[]])[] = [
    [
      "that are the same are one",
      [
        ["a", "x"],
        ["b", "y"],
        ["a", "x"],
      ],
      [
        ["a", "x"],
        ["b", "y"],
      ],
    ],
    [
      "of one application are all kept",
      [
        ["a", "x"],
        ["a", "y"],
      ],
      [
        ["a", "x"],
        ["a", "y"],
      ],
    ],
    [
      "of several are each its own, whatever they say",
      [
        ["b", "x"],
        [undefined, "x"],
        ["a", "x"],
      ],
      [
        ["b", "x"],
        [undefined, "x"],
        ["a", "x"],
      ],
    ],
  ];
  for (const [name, met, left] of rows) test(name, () => assert.deepEqual(told(...met), left));

  test("say where they were met and why, however much they quote in between", () => {
    const [flaw] = told(["a", `failed to execute ${"x".repeat(1_000_000)}: no such key`]);
    const [application, message] = flaw ?? [];
    assert.equal(application, "a");
    assert.match(message ?? "", /^failed to execute x+ \[\.\.\.\] x+: no such key$/);
    assert.equal(message?.length, flawCharactersMost);
  });
});
