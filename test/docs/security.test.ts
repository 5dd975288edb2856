import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { suite } from "node:test";
import { readPage } from "./pages.ts";

const root = join(import.meta.dirname, "../..");

/** Titles of tests in a file, as patterns: what is filled in at run time may be anything. */
function titlesIn(file: string): readonly RegExp[] {
  const text = readFileSync(join(root, file), "utf8");
  const quoted = /\b(?:test|it)\(\s*(?:"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g;
  // Rows of tables whose names are titles.
  const named = /\bname: "((?:[^"\\]|\\.)*)"/g;
  return [
    ...[...text.matchAll(quoted)].map(([, plain, filled]) => plain ?? filled ?? ""),
    ...[...text.matchAll(named)].map(([, name]) => name ?? ""),
  ].map(
    (title) =>
      new RegExp(
        `^${title
          .split(/\$\{[^}]*\}/)
          .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
          .join(".+")}$`,
      ),
  );
}

suite("docs/security.md", () => {
  const page = readPage("docs/security.md");
  const lines = page.split("\n").filter((line) => /^\| [STRIDE] \|/.test(line));
  const proofs = lines.map((line) => {
    const cells = line.split(" | ");
    const [, file = "", title = ""] = /^`([^`]+)`: (.+) \|$/.exec(cells.at(-1) ?? "") ?? [];
    return { line, file, title };
  });

  test("has a line for each kind of threat to enrollment, link, spoke and HTTP API, or says that nothing is done", () => {
    assert.ok(lines.length >= 60, `${lines.length} lines`);
    const sections = page.split(/^### /m).filter((section) => /^\| [STRIDE] \|/m.test(section));
    assert.deepEqual(
      sections.map((section) => section.split("\n", 1)[0]),
      ["Enrollment", "The link", "The spoke", "The HTTP API"],
    );
    for (const section of sections)
      for (const letter of "STRIDE")
        assert.ok(
          section.includes(`\n| ${letter} |`) || section.includes(`\nNot done (${letter}): `),
          `${letter} in ${section.slice(0, 40)}`,
        );
  });

  test("every line names a test that exists, by file and title", () => {
    for (const { line, file, title } of proofs) {
      assert.ok(file !== "" && title !== "", `no proof in: ${line}`);
      assert.ok(existsSync(join(root, file)), `${file} is not there`);
      assert.ok(
        // A pattern that would fit anything proves nothing.
        titlesIn(file).some((pattern) => pattern.source !== "^.+$" && pattern.test(title)),
        `${file} has no test ${JSON.stringify(title)}`,
      );
    }
  });

  test("the check would notice a title that is gone", () => {
    const titles = titlesIn("test/security/isolation.test.ts");
    assert.ok(!titles.some((pattern) => pattern.test("a title that nobody wrote")));
  });
});
