import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before, suite } from "node:test";
import { MirrorDamaged } from "../../../hub/git/mirror-damaged.ts";
import { openObjects, type ObjectStore } from "../../../hub/git/objects.ts";
import { byBytes, openCommit, parseTree, type CommitTree } from "../../../hub/git/tree.ts";
import { fleetRepository, runGit } from "../../support/fleet-repository.ts";

const signal = new AbortController().signal;

suite("openCommit", () => {
  let folder = "";
  let objects: ObjectStore;
  let tree: CommitTree;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wheelhouse-tree-"));
    await runGit(folder, ["init", "--quiet", "--bare", "--initial-branch=main", "."], "", signal);
    const commit = await fleetRepository(folder).commit(
      {
        files: {
          "README.md": "read me",
          "apps/web/a.yaml": "a",
          "apps/web/deep/b.yaml": "b",
          "apps/web-2/c.yaml": "c",
          "apps/.hidden/d.yaml": "d",
          ".github/workflows/e.yaml": "e",
          "apps/link": { symlink: "web" },
          "apps/module": { submodule: "a".repeat(40) },
          "apps/été/f.yaml": "f",
          "links/chain.yaml": { symlink: "../apps/link/../été/f.yaml" },
          "links/module": { symlink: "../apps/module" },
          "links/out.yaml": { symlink: "../../b" },
          "links/long.yaml": { symlink: "a".repeat(4097) },
        },
      },
      signal,
    );
    objects = openObjects(folder);
    const opened = openCommit(objects, commit);
    assert.ok(opened);
    tree = opened;
  });
  after(async () => {
    objects.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("lists directories as a walk meets them, without hidden ones and what is below them", () =>
    assert.deepEqual(tree.directories(), [
      "apps",
      "apps/web",
      "apps/web/deep",
      "apps/web-2",
      "apps/été",
      "links",
    ]));

  test("lists what is under a path, links and submodules as what they are", () => {
    assert.deepEqual(
      tree.list("apps", { recurse: true })?.map(({ path, kind }) => `${kind} ${path}`),
      [
        "file apps/.hidden/d.yaml",
        "symlink apps/link",
        "submodule apps/module",
        "file apps/web-2/c.yaml",
        "file apps/web/a.yaml",
        "file apps/web/deep/b.yaml",
        "file apps/été/f.yaml",
      ],
    );
    assert.deepEqual(
      tree.list("/apps/web/", { recurse: false })?.map(({ path }) => path),
      ["apps/web/a.yaml"],
    );
    assert.deepEqual(
      tree.list("", { recurse: false })?.map(({ path }) => path),
      ["README.md"],
    );
    assert.deepEqual(tree.list("./apps/./web", { recurse: false })?.length, 1);
    assert.equal(tree.list("apps/web/a.yaml", { recurse: true }), undefined);
    assert.equal(tree.list("absent", { recurse: true }), undefined);
  });

  test("agrees with git about identities", async () => {
    for (const path of ["apps", "apps/web", "apps/web/a.yaml", "apps/été"]) {
      const said = await runGit(folder, ["rev-parse", `main:${path}`], "", signal);
      assert.equal(tree.oidOf(path), said.toString().trim());
    }
    assert.equal(tree.oidOf("apps/web/absent"), undefined);
    assert.equal(tree.oidOf("README.md/below"), undefined);
  });

  test("reads files, and says why it does not", () => {
    const read = tree.readFile("apps/été/f.yaml", 10);
    assert.ok(read.ok);
    assert.equal(Buffer.from(read.value).toString(), "f");
    const rows = [
      ["absent", { kind: "absent" }],
      ["apps", { kind: "not-a-file", found: "directory" }],
      ["apps/link", { kind: "not-a-file", found: "symlink" }],
      ["apps/link/a.yaml", { kind: "absent" }],
      ["apps/module", { kind: "not-a-file", found: "submodule" }],
      ["../secret", { kind: "absent" }],
      ["README.md", { kind: "too-large", bytes: 7, bytesMost: 5 }],
    ] as const;
    for (const [path, problem] of rows)
      assert.deepEqual(tree.readFile(path, 5), { ok: false, problem }, path);
  });

  test("follows links inside the commit, and says why it does not", () => {
    const rows = [
      ["apps/link", "apps/web"],
      ["apps/link/a.yaml", "apps/web/a.yaml"],
      ["links/chain.yaml", "apps/été/f.yaml"],
      ["apps/web/a.yaml", "apps/web/a.yaml"],
      ["absent", "absent"],
      ["links/module", "apps/module"],
      // Nothing that long is a path: it stays what it is, and cannot be read.
      ["links/long.yaml", "links/long.yaml"],
    ] as const;
    for (const [path, value] of rows)
      assert.deepEqual(tree.followLinks(path), { ok: true, value }, path);
    const problem = 'leads out of the repository: links/out.yaml is a symbolic link to "../../b"';
    assert.deepEqual(tree.followLinks("links/out.yaml"), { ok: false, problem });
  });

  test("a commit that is not here, or is none, is undefined", () => {
    assert.equal(openCommit(objects, "0".repeat(40)), undefined);
    assert.equal(openCommit(objects, tree.oidOf("apps") ?? ""), undefined);
  });
});

suite("parseTree refuses", () => {
  const entry = (mode: string, name: string): Buffer =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.alloc(20, 1)]);
  const rows: readonly (readonly [name: string, bytes: Buffer])[] = [
    ["a name that leads out", entry("100644", "..")],
    ["a name with a slash", entry("100644", "a/b")],
    ["an empty name", entry("100644", "")],
    ["an unknown mode", entry("777", "a")],
    ["an entry cut short", entry("100644", "a").subarray(0, 20)],
    ["bytes that are no tree", Buffer.from("hello")],
  ];
  for (const [name, bytes] of rows)
    test(name, () => assert.throws(() => parseTree(bytes, "x"), MirrorDamaged));
});

test("byBytes orders as UTF-8 does where UTF-16 does not", () => {
  const names = ["b", "\u{1F600}", "\uFF5E", "a", "é"];
  assert.deepEqual(
    names.toSorted(byBytes),
    names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  );
  assert.deepEqual(names.toSorted(byBytes), ["a", "b", "é", "\uFF5E", "\u{1F600}"]);
});
