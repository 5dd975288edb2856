import { canonicalJson, type Json } from "../../proto/words/digest.ts";
import { emptyObject, field, type JsonObject } from "./document.ts";
import type { Labels } from "./records.ts";

/** A repository, or one of its branches, as a Git host's API lists it. */
export type HostedRepository = {
  readonly organization: string;
  readonly repository: string;
  readonly url: string;
  readonly branch: string;
  /** Empty where the host does not tell. */
  readonly sha: string;
  readonly labels: readonly string[];
  /** A number or text, whatever the host has. */
  readonly repositoryId: Json;
  /** Which of the paths that filters name are there, without slashes at their ends. */
  readonly paths: readonly string[];
};

export type PullRequest = {
  readonly number: number;
  readonly title: string;
  readonly branch: string;
  readonly targetBranch: string;
  readonly headSha: string;
  /** `undefined` where the host gave none. */
  readonly labels: readonly string[] | undefined;
  readonly author: string;
};

/** What a service answered to one generator, fetched before generation starts. */
export type RemoteFact =
  | { readonly kind: "repositories"; readonly repositories: readonly HostedRepository[] }
  | { readonly kind: "pull-requests"; readonly pulls: readonly PullRequest[] }
  | {
      readonly kind: "decisions";
      /** The ConfigMap that `configMapRef` names; `undefined` when there is none. */
      readonly configMap: Labels | undefined;
      /** Every resource of the kind it names. */
      readonly resources: readonly JsonObject[];
    }
  | {
      readonly kind: "plugin";
      /** `undefined` when there is none. */
      readonly configMap: Labels | undefined;
      /** Secrets by name; those that are missing are absent. */
      readonly secrets: ReadonlyMap<string, Labels>;
      /** What it answered; `undefined` when it was not asked because the rest is wrong. */
      readonly response: { readonly status: number; readonly body: string } | undefined;
    }
  | {
      readonly kind: "failed";
      readonly message: string;
      /** The repository that was asked about does not exist, rather than not answering. */
      readonly isMissing: boolean;
    };

/** Fields of a generator that decide what it makes of an answer, and not what is asked. */
const evaluated = new Set(["template", "values", "filters", "continueOnRepoNotFoundError"]);

/** Tells questions apart: two generators with one key get one answer. */
export function remoteFactKey(kind: string, body: JsonObject): string {
  const question = emptyObject();
  for (const key of Object.keys(body))
    if (!evaluated.has(key)) question[key] = field(body, key) ?? null;
  return `${kind} ${canonicalJson(question)}`;
}
