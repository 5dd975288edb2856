import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { fail, ok } from "../../../../proto/kit/result.ts";
import { canonicalJson } from "../../../../proto/words/digest.ts";
import {
  parseApplicationSet,
  type ApplicationSet,
} from "../../../../hub/domain/application-set.ts";
import { repositoryFactKey, type Facts } from "../../../../hub/domain/facts.ts";
import { generate } from "../../../../hub/domain/generate.ts";
import { labelsMatch, parseLabelSelector } from "../../../../hub/domain/selector.ts";
import { compileFastTemplate } from "../../../../hub/domain/template/fast.ts";
import { goValueOf, jsonOf, type GoMap } from "../../../../hub/domain/template/value.ts";
import { clusterFact, generateNeeds as needs } from "../builders.ts";
import { generateDocuments, generateParams } from "../strict-generation.ts";
import { modelApplications, modelParams, type ModelResult } from "./model-applications.ts";
import type { ModelWorld } from "./model-generators.ts";
import { selects } from "./model-selectors.ts";
import { fastRendered } from "./model-templates.ts";
import { jsonValue, ModelFailure, modelValue, type ModelMap } from "./model-values.ts";
import { nestedValues, selectors, setCases, templateTexts, type SetCase } from "./set-cases.ts";

/**
 * Random sets and facts, the engine beside a model that does the obvious thing slowly.
 *
 * WHEELHOUSE_SEED chooses another run and WHEELHOUSE_CASES how many; a difference prints its seed and the
 * smallest case that shows it.
 */
const seed = Number(process.env["WHEELHOUSE_SEED"] ?? 1);
const numRuns = Number(process.env["WHEELHOUSE_CASES"] ?? 4_000);

suite(`the engine and a slow model of it (seed ${seed}, ${numRuns} cases each)`, () => {
  const prototypes = shapeOfPrototypes();

  test("generate the same params and Applications, or fail alike", () => {
    const count = { whole: 0, failed: 0, applications: 0 };
    fc.assert(
      fc.property(setCases, (one) => {
        const set = setOf(one);
        const facts = factsOf(one);
        const before = spelled(facts, set);
        const world = worldOf(one);
        const params = outcome(() => modelParams(one.generators, world).map(jsonValue));
        const ourParams = generateParams(set, facts, needs);
        assert.deepEqual(
          ourParams.ok ? [...ourParams.value].map((made) => canonicalJson(jsonOf(made))) : "failed",
          params === undefined ? "failed" : params.map(canonicalJson),
        );
        const strict = outcome(() => modelApplications(one.generators, one.template, world, false));
        const ours = generateDocuments(set, facts, needs);
        assert.deepEqual(
          ours.ok ? [...ours.value].map(canonicalJson) : "failed",
          strict === undefined ? "failed" : strict.documents.map(canonicalJson),
        );
        sparing(one, set, facts, world);
        count[strict === undefined ? "failed" : "whole"] += 1;
        count.applications += strict?.documents.length ?? 0;
        assert.equal(spelled(facts, set), before);
      }),
      { seed, numRuns },
    );
    assert.ok(count.whole > numRuns / 4, `only ${count.whole} of ${numRuns} sets generate`);
    assert.ok(count.failed > numRuns / 50, `only ${count.failed} of ${numRuns} sets fail`);
    assert.ok(count.applications > numRuns / 2, `only ${count.applications} applications`);
  });

  test("select the same labels", () => {
    fc.assert(
      fc.property(selectors, nestedValues, fc.boolean(), (selector, values, strictValues) => {
        const given = deepFrozen(
          Object.fromEntries(
            Object.entries(values as object).map(([key, value]) => [
              key,
              typeof value === "string" ? value : "x",
            ]),
          ),
        );
        const expected = outcome(() =>
          selects(selector, strictValues)(new Map(Object.entries(given))),
        );
        const ours = parseLabelSelector(
          deepFrozen(selector),
          strictValues ? "label-values" : "any-text",
          "selector",
        );
        assert.equal(ours.ok ? labelsMatch(ours.value, given) : undefined, expected);
      }),
      { seed, numRuns },
    );
  });

  test("put the same params into placeholders", () => {
    fc.assert(
      fc.property(templateTexts(false), nestedValues, (text, values) => {
        const expected = outcome(() => fastRendered(text, modelValue(values) as ModelMap));
        const template = compileFastTemplate(text);
        const params = goValueOf(deepFrozen(values)) as GoMap;
        assert.equal(template.ok ? template.value(params) : undefined, expected);
      }),
      { seed, numRuns },
    );
  });

  test("leave the prototypes of JavaScript as they were", () => {
    assert.deepEqual(shapeOfPrototypes(), prototypes);
  });
});

