import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { conditionTexts, stepTexts } from "../../../hub/cli/set-status.ts";

suite("the status of a set in words", () => {
  const nowMs = Date.parse("2026-01-01T00:10:00Z");

  test("a condition that another hub made is not judged, and one without a time has no age", () => {
    const conditions = [
      { type: "Rested", status: "False", reason: "New", message: "later" },
      { type: "ResourcesUpToDate", status: "False", reason: "ErrorOccurred", message: "no" },
      { type: "ErrorOccurred", status: "False", reason: "ErrorOccurred", message: "" },
    ];
    assert.deepEqual(conditionTexts({ status: { conditions } }, nowMs), [
      "ResourcesUpToDate is False, ErrorOccurred: no",
    ]);
  });

  test("what the problem says is not said again", () => {
    const message = "WH-X-1: it broke";
    const conditions = [
      {
        type: "ErrorOccurred",
        status: "True",
        reason: "UpdateApplicationError",
        message,
        lastTransitionTime: "2026-01-01T00:00:00.000Z",
      },
    ];
    const problem = { code: "WH-X-1", message: "it broke" };
    assert.deepEqual(conditionTexts({ problem, status: { conditions } }, nowMs), [
      "ErrorOccurred is True for 10m, UpdateApplicationError",
    ]);
  });

  test("steps that are counted of some applications only say so", () => {
    const applicationStatus = [{ application: "a", status: "Healthy", step: 1 }];
    assert.deepEqual(stepTexts({ status: { applicationStatus, resourcesCount: 7 } }), [
      ["STEP 1", "1 Healthy"],
      ["", "of its first 1 applications"],
    ]);
    assert.deepEqual(stepTexts({}), []);
  });
});
