import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { applicationSetOf } from "../../../../hub/domain/application-set.ts";
import { compareSet } from "../../../../hub/domain/import-argocd/compare.ts";
import { readExport, type Exported } from "../../../../hub/domain/import-argocd/exported.ts";
import { planImport, type ImportPlan } from "../../../../hub/domain/import-argocd/plan-import.ts";
import {
  clusterCommands,
  reportOf,
  reportText,
} from "../../../../hub/domain/import-argocd/report.ts";
import { generate } from "../../../../hub/domain/generate.ts";
import { generateNeeds as needs } from "../builders.ts";

type Document = Readonly<Record<string, unknown>>;

const exportOf = (...values: readonly unknown[]): Exported =>
  readExport(values.map((value, index) => ({ place: `document ${index + 1}`, value })));
const planOf = (...values: readonly unknown[]): ImportPlan => planImport(exportOf(...values));

const findingsOf = (...values: readonly unknown[]): readonly string[] =>
  planOf(...values).findings.map(
    ({ verdict, kind, name, reason }) => `${verdict}: ${kind} ${name}: ${reason}`,
  );

const object = (kind: string, name: string, spec: Document, metadata: Document = {}): Document => ({
  apiVersion: "argoproj.io/v1alpha1",
  kind,
  metadata: { name, namespace: "argocd", ...metadata },
  spec,
});

const source = { repoURL: "https://git.example/r.git", path: "p", targetRevision: "HEAD" };
const appSpec = { project: "default", source, destination: { name: "one", namespace: "n" } };
const app = (name: string, spec: Document = {}, metadata: Document = {}): Document =>
  object("Application", name, { ...appSpec, ...spec }, metadata);
const set = (name: string, spec: Document = {}): Document =>
  object("ApplicationSet", name, {
    goTemplate: true,
    generators: [{ clusters: { selector: { matchLabels: { env: "prod" } } } }],
    template: { metadata: { name: `${name}-{{.name}}` }, spec: appSpec },
    ...spec,
  });
const cluster = (name: string, more: Document = {}, labels: Document = {}): Document => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: {
    name: `secret-${name}`,
    labels: { "argocd.argoproj.io/secret-type": "cluster", ...labels },
  },
  data: {
    name: Buffer.from(name).toString("base64"),
    server: Buffer.from(`https://${name}.example`).toString("base64"),
    config: Buffer.from('{"bearerToken":"CANARY"}').toString("base64"),
  },
  ...more,
});

