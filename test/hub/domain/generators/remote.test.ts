import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { Json } from "../../../../proto/words/digest.ts";
import type { Labels } from "../../../../hub/domain/records.ts";
import type { RemoteFact } from "../../../../hub/domain/remote-facts.ts";
import { made } from "./made.ts";

const field = (result: readonly Json[] | string, key: string): unknown =>
  typeof result === "string" ? result : result.map((set) => (set as Record<string, Json>)[key]);

test("a service that was never asked fails its generator with a word of what is missing", () => {
  for (const kind of ["scmProvider", "pullRequest", "clusterDecisionResource", "plugin"])
    assert.equal(
      made(kind, {}, undefined),
      `generator ${kind} (spec.generators[0].${kind}) asks a service that this hub is not connected to yet`,
    );
});

suite("scmProvider", () => {
  const repository = {
    organization: "shop",
    repository: "web",
    url: "https://git.example.com/shop/web.git",
    branch: "Feature/A",
    sha: "0123456789abcdef",
    labels: ["go", "api"],
    repositoryId: 7,
    paths: ["deploy"],
  };
  const fact: RemoteFact = {
    kind: "repositories",
    repositories: [
      repository,
      { ...repository, repository: "docs", branch: "main", labels: [], paths: [] },
    ],
  };
  const named = (filters: readonly Json[]): unknown =>
    field(made("scmProvider", { filters }, fact), "repository");

  test("names, short hashes and labels as one text", () => {
    const [first] = made("scmProvider", {}, fact);
    assert.deepEqual(first, {
      organization: "shop",
      repository: "web",
      repository_id: 7,
      url: "https://git.example.com/shop/web.git",
      branch: "Feature/A",
      branchNormalized: "feature-a",
      sha: "0123456789abcdef",
      short_sha: "01234567",
      short_sha_7: "0123456",
      labels: "go,api",
    });
  });

  test("filters about repositories and about branches must both admit it", () => {
    assert.deepEqual(named([{ repositoryMatch: "^w" }]), ["web"]);
    assert.deepEqual(named([{ labelMatch: "^api$" }, { repositoryMatch: "docs" }]), [
      "web",
      "docs",
    ]);
    assert.deepEqual(named([{ pathsExist: ["deploy"] }]), ["web"]);
    assert.deepEqual(named([{ pathsDoNotExist: ["deploy"] }]), ["docs"]);
    assert.deepEqual(named([{ labelMatch: "api" }, { branchMatch: "main" }]), []);
    assert.deepEqual(named([{}]), ["web", "docs"]);
  });

  test("a list of paths makes a filter one of branches, and slashes at their ends are not theirs", () => {
    assert.deepEqual(named([{ pathsExist: ["deploy//"] }]), ["web"]);
    assert.deepEqual(named([{ pathsDoNotExist: ["deploy/"] }]), ["docs"]);
    const [web, docs] = [{ repositoryMatch: "web" }, { repositoryMatch: "docs" }];
    assert.deepEqual(named([web, docs]), ["web", "docs"]);
    assert.deepEqual(named([{ ...web, pathsExist: [] }, docs]), []);
    assert.deepEqual(named([{ ...web, pathsDoNotExist: [] }, docs]), []);
    assert.deepEqual(named([{ ...web, pathsExist: null }, docs]), ["web", "docs"]);
  });
});

suite("pullRequest", () => {
  const fact: RemoteFact = {
    kind: "pull-requests",
    pulls: [
      {
        number: 12,
        title: "Add it",
        branch: "feature/Über_long & more@home",
        targetBranch: "main",
        headSha: "0123456789",
        labels: ["a"],
        author: "me",
      },
    ],
  };

  test("a slug fits a name, and labels are a list for Go templates only", () => {
    const [go] = made("pullRequest", {}, fact);
    assert.deepEqual(go, {
      number: "12",
      title: "Add it",
      branch: "feature/Über_long & more@home",
      branch_slug: "feature-uber-long-and-moreathome",
      target_branch: "main",
      target_branch_slug: "main",
      head_sha: "0123456789",
      head_short_sha: "01234567",
      head_short_sha_7: "0123456",
      labels: ["a"],
      author: "me",
    });
    assert.deepEqual(field(made("pullRequest", {}, fact, { goTemplate: false }), "labels"), [
      undefined,
    ]);
  });

  test("to a selector its labels are one text", () => {
    const chosen = (matchLabels: Json): unknown =>
      field(made("pullRequest", {}, fact, { selector: { matchLabels } }), "number");
    assert.deepEqual(chosen({ labels: "[a]" }), ["12"]);
    assert.deepEqual(chosen({ "labels.0": "a" }), []);
  });

  test("a repository that is missing is an error, unless the author expects it", () => {
    const gone: RemoteFact = { kind: "failed", message: "not found", isMissing: true };
    assert.equal(made("pullRequest", {}, gone), "error listing repos: not found");
    assert.deepEqual(made("pullRequest", { continueOnRepoNotFoundError: true }, gone), []);
    const away: RemoteFact = { ...gone, message: "timed out", isMissing: false };
    assert.equal(
      made("pullRequest", { continueOnRepoNotFoundError: true }, away),
      "error listing repos: timed out",
    );
  });
});

