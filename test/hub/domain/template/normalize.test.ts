import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { branchSlug, normalize, slugify } from "../../../../hub/domain/template/normalize.ts";

suite("names", () => {
  const branches: readonly (readonly [branch: string, slug: string])[] = [
    ["feature/ABC_123", "feature-abc-123"],
    ["  fix: l'été & co@home ", "fix-lete-and-coathome"],
    ["Straße/ÆØÅ-Łódź", "strasse-aeoa-lodz"],
    ["большой", "bol-shoi"],
    ["ёж/їжак/щука", "iozh-yizhak-shchuka"],
    ["Ελλάδα", "ellada"],
    ["Ξένος/ξένος", "ksenos-xenos"],
    ["ветка", "vetka"],
    ["---", ""],
    [
      "one-two-three-four-five-six-seven-eight-nine-ten-eleven",
      "one-two-three-four-five-six-seven-eight-nine-ten",
    ],
  ];
  for (const [branch, slug] of branches)
    test(`the branch ${branch} is ${slug}`, () => {
      assert.equal(branchSlug(branch), slug);
      // A mark by itself is the same letter.
      assert.equal(branchSlug(branch.normalize("NFD")), slug);
    });

  test("a name that is normalized or made a slug loses letters beyond ASCII", () => {
    assert.equal(normalize("Héllo.B_-"), "h-llo.b");
    assert.equal(slugify("Héllo", 50, true), "h-llo");
  });
});