suite("what an export becomes", () => {
  test("Applications of a set are not written, all others are", () => {
    const owned = app(
      "web-one",
      {},
      { ownerReferences: [{ kind: "ApplicationSet", name: "web" }] },
    );
    const plan = planOf(set("web"), owned, app("own"), object("AppProject", "team", {}));
    assert.deepEqual(
      plan.files.map(({ path }) => path),
      ["fleet/projects/team.yaml", "fleet/sets/web.yaml", "fleet/applications/own.yaml"],
    );
    assert.deepEqual(plan.standalone, ["own"]);
    assert.deepEqual(
      plan.sets.map((one) => one.applications.map(({ name }) => name)),
      [["web-one"]],
    );
  });

  test("keeps what an author wrote and drops what servers and tools keep in it", () => {
    const annotations = {
      "kubectl.kubernetes.io/last-applied-configuration": "{}",
      "argocd.argoproj.io/tracking-id": "x:y",
      "argocd.argoproj.io/sync-wave": "2",
    };
    const given = {
      ...app("own", {}, { annotations, uid: "u", resourceVersion: "1", finalizers: ["f"] }),
      status: { a: 1 },
      operation: { sync: {} },
    };
    const written = planOf(given).files[0]?.document;
    assert.deepEqual(JSON.parse(JSON.stringify(written)), {
      apiVersion: "argoproj.io/v1alpha1",
      kind: "Application",
      metadata: {
        name: "own",
        namespace: "argocd",
        annotations: { "argocd.argoproj.io/sync-wave": "2" },
        finalizers: ["f"],
      },
      spec: appSpec,
    });
  });

  const rows: readonly {
    readonly name: string;
    readonly given: readonly unknown[];
    readonly says: RegExp;
  }[] = [
    {
      name: "two of one name in two namespaces",
      given: [app("a"), app("a", { project: "x" }, { namespace: "other" })],
      says: /left-out: Application a: there are two of this name, in argocd and other/,
    },
    {
      name: "a name that would leave the folder",
      given: [object("ApplicationSet", "../../x", {})],
      says: /left-out: ApplicationSet "\.\.\/\.\.\/x": its name is not a DNS subdomain/,
    },
    {
      name: "an Application whose set is not there",
      given: [app("a", {}, { ownerReferences: [{ kind: "ApplicationSet", name: "gone" }] })],
      says: /left-out: Application a: ApplicationSet gone made it and is not in the export/,
    },
    {
      name: "Helm",
      given: [app("a", { source: { ...source, helm: { releaseName: "r" } } })],
      says: /differs: Application a: not supported yet: Helm sources/,
    },
    {
      name: "several sources",
      given: [app("a", { source: null, sources: [source] })],
      says: /differs: Application a: not supported yet: several sources/,
    },
    {
      name: "a plugin generator inside a matrix",
      given: [
        set("s", {
          generators: [{ matrix: { generators: [{ plugin: {} }, { list: { elements: [] } }] } }],
        }),
      ],
      says: /differs: ApplicationSet s: the hub is not connected to the service that generator plugin asks/,
    },
    {
      name: "a set the hub refuses",
      given: [set("s", { generators: [{ lists: {} }] })],
      says: /differs: ApplicationSet s: it is written, and refused by the hub: .*unrecognized generators: lists/,
    },
    {
      name: "a project's roles",
      given: [object("AppProject", "p", { roles: [{ name: "r" }] })],
      says: /differs: AppProject p: spec\.roles has no effect/,
    },
    {
      name: "a repository over ssh",
      given: [app("a", { source: { ...source, repoURL: "ssh://git@git.example/r" } })],
      says: /differs: Repository .*: it/,
    },
    {
      name: "a password in an address, which is not repeated",
      given: [app("a", { source: { ...source, repoURL: "https://u:CANARY@git.example/r" } })],
      says: /differs: Repository https:\/\/…@git\.example\/r: its address has a user or password inside/,
    },
    {
      name: "a cluster whose name is no DNS label",
      given: [cluster("EU West_1")],
      says: /differs: Cluster EU West_1: it is called eu-west-1 here/,
    },
    {
      name: "two clusters that end up with one name",
      given: [cluster("eu-1"), cluster("EU_1")],
      says: /left-out: Cluster (EU_1|eu-1): another cluster has the name eu-1 here already/,
    },
    {
      name: "a cluster of a project",
      given: [cluster("a", { data: { project: Buffer.from("team").toString("base64") } })],
      says: /differs: Cluster secret-a: it belongs to project team/,
    },
    {
      name: "a cluster of which there is metadata alone",
      given: [cluster("a", { data: null })],
      says: /differs: Cluster secret-a: its server is not known/,
    },
    {
      name: "a destination that did not come along",
      given: [app("a"), cluster("two")],
      says: /differs: Application a: its destination, cluster one, is not in the export/,
    },
    {
      name: "a destination by server that did not come along, once for a set",
      given: [
        set("s"),
        cluster("two"),
        ...["a", "b"].map((name) =>
          app(
            name,
            { destination: { server: "https://one.example", namespace: "n" } },
            { ownerReferences: [{ kind: "ApplicationSet", name: "s" }] },
          ),
        ),
      ],
      says: /differs: ApplicationSet s: 2 of its Applications: its destination, cluster https:\/\/one\.example, is not/,
    },
    {
      name: "a project that did not come along",
      given: [app("a", { project: "team" }), cluster("one")],
      says: /differs: Application a: its project team is not in the export/,
    },
    {
      name: "a project that does not let it",
      given: [
        app("a", { project: "team" }),
        cluster("one"),
        object("AppProject", "team", { sourceRepos: ["*"], destinations: [] }),
      ],
      says: /differs: Application a: project team does not permit cluster one/,
    },
    {
      name: "something that is no object",
      given: [["CANARY"], "CANARY", { CANARY: 1 }],
      says: /left-out: File document 1: it is a list, not a Kubernetes object/,
    },
  ];
  for (const { name, given, says } of rows)
    test(`says so of ${name}`, () => {
      const said = findingsOf(...given);
      assert.ok(
        said.some((one) => says.test(one)),
        said.join("\n"),
      );
      const plan = planOf(...given);
      const report = reportOf(plan, []);
      assert.equal(report.same, false);
      assert.doesNotMatch(reportText(report) + JSON.stringify(report), /CANARY/);
    });

  test("the cluster Argo CD runs in is added when somebody means it, and only then", () => {
    const local = "wheelhouse cluster add in-cluster --server https://kubernetes.default.svc";
    const toLocal = { destination: { server: "https://kubernetes.default.svc", namespace: "n" } };
    const all = {
      generators: [
        { merge: { mergeKeys: ["name"], generators: [{ clusters: {} }, { clusters: {} }] } },
      ],
    };
    assert.deepEqual(clusterCommands(planOf(app("a"))), []);
    assert.deepEqual(clusterCommands(planOf(app("a", toLocal))), [local]);
    assert.deepEqual(clusterCommands(planOf(set("s", all))), [local]);
    assert.deepEqual(clusterCommands(planOf(set("s"))), []);
  });

  test("a Secret's labels go along, and annotations that a set looks at", () => {
    const annotations = {
      "kubectl.kubernetes.io/last-applied-configuration": "CANARY",
      size: "large",
      other: "CANARY",
    };
    const labels = { "argocd.argoproj.io/secret-type": "cluster", env: "prod" };
    const secret = cluster("one", { metadata: { name: "s", labels, annotations } });
    const reads = set("s", {
      template: { metadata: { name: "{{.metadata.annotations.size}}" }, spec: appSpec },
    });
    assert.deepEqual(clusterCommands(planOf(secret, reads)), [
      "wheelhouse cluster add one --server https://one.example --label env=prod --annotation size=large",
    ]);
  });
});

