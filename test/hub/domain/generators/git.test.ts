import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { ok } from "../../../../proto/kit/result.ts";
import { parseApplicationSet } from "../../../../hub/domain/application-set.ts";
import { repositoryFactKey, type FileDialect } from "../../../../hub/domain/facts.ts";
import { generateParams } from "../strict-generation.ts";
import { isGoMap } from "../../../../hub/domain/template/value.ts";
import { generateNeeds as needs } from "../builders.ts";

const listed = [".hidden/a", "apps/a", "apps/deep/b", "c"];
const directories = ["b", "a", "a/x", "a-b"];

/** The paths of what a git generator finds, in its order, or what it complains of. */
function found(git: Readonly<Record<string, unknown>>, fileDialect?: FileDialect): string {
  const set = parseApplicationSet({
    apiVersion: "argoproj.io/v1alpha1",
    kind: "ApplicationSet",
    metadata: { name: "set", namespace: "argocd" },
    spec: {
      goTemplate: true,
      generators: [{ git: { repoURL: "r", revision: "HEAD", ...git } }],
      template: { metadata: { name: "app" }, spec: { project: "default", destination: {} } },
    },
  });
  assert.ok(set.ok);
  const repository = {
    repoURL: "r",
    revision: "HEAD",
    commit: "c",
    directories,
    files: listed,
    documents: new Map(listed.map((path) => [path, ok({})] as const)),
  };
  const made = generateParams(
    set.value,
    {
      clusters: [],
      repositories: new Map([[repositoryFactKey("r", "HEAD"), repository]]),
      ...(fileDialect === undefined ? {} : { fileDialect }),
    },
    needs,
  );
  if (!made.ok) return made.problem.message;
  return made.value
    .map((params) => {
      const path = params.get("path");
      if (!isGoMap(path)) return "";
      const words = [path.get("path"), path.get("filename")];
      return words.filter((word) => typeof word === "string").join(" ");
    })
    .join(", ");
}

suite("git directories", () => {
  test("come in the order of the walk that met them", () =>
    assert.equal(found({ directories: [{ path: "*" }, { path: "a/*" }] }), "b, a, a/x, a-b"));
});

suite("git files", () => {
  const everything = ".hidden a, apps a, apps/deep b, . c";
  const isDirectory = (pattern: string, directory: string): string =>
    `error generating params from git: pattern "${pattern}" matches ${directory}, which is a directory`;
  const rows: readonly (readonly [
    files: readonly { readonly path: string; readonly exclude?: boolean }[],
    dialect: FileDialect | undefined,
    outcome: string,
  ])[] = [
    [[{ path: "" }], undefined, everything],
    [[{ path: "*" }, { path: "", exclude: true }], undefined, ""],
    [[{ path: "apps" }], undefined, "apps a, apps/deep b"],
    [[{ path: "**/a" }], "doublestar", ".hidden a, apps a"],
    [[{ path: "./apps//a/" }], "doublestar", "apps a"],
    [[{ path: "apps/*" }], "doublestar", isDirectory("apps/*", "apps/deep")],
    [[{ path: ".*" }], "doublestar", isDirectory(".*", ".hidden")],
    [
      [{ path: "**/a" }, { path: "apps", exclude: true }],
      "doublestar",
      isDirectory("apps", "apps"),
    ],
    [[{ path: "" }], "doublestar", isDirectory("", ".")],
  ];
  for (const [files, dialect, outcome] of rows)
    test(`${JSON.stringify(files)} as ${dialect ?? "a pathspec"}`, () =>
      assert.equal(found({ files }, dialect), outcome));
});
