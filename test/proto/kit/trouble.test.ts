import assert from "node:assert/strict";
import test from "node:test";
import { describeError, Trouble } from "../../../proto/kit/trouble.ts";

test("an error is described with its causes", () => {
  const error = new Trouble("repository could not be fetched", {
    cause: new Error("connection refused"),
  });
  assert.equal(describeError(error), "repository could not be fetched: connection refused");
  assert.equal(describeError("text"), "text");
});
