import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before, suite } from "node:test";
import type { ApplicationSource, DirectoryOptions } from "../../../hub/domain/application.ts";
import { openObjects, type ObjectStore } from "../../../hub/git/objects.ts";
import { openCommit } from "../../../hub/git/tree.ts";
import { parseDocuments } from "../../../hub/git/yaml.ts";
import { renderDirectory, renderLimits, type RenderLimits } from "../../../hub/render/directory.ts";
import { fleetRepository, runGit, type FileChange } from "../../support/fleet-repository.ts";

const signal = new AbortController().signal;

const configMap = (name: string, extra = ""): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${extra}`;

const files: Readonly<Record<string, FileChange>> = {
  "web/b.yaml": `${configMap("b1")}---\n${configMap("b2")}---\n`,
  "web/a.yml": configMap("a"),
  "web/c.json": JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } }),
  "web/README.md": "not a manifest: [",
  "web/deep/d.yaml": configMap("d"),
  "web/deep/er/e.yaml": configMap("e"),
  "list/list.yaml": `apiVersion: v1\nkind: List\nitems:\n- ${configMap("one").trim().replaceAll("\n", "\n  ")}\n- ${configMap("two").trim().replaceAll("\n", "\n  ")}\n`,
  "empty/README.md": "nothing here",
  "broken/ok.yaml": configMap("ok"),
  "broken/z.yaml": "apiVersion: v1\nkind: [ConfigMap\n",
  "twins/a.yaml": configMap("same"),
  "twins/b.yaml": configMap("same"),
  "nokind/a.yaml": "apiVersion: v1\nmetadata:\n  name: x\n",
  "hooked/a.yaml": configMap("h").replace(
    "  name: h\n",
    "  name: h\n  annotations:\n    argocd.argoproj.io/hook: PreSync\n",
  ),
  "linked/a.yaml": { symlink: "../web/a.yml" },
  "linked/b.yaml": configMap("b"),
  "module/a.yaml": configMap("a"),
  "module/sub": { submodule: "1".repeat(40) },
  "jsonnet/a.jsonnet": "{}",
  "chart/Chart.yaml": "name: x",
  "kustom/kustomization.yaml": "resources: []",
  "latin/a.yaml": Buffer.from([0x61, 0x3a, 0x20, 0xe9]),
  "skipped/a.yaml": `# +argocd:skip-file-rendering\n${configMap("a")}`,
  "skipped/b.yaml": configMap("b"),
  "big/a.yaml": configMap("a", `data:\n  x: ${"y".repeat(5_000)}\n`),
};