test("a pattern that is none is told by the name it has in Argo CD", () => {
  for (const [kind, key, name] of [
    ["scmProvider", "repositoryMatch", "RepositoryMatch"],
    ["scmProvider", "labelMatch", "LabelMatch"],
    ["scmProvider", "branchMatch", "BranchMatch"],
    ["pullRequest", "branchMatch", "BranchMatch"],
    ["pullRequest", "targetBranchMatch", "TargetBranchMatch"],
    ["pullRequest", "titleMatch", "TitleMatch"],
  ] as const)
    assert.equal(
      made(kind, { filters: [{ [key]: "(" }] }, undefined),
      `error listing repos: error compiling ${name} regexp "(": error parsing regexp: missing closing ): \`(\``,
    );
});

suite("clusterDecisionResource", () => {
  const fact = {
    kind: "decisions" as const,
    configMap: { apiVersion: "place.io/v1", kind: "choices", matchKey: "where" },
    resources: [
      {
        metadata: { name: "all", labels: { a: "b" } },
        status: { clusters: [{ where: "two", score: 1_000_000 }, { where: "nowhere" }] },
      },
    ],
  };

  test("known clusters get their decision, every value as text, values as written", () => {
    const body = { configMapRef: "c", name: "all", values: { v: "{{ .name }}" } };
    const expected = {
      name: "two",
      server: "https://two.cluster.wheelhouse",
      where: "two",
      score: "1e+06",
    };
    assert.deepEqual(made("clusterDecisionResource", body, fact), [
      { ...expected, values: { v: "{{ .name }}" } },
    ]);
    assert.deepEqual(made("clusterDecisionResource", body, fact, { goTemplate: false }), [
      { ...expected, "values.v": "{{ .name }}" },
    ]);
  });

  test("what is wrong with it is said", () => {
    const say = (body: Readonly<Record<string, Json>>, over: RemoteFact = fact): unknown =>
      made("clusterDecisionResource", { configMapRef: "c", ...body }, over);
    const bad = { ...fact, configMap: { ...fact.configMap, apiVersion: "v1" } };
    assert.match(String(say({})), /problem with the definition/);
    assert.match(String(say({ name: "a" }, bad)), /problem with the apiVersion/);
    assert.match(String(say({ name: "a" }, { ...fact, configMap: undefined })), /"c" not found/);
    assert.equal(say({ name: "other" }), "no clusterDecisionResources found");
    assert.equal(
      say({ labelSelector: { matchLabels: { a: "c" } } }),
      "no clusterDecisionResources found",
    );
    assert.match(
      String(say({ labelSelector: { matchLabels: { "a b": "c" } } })),
      /^failed to get dynamic resources: key: Invalid value: "a b": /,
    );
  });

  test("an empty selector is none", () => {
    const ask = (body: Readonly<Record<string, Json>>): unknown =>
      field(made("clusterDecisionResource", { configMapRef: "c", ...body }, fact), "name");
    for (const labelSelector of [{}, { matchLabels: null }]) {
      assert.deepEqual(ask({ name: "all", labelSelector }), ["two"]);
      assert.match(String(ask({ labelSelector })), /problem with the definition/);
    }
    for (const labelSelector of [{ matchLabels: {} }, { matchExpressions: [] }])
      assert.match(String(ask({ name: "all", labelSelector })), /problem with the definition/);
  });

  test("without a key to match by nothing is chosen, once all else is as it should be", () => {
    const { apiVersion, kind } = fact.configMap;
    const say = (body: Readonly<Record<string, Json>>, configMap: Labels): unknown =>
      made("clusterDecisionResource", { configMapRef: "c", ...body }, { ...fact, configMap });
    assert.deepEqual(say({ name: "all" }, { apiVersion, kind }), []);
    assert.match(String(say({ name: "all" }, { apiVersion })), /problem with the apiVersion/);
    assert.match(String(say({}, { apiVersion, kind })), /problem with the definition/);
    assert.equal(say({ name: "other" }, { apiVersion, kind }), "no clusterDecisionResources found");
    assert.deepEqual(
      field(
        made(
          "clusterDecisionResource",
          { configMapRef: "c", name: "all" },
          { ...fact, configMap: { ...fact.configMap, statusListKey: "" } },
        ),
        "name",
      ),
      ["two"],
    );
  });
});
