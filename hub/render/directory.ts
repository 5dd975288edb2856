import { setImmediate as nextTurn } from "node:timers/promises";
import { fail, ok, type Result } from "../../proto/kit/result.ts";
import type { ApplicationSource } from "../domain/application.ts";
import type { Glob } from "../domain/patterns/glob-automaton.ts";
import { compileAnyGlob } from "../domain/patterns/glob.ts";
import { readManifests, type Manifest, type SourceDocument } from "../domain/manifest.ts";
import { problem, type ProblemDraft } from "../domain/problem.ts";
import type { ReadYaml, SourceTree } from "../domain/source-tree.ts";

export type RenderLimits = {
  readonly filesMost: number;
  readonly fileBytesMost: number;
  readonly sourceBytesMost: number;
  readonly objectsMost: number;
  /** Longest stretch of work between two turns of the event loop, as far as one file allows. */
  readonly stretchMs: number;
};

export const renderLimits: RenderLimits = {
  filesMost: 10_000,
  fileBytesMost: 10 * 1024 * 1024,
  sourceBytesMost: 64 * 1024 * 1024,
  objectsMost: 20_000,
  stretchMs: 15,
};

/** Codes of the problems made here; docs/troubleshooting has a heading for each. */
const renderCodes = {
  pathMissing: "WH-RND-3421",
  notDirectory: "WH-RND-3422",
  fileUnreadable: "WH-RND-3423",
  linkNotFollowed: "WH-RND-3424",
  unsupportedTool: "WH-RND-3425",
  tooLarge: "WH-RND-3426",
  badPattern: "WH-RND-3427",
} as const;

/**
 * The manifests of a folder of YAML and JSON files at a commit, in order of their paths.
 *
 * A folder without any is an empty list: whether that may be published is decided elsewhere. One file that
 * cannot be read fails the whole, because leaving it out would read as an order to delete what it holds.
 * Throws what the tree throws when its repository is damaged.
 */
export async function renderDirectory(
  tree: SourceTree,
  source: ApplicationSource,
  readYaml: ReadYaml,
  limits: RenderLimits,
  signal: AbortSignal,
): Promise<Result<readonly Manifest[], ProblemDraft>> {
  const selected = selectFiles(tree, source, limits);
  if (!selected.ok) return selected;
  const documents: SourceDocument[] = [];
  let bytes = 0;
  let stretchEndsAt = performance.now() + limits.stretchMs;
  for (const file of selected.value) {
    if (performance.now() > stretchEndsAt) {
      await nextTurn();
      signal.throwIfAborted();
      stretchEndsAt = performance.now() + limits.stretchMs;
    }
    const text = readText(tree, file, limits);
    if (!text.ok) return text;
    bytes += text.value.length;
    if (bytes > limits.sourceBytesMost)
      return fail(
        problem(
          renderCodes.tooLarge,
          `${describePath(source.path)} holds more than ${limits.sourceBytesMost} bytes of manifests`,
        ),
      );
    if (text.value.includes(skipMarker)) continue;
    const parsed = readYaml(text.value);
    if (!parsed.ok) {
      const { code, line, column, reason } = parsed.problem;
      return fail(problem(code, `${file}: line ${line}, column ${column}: ${reason}`));
    }
    for (const [index, { value }] of parsed.value.entries())
      documents.push({ file, number: index + 1, value });
  }
  const manifests = readManifests(documents);
  if (manifests.ok && manifests.value.length > limits.objectsMost)
    return fail(
      problem(
        renderCodes.tooLarge,
        `${describePath(source.path)} holds ${manifests.value.length} objects, at most ${limits.objectsMost} are rendered`,
      ),
    );
  return manifests;
}

/** A file with this in it is left out, as in Argo CD. */
const skipMarker = "+argocd:skip-file-rendering";

const manifestName = /\.(ya?ml|json|jsonnet)$/;

