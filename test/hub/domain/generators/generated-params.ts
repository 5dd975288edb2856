import assert from "node:assert/strict";
import { ok } from "../../../../proto/kit/result.ts";
import type { Json } from "../../../../proto/words/digest.ts";
import { parseApplicationSet } from "../../../../hub/domain/application-set.ts";
import { emptyObject } from "../../../../hub/domain/document.ts";
import { repositoryFactKey, type Facts } from "../../../../hub/domain/facts.ts";
import { generateParams } from "../strict-generation.ts";
import type { RemoteFact } from "../../../../hub/domain/remote-facts.ts";
import { jsonOf } from "../../../../hub/domain/template/value.ts";
import { clusterFact, generateNeeds } from "../builders.ts";

/** A repository `r` with one directory and one file, a cluster beside the local one, and services that answer. */
const facts: Facts = {
  clusters: [clusterFact("dev", { env: "dev" })],
  localCluster: true,
  repositories: new Map([
    [
      repositoryFactKey("r", "HEAD"),
      {
        repoURL: "r",
        revision: "HEAD",
        commit: "c",
        directories: ["apps"],
        files: ["apps/config.yaml"],
        documents: new Map([
          ["apps/config.yaml", ok(Object.assign(emptyObject(), { port: "80" }))],
        ]),
      },
    ],
  ]),
};

const plugin: RemoteFact = {
  kind: "plugin",
  configMap: { baseUrl: "https://plugin.example.com", token: "$token" },
  secrets: new Map([["argocd-secret", { token: "t" }]]),
  response: { status: 200, body: '{"output": {"parameters": [{"made": "yes"}]}}' },
};

const pulls: RemoteFact = {
  kind: "pull-requests",
  pulls: [
    {
      number: 12,
      title: "Add it",
      branch: "feature",
      targetBranch: "main",
      headSha: "0123456789",
      labels: [],
      author: "me",
    },
  ],
};

/** Whoever asks a service gets the same answer. */
class Answers extends Map<string, RemoteFact> {
  override get(key: string): RemoteFact | undefined {
    return key.startsWith("plugin ") ? plugin : pulls;
  }
}

export type Given = { readonly goTemplate?: boolean; readonly missingKey?: string };

/** What the generators of a set give, or why they give nothing. */
export function generatedParams(
  generators: readonly Json[],
  { goTemplate = true, missingKey = "default" }: Given = {},
): readonly Json[] | string {
  const read = parseApplicationSet({
    metadata: { name: "web" },
    spec: {
      goTemplate,
      goTemplateOptions: [`missingkey=${missingKey}`],
      generators,
      template: {},
    },
  });
  assert.ok(read.ok, read.ok ? "" : read.problem.message);
  const params = generateParams(read.value, { ...facts, remote: new Answers() }, generateNeeds);
  return params.ok
    ? params.value.map((set) => JSON.parse(JSON.stringify(jsonOf(set))) as Json)
    : params.problem.message;
}

/** Why the generators of a set give nothing. */
export function failureOf(generators: readonly Json[], given: Given = {}): string {
  const made = generatedParams(generators, given);
  assert.ok(typeof made === "string", JSON.stringify(made));
  return made;
}

export const list = (...elements: readonly Json[]): Json => ({ list: { elements } });

export const matrix = (...generators: readonly Json[]): Json => ({ matrix: { generators } });
