import assert from "node:assert/strict";
import test, { suite } from "node:test";
import {
  annotationConsents,
  consentAnnotation,
  defaultShrinkLimits,
  waitsForConsent,
} from "../../../hub/domain/shrink-guard.ts";

suite("waitsForConsent", () => {
  const rows: readonly {
    readonly removals: number;
    readonly offered: number;
    readonly originRemoved?: boolean;
    readonly waiting?: number;
    readonly waits: boolean;
  }[] = [
    { removals: 0, offered: 0, waits: false },
    { removals: 1, offered: 1, waits: false },
    { removals: 2, offered: 2, waits: false },
    { removals: 3, offered: 3, waits: true },
    { removals: 3, offered: 3, originRemoved: true, waits: false },
    { removals: 5, offered: 6, waits: false },
    { removals: 6, offered: 7, waits: true },
    { removals: 6, offered: 6, originRemoved: true, waits: true },
    { removals: 20, offered: 100, waits: false },
    { removals: 21, offered: 100, waits: true },
    { removals: 6, offered: 100, waiting: 6, waits: true },
    { removals: 3, offered: 100, waiting: 2, waits: false },
  ];
  for (const { removals, offered, originRemoved = false, waiting = 0, waits } of rows) {
    const whose =
      (originRemoved ? " with its origin" : "") + (waiting > 0 ? ", having waited," : "");
    test(`${removals} of ${offered}${whose} ${waits ? "wait" : "go"}`, () =>
      assert.equal(
        waitsForConsent({ removals, offered, waiting, originRemoved }, defaultShrinkLimits),
        waits,
      ));
  }
});

test("an annotation consents, and only by its exact text", () => {
  assert.equal(annotationConsents({ [consentAnnotation]: "true" }), true);
  assert.equal(annotationConsents({ [consentAnnotation]: "yes" }), false);
  assert.equal(annotationConsents({}), false);
});
