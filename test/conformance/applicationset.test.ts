import assert from "node:assert/strict";
import { join } from "node:path";
import test, { suite } from "node:test";
import { casesFolder, judgeFolder } from "./judge.ts";

const corpus = join(import.meta.dirname, "../../../shared/conformance");

suite("conformance with Argo CD's ApplicationSet engine", () => {
  const folder = casesFolder(corpus);
  const absent =
    folder === undefined
      ? "the corpus is not here; it belongs in ../shared/conformance/applicationset beside the checkout"
      : false;

  test("every case passes or is listed with what is done instead", { skip: absent }, (context) => {
    const { total, failures, stale } = judgeFolder(folder ?? corpus);
    context.diagnostic(
      `conformance: ${total.passed} passed, ${total.listed} listed, ${total.failed} failed`,
    );
    assert.deepEqual(
      failures.map(({ id, difference }) => `${id}: ${difference}`),
      [],
    );
    assert.deepEqual(stale, [], "listed cases that are not there, or that pass");
    assert.ok(total.passed > 0);
  });
});
