import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { branchSlug } from "../../../../hub/domain/template/normalize.ts";
import { transliterate } from "../../../../hub/transliterate.ts";
import { whyNoTool } from "../../../support/control-plane/binaries.ts";
import { askGo } from "../../../support/go-templates.ts";
import { seeded } from "../../../support/seeded.ts";

/** WHEELHOUSE_SEED chooses another run and WHEELHOUSE_CASES how many. */
suite("our slugs of branches and Argo CD's", { skip: whyNoTool("go-templates") }, () => {
  const differences = async (branches: readonly string[]): Promise<readonly unknown[]> => {
    const answers = await askGo(branches.map((slug) => ({ slug })));
    return branches.flatMap((branch, index) => {
      const theirs = answers[index];
      const ours = branchSlug(branch, transliterate);
      return theirs !== undefined && "output" in theirs && theirs.output === ours
        ? []
        : [{ branch, ours, theirs }];
    });
  };

  test("are the same for every character of the basic plane", async () => {
    const characters = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code));
    const branches = characters
      .filter((character) => character.isWellFormed())
      .map((character) => `a${character}b`);
    assert.equal(branches.length, 0x10000 - 0x800);
    assert.deepEqual((await differences(branches)).slice(0, 3), []);
  });

  const count = Number(process.env["WHEELHOUSE_CASES"] ?? 5_000);
  const seed = Number(process.env["WHEELHOUSE_SEED"] ?? 1);
  test(`are the same for ${count} random names in many scripts (seed ${seed})`, async () => {
    const next = branchNames(seeded(seed));
    assert.deepEqual((await differences(Array.from({ length: count }, next))).slice(0, 3), []);
  });
});

/** Where scripts begin, and how many characters of theirs to take. */
const scripts: readonly (readonly [from: number, size: number])[] = [
  [0x20, 95],
  [0x61, 26],
  [0xa0, 400],
  [0x370, 144],
  [0x400, 300],
  [0x530, 100],
  [0x5d0, 27],
  [0x600, 256],
  [0x900, 384],
  [0xe00, 256],
  [0x10a0, 352],
  [0x1e00, 512],
  [0x2000, 300],
  [0x3040, 190],
  [0x4e00, 20_000],
  [0xac00, 11_000],
  [0xff00, 240],
  [0x1f600, 80],
];

function branchNames(random: () => number): () => string {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const word = (): string => {
    const [from, size] = pick(scripts);
    return Array.from({ length: 1 + Math.floor(random() * 12) }, () =>
      String.fromCodePoint(from + Math.floor(random() * size)),
    ).join("");
  };
  const separators = ["/", "-", "_", " ", "--", "'", '"', "’", "&", "@", ".", "–", "", "\t", "#"];
  return () =>
    Array.from({ length: 1 + Math.floor(random() * 8) }, () => word() + pick(separators)).join("");
}
