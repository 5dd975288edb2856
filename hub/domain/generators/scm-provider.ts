import { FieldReader, type JsonObject } from "../document.ts";
import type { Params } from "../params.ts";
import type { HostedRepository } from "../remote-facts.ts";
import { normalize } from "../template/normalize.ts";
import { firstBytes } from "../template/bytes.ts";
import { goValueOf, type GoValue } from "../template/value.ts";
import { withoutTrailingSlashes } from "../trailing-slashes.ts";
import { generatorFailure, type ParamsResult, type GeneratorContext } from "./context.ts";
import { readFilters, remoteFact, type Filter } from "./remote.ts";
import { notAppended, readValues, withValues } from "./values.ts";

/** `scmProvider`: one set of params per repository, or branch, that a Git host lists and the filters admit. */
export function scmProviderParams(
  body: JsonObject,
  path: string,
  context: GeneratorContext,
): ParamsResult {
  const fields = new FieldReader(body, path);
  const values = readValues(body, path);
  if (!values.ok) return values;
  const filters = readFilters(fields, ["repositoryMatch", "labelMatch", "branchMatch"], scmFilter);
  if (!filters.ok) return filters;
  const fact = remoteFact("scmProvider", "repositories", body, path, context);
  if (!fact.ok) return fact;
  if (fact.value.kind === "failed")
    return generatorFailure(`error listing repos: ${fact.value.message}`);
  const sets = fact.value.repositories
    .filter((repository) => isAdmitted(repository, filters.value))
    .map(repositoryParams);
  return withValues(sets, values.value, context, notAppended);
}

type ScmFilter = {
  /** A filter is asked about repositories, or about branches when it names anything of a branch. */
  readonly about: "repositories" | "branches" | "nothing";
  readonly admits: (repository: HostedRepository) => boolean;
};

function scmFilter({ fields, test }: Filter): ScmFilter {
  const [repositoryMatch, labelMatch] = [test("repositoryMatch"), test("labelMatch")];
  const branchMatch = test("branchMatch");
  const pathsExist = pathsOf(fields, "pathsExist");
  const pathsDoNotExist = pathsOf(fields, "pathsDoNotExist");
  // A list of paths makes it a filter of branches also when it is empty.
  const ofBranch =
    branchMatch !== undefined || fields.has("pathsExist") || fields.has("pathsDoNotExist");
  const ofRepository = repositoryMatch !== undefined || labelMatch !== undefined;
  const other = ofRepository ? "repositories" : "nothing";
  return {
    about: ofBranch ? "branches" : other,
    admits: ({ repository, branch, labels, paths }) =>
      repositoryMatch?.(repository) !== false &&
      branchMatch?.(branch) !== false &&
      (labelMatch === undefined || labels.some(labelMatch)) &&
      pathsExist.every((path) => paths.includes(path)) &&
      !pathsDoNotExist.some((path) => paths.includes(path)),
  };
}

const pathsOf = (fields: FieldReader, key: string): readonly string[] =>
  fields.texts(key).map(withoutTrailingSlashes);

/** One of the filters about repositories, and one of those about branches, must admit it, where there are any. */
const isAdmitted = (repository: HostedRepository, filters: readonly ScmFilter[]): boolean =>
  (["repositories", "branches"] as const).every((about) => {
    const asked = filters.filter((filter) => filter.about === about);
    return asked.length === 0 || asked.some((filter) => filter.admits(repository));
  });

const repositoryParams = (found: HostedRepository): Params =>
  new Map<string, GoValue>([
    ["organization", found.organization],
    ["repository", found.repository],
    ["repository_id", goValueOf(found.repositoryId)],
    ["url", found.url],
    ["branch", found.branch],
    ["branchNormalized", normalize(found.branch)],
    ["sha", found.sha],
    ["short_sha", firstBytes(found.sha, 8)],
    ["short_sha_7", firstBytes(found.sha, 7)],
    // Text also for Go templates.
    ["labels", found.labels.join(",")],
  ]);