/** Where elements may fail alone, those that are left are the same, but for names that several have. */
function sparing(one: SetCase, set: ApplicationSet, facts: Facts, world: ModelWorld): void {
  const model: ModelResult = modelApplications(one.generators, one.template, world, true);
  const ours = generate(set, facts, needs);
  assert.ok(ours.ok, "a set with a template always comes to something");
  const byName = new Map<string, string[]>();
  for (const document of model.documents) {
    const { metadata } = document as { readonly metadata: { readonly name: string } };
    byName.set(metadata.name, [...(byName.get(metadata.name) ?? []), canonicalJson(document)]);
  }
  const made = new Map<string, string>(
    ours.value.applications.map(({ name, document }) => [name, canonicalJson(document)]),
  );
  for (const [name, document] of made) assert.deepEqual(byName.get(name), [document]);
  const usable = [...byName].filter(
    ([name, documents]) =>
      documents.length === 1 &&
      /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name) &&
      !/\.[-.]|-\./.test(name),
  );
  assert.deepEqual([...made.keys()], usable.map(([name]) => name).toSorted());
  const isWhole = model.failures === 0 && usable.length === byName.size;
  assert.equal(ours.value.flaws.length === 0, isWhole);
}

/** `undefined` where the model comes to nothing. */
function outcome<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof ModelFailure) return undefined;
    throw error;
  }
}

function setOf({ mode, generators, template }: SetCase): ApplicationSet {
  const read = parseApplicationSet({
    metadata: { name: "web", namespace: "argocd" },
    spec: {
      goTemplate: mode.goTemplate,
      goTemplateOptions: [`missingkey=${mode.missing}`],
      generators,
      template,
    },
  });
  assert.ok(read.ok, read.ok ? "" : read.problem.message);
  return deepFrozen(read.value);
}

function factsOf({ clusters, repository }: SetCase): Facts {
  return deepFrozen({
    clusters: clusters.map(({ name, server, labels, annotations }) => ({
      ...clusterFact(name, labels),
      server,
      annotations,
    })),
    repositories: new Map([
      [
        repositoryFactKey("r", "HEAD"),
        {
          repoURL: "r",
          revision: "HEAD",
          commit: "c",
          directories: repository.directories,
          files: [...repository.files.keys()],
          documents: new Map(
            [...repository.files].map(([path, document]) => [
              path,
              document === undefined ? fail("it holds no YAML") : ok(document),
            ]),
          ),
        },
      ],
    ]),
  });
}

const worldOf = ({ mode, clusters, repository }: SetCase): ModelWorld => ({
  mode,
  clusters,
  repository,
});

/** Everything that is shared between elements. What cannot be frozen, a map, is compared before and after. */
function deepFrozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (value instanceof Map) for (const item of value.values()) deepFrozen(item);
  else {
    Object.freeze(value);
    for (const item of Object.values(value)) deepFrozen(item);
  }
  return value;
}

const spelled = (facts: Facts, set: ApplicationSet): string =>
  JSON.stringify([facts, set], (_, value: unknown) =>
    value instanceof Map ? { entries: [...value] } : value,
  );

/** Every name and value of the objects that all others come from. */
function shapeOfPrototypes(): readonly unknown[] {
  return [Object, Array, Map, String, Function].flatMap(({ prototype }) =>
    Reflect.ownKeys(prototype as object).map((name) => [
      name,
      Object.getOwnPropertyDescriptor(prototype, name),
    ]),
  );
}
