import { FieldReader, isObject, type JsonObject } from "../document.ts";
import { repositoryFactKey } from "../facts.ts";
import { compilePathGlob, type Glob } from "../glob.ts";
import type { Params } from "../params.ts";
import { codes, problem } from "../problem.ts";
import { normalize } from "../template/normalize.ts";
import { stringList, type GoValue } from "../template/value.ts";
import { generatorFailure, within, type Generation, type GeneratorContext } from "./context.ts";
import { readValues, withValues } from "./values.ts";

/** `git` with `directories`: one set of params per directory that an item includes and none excludes. */
export function gitParams(body: JsonObject, path: string, context: GeneratorContext): Generation {
  const fields = new FieldReader(body, path);
  const repoURL = fields.text("repoURL");
  const written = fields.text("revision");
  const prefix = fields.text("pathParamPrefix");
  const directories = readItems(fields, "directories");
  const files = fields.list("files");
  if (fields.problems.length > 0) return generatorFailure(fields.problems.join("; "));
  const values = readValues(body, path);
  if (!values.ok) return values;
  if (directories.length === 0)
    return generatorFailure(
      files.length === 0
        ? "ApplicationSet is empty"
        : `not supported yet: git files (${path}.files)`,
    );
  if (repoURL === "") return generatorFailure(`${path}.repoURL is missing`);
  const revision = written === "" ? "HEAD" : written;
  context.wants({ repoURL, revision });
  const repository = context.facts.repositories.get(repositoryFactKey(repoURL, revision));
  if (repository === undefined)
    return within(
      "error generating params from git: error getting directories from repo",
      problem(
        codes.repositoryUnknown,
        `repository ${JSON.stringify(repoURL)} could not be read at ${JSON.stringify(revision)}`,
      ),
    );
  const make = context.templates.goTemplate ? goParams : flatParams;
  const sets = repository.directories
    .filter((directory) => isWanted(directory, directories))
    .map((directory) => make(directory, prefix));
  return withValues(sets, values.value, context.templates);
}

type Item = { readonly glob: Glob; readonly exclude: boolean };

function readItems(fields: FieldReader, key: string): readonly Item[] {
  return fields.list(key).flatMap((item, index) => {
    const place = `${key}[${index}]`;
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

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

function goParams(directory: string, prefix: string): Params {
  const basename = baseName(directory);
  const path = new Map<string, GoValue>([
    ["path", directory],
    ["basename", basename],
    ["basenameNormalized", normalize(basename)],
    ["segments", stringList(directory.split("/"))],
  ]);
  const params = new Map<string, GoValue>([["path", path]]);
  return prefix === "" ? params : new Map<string, GoValue>([[prefix, params]]);
}

function flatParams(directory: string, prefix: string): Params {
  const basename = baseName(directory);
  const path = prefix === "" ? "path" : `${prefix}.path`;
  const params = new Map<string, GoValue>([
    [path, directory],
    [`${path}.basename`, basename],
    [`${path}.basenameNormalized`, normalize(basename)],
  ]);
  directory
    .split("/")
    .filter((segment) => segment !== "")
    .forEach((segment, index) => params.set(`${path}[${index}]`, segment));
  return params;
}
