import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { compileFilePattern } from "../../../../hub/domain/patterns/file-pattern.ts";
import { processorMs, quickMs } from "../../../support/processor-time.ts";

const rows: readonly (readonly [pattern: string, path: string, matches: boolean])[] = [
  ["apps/*.yaml", "apps/a.yaml", true],
  ["apps/*.yaml", "apps/deep/a.yaml", false],
  ["apps/*.yaml", "apps/.a.yaml", true],
  ["apps/?.yaml", "apps/ü.yaml", true],
  ["apps/**/a.yaml", "apps/a.yaml", true],
  ["apps/**/a.yaml", "apps/x/y/a.yaml", true],
  ["**/a.yaml", "a.yaml", true],
  ["apps/**", "apps/x/y", true],
  ["apps/**", "apps", false],
  ["**", "a", true],
  ["x*/**", "xa/b", true],
  ["x*/**", "xa", false],
  ["x*/**/**", "xa/b", true],
  ["x*/**/**", "xa", false],
  ["**/**", "a", true],
  ["**/**/a", "x/a", true],
  ["{**/**/x,y}", "x", true],
  ["{a,b}**/x", "a/y/x", false],
  ["apps/a**.yaml", "apps/abc.yaml", true],
  ["apps/a**.yaml", "apps/a/bc.yaml", false],
  ["apps/{dev,prod/eu}/a", "apps/prod/eu/a", true],
  ["apps/{dev,prod/eu}/a", "apps/prod/a", false],
  ["{**/x,y}", "a/b/x", true],
  ["apps/[a-c]/x", "apps/b/x", true],
  ["apps/[!a-c]/x", "apps/b/x", false],
  ["apps/[-a]", "apps/-", true],
  ["apps/[a-]", "apps/-", true],
  ["apps/[a-c-z]", "apps/m", false],
  ["apps/[c-a]", "apps/b", false],
  ["apps/[\\]]", "apps/]", true],
  ["apps/\\*", "apps/*", true],
  ["apps/\\*", "apps/a", false],
  ["a\\[*/x", "a[b/x", true],
  ["a\\[b/x*", "a[b/xy", true],
  ["/apps/a", "apps/a", true],
  ["./apps//x/../a/", "apps/a", true],
  ["../apps/a", "apps/a", false],
  ["br}a/*", "br}a/x", true],
  ["br}a/x", "br}a/x", true],
];

suite("patterns of the new dialect", () => {
  for (const [pattern, path, matches] of rows)
    test(`${pattern} ${matches ? "matches" : "does not match"} ${path}`, () => {
      const compiled = compileFilePattern(pattern, "doublestar");
      assert.ok(compiled.ok);
      assert.equal(compiled.value.matches(path), matches);
    });

  for (const [pattern, problem] of [
    ["a{b", "has a { without a }"],
    ["a}b", "has a } without a {"],
    ["{a,b}}", "has a } without a {"],
    ["x/{a,b/../c}", "has a } without a {"],
    ["{".repeat(50_000), "has more than 100 { inside each other"],
    ["a[]b]", 'has a misplaced "]" in a class'],
    ["a[^/]b", 'has a misplaced "/" in a class'],
    ["a[b", "ends inside a class"],
    ["a\\", "ends inside an escape"],
  ] as const)
    test(`${pattern.slice(0, 10)} is refused, because it ${problem}`, () => {
      const compiled = compileFilePattern(pattern, "doublestar");
      assert.ok(!compiled.ok);
      assert.ok(compiled.problem.endsWith(`" ${problem}`), compiled.problem);
    });

  const files = [".hidden/x", "apps/deep/a", "b"];
  for (const [pattern, directory] of [
    ["apps", "apps"],
    ["apps/", "apps"],
    ["apps/*", "apps/deep"],
    ["apps/**", "apps"],
    ["a*/**", "apps"],
    [".hid*", ".hidden"],
    ["apps/**/**", "apps"],
    ["apps/**/**/**", "apps"],
    ["a*/**/**", "apps"],
    ["{apps/**/**,x}", "apps"],
    ["**/**", "."],
    ["**", "."],
    ["", "."],
    ["apps/..", "."],
    ["*/a", undefined],
    ["**/b", undefined],
    ["b/**", undefined],
    ["..", undefined],
  ] as const)
    test(`${JSON.stringify(pattern)} reads ${directory === undefined ? "no directory" : `the directory ${directory}`}`, () => {
      const compiled = compileFilePattern(pattern, "doublestar");
      assert.ok(compiled.ok);
      assert.equal(compiled.value.directoryAmong(files), directory);
    });

  test("a listing is walked once, however many patterns look for a directory in it", () => {
    const listing = Array.from({ length: 20_000 }, (_, at) => `apps/team-${at}/config.yaml`);
    const startedMs = processorMs();
    for (let row = 0; row < 300; row += 1) {
      const compiled = compileFilePattern(`apps/cluster-${row}`, "doublestar");
      assert.ok(compiled.ok);
      assert.equal(compiled.value.directoryAmong(listing), undefined);
    }
    assert.ok(processorMs() - startedMs < quickMs);
  });
});

suite("patterns of git", () => {
  test("the empty one is the whole repository, and reads no directory", () => {
    const compiled = compileFilePattern("", "pathspec");
    assert.ok(compiled.ok);
    assert.ok(compiled.value.matches("apps/deep/a"));
    assert.equal(compiled.value.directoryAmong(["apps/deep/a"]), undefined);
  });
});
