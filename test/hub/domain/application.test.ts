import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { Application } from "../../../hub/domain/application.ts";
import { parseApplication } from "./builders.ts";

type Spec = Readonly<Record<string, unknown>>;

const source = { repoURL: "https://git.example.com/r.git", path: "apps/web" };
const destination = { name: "dev-1", namespace: "web" };

const document = (spec: Spec, metadata: Spec = {}): unknown => ({
  apiVersion: "argoproj.io/v1alpha1",
  kind: "Application",
  metadata: { name: "web", ...metadata },
  spec: { source, destination, ...spec },
});

function parsed(spec: Spec, metadata?: Spec): Application {
  const read = parseApplication(document(spec, metadata));
  assert.ok(read.ok, read.ok ? "" : read.problem);
  return read.value;
}

suite("parseApplication", () => {
  test("reads what it needs and keeps the whole document", () => {
    const application = parsed({ revisionHistoryLimit: 3, unknownField: { kept: [1] } });
    assert.equal(application.name, "web");
    assert.equal(application.project, "default");
    assert.deepEqual(application.source, {
      ...source,
      targetRevision: "HEAD",
      directory: { recurse: false, include: "", exclude: "" },
    });
    assert.deepEqual(application.destination, { ...destination, server: "" });
    assert.equal(application.problem, undefined);
    assert.match(JSON.stringify(application.document), /"unknownField":\{"kept":\[1\]\}/);
  });

  const policies: readonly {
    readonly name: string;
    readonly syncPolicy: unknown;
    readonly expect: Partial<Application["policy"]>;
  }[] = [
    { name: "no policy", syncPolicy: null, expect: { automated: false } },
    { name: "an empty automated", syncPolicy: { automated: {} }, expect: { automated: true } },
    {
      name: "automated that is not enabled",
      syncPolicy: { automated: { enabled: false, prune: true } },
      expect: { automated: false, prune: true },
    },
    {
      name: "everything on",
      syncPolicy: {
        automated: { prune: true, selfHeal: true, allowEmpty: true },
        syncOptions: ["Validate=false", "CreateNamespace=true"],
      },
      expect: {
        automated: true,
        prune: true,
        selfHeal: true,
        allowEmpty: true,
        createNamespace: true,
      },
    },
  ];
  for (const { name, syncPolicy, expect } of policies) {
    test(`reads the sync policy of ${name}`, () =>
      assert.deepEqual(parsed({ syncPolicy }).policy, {
        automated: false,
        prune: false,
        selfHeal: false,
        allowEmpty: false,
        createNamespace: false,
        conflicts: "override",
        ...expect,
      }));
  }

  const finalizers = [
    { finalizers: [], keeps: true },
    { finalizers: ["other"], keeps: true },
    { finalizers: ["resources-finalizer.argocd.argoproj.io"], keeps: false },
    { finalizers: ["resources-finalizer.argocd.argoproj.io/background"], keeps: false },
  ];
  for (const { finalizers: list, keeps } of finalizers) {
    test(`${keeps ? "keeps" : "takes along"} its objects with the finalizers [${list.join()}]`, () =>
      assert.equal(parsed({}, { finalizers: list }).keepObjects, keeps));
  }

  const flaws: readonly { readonly name: string; readonly spec: Spec; readonly says: string }[] = [
    {
      name: "a name and a server",
      spec: { destination: { name: "a", server: "https://a" } },
      says: "WH-DST-3502 application destination spec is invalid: application destination can't have both name and server defined",
    },
    {
      name: "no destination",
      spec: { destination: {} },
      says: "WH-DST-3502 application destination spec is invalid: spec.destination must name a cluster or a server",
    },
    {
      name: "a Helm source",
      spec: { source: { ...source, helm: { values: "a: 1" } } },
      says: "WH-RND-3401 not supported yet: Helm sources (spec.source.helm)",
    },
    {
      name: "a chart",
      spec: { source: { repoURL: "https://charts", chart: "web" } },
      says: "WH-RND-3401 not supported yet: Helm charts",
    },
    {
      name: "several sources",
      spec: { source: null, sources: [source] },
      says: "WH-RND-3401 not supported yet: several sources (spec.sources)",
    },
    { name: "no source", spec: { source: null }, says: "WH-RND-3407 spec.source is missing" },
    {
      name: "a path out of the repository",
      spec: { source: { ...source, path: "apps/../../etc" } },
      says: "WH-RND-3407 spec.source.path must stay inside the repository",
    },
    {
      name: "an absolute path",
      spec: { source: { ...source, path: "/etc" } },
      says: "WH-RND-3407 spec.source.path must be relative",
    },
    {
      name: "a number for text",
      spec: { source: { ...source, targetRevision: 1 } },
      says: "WH-GEN-3108 application web: spec.source.targetRevision must be text, got 1",
    },
  ];
  for (const { name, spec, says } of flaws) {
    test(`names the flaw of ${name}`, () => {
      const { problem } = parsed(spec);
      assert.ok(`${problem?.code} ${problem?.message}`.startsWith(says), problem?.message);
    });
  }

  test("an empty kustomize or helm block is no reason to refuse", () =>
    assert.equal(parsed({ source: { ...source, helm: {}, chart: "" } }).problem, undefined));

  const nameless: readonly unknown[] = [
    null,
    "text",
    {},
    { metadata: {} },
    { metadata: { name: "" } },
    { metadata: { name: "Web_1" } },
    { metadata: { name: "a".repeat(254) } },
  ];
  for (const input of nameless) {
    test(`refuses ${JSON.stringify(input)?.slice(0, 40)}`, () =>
      assert.equal(parseApplication(input).ok, false));
  }

  test("one folder has one spelling", () => {
    for (const path of ["./apps/web/", "apps//web", "apps/./web"])
      assert.equal(parsed({ source: { ...source, path } }).source.path, "apps/web");
    assert.equal(parsed({ source: { ...source, path: "." } }).source.path, "");
  });
});
