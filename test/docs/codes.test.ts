import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { linkCodes } from "../../proto/words/coded.ts";
import { describeApplicationProblem } from "../../spoke/domain/conditions.ts";
import { readPage, sourcesIn } from "./pages.ts";

/** Each code with a file that says it. */
function codesInSources(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [file, text] of sourcesIn(["hub", "spoke", "proto"])) {
    for (const [code] of text.matchAll(/\bWH-[A-Z]+-\d{4}\b/g)) found.set(code, file);
    // Where an area's codes are made of their numbers.
    const [, area] = /`(WH-[A-Z]+)-\$\{number\}`/.exec(text) ?? [];
    if (area === undefined) continue;
    for (const [, number] of text.matchAll(/\bcode\(\s*(\d{4}),/g))
      found.set(`${area}-${number}`, file);
  }
  return found;
}

suite("docs/troubleshooting.md", () => {
  const page = readPage("docs/troubleshooting.md");
  const headings = [...page.matchAll(/^#+ (WH-\S+)$/gm)].map(([, code]) => code ?? "");
  const codes = codesInSources();

  test("the search finds codes however they are written", () => {
    const bundleEmpty = describeApplicationProblem({ kind: "bundle-empty" }).code;
    for (const code of [linkCodes.badBlob, bundleEmpty, "WH-GIT-3001", "WH-API-5000"])
      assert.ok(codes.has(code), code);
  });

  test("every code in the sources has a heading", () => {
    const missing = [...codes].filter(([code]) => !headings.includes(code));
    assert.deepEqual(missing, []);
  });

  test("every heading is a code in the sources", () => {
    const stale = headings.filter((code) => !codes.has(code));
    assert.deepEqual(stale, []);
  });

  test("no code has two headings", () => {
    const twice = headings.filter((code, index) => headings.indexOf(code) !== index);
    assert.deepEqual(twice, []);
  });

  test("each code says why, what stays and what to do, or that nothing says it", () => {
    const sections = page.split(/^### /m).slice(1);
    assert.equal(sections.length, headings.length);
    for (const section of sections) {
      const reserved = section.includes("; the number is kept");
      const parts = [...section.matchAll(/^- \*\*(\w+):\*\* \S/gm)].map(([, word]) => word);
      assert.deepEqual(parts, reserved ? [] : ["Why", "Stays", "Do"], section.split("\n", 1)[0]);
    }
  });
});
