import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { canonicalJson, type Json } from "../../../proto/words/digest.ts";
import { parseApplicationSet, type ApplicationSet } from "../../../hub/domain/application-set.ts";
import { repositoryFactKey, type Facts } from "../../../hub/domain/facts.ts";
import { generate, neededRepositories, type Generated } from "../../../hub/domain/generate.ts";
import { clusterFact, generateNeeds as needs } from "./builders.ts";

type Spec = Readonly<Record<string, unknown>>;

const application = (name: string): Spec => ({
  metadata: { name },
  spec: {
    project: "default",
    source: { repoURL: "https://git.example.com/r.git", path: "p", targetRevision: "HEAD" },
    destination: { name: "one", namespace: "ns" },
  },
});

function set(spec: Spec): ApplicationSet {
  const read = parseApplicationSet({
    apiVersion: "argoproj.io/v1alpha1",
    kind: "ApplicationSet",
    metadata: { name: "web", namespace: "argocd" },
    spec: { goTemplate: true, template: application("web-{{.name}}"), ...spec },
  });
  assert.ok(read.ok, read.ok ? "" : read.problem.message);
  return read.value;
}

const repository = (repoURL: string, directories: readonly string[]) =>
  [
    repositoryFactKey(repoURL, "HEAD"),
    { repoURL, revision: "HEAD", commit: "c", directories },
  ] as const;

const facts: Facts = {
  clusters: [clusterFact("dev-1", { env: "dev" }), clusterFact("prod-1", { env: "prod" })],
  repositories: new Map([repository("r", ["apps", "apps/api", "apps/web", "libs"])]),
};

function generated(spec: Spec): Generated {
  const made = generate(set(spec), facts, needs);
  assert.ok(made.ok, made.ok ? "" : made.problem.message);
  return made.value;
}

const names = (spec: Spec): readonly string[] =>
  generated(spec).applications.map(({ name }) => name);

const elements = (...list: readonly Json[]): Spec => ({
  generators: [{ list: { elements: list } }],
});

