import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import {
  cutTo,
  oneLine,
  parseDuration,
  safeJson,
  shortDuration,
  widthOf,
  withoutControls,
  type Look,
} from "../../../hub/cli/terminal.ts";

const plain: Look = { colour: false, glyphs: "unicode", columns: undefined };

suite("text from elsewhere", () => {
  const rows = [
    ["a plain sentence", "a plain sentence"],
    ["\u001b[31mred\u001b[0m", "red"],
    ["\u001b]0;title\u0007shell", "shell"],
    ["\u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007", "link"],
    ["two\nlines\tand a tab", "two lines and a tab"],
    ["\u009b31mred", "red"],
    ["back\b\b\bspace", "backspace"],
    ["\u202eevil\u202c", "evil"],
    ["a\u200bb\ufeffc", "abc"],
    ["é 漢字 ✖", "é 漢字 ✖"],
  ] as const;
  for (const [given, expect] of rows)
    test(`${JSON.stringify(given)} prints as ${expect}`, () =>
      assert.equal(oneLine(given), expect));

  const controls = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
  const hostile = fc.string({
    unit: fc.constantFrom(
      "a",
      "\u001b",
      "[",
      "]",
      "3",
      "m",
      ";",
      "\u0007",
      "\u009b",
      "\n",
      "\u202e",
      "\\",
    ),
    maxLength: 30,
  });

  test("no control is ever left, whatever the text", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        assert.doesNotMatch(oneLine(text), controls);
        assert.doesNotMatch(safeJson({ text }), controls);
        assert.doesNotMatch(
          JSON.stringify(withoutControls({ [text]: [text.replaceAll("\n", "")] })),
          controls,
        );
      }),
    );
  });

  test("JSON that was made safe still says the same", () => {
    fc.assert(
      fc.property(hostile, (text) => assert.deepEqual(JSON.parse(safeJson({ text }, 2)), { text })),
    );
  });
});

suite("widths", () => {
  const rows = [
    ["", 0],
    ["abc", 3],
    ["漢字", 4],
    ["é", 1],
    ["e\u0301", 1],
    ["● Healthy", 9],
    ["\u001b[31mred\u001b[0m", 3],
  ] as const;
  for (const [text, width] of rows)
    test(`${JSON.stringify(text)} is ${width} wide`, () => assert.equal(widthOf(text), width));

  test("a cut text fits, and a short one is left alone", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 4, max: 40 }), (text, columns) => {
        const cut = cutTo(text, columns, plain);
        assert.ok(widthOf(cut) <= columns);
        if (widthOf(text) <= columns) assert.equal(cut, text);
      }),
    );
  });
});

suite("durations", () => {
  const shown = [
    [0, "0s"],
    [-5_000, "0s"],
    [59_999, "59s"],
    [60_000, "1m"],
    [119 * 60_000, "119m"],
    [2 * 3_600_000, "2h"],
    [47 * 3_600_000, "47h"],
    [48 * 3_600_000, "2d"],
    [263 * 86_400_000, "263d"],
  ] as const;
  for (const [ms, text] of shown)
    test(`${ms} ms is ${text}`, () => assert.equal(shortDuration(ms), text));

  const read = [
    ["30s", 30_000],
    ["1.5h", 5_400_000],
    ["250ms", 250],
    ["90d", 7_776_000_000],
    ["", undefined],
    ["10", undefined],
    ["-1s", undefined],
    ["1w", undefined],
  ] as const;
  for (const [text, ms] of read)
    test(`${JSON.stringify(text)} is ${ms ?? "no duration"}`, () =>
      assert.equal(parseDuration(text), ms));
});
