import { ok } from "../../../proto/kit/result.ts";
import { FieldReader, type JsonObject } from "../document.ts";
import type { Params } from "../params.ts";
import type { PullRequest } from "../remote-facts.ts";
import { branchSlug } from "../template/normalize.ts";
import { firstBytes } from "../template/bytes.ts";
import { nilList, stringList, type GoValue } from "../template/value.ts";
import { generatorFailure, type ParamsResult, type GeneratorContext } from "./context.ts";
import { readFilters, remoteFact, type TextTest } from "./remote.ts";
import { notAppended, readValues, withValues } from "./values.ts";

/** `pullRequest`: one set of params per open pull request that one of the filters admits. */
export function pullRequestParams(
  body: JsonObject,
  path: string,
  context: GeneratorContext,
): ParamsResult {
  const fields = new FieldReader(body, path);
  const values = readValues(body, path);
  if (!values.ok) return values;
  const toleratesMissing = fields.flag("continueOnRepoNotFoundError") ?? false;
  const filters = readFilters(
    fields,
    ["branchMatch", "targetBranchMatch", "titleMatch"],
    ({ test }) => pullFilter(test("branchMatch"), test("targetBranchMatch"), test("titleMatch")),
  );
  if (!filters.ok) return filters;
  const fact = remoteFact("pullRequest", "pull-requests", body, path, context);
  if (!fact.ok) return fact;
  if (fact.value.kind === "failed")
    return fact.value.isMissing && toleratesMissing
      ? ok([])
      : generatorFailure(`error listing repos: ${fact.value.message}`);
  const { goTemplate } = context.templates;
  const slugOf = (branch: string): string => branchSlug(branch, context.needs.transliterate);
  const sets = fact.value.pulls
    .filter((pull) => filters.value.length === 0 || filters.value.some((admits) => admits(pull)))
    .map((pull) => pullParams(pull, goTemplate, slugOf));
  return withValues(sets, values.value, context, notAppended);
}

const pullFilter =
  (branch: TextTest, target: TextTest, title: TextTest) =>
  (pull: PullRequest): boolean =>
    branch?.(pull.branch) !== false &&
    target?.(pull.targetBranch) !== false &&
    title?.(pull.title) !== false;

function pullParams(
  pull: PullRequest,
  goTemplate: boolean,
  slugOf: (branch: string) => string,
): Params {
  const params = new Map<string, GoValue>([
    ["number", String(pull.number)],
    ["title", pull.title],
    ["branch", pull.branch],
    ["branch_slug", slugOf(pull.branch)],
    ["target_branch", pull.targetBranch],
    ["target_branch_slug", slugOf(pull.targetBranch)],
    ["head_sha", pull.headSha],
    ["head_short_sha", firstBytes(pull.headSha, 8)],
    ["head_short_sha_7", firstBytes(pull.headSha, 7)],
    ["author", pull.author],
  ]);
  // Without Go templates there is no list a text could hold.
  if (goTemplate)
    params.set("labels", pull.labels === undefined ? nilList("string") : stringList(pull.labels));
  return params;
}