const otherTools: readonly (readonly [file: string, tool: string])[] = [
  ["Chart.yaml", "Helm"],
  ["kustomization.yaml", "Kustomize"],
  ["kustomization.yml", "Kustomize"],
  ["Kustomization", "Kustomize"],
];

function selectFiles(
  tree: SourceTree,
  source: ApplicationSource,
  limits: RenderLimits,
): Result<readonly string[], ProblemDraft> {
  const { path, directory } = source;
  const entry = tree.entryAt(path);
  if (entry === undefined)
    return fail(
      problem(
        renderCodes.pathMissing,
        `there is no ${describePath(path)} at commit ${tree.commit}`,
      ),
    );
  const listed = tree.list(path, { recurse: directory.recurse });
  if (listed === undefined)
    return fail(
      problem(
        renderCodes.notDirectory,
        `${describePath(path)} is a ${entry.kind}, expected a directory`,
      ),
    );
  const prefix = path === "" ? "" : `${path}/`;
  const tool = otherTools.find(([file]) => listed.some((found) => found.path === prefix + file));
  if (tool !== undefined)
    return fail(
      problem(
        renderCodes.unsupportedTool,
        `${prefix}${tool[0]} makes ${describePath(path)} a ${tool[1]} source, which is not supported yet`,
      ),
    );
  const admits = patternsOf(directory.include, directory.exclude);
  if (!admits.ok) return admits;

  const files: string[] = [];
  for (const found of listed) {
    const isManifest = manifestName.test(found.path) || found.kind === "submodule";
    if (!isManifest || !admits.value(found.path.slice(prefix.length))) continue;
    if (found.kind === "submodule" && !directory.recurse) continue;
    if (found.kind !== "file")
      return fail(
        problem(
          renderCodes.linkNotFollowed,
          `${found.path} is a ${found.kind === "symlink" ? "symbolic link" : "submodule"}, which is not followed; exclude it or put the files in its place`,
        ),
      );
    if (found.path.endsWith(".jsonnet"))
      return fail(
        problem(
          renderCodes.unsupportedTool,
          `${found.path} is Jsonnet, which is not supported yet`,
        ),
      );
    files.push(found.path);
  }
  if (files.length > limits.filesMost)
    return fail(
      problem(
        renderCodes.tooLarge,
        `${describePath(path)} holds ${files.length} manifest files, at most ${limits.filesMost} are rendered`,
      ),
    );
  return ok(files);
}

const describePath = (path: string): string =>
  path === "" ? "the root of the repository" : JSON.stringify(path);

/** Patterns are matched against the path below the source's own; excluding wins. */
function patternsOf(include: string, exclude: string): Result<Glob, ProblemDraft> {
  const included = include === "" ? undefined : compileAnyGlob(include, "");
  const excluded = exclude === "" ? undefined : compileAnyGlob(exclude, "");
  for (const [field, pattern] of [
    ["include", included],
    ["exclude", excluded],
  ] as const)
    if (pattern?.ok === false)
      return fail(
        problem(renderCodes.badPattern, `spec.source.directory.${field}: ${pattern.problem}`),
      );
  return ok(
    (name) =>
      (included === undefined || (included.ok && included.value(name))) &&
      !(excluded?.ok === true && excluded.value(name)),
  );
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function readText(
  tree: SourceTree,
  file: string,
  limits: RenderLimits,
): Result<string, ProblemDraft> {
  const read = tree.readFile(file, limits.fileBytesMost);
  if (!read.ok)
    return fail(
      problem(
        renderCodes.fileUnreadable,
        read.problem.kind === "too-large"
          ? `${file} has ${read.problem.bytes} bytes, at most ${read.problem.bytesMost} are read`
          : `${file} cannot be read: it is ${read.problem.kind}`,
      ),
    );
  try {
    return ok(utf8.decode(read.value));
  } catch {
    return fail(problem(renderCodes.fileUnreadable, `${file} is not UTF-8 text`));
  }
}
