import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { fail, ok } from "../../../proto/kit/result.ts";
import { canonicalJson, type Json } from "../../../proto/words/digest.ts";
import { parseApplicationSet, type ApplicationSet } from "../../../hub/domain/application-set.ts";
import { repositoryFactKey, type Facts } from "../../../hub/domain/facts.ts";
import {
  generate,
  generation,
  mayHide,
  neededRepositories,
  type Generated,
} from "../../../hub/domain/generate.ts";
import { atOnce } from "../../../hub/domain/sliced.ts";
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

  const mistyped: readonly (readonly [says: string, spec: Spec, problem: string])[] = [
    [
      "a namespace of no",
      { destination: { name: "one", namespace: false } },
      "spec.destination.namespace must be text, got false",
    ],
    [
      "a revision of zero",
      { source: { repoURL: "r", path: "p", targetRevision: 0 } },
      "spec.source.targetRevision must be text, got 0",
    ],
    [
      "a path of no",
      { source: { repoURL: "r", path: false } },
      "spec.source.path must be text, got false",
    ],
    [
      "an empty text for a flag",
      { source: { repoURL: "r", path: "p", directory: { recurse: "" } } },
      'spec.source.directory.recurse must be true or false, got ""',
    ],
  ];
  for (const [says, spec, problem] of mistyped) {
    const problems = (more: Spec): readonly (string | undefined)[] =>
      generated({ ...elements({ name: "a" }), ...more }).applications.map(
        (made) => made.problem?.message,
      );
    const { metadata, spec: right } = application("web-{{.name}}");
    const expected = [`application web-a: ${problem}`];
    test(`${says} is a problem, and not as if nothing were said`, () =>
      assert.deepEqual(
        problems({ template: { metadata, spec: Object.assign({}, right, spec) } }),
        expected,
      ));
    test(`${says} in a generator's template is a problem too`, () =>
      assert.deepEqual(
        problems({ generators: [{ list: { elements: [{ name: "a" }], template: { spec } } }] }),
        expected,
      ));
  }

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
      name: "a generator whose service the hub is not connected to",
      spec: { generators: [{ pullRequest: {} }] },
      code: "WH-GEN-3114",
      says: "generator pullRequest (spec.generators[0].pullRequest) asks a service that this hub is not connected to yet",
    },
    {
      name: "git files that lead out of the repository",
      spec: {
        generators: [{ git: { repoURL: "r", revision: "HEAD", files: [{ path: "../x" }] } }],
      },
      code: "WH-GEN-3103",
      says: 'error generating params from git: spec.generators[0].git.files[0].path: pathspec "../x" is outside the repository',
    },
    {
      name: "a selector that is none",
      spec: { generators: [{ list: { elements: [] }, selector: { matchLabels: { "a b": "c" } } }] },
      code: "WH-GEN-3103",
      says: 'error parsing label selector: key: Invalid value: "a b": name part must consist of',
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
    test(`gives nothing and a reason for ${name}`, () => {
      const made = generate(set(spec), facts, needs);
      const because = made.ok ? made.value.flaws[0]?.problem : made.problem;
      assert.deepEqual(made.ok ? made.value.applications : [], []);
      assert.equal(because?.code, code);
      assert.ok(because.message.includes(says), because.message);
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

suite("generation in slices", () => {
  const large = {
    generators: [
      {
        matrix: {
          generators: [
            { list: { elements: Array.from({ length: 60 }, (_, index) => ({ a: `a${index}` })) } },
            { list: { elements: Array.from({ length: 50 }, (_, index) => ({ b: `b${index}` })) } },
          ],
        },
      },
    ],
    template: application("{{.a}}-{{.b}}"),
  };

  test("a large set stops every few elements, and comes to the same", () => {
    const work = generation(set(large), facts, needs);
    let slices = 0;
    let step = work.next();
    for (; step.done !== true; step = work.next()) slices += 1;
    assert.ok(slices >= 3_000 / 64, String(slices));
    assert.deepEqual(step.value, { kind: "generated", generated: generated(large) });
    assert.equal(generated(large).applications.length, 3_000);
  });

  test("what it lacks is asked for, and nothing is made of the rest", () => {
    const spec = {
      generators: [
        { git: { repoURL: "other", revision: "v2", directories: [{ path: "*" }] } },
        ...large.generators,
      ],
      template: application("{{.nosuch.nosuch}}"),
    };
    assert.deepEqual(atOnce(generation(set(spec), facts, needs)), {
      kind: "asks",
      repositories: [{ repoURL: "other", revision: "v2", lists: false, reads: [] }],
    });
  });

  test("the second child of a matrix runs again only when its fields changed", () => {
    let looks = 0;
    const watched: Facts = {
      ...facts,
      get clusters() {
        looks += 1;
        return facts.clusters;
      },
    };
    const beside = (clusters: Spec): Spec => ({
      generators: [
        {
          matrix: {
            generators: [
              { list: { elements: ["dev", "dev", "prod"].map((env, index) => ({ env, index })) } },
              { clusters },
            ],
          },
        },
      ],
      template: application("{{.name}}-{{.index}}"),
    });
    const looksOf = (clusters: Spec): readonly [looks: number, names: number] => {
      looks = 0;
      const made = generate(set(beside(clusters)), watched, needs);
      assert.ok(made.ok);
      return [looks, made.value.applications.length];
    };
    assert.deepEqual(looksOf({}), [1, 6]);
    assert.deepEqual(looksOf({ selector: { matchLabels: { env: "{{.env}}" } } }), [2, 3]);
  });
});

suite("what is put into the template beforehand", () => {
  const documentsOf = (spec: Spec): Json =>
    generated(spec).applications.map(({ document }) => document);

  test("comes to what is done to each Application behind a patch", () => {
    const texts = ["", "{{.empty}}", "{{.name}}", "x{{.empty}}", "plain"];
    const text = fc.constantFrom(...texts);
    fc.assert(
      fc.property(
        fc.record({ path: text, targetRevision: text, namespace: text, label: text, key: text }),
        fc.constantFrom<readonly string[]>([], ["{{.empty}}"], ["keep"]),
        fc.boolean(),
        (given, finalizers, preserveResourcesOnDeletion) => {
          const spec = {
            ...elements({ name: "a", empty: "" }, { name: "b", empty: "" }, {}),
            syncPolicy: { preserveResourcesOnDeletion },
            template: {
              metadata: {
                name: "app-{{.name}}",
                namespace: given.namespace,
                finalizers,
                labels: { one: given.label, [`key-${given.key}`]: "v" },
                annotations: {},
              },
              spec: {
                project: given.label,
                source: { repoURL: given.key, path: given.path, helm: { releaseName: given.path } },
                destination: { name: given.namespace, namespace: given.targetRevision },
                info: [{ name: given.label, value: given.path }],
              },
            },
          };
          const patched = { ...spec, templatePatch: "{}" };
          assert.equal(canonicalJson(documentsOf(spec)), canonicalJson(documentsOf(patched)));
        },
      ),
      { numRuns: 200 },
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
      { repoURL: "r", revision: "HEAD", lists: false, reads: [] },
      { repoURL: "other", revision: "v2", lists: false, reads: [] },
    ]);
    const second = neededRepositories(nested, facts, needs);
    assert.deepEqual(
      second.map(({ repoURL }) => repoURL),
      ["https://git.example.com/api.git", "https://git.example.com/web.git", "other"],
    );
  });
  const flawsOf = (spec: Spec): readonly string[] =>
    generated(spec).flaws.map(
      ({ kind, application: name, problem }) => `${kind} ${name ?? "-"} ${problem.code}`,
    );

  test("an element that fails costs its own application", () => {
    const spec = {
      ...elements({ name: "a", team: "x" }, { name: "b" }),
      goTemplateOptions: ["missingkey=error"],
      template: {
        metadata: { name: "web-{{.name}}", labels: { team: "{{.team}}" } },
        spec: application("")["spec"],
      },
    };
    assert.deepEqual(names(spec), ["web-a"]);
    assert.deepEqual(flawsOf(spec), ["generation web-b WH-TPL-3202"]);
    assert.ok(mayHide(generated(spec).flaws));
  });

  test("a generator that fails costs its own elements", () => {
    const spec = {
      generators: [
        { list: { elements: [{ name: "a" }] } },
        { git: { repoURL: "gone", revision: "HEAD", directories: [{ path: "*" }] } },
      ],
    };
    assert.deepEqual(names(spec), ["web-a"]);
    assert.deepEqual(flawsOf(spec), ["generation - WH-GEN-3104"]);
  });

  test("a name that two elements give belongs to neither, and hides nothing", () => {
    const spec = elements({ name: "a" }, { name: "b" }, { name: "a" });
    assert.deepEqual(names(spec), ["web-b"]);
    assert.deepEqual(flawsOf(spec), ["validation web-a WH-GEN-3105"]);
    assert.ok(!mayHide(generated(spec).flaws));
  });

  test("a merge whose override cannot be read gives nothing rather than something else", () => {
    const spec = {
      generators: [
        {
          merge: {
            mergeKeys: ["name"],
            generators: [
              { list: { elements: [{ name: "a" }] } },
              { list: { elements: ["not a mapping"] } },
            ],
          },
        },
      ],
    };
    assert.deepEqual(names(spec), []);
    assert.deepEqual(flawsOf(spec), ["generation - WH-GEN-3103"]);
  });

  suite("git files", () => {
    const documents: Readonly<Record<string, Json | Error>> = {
      "a/config.yaml": { name: "a", port: 80 },
      "b/config.yaml": [{ name: "b" }, { name: "c" }],
      "empty/config.yaml": null,
      "bad/config.yaml": new Error("line 1, column 3: not YAML"),
      "text/config.yaml": "text",
    };
    const read = (paths: readonly string[]): Facts => ({
      ...facts,
      repositories: new Map([
        [
          repositoryFactKey("r", "HEAD"),
          {
            repoURL: "r",
            revision: "HEAD",
            commit: "c",
            directories: [],
            files: Object.keys(documents).toSorted(),
            documents: new Map(
              paths.map((path) => {
                const found = documents[path] ?? null;
                return [path, found instanceof Error ? fail(found.message) : ok(found)];
              }),
            ),
          },
        ],
      ]),
    });
    const files = (...patterns: readonly Json[]): Spec => ({
      generators: [{ git: { repoURL: "r", revision: "HEAD", files: patterns } }],
    });
    const bothOf = (spec: Spec, paths: readonly string[]): readonly (readonly string[])[] => {
      const made = generate(set(spec), read(paths), needs);
      assert.ok(made.ok);
      return [
        made.value.applications.map(({ name }) => name),
        made.value.flaws.map(({ problem }) => problem.message.replace(/^.*process file/, "file")),
      ];
    };

    test("the listing is asked for first, and then the files that match", () => {
      const spec = files({ path: "*/config.yaml" }, { path: "[be]*/config.yaml", exclude: true });
      const asked = (known: Facts) => neededRepositories(set(spec), known, needs);
      assert.deepEqual(asked({ clusters: [], repositories: new Map() }), [
        { repoURL: "r", revision: "HEAD", lists: true, reads: [] },
      ]);
      assert.deepEqual(
        asked(read([])).map(({ reads }) => reads),
        [["a/config.yaml", "text/config.yaml"]],
      );
      assert.deepEqual(asked(read(["a/config.yaml", "text/config.yaml"])), []);
    });

    test("a list is several elements, and an unreadable file is a flaw of its own", () =>
      assert.deepEqual(bothOf(files({ path: "[abt]*/config.yaml" }), Object.keys(documents)), [
        ["web-a", "web-b", "web-c"],
        [
          "file 'bad/config.yaml' from repository 'r': unable to parse file: error converting YAML to JSON: yaml: line 1, column 3: not YAML",
          "file 'text/config.yaml' from repository 'r': unable to parse file: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type []map[string]interface {}",
        ],
      ]));
  });

  suite("half a character in what comes from outside is U+FFFD", () => {
    // The two would be one character, if they were taken for the bytes of an "é" that were cut apart.
    const halves = ["\udcc3", "\udca9"];
    const [first = "", second = ""] = halves;
    const outside: Facts = {
      clusters: [
        {
          ...clusterFact("one", { [`label${first}`]: second }),
          server: `https://${first}`,
          annotations: { a: first, b: second, [`c${first}`]: "d" },
        },
      ],
      repositories: new Map([
        [
          repositoryFactKey("r", "HEAD"),
          {
            repoURL: "r",
            revision: "HEAD",
            commit: "c",
            directories: [],
            files: ["config.yaml"],
            documents: new Map([["config.yaml", ok({ [`a${first}`]: first, name: "one" })]]),
          },
        ],
      ]),
    };
    const texts = (goTemplate: boolean, spec: Spec, text: string): Json => {
      const template = { ...application("one"), metadata: { name: "one", annotations: { text } } };
      const made = generate(set({ goTemplate, template, ...spec }), outside, needs);
      assert.ok(made.ok, made.ok ? "" : made.problem.message);
      assert.deepEqual(made.value.flaws, []);
      return made.value.applications[0]?.annotations["text"] ?? null;
    };
    const clusters: Spec = { generators: [{ clusters: {} }] };
    const list: Spec = elements({
      a: first,
      [`b${first}`]: second,
      values: { [`c${first}`]: first },
    });
    const files: Spec = {
      generators: [{ git: { repoURL: "r", revision: "HEAD", files: [{ path: "config.yaml" }] } }],
    };
    const both = "{{.metadata.annotations.a}}{{.metadata.annotations.b}}";
    const rows: readonly (readonly [
      name: string,
      goTemplate: boolean,
      spec: Spec,
      text: string,
      made: string,
    ])[] = [
      ["annotations of clusters", true, clusters, both, "\uFFFD\uFFFD"],
      [
        "labels and names of annotations of clusters",
        true,
        clusters,
        "{{.metadata.labels}}{{.metadata.annotations}}",
        "map[argocd.argoproj.io/secret-type:cluster label\uFFFD:\uFFFD]map[a:\uFFFD b:\uFFFD c\uFFFD:d]",
      ],
      ["the server of a cluster", true, clusters, "{{len .server}}", "11"],
      [
        "annotations of clusters without Go templates",
        false,
        clusters,
        "{{metadata.annotations.a}}{{metadata.annotations.b}}{{metadata.annotations.c\uFFFD}}",
        "\uFFFD\uFFFDd",
      ],
      ["elements of a list", true, list, "{{omit . `values`}}", "map[a:\uFFFD b\uFFFD:\uFFFD]"],
      [
        "elements of a list without Go templates",
        false,
        list,
        "{{a}}{{b\uFFFD}}{{values.c\uFFFD}}",
        "\uFFFD\uFFFD\uFFFD",
      ],
      ["the content of files", true, files, "{{omit . `path`}}", "map[a\uFFFD:\uFFFD name:one]"],
      ["the content of files without Go templates", false, files, "{{a\uFFFD}}", "\uFFFD"],
    ];
    for (const [name, goTemplate, spec, text, made] of rows)
      test(name, () => assert.equal(texts(goTemplate, spec, text), made));
  });

  suite("a set without measure", () => {
    const many = (count: number): Spec => elements(...numbered(count));
    const numbered = (count: number): readonly Json[] =>
      Array.from({ length: count }, (_, index) => ({ name: `n${index}` }));
    const limited = { ...needs, elementsMost: 10 };

    test("may have as many elements as the limit says, and with one more gives nothing", () => {
      const allowed = generate(set(many(10)), facts, limited);
      assert.ok(allowed.ok && allowed.value.applications.length === 10);
      const refused = generate(set(many(11)), facts, limited);
      assert.deepEqual(refused.ok ? undefined : refused.problem.code, "WH-GEN-3116");
    });

    test("counts the elements of all its generators together", () => {
      const [list] = (many(6)["generators"] ?? []) as readonly unknown[];
      const refused = generate(set({ generators: [list, list] }), facts, limited);
      assert.match(refused.ok ? "" : refused.problem.message, /more than 10 elements/);
    });

    test("has its matrix refused before it is made", () => {
      const lists = [numbered(4), numbered(3).map((one) => ({ other: one }))].map((list) => ({
        list: { elements: list },
      }));
      const made = generate(
        set({ generators: [{ matrix: { generators: lists } }] }),
        facts,
        limited,
      );
      assert.ok(made.ok);
      assert.deepEqual(made.value.applications, []);
      assert.match(
        made.value.flaws[0]?.problem.message ?? "",
        /more than 10 sets of params.*4 of the first generator, 3 of the second for each/,
      );
      assert.ok(mayHide(made.value.flaws));
    });

    test("makes a matrix whose first sets alone have many beside them", () => {
      const beside = (n: number): readonly Json[] => (n <= 2 ? numbered(3) : []);
      const rows = [1, 2, 3, 4, 5].map((n) => ({ n, beside: beside(n) }));
      const generators = [
        { list: { elements: rows } },
        { list: { elementsYaml: "{{ .beside | toJson }}" } },
      ];
      const template = application("web-{{.n}}-{{.name}}");
      const made = generate(
        set({ generators: [{ matrix: { generators } }], template }),
        facts,
        limited,
      );
      assert.ok(made.ok);
      assert.deepEqual(made.value.flaws, []);
      assert.equal(made.value.applications.length, 6);
    });

    test("stops for others after each element whose templates go a long way", () => {
      const slices = (annotation: string): number => {
        const spec = application("web-{{.name}}");
        const template = {
          ...spec,
          metadata: { name: "web-{{.name}}", annotations: { long: annotation } },
        };
        let stops = 0;
        const work = generation(set({ ...many(20), template }), facts, needs);
        while (work.next().done !== true) stops += 1;
        return stops;
      };
      const short = slices("{{ .name }}");
      const long = slices("{{ range $i := until 30000 }}{{ end }}");
      const dear = slices('{{ len (repeat 400000 "x") }}');
      assert.ok(short < 5 && long >= 20 && dear >= 20, `${short} stops, ${long} and ${dear}`);
    });
  });
});
