import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { RepeatedTexts } from "../../../hub/domain/repeated-texts.ts";

suite("RepeatedTexts", () => {
  test("gives back every text as it is, however often it comes and however many there are", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom("", "prod", "dev-eu"), fc.string()), {
          maxLength: 2_000,
        }),
        (texts) => {
          const repeated = new RepeatedTexts();
          for (const text of texts) assert.equal(repeated.kept(text), text);
        },
      ),
    );
  });

  test("goes on giving them back after it has given up remembering", () => {
    const repeated = new RepeatedTexts();
    const texts = Array.from({ length: 5_000 }, (_, index) => `text ${index}`);
    for (const text of [...texts, ...texts]) assert.equal(repeated.kept(text), text);
  });
});
