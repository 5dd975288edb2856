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

  const slugs: readonly (readonly [limit: number, smart: boolean, text: string, slug: string])[] = [
    [0, true, "hello world", "hello-world"],
    [-1, true, "hello world", "hello-world"],
    [0, false, "hello world", ""],
    [6, true, "hello world", "hello"],
    [5, true, "hello world", "hello"],
    [4, true, "hello world", "hell"],
    [6, false, "hello world", "hello"],
    [8, false, "hello world", "hello-wo"],
    [300, true, "x".repeat(300), "x".repeat(253)],
  ];
  for (const [limit, smart, text, slug] of slugs)
    test(`"${text.slice(0, 20)}" as a slug of ${limit}${smart ? ", smart," : ""} is "${slug.slice(0, 20)}"`, () =>
      assert.equal(slugify(text, limit, smart), slug));

  test("a slug that is not smart has no limit below 0", () => {
    for (const text of ["a", ""])
      assert.throws(() => slugify(text, -1, false), {
        message: "cannot cut a slug at -1: the limit is at least 0",
      });
  });
});
