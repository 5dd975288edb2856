import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { Json } from "../../../../proto/words/digest.ts";
import { parseApplicationSet } from "../../../../hub/domain/application-set.ts";
import { isObject, readDocument } from "../../../../hub/domain/document.ts";
import type { Facts } from "../../../../hub/domain/facts.ts";
import { generateParams } from "../../../../hub/domain/generate.ts";
import { remoteFactKey, type RemoteFact } from "../../../../hub/domain/remote-facts.ts";
import { jsonOf } from "../../../../hub/domain/template/value.ts";
import { clusterFact, generateNeeds as needs } from "../builders.ts";

/** What a generator makes of a service's answer: params, or the reason why there are none. */
function made(
  kind: string,
  body: Readonly<Record<string, Json>>,
  fact: RemoteFact | undefined,
  goTemplate = true,
): readonly Json[] | string {
  const read = parseApplicationSet({
    metadata: { name: "web" },
    spec: { goTemplate, generators: [{ [kind]: body }], template: {} },
  });
  assert.ok(read.ok, read.ok ? "" : read.problem.message);
  const document = readDocument(body);
  assert.ok(document.ok && isObject(document.value));
  const facts: Facts = {
    clusters: [clusterFact("one", {}), clusterFact("two", {})],
    repositories: new Map(),
    remote: new Map(fact === undefined ? [] : [[remoteFactKey(kind, document.value), fact]]),
  };
  const params = generateParams(read.value, facts, needs);
  return params.ok
    ? params.value.map((set) => JSON.parse(JSON.stringify(jsonOf(set))) as Json)
    : params.problem.message;
}

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
    assert.match(String(named([{ branchMatch: "(" }])), /^error compiling branchMatch regexp "\("/);
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
    assert.deepEqual(field(made("pullRequest", {}, fact, false), "labels"), [undefined]);
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

suite("clusterDecisionResource", () => {
  const fact: RemoteFact = {
    kind: "decisions",
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
    assert.deepEqual(made("clusterDecisionResource", body, fact, false), [
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
  });
});

suite("plugin", () => {
  const fact = (body: string, status = 200): RemoteFact => ({
    kind: "plugin",
    configMap: { baseUrl: "http://p", token: "$other:key" },
    secrets: new Map([["other", { key: "t" }]]),
    response: { status, body },
  });
  const ask = { configMapRef: { name: "p" }, input: { parameters: { a: 1 } } };
  const input = { input: { parameters: { a: 1 } } };

  test("objects it answers, with what it was asked", () => {
    const answer = fact('{"output":{"parameters":[{"n":1000000,"o":{"x":[true]}}]}}');
    assert.deepEqual(made("plugin", ask, answer), [
      { n: 1_000_000, o: { x: [true] }, generator: input },
    ]);
    assert.deepEqual(made("plugin", ask, answer, false), [
      { n: "1e+06", "o.x.0": "true", generator: input },
    ]);
  });

  test("an answer that is none is told in the plugin's words", () => {
    assert.equal(
      made("plugin", ask, fact('{"message":"no"}', 403)),
      "error listing params: error get api 'web': API error with status code 403: no",
    );
    assert.match(JSON.stringify(made("plugin", ask, fact("<html>"))), /invalid character '<'/);
    assert.match(
      JSON.stringify(made("plugin", ask, fact('{"output":{"parameters":[1]}}'))),
      /must be a list of objects/,
    );
  });
});