suite("generate", () => {
  test("a list, sorted by name, with the finalizer Argo CD gives", () => {
    const made = generated(elements({ name: "b" }, { name: "a" }));
    assert.deepEqual(
      made.applications.map(({ name }) => name),
      ["web-a", "web-b"],
    );
    assert.equal(made.requeueAfterMs, undefined);
    assert.equal(
      canonicalJson(made.applications[0]?.document ?? null),
      '{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"finalizers":' +
        '["resources-finalizer.argocd.argoproj.io"],"name":"web-a","namespace":"argocd"},"spec":' +
        '{"destination":{"name":"one","namespace":"ns"},"project":"default","source":{"path":"p",' +
        '"repoURL":"https://git.example.com/r.git","targetRevision":"HEAD"}}}',
    );
  });

  test("clusters by their labels, without an implicit local one", () => {
    assert.deepEqual(names({ generators: [{ clusters: {} }] }), ["web-dev-1", "web-prod-1"]);
    const selector = { matchLabels: { env: "prod" } };
    assert.deepEqual(names({ generators: [{ clusters: { selector } }] }), ["web-prod-1"]);
  });

  test("directories of a repository, with excludes", () => {
    const directories = [{ path: "apps/*" }, { path: "apps/web", exclude: true }];
    const made = generated({
      generators: [{ git: { repoURL: "r", revision: "HEAD", directories } }],
      template: application("{{.path.basename}}"),
    });
    assert.deepEqual(
      made.applications.map(({ name }) => name),
      ["api"],
    );
    assert.equal(made.requeueAfterMs, 180_000);
  });

  test("a matrix of both, in fast mode too", () => {
    const generators = [
      {
        matrix: {
          generators: [
            { git: { repoURL: "r", revision: "HEAD", directories: [{ path: "apps/*" }] } },
            { clusters: {} },
          ],
        },
      },
    ];
    const expected = ["api-dev-1", "api-prod-1", "web-dev-1", "web-prod-1"];
    assert.deepEqual(
      names({ generators, template: application("{{.path.basename}}-{{.name}}") }),
      expected,
    );
    assert.deepEqual(
      names({
        generators,
        goTemplate: false,
        template: application("{{path.basename}}-{{name}}"),
      }),
      expected,
    );
  });

  test("a templatePatch, applied per element", () => {
    const made = generated({
      ...elements({ name: "a", prune: true }, { name: "b", prune: false }),
      templatePatch:
        "spec:\n  syncPolicy:\n    automated:\n      prune: {{ .prune }}\n  project: stolen\n",
    });
    assert.deepEqual(
      made.applications.map(({ policy, project }) => [policy.automated, policy.prune, project]),
      [
        [true, true, "default"],
        [true, false, "default"],
      ],
    );
  });

  test("a generator's own template goes over the set's", () => {
    const template = { metadata: { name: "own-{{.name}}" }, spec: { project: "" } };
    assert.deepEqual(
      names({
        generators: [
          { list: { elements: [{ name: "a" }], template } },
          { list: { elements: [{ name: "b" }] } },
        ],
      }),
      ["own-a", "web-b"],
    );
  });

  test("a set that preserves resources generates applications whose objects stay", () => {
    const [made] = generated({
      ...elements({ name: "a" }),
      syncPolicy: { preserveResourcesOnDeletion: true },
    }).applications;
    assert.equal(made?.keepObjects, true);
  });

  const refused: readonly {
    readonly name: string;
    readonly spec: Spec;
    readonly code: string;
    readonly says: string;
  }[] = [
    {
      name: "two applications of one name",
      spec: elements({ name: "a" }, { name: "a" }),
      code: "WH-GEN-3105",
      says: "ApplicationSet web contains applications with duplicate name: web-a",
    },
    {
      name: "a name that is none",
      spec: elements({ name: "A B" }),
      code: "WH-GEN-3107",
      says: "ApplicationSet web generates an application without a usable name",
    },
    {
      name: "one element that fails among others",
      spec: { ...elements({ name: "a" }, { other: "b" }), goTemplateOptions: ["missingkey=error"] },
      code: "WH-TPL-3202",
      says: 'map has no entry for key "name"',
    },
    {
      name: "a template that is none",
      spec: { ...elements({ name: "a" }), template: application("{{.name") },
      code: "WH-TPL-3201",
      says: "failed to parse template {{.name: template: base:1: unclosed action",
    },
    {
      name: "a template without measure",
      spec: { ...elements({ name: "a" }), template: application("{{repeat 99999999 .name}}") },
      code: "WH-TPL-3203",
      says: "makes more than 10000000 characters",
    },
    {
      name: "a repository that could not be read",
      spec: {
        generators: [{ git: { repoURL: "gone", revision: "v1", directories: [{ path: "*" }] } }],
      },
      code: "WH-GEN-3104",
      says: 'error generating params from git: error getting directories from repo: repository "gone" could not be read at "v1"',
    },
    {
      name: "a generator of a later issue",
      spec: { generators: [{ pullRequest: {} }] },
      code: "WH-GEN-3102",
      says: "generator pullRequest is not supported yet (spec.generators[0].pullRequest)",
    },
    {
      name: "git files",
      spec: { generators: [{ git: { repoURL: "r", revision: "HEAD", files: [{ path: "*" }] } }] },
      code: "WH-GEN-3103",
      says: "not supported yet: git files",
    },
    {
      name: "a selector that is none",
      spec: { generators: [{ list: { elements: [] }, selector: { matchLabels: { "a b": "c" } } }] },
      code: "WH-GEN-3103",
      says: "error parsing label selector: spec.generators[0].selector",
    },
    {
      name: "no template",
      spec: { ...elements({ name: "a" }), template: {} },
      code: "WH-GEN-3101",
      says: "ApplicationSet web: spec.template is missing",
    },
    {
      name: "a patch of a wrong type",
      spec: { ...elements({ name: "a" }), templatePatch: "spec: {revisionHistoryLimit: abc}" },
      code: "WH-TPL-3205",
      says: 'spec.revisionHistoryLimit must be a whole number, got "abc"',
    },
    {
      name: "two keys that become one",
      spec: {
        ...elements({ name: "a" }),
        template: {
          metadata: { name: "x", labels: { "{{.name}}": "1", a: "2" } },
          spec: {},
        },
      },
      code: "WH-TPL-3202",
      says: 'two keys of one mapping are rendered to "a"',
    },
  ];
  for (const { name, spec, code, says } of refused) {
    test(`fails whole for ${name}`, () => {
      const made = generate(set(spec), facts, needs);
      assert.ok(!made.ok);
      assert.equal(made.problem.code, code);
      assert.ok(made.problem.message.includes(says), made.problem.message);
    });
  }

  test("a source that is not supported yet is a problem of its application only", () => {
    const template = application("{{.name}}");
    const made = generated({
      ...elements({ name: "a" }),
      template: {
        ...template,
        spec: { source: { repoURL: "c", chart: "x" }, destination: { name: "one" } },
      },
    });
    assert.equal(made.applications[0]?.problem?.code, "WH-RND-3401");
  });

  test("a broken template that nobody needs is no problem", () =>
    assert.deepEqual(names({ ...elements(), template: application("{{nosuch}}") }), []));

  test("params named like JavaScript's own properties are params", () => {
    const polluted = JSON.parse(
      '{"name":"a","__proto__":{"polluted":"x"},"constructor":"c"}',
    ) as Json;
    const made = generated({
      ...elements(polluted),
      template: {
        ...application("{{.name}}"),
        metadata: {
          name: "{{.name}}",
          annotations: { "{{.constructor}}": "{{.__proto__.polluted}}", __proto__x: "y" },
        },
      },
    });
    assert.equal(made.applications[0]?.annotations["c"], "x");
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  });

  test("one element sees nothing of another, whatever its templates do", () => {
    const template = application(
      "{{$_ := set .m `k` .name}}{{.name}}-{{.m.k}}{{$_ := set . `name` `gone`}}",
    );
    assert.deepEqual(
      names({
        generators: [
          {
            matrix: {
              generators: [
                { list: { elements: [{ m: { k: "x" } }] } },
                { list: { elements: [{ name: "a" }, { name: "b" }] } },
              ],
            },
          },
        ],
        template: {
          ...template,
          metadata: { ...(template["metadata"] as object), labels: { k: "{{.m.k}}" } },
        },
      }),
      ["a-a", "b-b"],
    );
  });

  test("a matrix has as many applications as its sides multiplied, and the order of facts is nothing", () => {
    const letters = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { minLength: 1 });
    fc.assert(
      fc.property(letters, letters, (left, right) => {
        const made = names({
          generators: [
            {
              matrix: {
                generators: [
                  { list: { elements: left.map((l) => ({ l })) } },
                  { list: { elements: right.map((r) => ({ r })) } },
                ],
              },
            },
          ],
          template: application("{{.l}}-{{.r}}"),
        });
        const expected = left.flatMap((l) => right.map((r) => `${l}-${r}`)).toSorted();
        assert.deepEqual(made, expected);
      }),
      { numRuns: 50 },
    );
  });
});