test("an export without clusters says how to get them", () => {
  const said = findingsOf(app("a"));
  assert.ok(said.some((one) => one.startsWith("to-do: Cluster every cluster: no cluster is in")));
  assert.ok(!said.some((one) => one.includes("is not in the export")), said.join("\n"));
});

suite("what a set generates beside what Argo CD has", () => {
  const facts = (plan: ImportPlan) => ({ clusters: plan.clusters, repositories: new Map() });
  const compared = (...values: readonly unknown[]) => {
    const plan = planOf(...values);
    const [one] = plan.sets;
    assert.ok(one !== undefined);
    return compareSet(one.set, one.applications, facts(plan), needs);
  };
  const owned = (name: string, spec: Document = {}, metadata: Document = {}): Document =>
    app(name, spec, {
      finalizers: ["resources-finalizer.argocd.argoproj.io"],
      ownerReferences: [{ kind: "ApplicationSet", name: "web" }],
      ...metadata,
    });
  const one = cluster("one", {}, { env: "prod" });

  test("what says nothing is no difference", () => {
    const spec = {
      source: { ...source, helm: {}, directory: { jsonnet: {} } },
      syncPolicy: {},
      ignoreDifferences: [],
    };
    const annotations = { "argocd.argoproj.io/refresh": "hard" };
    assert.equal(
      compared(set("web"), one, owned("web-one", spec, { annotations })).verdict,
      "same",
    );
  });

  test("every field that differs is named, with both values", () => {
    const made = compared(
      set("web"),
      one,
      owned("web-one", { source: { ...source, targetRevision: "v1" } }, { labels: { by: "hand" } }),
      owned("web-gone"),
    );
    assert.deepEqual(made, {
      set: "web",
      verdict: "differs",
      applications: 1,
      missing: ["web-gone"],
      extra: [],
      differences: [
        {
          application: "web-one",
          path: "metadata.labels",
          exported: '{"by":"hand"}',
          generated: "",
        },
        {
          application: "web-one",
          path: "spec.source.targetRevision",
          exported: '"v1"',
          generated: '"HEAD"',
        },
      ],
      flaws: [],
    });
  });

  const rolling = { strategy: { type: "RollingSync", rollingSync: { steps: [{}] } } };
  const turnedOff = "spec.syncPolicy.automated.enabled";
  const rollouts: readonly {
    readonly name: string;
    readonly strategy?: Document;
    readonly automated: Document | null;
    readonly exported: Document;
    readonly differs: readonly string[];
  }[] = [
    {
      name: "automated sync that a rollout turned off is no difference",
      automated: { prune: true },
      exported: { prune: true, enabled: false },
      differs: [],
    },
    {
      name: "automated sync that a rollout turned off over an author's on is no difference",
      automated: { enabled: true },
      exported: { enabled: false },
      differs: [],
    },
    {
      name: "automated sync that a rollout left alone is no difference",
      automated: { prune: true },
      exported: { prune: true },
      differs: [],
    },
    {
      name: "another field of automated sync in a rollout differs",
      automated: { prune: true },
      exported: { prune: false, enabled: false },
      differs: ["spec.syncPolicy.automated.prune"],
    },
    {
      name: "automated sync that only Argo CD has differs in a rollout too",
      automated: null,
      exported: { enabled: false },
      differs: ["spec.syncPolicy"],
    },
    {
      name: "automated sync that somebody turned off without a rollout differs",
      strategy: {},
      automated: { prune: true },
      exported: { prune: true, enabled: false },
      differs: [turnedOff],
    },
  ];
  for (const { name, strategy = rolling, automated, exported, differs } of rollouts)
    test(name, () => {
      const syncPolicy = automated === null ? {} : { syncPolicy: { automated } };
      const template = { metadata: { name: "web-{{.name}}" }, spec: { ...appSpec, ...syncPolicy } };
      const made = compared(
        set("web", { ...strategy, template }),
        one,
        owned("web-one", { syncPolicy: { automated: exported } }),
      );
      assert.ok(made.verdict !== "not-compared");
      assert.deepEqual(
        made.differences.map(({ path }) => path),
        differs,
      );
    });

  test("what Argo CD does not have is named", () => {
    const made = compared(set("web"), one);
    assert.ok(made.verdict === "differs");
    assert.deepEqual(made.extra, ["web-one"]);
  });

  test("what cannot be generated is not called the same", () => {
    const generators = [
      { git: { repoURL: "https://git.example/r", revision: "HEAD", directories: [{ path: "*" }] } },
    ];
    assert.equal(compared(set("web", { generators }), owned("web-one")).verdict, "not-compared");
    assert.equal(compared(set("web", { template: {} }), one).verdict, "not-compared");
  });

  test("whatever the engine generates, an export of it compares as the same", () => {
    const name = fc.stringMatching(/^[a-z]([-a-z0-9]{0,8}[a-z0-9])?$/);
    const value = fc.stringMatching(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?$/);
    const clusters = fc.uniqueArray(fc.record({ name, team: value }), {
      selector: (found) => found.name,
      minLength: 1,
      maxLength: 5,
    });
    const template = {
      metadata: { name: "web-{{.name}}", labels: { team: "{{.metadata.labels.team}}" } },
      spec: { ...appSpec, destination: { server: "{{.server}}", namespace: "n" } },
    };
    const law = fc.property(clusters, fc.boolean(), (found, automated) => {
      const syncPolicy = automated ? { syncPolicy: { automated: {} } } : {};
      const web = set("web", {
        template: { ...template, spec: { ...template.spec, ...syncPolicy } },
      });
      const secrets = found.map((each) => cluster(each.name, {}, { env: "prod", team: each.team }));
      const read = applicationSetOf(planOf(web).files[0]?.document ?? {});
      assert.ok(read.ok);
      const generated = generate(read.value, facts(planOf(web, ...secrets)), needs);
      assert.ok(generated.ok);
      const live = generated.value.applications.map(({ document }) => ({
        ...document,
        metadata: {
          ...(document["metadata"] as object),
          uid: "u",
          ownerReferences: [{ kind: "ApplicationSet", name: "web" }],
        },
        status: { health: {} },
      }));
      const made = compared(web, ...secrets, ...live);
      assert.deepEqual(
        [made.verdict, made.verdict === "same" && made.applications],
        ["same", found.length],
      );
    });
    fc.assert(law, { numRuns: 100 });
  });
});
