import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { withoutTrailingSlashes } from "../../../hub/domain/trailing-slashes.ts";
import { processorMs, quickMs } from "../../support/processor-time.ts";

suite("slashes at the end", () => {
  for (const [text, without] of [
    ["https://one/", "https://one"],
    ["https://one///", "https://one"],
    ["https://one", "https://one"],
    ["//a//b", "//a//b"],
    ["///", ""],
    ["", ""],
  ] as const)
    test(`${JSON.stringify(text)} is ${JSON.stringify(without)} without them`, () =>
      assert.equal(withoutTrailingSlashes(text), without));

  test("a run of them inside a text takes no longer than the text is", () => {
    const text = `${"/".repeat(100_000)}x`;
    const startedMs = processorMs();
    assert.equal(withoutTrailingSlashes(text), text);
    assert.ok(processorMs() - startedMs < quickMs);
  });
});
