import assert from "node:assert/strict";
import test, { suite } from "node:test";
import {
  defaultProject,
  normalizedRepository,
  parseAppProject,
  projectAllows,
  type AppProject,
} from "../../../hub/domain/app-project.ts";
import type { Application } from "../../../hub/domain/application.ts";
import { clusterFact, parseApplication } from "./builders.ts";

const application = (repoURL: string, namespace: string): Application => {
  const read = parseApplication({
    metadata: { name: "web" },
    spec: { source: { repoURL, path: "p" }, destination: { name: "prod-1", namespace } },
  });
  assert.ok(read.ok);
  return read.value;
};

const project = (spec: Readonly<Record<string, unknown>>): AppProject => {
  const read = parseAppProject({ metadata: { name: "team" }, spec });
  assert.ok(read.ok, read.ok ? "" : read.problem.message);
  return read.value;
};

const cluster = clusterFact("prod-1", {});
const anywhere = [{ name: "*", server: "*", namespace: "*" }];
const repo = "https://git.example.com/team/web.git";

suite("projectAllows", () => {
  const rows: readonly {
    readonly name: string;
    readonly spec: Readonly<Record<string, unknown>>;
    readonly repoURL?: string;
    readonly namespace?: string;
    readonly expect: "allowed" | "WH-DST-3512" | "WH-DST-3513";
  }[] = [
    {
      name: "everything",
      spec: { sourceRepos: ["*"], destinations: anywhere },
      expect: "allowed",
    },
    { name: "no sources", spec: { destinations: anywhere }, expect: "WH-DST-3512" },
    { name: "no destinations", spec: { sourceRepos: ["*"] }, expect: "WH-DST-3513" },
    {
      name: "a glob over one level",
      spec: { sourceRepos: ["https://git.example.com/team/*"], destinations: anywhere },
      expect: "allowed",
    },
    {
      name: "a glob that would have to cross a slash",
      spec: { sourceRepos: ["https://git.example.com/*"], destinations: anywhere },
      expect: "WH-DST-3512",
    },
    {
      name: "another spelling of the repository",
      spec: { sourceRepos: ["git@git.example.com:team/web"], destinations: anywhere },
      repoURL: "ssh://git@git.example.com/team/web.git",
      expect: "allowed",
    },
    {
      name: "a denied repository among permitted ones",
      spec: {
        sourceRepos: ["https://git.example.com/team/*", "!https://git.example.com/team/web"],
        destinations: anywhere,
      },
      expect: "WH-DST-3512",
    },
    {
      name: "the cluster by name",
      spec: { sourceRepos: ["*"], destinations: [{ name: "prod-*", namespace: "web" }] },
      expect: "allowed",
    },
    {
      name: "the cluster by server",
      spec: {
        sourceRepos: ["*"],
        destinations: [{ server: "https://prod-1.cluster.wheelhouse", namespace: "*" }],
      },
      expect: "allowed",
    },
    {
      name: "another namespace",
      spec: { sourceRepos: ["*"], destinations: [{ name: "*", namespace: "team-*" }] },
      expect: "WH-DST-3513",
    },
    {
      name: "a denied namespace",
      spec: {
        sourceRepos: ["*"],
        destinations: [
          { name: "*", namespace: "*" },
          { name: "*", namespace: "!kube-system" },
        ],
      },
      namespace: "kube-system",
      expect: "WH-DST-3513",
    },
  ];
  for (const { name, spec, repoURL, namespace, expect } of rows) {
    test(`${name}: ${expect}`, () => {
      const verdict = projectAllows(
        project(spec),
        application(repoURL ?? repo, namespace ?? "web"),
        cluster,
      );
      assert.equal(verdict.ok ? "allowed" : verdict.problem.code, expect);
    });
  }

  test("the default project allows everything", () =>
    assert.equal(projectAllows(defaultProject, application(repo, "any"), cluster).ok, true));
});

suite("parseAppProject", () => {
  test("names every wrong field", () => {
    const read = parseAppProject({
      metadata: { name: "team" },
      spec: { sourceRepos: [1], destinations: ["x"] },
    });
    assert.ok(!read.ok);
    assert.equal(
      read.problem.message,
      "project team: spec.sourceRepos[0] must be text, got 1; spec.destinations[0] must be a mapping",
    );
  });
});

suite("normalizedRepository", () => {
  test("gives one spelling to the ways of writing one repository", () => {
    const spellings = [
      "git@example.com:a/b.git",
      "ssh://git@example.com/a/b",
      "ssh://example.com/a/b.git",
    ];
    assert.equal(new Set(spellings.map(normalizedRepository)).size, 1);
    assert.equal(normalizedRepository("https://Example.com/a/b.git/"), "https://example.com/a/b");
  });
});
