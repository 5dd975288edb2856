import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { transliterate } from "../../../../hub/transliterate.ts";
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
    ["修正/バグ-つち", "xiu-zheng-bagu-tsuchi"],
    ["cafe\u0301_🚀", "cafe"],
    ["---", ""],
    [
      "one-two-three-four-five-six-seven-eight-nine-ten-eleven",
      "one-two-three-four-five-six-seven-eight-nine-ten",
    ],
  ];
  for (const [branch, slug] of branches)
    test(`the branch ${branch} is ${slug}`, () =>
      assert.equal(branchSlug(branch, transliterate), slug));

  test("a capital with a dot is one character", () => {
    assert.equal(normalize("İstanbul"), "istanbul");
  });

  test("a name that is normalized or made a slug loses letters beyond ASCII", () => {
    assert.equal(normalize("Héllo.B_-"), "h-llo.b");
    assert.equal(slugify("Héllo", 50, true), "h-llo");
  });
});
