import { FieldReader, type JsonObject } from "../document.ts";
import { generatorFailure, type ParamsResult, type GeneratorContext } from "./context.ts";
import { directoriesParams } from "./git-directories.ts";
import { filesParams } from "./git-files.ts";
import { readValues } from "./values.ts";

/** `git`: one set of params per directory, or per object in the files. Where both are named, directories win. */
export function gitParams(body: JsonObject, path: string, context: GeneratorContext): ParamsResult {
  const fields = new FieldReader(body, path);
  const repoURL = fields.text("repoURL");
  const written = fields.text("revision");
  const prefix = fields.text("pathParamPrefix");
  const hasDirectories = fields.list("directories").length > 0;
  const hasFiles = fields.list("files").length > 0;
  if (fields.problems.length > 0) return generatorFailure(fields.problems.join("; "));
  const values = readValues(body, path);
  if (!values.ok) return values;
  if (!hasDirectories && !hasFiles) return generatorFailure("ApplicationSet is empty");
  if (repoURL === "") return generatorFailure(`${path}.repoURL is missing`);
  const asked = { repoURL, revision: written === "" ? "HEAD" : written };
  return hasDirectories
    ? directoriesParams(fields, asked, prefix, values.value, context)
    : filesParams(fields, asked, prefix, values.value, context);
}
