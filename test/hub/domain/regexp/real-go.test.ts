import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { compileRegexp } from "../../../../hub/domain/regexp/regexp.ts";
import { whyNoTool } from "../../../support/control-plane/binaries.ts";
import { askGo, type GoAnswer } from "../../../support/go-templates.ts";
import { seeded } from "../../../support/seeded.ts";

/**
 * Random expressions over a few texts, ours beside Go's regexp: the same matches, pieces and replacements, or
 * the same complaint. WHEELHOUSE_SEED chooses another run and WHEELHOUSE_CASES how many.
 */
suite("our regular expressions and Go's", { skip: whyNoTool("go-templates") }, () => {
  const count = Number(process.env["WHEELHOUSE_CASES"] ?? 5_000);
  const seed = Number(process.env["WHEELHOUSE_SEED"] ?? 1);

  test(`find the same with ${count} random patterns (seed ${seed})`, async () => {
    const next = regexpCases(seeded(seed));
    const cases = Array.from({ length: count }, next);
    const answers = await askGo(cases.map((data) => ({ template, data })));
    const differences = cases.flatMap((one, index) => {
      const theirs = theirAnswer(answers[index]);
      const ours = ourAnswer(one);
      return theirs === ours ? [] : [{ seed, index, ...one, theirs, ours }];
    });
    assert.deepEqual(differences.slice(0, 3), [], `${differences.length} differences`);
    const worked = answers.filter((answer) => "output" in answer).length;
    assert.ok(worked > count / 2, `only ${worked} of ${count} patterns compile`);
  });
});

type RegexpCase = { readonly pattern: string; readonly text: string };

const replacement = "<$1${n}>";

const template = `{{with mustRegexFindAll .pattern .text -1}}{{toRawJson .}}{{else}}[]{{end}} {{with mustRegexSplit .pattern .text -1}}{{toRawJson .}}{{else}}[]{{end}} {{mustRegexReplaceAll .pattern .text "${replacement}" | toRawJson}} {{mustRegexMatch .pattern .text}}`;

function theirAnswer(answer: GoAnswer | undefined): string {
  if (answer === undefined || !("error" in answer || "output" in answer)) return "no answer";
  if ("output" in answer) return answer.output;
  return answer.error.slice(answer.error.indexOf("error parsing regexp: "));
}

function ourAnswer({ pattern, text }: RegexpCase): string {
  const compiled = compileRegexp(pattern);
  if (!compiled.ok) return compiled.problem;
  const free = (): void => undefined;
  const { findAll, split, replaceAll, matches } = compiled.value;
  return [
    JSON.stringify(findAll(text, -1, free)),
    JSON.stringify(split(text, -1, free)),
    JSON.stringify(replaceAll(text, replacement, false, free)),
    matches(text, free),
  ].join(" ");
}

const atoms = [
  "a",
  "b",
  "c",
  "A",
  "1",
  "é",
  " ",
  ".",
  "^",
  "$",
  ..."dDwWsSbBAzZC1".split("").map((letter) => `\\${letter}`),
  "[a-c]",
  "[^ab]",
  "[[:alpha:]]",
  "[^[:digit:]x]",
  "[\\d-z]",
  "[a\\]b]",
  "[]a]",
  "[\\w\\s]",
  "[^\\n]",
  "[b-a]",
  "[a",
  "\\pL",
  "\\p{Greek}",
  "\\PN",
  "\\x41",
  "\\x{e9}",
  "\\n",
  "\\.",
  "\\012",
  "\\_",
  "\\Qa.b\\E",
  "(?i)",
  "(?s)",
  "(?m)",
  "(?U)",
  "(?=a)",
  "(?P<n>a)",
  "(?<n>b)",
];

const repetitions = [
  "*",
  "+",
  "?",
  "*?",
  "+?",
  "??",
  "{2}",
  "{1,3}",
  "{0,2}?",
  "{2,}",
  "{,2}",
  "{x}",
];

const texts = [
  "",
  "a",
  "abcABC",
  "aé1 b",
  "a\nb\nc",
  "aa bb cc",
  "a.b",
  "]",
  "ΑΒγ",
  "aaaaab",
  "1 2_3",
  "éÉ",
  "-a-b\\n",
];

function regexpCases(random: () => number): () => RegexpCase {
  const pick = (items: readonly string[]): string =>
    items[Math.floor(random() * items.length)] ?? "";
  const pattern = (depth: number): string => {
    const kind = random();
    if (depth <= 0 || kind < 0.5) return pick(atoms);
    if (kind < 0.6) return `(${pattern(depth - 1)})`;
    if (kind < 0.68) return `(?${pick(["", "i", "s-i", "m"])}:${pattern(depth - 1)})`;
    if (kind < 0.75) return `${pattern(depth - 1)}|${pattern(depth - 1)}`;
    if (kind < 0.88) return pattern(depth - 1) + pick(repetitions);
    return pattern(depth - 1) + pattern(depth - 1);
  };
  return () => ({ pattern: pattern(4), text: pick(texts) });
}