suite("neededRepositories", () => {
  test("names what is asked for, step by step where one names the next", () => {
    const nested = set({
      generators: [
        {
          matrix: {
            generators: [
              { git: { repoURL: "r", revision: "HEAD", directories: [{ path: "apps/*" }] } },
              {
                git: {
                  repoURL: "https://git.example.com/{{.path.basename}}.git",
                  revision: "",
                  pathParamPrefix: "inner",
                  directories: [{ path: "*" }],
                },
              },
            ],
          },
        },
        { git: { repoURL: "other", revision: "v2", directories: [{ path: "*" }] } },
      ],
    });
    assert.deepEqual(neededRepositories(nested, { clusters: [], repositories: new Map() }, needs), [
      { repoURL: "r", revision: "HEAD" },
      { repoURL: "other", revision: "v2" },
    ]);
    const second = neededRepositories(nested, facts, needs);
    assert.deepEqual(
      second.map(({ repoURL }) => repoURL),
      ["r", "https://git.example.com/api.git", "other"],
    );
    const withApi = new Map([
      ...facts.repositories,
      repository("https://git.example.com/api.git", []),
    ]);
    const third = neededRepositories(nested, { ...facts, repositories: withApi }, needs);
    assert.ok(third.some(({ repoURL }) => repoURL === "https://git.example.com/web.git"));
  });
});
