import assert from "node:assert/strict";
import test from "node:test";
import { inWalkOrder } from "../../../../hub/domain/patterns/walk-order.ts";

test("a walk goes into a directory before it goes to the next one", () =>
  assert.deepEqual(inWalkOrder(["é", "a-b", "a/x-y", "a b", "a", "a-b/c", "a/x", "A", "a/x/z"]), [
    "A",
    "a",
    "a/x",
    "a/x/z",
    "a/x-y",
    "a b",
    "a-b",
    "a-b/c",
    "é",
  ]));
