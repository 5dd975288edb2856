import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { shortened } from "../../../hub/domain/shortened.ts";

suite("shortened", () => {
  const rows: readonly (readonly [name: string, text: string, most: number, made: string])[] = [
    ["keeps what is short enough", "0123456789", 10, "0123456789"],
    [
      "keeps the beginning and a little of the end",
      "a".repeat(30) + "z".repeat(10),
      27,
      `${"a".repeat(14)} [...] ${"z".repeat(6)}`,
    ],
    [
      "leaves no half of a character",
      `${"a".repeat(4)}\u{1f600}${"b".repeat(40)}`,
      16,
      "aaaa\ufffd [...] bbbb",
    ],
  ];
  for (const [name, text, most, made] of rows)
    test(name, () => assert.equal(shortened(text, most), made));
});
