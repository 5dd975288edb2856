import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { generationBeyond } from "../../../hub/domain/generation-beyond.ts";

suite("generationBeyond", () => {
  const rows = [
    { name: "the first is 1", seen: [], drafted: undefined, expect: 1 },
    { name: "what nobody has seen is as drafted", seen: [0, 0], drafted: 4, expect: 4 },
    {
      name: "a draft that is newer than all that was seen stays",
      seen: [2, 3],
      drafted: 9,
      expect: 9,
    },
    { name: "a draft that was overtaken goes beyond", seen: [7, 3], drafted: 4, expect: 8 },
    { name: "a draft that was seen already goes beyond", seen: [4], drafted: 4, expect: 5 },
    {
      name: "a report may tell of more than was offered",
      seen: [2, 6],
      drafted: undefined,
      expect: 7,
    },
  ];
  for (const { name, seen, drafted, expect } of rows)
    test(name, () => assert.equal(generationBeyond(seen, drafted), expect));
});
