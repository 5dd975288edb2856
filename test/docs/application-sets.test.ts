import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { Application } from "../../hub/domain/application.ts";
import { applicationSetOf, type ApplicationSet } from "../../hub/domain/application-set.ts";
import { field, isObject, type JsonObject } from "../../hub/domain/document.ts";
import { generate } from "../../hub/domain/generate.ts";
import { nextToRemove } from "../../hub/domain/plan/rollout.ts";
import { reconciledApplication } from "../../hub/domain/reconciled-application.ts";
import type { PublishedApplication } from "../../hub/domain/records.ts";
import { rolloutSteps } from "../../hub/domain/rollout/steps.ts";
import type { RolloutStrategy } from "../../hub/domain/rollout/strategy.ts";
import { allowsDelete } from "../../hub/domain/set-policy.ts";
import { compareBytes } from "../../hub/domain/template/value.ts";
import { canonicalJson, type Json } from "../../proto/words/digest.ts";
import { generateNeeds } from "../hub/domain/builders.ts";
import { readPage } from "./pages.ts";
import { generatorsIn, nameOf, readExamples, type Example } from "./set-examples.ts";

const page = readPage("docs/application-sets.md");
const examples = readExamples(page);

suite("docs/application-sets.md", () => {
  for (const [index, example] of examples.entries())
    test(`example ${index + 1}, ${example.title}, gives what it says`, () => run(example));

  test("teaches every generator and shows each set's outcome", () => {
    const shown = new Set(examples.flatMap(({ set }) => generatorsIn(set)));
    for (const kind of [
      "list",
      "clusters",
      "git",
      "matrix",
      "merge",
      "scmProvider",
      "pullRequest",
      "clusterDecisionResource",
      "plugin",
    ])
      assert.ok(shown.has(kind), kind);
    assert.ok(examples.length >= 24, String(examples.length));
    const fences = [...page.matchAll(/^```(\S+ \S+)$/gm)].map(([, language]) => language);
    assert.deepEqual(
      fences.filter(
        (language) =>
          !/^(yaml (facts|set|before|applications|steps|removals)|text problem)$/.test(
            language ?? "",
          ),
      ),
      [],
    );
    for (const { title, applications, steps, removals, problem } of examples)
      assert.ok(applications ?? steps ?? removals ?? problem, `${title} shows no outcome`);
  });

  test("an example that says something else fails", () => {
    const [first] = examples;
    assert.ok(first?.applications !== undefined);
    const missing = { ...first, applications: first.applications.slice(1) };
    assert.throws(() => run(missing));
    const other = first.applications.with(0, {
      metadata: { name: "web-dev-1" },
      spec: { project: "x" },
    });
    assert.throws(() => run({ ...first, applications: other }));
    assert.throws(() => run({ ...first, problem: "of it" }));
    const takenDown = examples.find(({ removals }) => removals !== undefined);
    assert.ok(takenDown !== undefined, "no set is taken down");
    assert.throws(() => run({ ...takenDown, removals: takenDown.steps }));
  });
});

function run(example: Example): void {
  const { facts, set: document, before, applications, steps, removals, problem } = example;
  const read = applicationSetOf(document);
  if (!read.ok) return assert.equal(read.problem.message, problem);
  const set = read.value;
  const made = generate(set, facts, generateNeeds);
  assert.ok(made.ok, made.ok ? "" : made.problem.message);
  const said = made.value.flaws.map((flaw) => flaw.problem.message);
  if (problem === undefined) assert.deepEqual(said, []);
  else
    assert.ok(
      said.some((message) => message.includes(problem)),
      said.join(),
    );
  if (steps !== undefined)
    assert.deepEqual(rolloutSteps(set.strategy, made.value.applications).steps, steps);
  if (removals !== undefined) assert.deepEqual(leaving(set, made.value.applications), removals);
  if (applications === undefined) return;
  const after = reconciled(
    set,
    before,
    made.value.applications.map((one) => one.document),
  );
  assert.deepEqual(after.map(nameOf), applications.map(nameOf));
  for (const [index, wanted] of applications.entries())
    assertHas(after[index] ?? null, wanted, nameOf(wanted));
}

/** The applications of a set in the order in which they leave once it is gone: those in one list go together. */
function leaving(
  { strategy }: ApplicationSet,
  applications: readonly Application[],
): readonly (readonly string[])[] {
  const inTurn: (readonly string[])[] = [];
  let going: readonly Pick<Application, "name" | "labels">[] = applications;
  while (going.length > 0) {
    const next = nextNames(strategy, going);
    inTurn.push(next);
    going = going.filter(({ name }) => !next.includes(name));
  }
  return inTurn;
}

function nextNames(
  strategy: RolloutStrategy | undefined,
  going: readonly Pick<Application, "name" | "labels">[],
): readonly string[] {
  if (strategy?.deletesInReverse !== true) return going.map(({ name }) => name);
  const nothing = { statuses: [], reported: new Map(), leaving: new Set<never>() };
  const published = going.map((draft) => ({ draft }) as unknown as PublishedApplication);
  return nextToRemove({ strategy, ...nothing }, published).map(({ draft }) => draft.name);
}

/** What there is once a set that made `before` generated anew. */
function reconciled(
  { policy }: ApplicationSet,
  before: readonly JsonObject[],
  generated: readonly JsonObject[],
): readonly JsonObject[] {
  const names = new Set(generated.map(nameOf));
  const kept = allowsDelete(policy.applicationsSync)
    ? []
    : before.filter((one) => !names.has(nameOf(one)));
  const live = new Map(before.map((one) => [nameOf(one), one]));
  const written = generated.map((one) => reconciledApplication(live.get(nameOf(one)), one, policy));
  return [...written, ...kept].toSorted((a, b) => compareBytes(nameOf(a), nameOf(b)));
}

/** Every field the page shows is there, and says the same; `null` says that it is not there. */
function assertHas(got: Json | undefined, wanted: Json, path: string): void {
  if (wanted === null) return assert.equal(got, undefined, path);
  if (!isObject(wanted))
    return assert.equal(canonicalJson(got ?? null), canonicalJson(wanted), path);
  assert.ok(isObject(got), `${path} is no mapping`);
  for (const [key, value] of Object.entries(wanted))
    assertHas(field(got, key), value, `${path}.${key}`);
}