suite("renderDirectory", () => {
  let folder = "";
  let commit = "";
  let objects: ObjectStore;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wheelhouse-render-"));
    await runGit(folder, ["init", "--quiet", "--bare", "--initial-branch=main", "."], "", signal);
    commit = await fleetRepository(folder).commit({ files }, signal);
    objects = openObjects(folder);
  });
  after(async () => {
    objects.close();
    await rm(folder, { recursive: true, force: true });
  });

  const render = async (
    path: string,
    directory: Partial<DirectoryOptions> = {},
    limits: Partial<RenderLimits> = {},
  ): Promise<string> => {
    const tree = openCommit(objects, commit);
    assert.ok(tree);
    const source: ApplicationSource = {
      repoURL: "https://git.example.org/fleet",
      path,
      targetRevision: "main",
      directory: { recurse: false, include: "", exclude: "", ...directory },
    };
    const rendered = await renderDirectory(
      tree,
      source,
      parseDocuments,
      { ...renderLimits, ...limits },
      signal,
    );
    return rendered.ok
      ? rendered.value.map(({ key }) => key.split("/").at(-1)).join(" ")
      : `${rendered.problem.code} ${rendered.problem.message.replaceAll(commit, "COMMIT")}`;
  };

  const rows: readonly {
    readonly name: string;
    readonly path: string;
    readonly directory?: Partial<DirectoryOptions>;
    readonly limits?: Partial<RenderLimits>;
    readonly expect: string | RegExp;
  }[] = [
    { name: "reads YAML and JSON, every document, in order", path: "web", expect: "a b1 b2 c" },
    {
      name: "goes deeper when told",
      path: "web",
      directory: { recurse: true },
      expect: "a b1 b2 c d e",
    },
    { name: "includes by pattern", path: "web", directory: { include: "*.json" }, expect: "c" },
    {
      name: "patterns reach across directories",
      path: "web",
      directory: { recurse: true, include: "{deep/*,c.json}" },
      expect: "c d e",
    },
    {
      name: "excluding wins",
      path: "web",
      directory: { recurse: true, include: "*.yaml", exclude: "deep/*" },
      expect: "b1 b2",
    },
    { name: "takes lists apart", path: "list", expect: "one two" },
    { name: "an empty folder is an empty list", path: "empty", expect: "" },
    { name: "skips a file that asks for it", path: "skipped", expect: "b" },
    {
      name: "a path that is not there names the commit",
      path: "absent/here",
      expect: 'WH-RND-3421 there is no "absent/here" at commit COMMIT',
    },
    {
      name: "a path out of the repository is not there",
      path: "../web",
      expect: 'WH-RND-3421 there is no "../web" at commit COMMIT',
    },
    {
      name: "a file is no folder",
      path: "web/a.yml",
      expect: 'WH-RND-3422 "web/a.yml" is a file, expected a directory',
    },
    {
      name: "YAML that cannot be read names file, line and reason",
      path: "broken",
      expect: /^WH-YAML-3301 broken\/z\.yaml: line \d+, column \d+: /,
    },
    {
      name: "two manifests of one object are a problem",
      path: "twins",
      expect: /twins\/a\.yaml.*twins\/b\.yaml|twins\/b\.yaml.*twins\/a\.yaml/,
    },
    {
      name: "a manifest without a kind is a problem",
      path: "nokind",
      expect: /^WH-RND-3402 nokind\/a\.yaml/,
    },
    { name: "hooks are refused", path: "hooked", expect: /^WH-RND-3404 .*hook/ },
    {
      name: "a symbolic link is not followed, nor passed over in silence",
      path: "linked",
      expect: /^WH-RND-3424 linked\/a\.yaml is a symbolic link/,
    },
    {
      name: "a link that is excluded is no matter",
      path: "linked",
      directory: { exclude: "a.*" },
      expect: "b",
    },
    { name: "a submodule beside the files is no matter", path: "module", expect: "a" },
    {
      name: "a submodule on the way is a problem",
      path: "module",
      directory: { recurse: true },
      expect: /^WH-RND-3424 module\/sub is a submodule/,
    },
    { name: "Jsonnet is named", path: "jsonnet", expect: /^WH-RND-3425 .*Jsonnet/ },
    { name: "Helm is named", path: "chart", expect: /^WH-RND-3425 .*Helm/ },
    { name: "Kustomize is named", path: "kustom", expect: /^WH-RND-3425 .*Kustomize/ },
    {
      name: "text that is not UTF-8 is a problem",
      path: "latin",
      expect: "WH-RND-3423 latin/a.yaml is not UTF-8 text",
    },
    {
      name: "a bad pattern names its field",
      path: "web",
      directory: { include: "[a" },
      expect: /^WH-RND-3427 spec\.source\.directory\.include: /,
    },
    {
      name: "a file over the limit is a problem",
      path: "big",
      limits: { fileBytesMost: 1_000 },
      expect: /^WH-RND-3423 big\/a\.yaml has \d+ bytes, at most 1000/,
    },
    {
      name: "too many files are a problem",
      path: "web",
      limits: { filesMost: 2 },
      expect: /^WH-RND-3426 .*3 manifest files/,
    },
    {
      name: "too many objects are a problem",
      path: "web",
      limits: { objectsMost: 3 },
      expect: /^WH-RND-3426 .*4 objects/,
    },
    {
      name: "too many bytes are a problem",
      path: "web",
      limits: { sourceBytesMost: 100 },
      expect: /^WH-RND-3426 .*100 bytes/,
    },
  ];
  for (const { name, path, directory, limits, expect } of rows)
    test(name, async () => {
      const found = await render(path, directory, limits);
      if (typeof expect === "string") assert.equal(found, expect);
      else assert.match(found, expect);
    });

  test("stops when nobody wants it any more", async () => {
    const tree = openCommit(objects, commit);
    assert.ok(tree);
    const gone = AbortSignal.abort(new Error("stop"));
    await assert.rejects(
      renderDirectory(
        tree,
        {
          repoURL: "x",
          path: "web",
          targetRevision: "main",
          directory: { recurse: true, include: "", exclude: "" },
        },
        parseDocuments,
        { ...renderLimits, stretchMs: -1 },
        gone,
      ),
      /stop/,
    );
  });
});
