import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { suite } from "node:test";
import type { TestSummary } from "../../scripts/test-reporter.ts";

const reporter = join(import.meta.dirname, "../../scripts/test-reporter.ts");

/** What the reporter leaves of a file with these tests. */
function summaryOf(tests: string): TestSummary {
  const folder = mkdtempSync(join(tmpdir(), "wheelhouse-reporter-"));
  try {
    const file = join(folder, "some.test.mjs");
    writeFileSync(file, `import { test, suite } from "node:test";\n${tests}`);
    const summary = join(folder, "summary.json");
    const { NODE_TEST_CONTEXT: _ours, ...environment } = process.env;
    spawnSync(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "--test", `--test-reporter=${reporter}`, file],
      { env: { ...environment, WHEELHOUSE_TEST_SUMMARY: summary } },
    );
    return JSON.parse(readFileSync(summary, "utf8")) as TestSummary;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

suite("the test reporter", () => {
  test("counts what passed, and names what failed", () => {
    const { passed, failed, failures } = summaryOf(
      'suite("one", () => { test("well", () => {}); test("ill", () => { throw new Error("no"); }); });',
    );
    assert.deepEqual([passed, failed], [1, 1]);
    assert.match(failures.join(), /ill$/);
  });

  test("a test that is passed over is a skip with its reason", () => {
    const { passed, skips } = summaryOf('test("later", { skip: "no engine" }, () => {});');
    assert.deepEqual([passed, skips], [0, [{ name: "later", reason: "no engine" }]]);
  });

  test("so is a whole suite, whose tests never come into being", () => {
    const { passed, skips } = summaryOf(
      'suite("real", { skip: "no API server" }, () => { test("one", () => {}); });',
    );
    assert.deepEqual([passed, skips], [0, [{ name: "real", reason: "no API server" }]]);
  });
});
