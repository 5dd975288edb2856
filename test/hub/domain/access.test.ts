import assert from "node:assert/strict";
import test from "node:test";
import { scopeAllows } from "../../../hub/domain/access.ts";

test("a token that may write may read, and not the other way round", () => {
  assert.deepEqual(
    [
      scopeAllows("read", "read"),
      scopeAllows("read", "write"),
      scopeAllows("write", "read"),
      scopeAllows("write", "write"),
    ],
    [true, false, true, true],
  );
});
