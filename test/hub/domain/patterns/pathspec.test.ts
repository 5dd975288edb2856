import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { after, before, suite } from "node:test";
import fc from "fast-check";
import { compilePathspec } from "../../../../hub/domain/patterns/pathspec.ts";
import { compareBytes } from "../../../../hub/domain/template/value.ts";

const files = [
  "README.md",
  "a",
  "apps/a/b",
  "apps/a/config.json",
  "apps/b/config.json",
  "apps/b/deep/er/config.json",
  "apps/config.json",
  "apps/Ünïcode/config.json",
  "apps/[x]/config.json",
  "apps/a*b",
  ".github/workflow.yaml",
  "b/a/config.yaml",
  "b/.hidden/config.yaml",
  "config.json",
  "x-y/Z",
];

const listed = (pattern: string): readonly string[] | undefined => {
  const matches = compilePathspec(pattern);
  return matches.ok ? files.filter(matches.value).toSorted(compareBytes) : undefined;
};

suite("pathspecs, as git files are chosen with", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "wheelhouse-pathspec-"));
    for (const file of files) {
      mkdirSync(join(folder, dirname(file)), { recursive: true });
      writeFileSync(join(folder, file), "");
    }
    git("init", "-q");
    git("add", "-A");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const git = (...words: readonly string[]): string =>
    execFileSync("git", words, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] }).toString();

  /** What git itself says; `undefined` when it refuses the pattern. */
  const listedByGit = (pattern: string): readonly string[] | undefined => {
    try {
      const found = git("ls-files", "-z", "--", pattern).split("\0");
      return found.filter((file) => file !== "").toSorted(compareBytes);
    } catch {
      return undefined;
    }
  };

  const patterns = [
    "config.json",
    "apps",
    "apps/",
    "apps/a/",
    "a/",
    "./apps/a",
    "apps/../b",
    "apps//a",
    ".",
    "*",
    "*.json",
    "apps/*/config.json",
    "apps/**/config.json",
    "**/config.json",
    "apps/?/config.json",
    "apps/[ab]/config.json",
    "apps/[!a]/config.json",
    "apps/[^a]/config.json",
    "apps/[[:lower:]]/config.json",
    "apps/\\[x\\]/config.json",
    "apps/[x]/config.json",
    "apps/[",
    "apps/*b",
    "x-y/[Y-Z]",
    ":(glob)apps/*/config.json",
    ":(glob)apps/**/config.json",
    ":(glob)**/config.json",
    ":(glob)apps/**",
    ":(icase)X-Y/z",
    ":(literal)apps/a*b",
    ":(top)config.json",
    ":(exclude)apps",
    ":!apps",
    ":^apps/a",
    ":/b",
    "",
    "../x",
    "/etc/passwd",
    ":(nonsense)a",
    ":(glob,literal)a",
    "apps/Ünï*",
    "apps/?nïcode/config.json",
    "apps/??nïcode/config.json",
  ];
  for (const pattern of patterns)
    test(`${JSON.stringify(pattern)} lists what git lists`, () =>
      assert.deepEqual(listed(pattern), listedByGit(pattern)));

  test("any pattern lists what git lists", () => {
    const pieces = fc.constantFrom(
      "a",
      "b",
      "apps",
      "config.json",
      "/",
      "*",
      "**",
      "?",
      "[ab]",
      "[!a]",
      ".",
      "json",
      "er",
    );
    const pattern = fc.array(pieces, { minLength: 1, maxLength: 6 }).map((some) => some.join(""));
    fc.assert(
      fc.property(pattern, (some) => assert.deepEqual(listed(some), listedByGit(some), some)),
      { numRuns: 150 },
    );
  });
});
