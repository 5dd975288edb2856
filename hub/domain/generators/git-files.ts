import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { emptyObject, field, FieldReader, isObject, type JsonObject } from "../document.ts";
import type { RepositoryFact } from "../facts.ts";
import { compileFilePattern, type FilePattern } from "../patterns/file-pattern.ts";
import { flattened, type Params } from "../params.ts";
import { codes, problem, type ProblemDraft } from "../problem.ts";
import type { Labels } from "../records.ts";
import { wellFormed } from "../template/bytes.ts";
import { compareBytes, goValueOf, type GoValue } from "../template/value.ts";
import { generatorFailure, type ParamsResult, type GeneratorContext } from "./context.ts";
import { cannotConvert } from "./json-words.ts";
import { listOfMappings } from "./list-of-mappings.ts";
import { pathParams, repositoryFact, type Asked } from "./git-params.ts";
import { notAppended, withValues, type Words } from "./values.ts";

const words = "error generating params from git";

/**
 * `git` with `files`: one set of params per object in the files that an item includes and none excludes, by
 * path. A file holds one object, or a list of them; an empty one is an empty object.
 */
export function filesParams(
  fields: FieldReader,
  asked: Asked,
  prefix: string,
  values: Labels,
  context: GeneratorContext,
): ParamsResult {
  const items = readItems(fields, context);
  if (!items.ok) return items;
  // The listing first; which files to read is known only then.
  context.wants({ ...asked, lists: true, reads: [] });
  const fact = repositoryFact(asked, context, words);
  if (!fact.ok) return fact;
  const chosen = chosenFiles(items.value, fact.value);
  if (!chosen.ok) return chosen;
  context.wants({ ...asked, lists: true, reads: chosen.value });
  const sets: Params[] = [];
  for (const path of chosen.value) {
    const objects = objectsOf(path, asked.repoURL, fact.value);
    if (objects.ok) {
      const own = objects.value.map((object) => fileParams(object, path, prefix, context));
      const failing: Words = (index) =>
        `${unprocessed(path, asked.repoURL)}: ${notAppended(index)}`;
      const complete = withValues(own, values, context, failing);
      if (!complete.ok) return complete;
      for (const set of complete.value) sets.push(set);
    } else if (context.spare === undefined) return objects;
    else context.spare(objects.problem);
  }
  return ok(sets);
}

type Item = { readonly pattern: FilePattern; readonly exclude: boolean };

function readItems(
  fields: FieldReader,
  { facts }: GeneratorContext,
): Result<readonly Item[], ProblemDraft> {
  const items: Item[] = [];
  for (const [index, item] of fields.list("files").entries()) {
    const place = `files[${index}]`;
    if (!isObject(item)) {
      fields.complain(place, "must be a mapping with a path");
      continue;
    }
    const reader = new FieldReader(item, fields.path(place), fields.problems);
    const pattern = compileFilePattern(reader.text("path"), facts.fileDialect ?? "pathspec");
    if (!pattern.ok)
      return generatorFailure(`${words}: ${reader.path("path")}: ${pattern.problem}`);
    items.push({ pattern: pattern.value, exclude: reader.flag("exclude") ?? false });
  }
  return fields.problems.length === 0 ? ok(items) : generatorFailure(fields.problems.join("; "));
}

/** Sorted by bytes. */
function chosenFiles(
  items: readonly Item[],
  { files }: RepositoryFact,
): Result<readonly string[], ProblemDraft> {
  const matched = (item: Item): readonly string[] =>
    (files ?? []).filter((path) => item.pattern.matches(path));
  const chosen = new Set(items.filter(({ exclude }) => !exclude).flatMap(matched));
  for (const item of items.filter(({ exclude }) => exclude))
    for (const path of matched(item)) chosen.delete(path);
  for (const { pattern } of items) {
    const directory = pattern.directoryAmong(files ?? []);
    if (directory !== undefined)
      return generatorFailure(
        `${words}: pattern ${JSON.stringify(pattern.text)} matches ${directory}, which is a directory`,
      );
  }
  return ok([...chosen].toSorted(compareBytes));
}

const unprocessed = (path: string, repoURL: string): string =>
  `${words}: unable to process file '${path}' from repository '${repoURL}'`;

function objectsOf(
  path: string,
  repoURL: string,
  { documents }: RepositoryFact,
): Result<readonly JsonObject[], ProblemDraft> {
  const unreadable = (reason: string): Result<never, ProblemDraft> =>
    fail(
      problem(
        codes.generatorFailed,
        `${unprocessed(path, repoURL)}: unable to parse file: ${reason}`,
      ),
    );
  const document = documents?.get(path);
  if (document === undefined) return unreadable("it was not read yet");
  // A file that could not be read at all is no YAML problem: those begin with the line.
  if (!document.ok)
    return unreadable(
      /^line \d/.test(document.problem) ? cannotConvert(document.problem) : document.problem,
    );
  const { value } = document;
  if (value === null) return ok([emptyObject()]);
  if (isObject(value)) return ok([value]);
  const objects = listOfMappings(value);
  return objects.ok ? objects : unreadable(objects.problem);
}

function fileParams(
  object: JsonObject,
  path: string,
  prefix: string,
  { templates }: GeneratorContext,
): Params {
  const params = contentParams(object, templates.goTemplate);
  const slash = path.lastIndexOf("/");
  const directory = slash < 0 ? "." : path.slice(0, slash);
  const made = pathParams(directory, path.slice(slash + 1), prefix, templates.goTemplate);
  for (const [name, value] of made) params.set(name, value);
  return params;
}

/** The fields of an object: as they are for Go templates, else flat and as text. */
function contentParams(object: JsonObject, goTemplate: boolean): Map<string, GoValue> {
  const params = new Map<string, GoValue>();
  for (const key of Object.keys(object))
    params.set(wellFormed(key), goValueOf(field(object, key) ?? null));
  return goTemplate ? params : new Map(flattened(params));
}
