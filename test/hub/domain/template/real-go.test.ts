import assert from "node:assert/strict";
import test, { suite } from "node:test";
import {
  compileTemplate,
  defaultTemplateLimits,
} from "../../../../hub/domain/template/evaluate.ts";
import { argoFunctions, refusedFunction } from "../../../../hub/domain/template/functions/index.ts";
import { goValueOf, type GoMap } from "../../../../hub/domain/template/value.ts";
import { whyNoTool } from "../../../support/control-plane/binaries.ts";
import { askGo, type GoAnswer } from "../../../support/go-templates.ts";
import { seeded } from "../../../support/seeded.ts";
import { generateNeeds } from "../builders.ts";
import { templateCases, type TemplateCase } from "./template-fuzz.ts";

/**
 * Random templates, ours beside Go's own text/template with sprig: the same output, or failure at the same stage.
 *
 * WHEELHOUSE_SEED chooses another run and WHEELHOUSE_CASES how many; a difference prints its seed and case.
 */
suite("our Go templates and Go's", { skip: whyNoTool("go-templates") }, () => {
  const count = Number(process.env["WHEELHOUSE_CASES"] ?? 5_000);
  const firstSeed = Number(process.env["WHEELHOUSE_SEED"] ?? 1);

  for (const seed of [firstSeed, firstSeed + 1, firstSeed + 2])
    test(`say the same of ${count} random templates (seed ${seed})`, async (context) => {
      const next = templateCases(seeded(seed));
      const cases = Array.from({ length: count }, next);
      const answers = await askGo(cases);
      const judged = cases.map((one, index): Judged => {
        const theirs = answers[index] ?? { stage: "crash" };
        const ours = evaluated(one);
        return { seed, index, ...one, theirs, ours, verdict: verdict(theirs, ours) };
      });
      const worked = answers.filter((answer) => "output" in answer).length;
      const excused = judged.filter(({ verdict }) => isExcuse(verdict));
      context.diagnostic(
        `seed ${seed}: ${worked} of ${count} templates work; excused: ${counted(excused)}`,
      );
      const differences = judged.filter(({ verdict }) => verdict === "different");
      assert.deepEqual(differences.slice(0, 3), [], `${differences.length} differences`);
      for (const [mode, some] of Map.groupBy(judged, modeOf)) {
        const many = some.filter(({ verdict }) => isExcuse(verdict));
        assert.ok(
          many.length <= Math.max(excusesFew, some.length * excusedShareMost),
          `${many.length} of ${some.length} templates with ${mode} are excused (seed ${seed}): ${counted(many)}`,
        );
      }
      assert.ok(worked > count / 5, `only ${worked} of ${count} templates work at all`);
    });

  // A key takes a fifth of a second on either side, so these are few.
  test(`derive the same passwords (seed ${firstSeed})`, async () => {
    const random = seeded(firstSeed);
    const text = (): string =>
      JSON.stringify(
        String.fromCodePoint(...Array.from({ length: 5 }, () => 33 + Math.floor(random() * 900))),
      );
    const types = ["maximum", "long", "long", "long", "medium", "short", "basic", "pin", "other"];
    const cases = Array.from({ length: 3 }, (): TemplateCase => {
      const [password, user] = [text(), text()];
      const calls = types.map((type) => {
        const counter = Math.floor(random() * 2 ** 33);
        return `{{derivePassword ${counter} "${type}" ${password} ${user} ${text()}}}`;
      });
      return {
        about: "anything",
        template: calls.join("\n"),
        data: {},
        option: "missingkey=error",
      };
    });
    const answers = await askGo(cases);
    for (const [index, one] of cases.entries()) assert.deepEqual(evaluated(one), answers[index]);
  });
});

type Ours =
  | { readonly output: string }
  | { readonly stage: "parse" | "execute" | "limit"; readonly error: string };

function evaluated({ template, data, option }: TemplateCase): Ours {
  const compiled = compileTemplate(template, {
    functions: argoFunctions,
    refusedFunction,
    missingKey: missingKeys[option],
    limits: defaultTemplateLimits,
    decodeYaml: generateNeeds.decodeYaml,
  });
  if (!compiled.ok) return { stage: compiled.problem.kind, error: compiled.problem.message };
  const made = compiled.value(goValueOf(data as Parameters<typeof goValueOf>[0]) as GoMap);
  return made.ok
    ? { output: made.value }
    : { stage: made.problem.kind, error: made.problem.message };
}

const missingKeys = {
  "missingkey=default": "default",
  "missingkey=error": "error",
  "missingkey=zero": "zero",
} as const;

/** What we do differently knowingly: each is allowed a few times only, so that no excuse becomes the rule. */
type Excuse = "crash" | "endless" | "deliberate";

type Judged = TemplateCase & {
  readonly seed: number;
  readonly index: number;
  readonly theirs: GoAnswer;
  readonly ours: Ours;
  readonly verdict: "same" | "different" | Excuse;
};

const endless = /evaluation needs too much|characters on the way/;

const deliberate =
  /no current time to fall back to|another answer every time|abbreviation of this time zone|place in memory|gives bytes|wants a date within|would change the version/;

function verdict(theirs: GoAnswer, ours: Ours): Judged["verdict"] {
  if ("output" in theirs && "output" in ours && theirs.output === ours.output) return "same";
  if ("stage" in theirs && "stage" in ours && theirs.stage === ours.stage) return "same";
  // A map that holds itself: Go's process dies of its stack or finds the cycle; ours must end, and say so.
  if (!("error" in ours)) return "different";
  if ("stage" in theirs && theirs.stage === "crash") return "crash";
  if (endless.test(ours.error)) return "endless";
  // What would be now in Go, what no zone's name is known for, what lies in memory, and what changes a value that
  // others hold, are errors here.
  return deliberate.test(ours.error) ? "deliberate" : "different";
}

const isExcuse = (verdict: Judged["verdict"]): verdict is Excuse =>
  verdict !== "same" && verdict !== "different";

const modeOf = ({ about, option }: TemplateCase): string => `${option} about ${about}`;

/** About 4 in 1,000 are excused; this many are in no mode unless an excuse hides more than it is for. */
const excusedShareMost = 0.02;

/** As many may be excused by chance in a run too short for shares. */
const excusesFew = 3;

/** How many there are of each verdict. */
const counted = (judged: readonly Judged[]): string =>
  [...Map.groupBy(judged, ({ verdict }) => verdict)]
    .map(([verdict, some]) => `${some.length} ${verdict}`)
    .join(", ") || "none";
