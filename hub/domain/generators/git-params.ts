import { fail, type Result } from "../../../proto/kit/result.ts";
import { repositoryFactKey, type RepositoryFact } from "../facts.ts";
import { codes, problem, type ProblemDraft } from "../problem.ts";
import { normalize } from "../template/normalize.ts";
import { stringList, type GoValue } from "../template/value.ts";
import type { GeneratorContext } from "./context.ts";

export type Asked = { readonly repoURL: string; readonly revision: string };

/** The fact, or the reason why there is none, behind `words`. */
export function repositoryFact(
  { repoURL, revision }: Asked,
  { facts }: GeneratorContext,
  words: string,
): Result<RepositoryFact, ProblemDraft> {
  const key = repositoryFactKey(repoURL, revision);
  const fact = facts.repositories.get(key);
  if (fact !== undefined) return { ok: true, value: fact };
  const reason =
    facts.unreadable?.get(key) ??
    `repository ${JSON.stringify(repoURL)} could not be read at ${JSON.stringify(revision)}`;
  return fail(problem(codes.repositoryUnknown, `${words}: ${reason}`));
}

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** `path` and all below it. Without Go templates they are flat; `file` is the name of the file, if there is one. */
export function pathParams(
  directory: string,
  file: string | undefined,
  prefix: string,
  goTemplate: boolean,
): readonly (readonly [name: string, value: GoValue])[] {
  const basename = baseName(directory);
  const named: [string, GoValue][] = [
    ["basename", basename],
    ["basenameNormalized", normalize(basename)],
  ];
  if (file !== undefined) named.push(["filename", file], ["filenameNormalized", normalize(file)]);
  const segments = directory.split("/");
  if (goTemplate) {
    const path = new Map<string, GoValue>([
      ["path", directory],
      ...named,
      ["segments", stringList(segments)],
    ]);
    return prefix === "" ? [["path", path]] : [[prefix, new Map([["path", path]])]];
  }
  const path = prefix === "" ? "path" : `${prefix}.path`;
  return [
    [path, directory],
    ...named.map(([name, value]) => [`${path}.${name}`, value] as const),
    ...segments
      .filter((segment) => segment !== "")
      .map((segment, index) => [`${path}[${index}]`, segment] as const),
  ];
}
