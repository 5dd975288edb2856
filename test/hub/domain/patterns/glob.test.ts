import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { anyGlob, compileAnyGlob, compilePathGlob } from "../../../../hub/domain/patterns/glob.ts";

suite("compilePathGlob", () => {
  const rows: readonly (readonly [pattern: string, name: string, matches: boolean])[] = [
    ["apps/*", "apps/web", true],
    ["apps/*", "apps/web/deep", false],
    ["apps/*", "apps/", true],
    ["apps/**", "apps/web", true],
    ["apps/**", "apps/web/deep", false],
    ["apps/w?b", "apps/web", true],
    ["apps/?", "apps//", false],
    ["[a-c]x", "bx", true],
    ["[a-c]x", "dx", false],
    ["[^a-c]x", "dx", true],
    ["[!a]x", "!x", true],
    ["a\\*b", "a*b", true],
    ["a\\*b", "aab", false],
    ["{a,b}", "{a,b}", true],
    ["{a,b}", "a", false],
    ["apps/web/", "apps/web", false],
    ["日?", "日本", true],
    ["*", "", true],
    ["", "", true],
  ];
  for (const [pattern, name, matches] of rows) {
    test(`${JSON.stringify(pattern)} ${matches ? "matches" : "does not match"} ${JSON.stringify(name)}`, () => {
      const glob = compilePathGlob(pattern);
      assert.ok(glob.ok);
      assert.equal(glob.value(name), matches);
    });
  }
  for (const pattern of ["[", "[]", "[a-", "[-x]", "a\\"]) {
    test(`${JSON.stringify(pattern)} is malformed`, () =>
      assert.equal(compilePathGlob(pattern).ok, false));
  }
});

suite("compileAnyGlob", () => {
  const rows: readonly (readonly [
    pattern: string,
    separators: string,
    name: string,
    matches: boolean,
  ])[] = [
    ["*.yaml", "", "deep/down.yaml", true],
    ["*.yaml", "/", "deep/down.yaml", false],
    ["**.yaml", "/", "deep/down.yaml", true],
    ["{*.yml,*.yaml}", "", "a.yml", true],
    ["{*.yml,*.yaml}", "", "a.json", false],
    ["{a,{b,c}d}", "", "cd", true],
    ["{,x}y", "", "y", true],
    ["[!a]", "", "b", true],
    ["[!a]", "", "a", false],
    ["config?.{yaml,json}", "", "config1.json", true],
  ];
  for (const [pattern, separators, name, matches] of rows) {
    test(`${pattern} ${matches ? "matches" : "does not match"} ${name} with separators ${JSON.stringify(separators)}`, () =>
      assert.equal(anyGlob(pattern, name, separators), matches));
  }

  test("an open brace is malformed, and matches nothing", () => {
    assert.equal(compileAnyGlob("{a", "").ok, false);
    assert.equal(anyGlob("{a", "{a", ""), false);
  });

  test("agrees with the obvious expression of JavaScript", () => {
    const some = fc.array(fc.constantFrom("a", "b", "/", "*", "?"), { maxLength: 6 });
    const name = fc.array(fc.constantFrom("a", "b", "/"), { maxLength: 8 });
    fc.assert(
      fc.property(some, name, (pattern, text) => {
        const expression = new RegExp(
          `^${pattern
            .join("")
            .replaceAll("**", "\0")
            .replaceAll("*", "[^/]*")
            .replaceAll("\0", "[^]*")
            .replaceAll("?", "[^/]")}$`,
        );
        assert.equal(
          anyGlob(pattern.join(""), text.join(""), "/"),
          expression.test(text.join("")),
          pattern.join(""),
        );
      }),
    );
  });

  for (const [what, pattern] of [
    ["alternatives, one after the other", "{,a}".repeat(20_000)],
    ["stars", "**".repeat(20_000)],
    ["alternatives to each other", `{${",a".repeat(200_000)}}`],
    ["braces inside each other, as many as are allowed", `${"{".repeat(100)}a${"}".repeat(100)}`],
  ] as const)
    test(`takes a great many ${what}`, () => assert.ok(anyGlob(pattern, "a", "/")));

  test("braces inside more than a hundred others are malformed", () => {
    for (const depth of [101, 50_000])
      assert.equal(compileAnyGlob(`${"{".repeat(depth)}a${"}".repeat(depth)}`, "").ok, false);
  });

  test("a pattern made to be slow is not", () => {
    // A backtracking matcher would need longer than the universe has.
    assert.equal(anyGlob(`${"*a".repeat(40)}*b`, "a".repeat(2000), ""), false);
  });
});
