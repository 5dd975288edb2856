import { FieldReader, isObject } from "../document.ts";
import type { Glob } from "../patterns/glob-automaton.ts";
import { compilePathGlob } from "../patterns/glob.ts";
import type { Labels } from "../records.ts";
import { generatorFailure, type ParamsResult, type GeneratorContext } from "./context.ts";
import { pathParams, repositoryFact, type Asked } from "./git-params.ts";
import { notAppended, withValues } from "./values.ts";

/** `git` with `directories`: one set of params per directory that an item includes and none excludes. */
export function directoriesParams(
  fields: FieldReader,
  asked: Asked,
  prefix: string,
  values: Labels,
  context: GeneratorContext,
): ParamsResult {
  const items = readItems(fields);
  if (fields.problems.length > 0) return generatorFailure(fields.problems.join("; "));
  context.wants({ ...asked, lists: false, reads: [] });
  const fact = repositoryFact(
    asked,
    context,
    "error generating params from git: error getting directories from repo",
  );
  if (!fact.ok) return fact;
  const { goTemplate } = context.templates;
  const sets = fact.value.directories
    .filter((directory) => isWanted(directory, items))
    .map((directory) => new Map(pathParams(directory, undefined, prefix, goTemplate)));
  const words = "error generating params from git: error generating params from apps";
  return withValues(sets, values, context, (index) => `${words}: ${notAppended(index)}`);
}

type Item = { readonly glob: Glob; readonly exclude: boolean };

function readItems(fields: FieldReader): readonly Item[] {
  return fields.list("directories").flatMap((item, index) => {
    const place = `directories[${index}]`;
    if (!isObject(item)) {
      fields.complain(place, "must be a mapping with a path");
      return [];
    }
    const reader = new FieldReader(item, fields.path(place), fields.problems);
    const glob = compilePathGlob(reader.text("path"));
    // A malformed pattern matches nothing, as in Argo CD.
    return [{ glob: glob.ok ? glob.value : () => false, exclude: reader.flag("exclude") ?? false }];
  });
}

const isWanted = (directory: string, items: readonly Item[]): boolean =>
  items.some(({ glob, exclude }) => !exclude && glob(directory)) &&
  !items.some(({ glob, exclude }) => exclude && glob(directory));
