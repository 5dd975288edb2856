import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { compileFilePattern } from "../../../../hub/domain/patterns/file-pattern.ts";

const rows: readonly (readonly [pattern: string, path: string, matches: boolean])[] = [
  ["apps/*.yaml", "apps/a.yaml", true],
  ["apps/*.yaml", "apps/deep/a.yaml", false],
  ["apps/*.yaml", "apps/.a.yaml", true],
  ["apps/?.yaml", "apps/ü.yaml", true],
  ["apps/**/a.yaml", "apps/a.yaml", true],
  ["apps/**/a.yaml", "apps/x/y/a.yaml", true],
  ["**/a.yaml", "a.yaml", true],
  ["apps/**", "apps/x/y", true],
  ["apps/**", "apps", true],
  ["apps/a**.yaml", "apps/abc.yaml", true],
  ["apps/a**.yaml", "apps/a/bc.yaml", false],
  ["apps/{dev,prod/eu}/a", "apps/prod/eu/a", true],
  ["apps/{dev,prod/eu}/a", "apps/prod/a", false],
  ["{**/x,y}", "a/b/x", true],
  ["apps/[a-c]/x", "apps/b/x", true],
  ["apps/[!a-c]/x", "apps/b/x", false],
  ["apps/[^a]x", "apps//x", false],
  ["apps/\\*", "apps/*", true],
  ["apps/\\*", "apps/a", false],
];

suite("patterns of the new dialect", () => {
  for (const [pattern, path, matches] of rows)
    test(`${pattern} ${matches ? "matches" : "does not match"} ${path}`, () => {
      const compiled = compileFilePattern(pattern, "doublestar");
      assert.ok(compiled.ok);
      assert.equal(compiled.value.matches(path), matches);
    });

  test("a brace that is never closed is refused", () =>
    assert.deepEqual(compileFilePattern("a{b", "doublestar"), {
      ok: false,
      problem: 'pattern "a{b" has a { without a }',
    }));
});
