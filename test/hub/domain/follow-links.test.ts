import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { suite } from "node:test";
import fc from "fast-check";
import { followLinks, type Standing } from "../../../hub/domain/follow-links.ts";

/** A tree of files and of links with their targets, by path. */
type Tree = {
  readonly files: readonly string[];
  readonly links: Readonly<Record<string, string>>;
};

const lookingIn =
  ({ files, links }: Tree) =>
  (path: string): Standing | undefined => {
    const target = links[path];
    if (target !== undefined) return { kind: "link", target };
    if (files.includes(path)) return { kind: "other" };
    const isAbove = [...files, ...Object.keys(links)].some((other) => other.startsWith(`${path}/`));
    return isAbove ? { kind: "directory" } : undefined;
  };

const followed = (path: string, tree: Tree): string => {
  const made = followLinks(path, lookingIn(tree));
  return made.ok ? made.value : `it ${made.problem}`;
};

/** The operating system's word: Node's own takes `a/..` for nothing, whatever a is. */
function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return "nothing";
  }
}

suite("a path with symbolic links in it", () => {
  const files = ["base.yaml", "apps/web/a.yaml", "apps/api/a.yaml"];
  const chain = (length: number): Readonly<Record<string, string>> =>
    Object.fromEntries(
      Array.from({ length }, (_, index) => [
        `link-${index}`,
        index === length - 1 ? "base.yaml" : `link-${index + 1}`,
      ]),
    );
  const rows: readonly (readonly [
    says: string,
    path: string,
    links: Readonly<Record<string, string>>,
    leads: string,
  ])[] = [
    ["leads where it says without a link", "apps/web/a.yaml", {}, "apps/web/a.yaml"],
    ["leads nowhere else when nothing is there", "apps/none/a.yaml", {}, "apps/none/a.yaml"],
    ["leads beside the link", "apps/web/b", { "apps/web/b": "a.yaml" }, "apps/web/a.yaml"],
    ["leads up", "apps/web/b", { "apps/web/b": "../../base.yaml" }, "base.yaml"],
    ["leads to a directory", "web", { web: "./apps//web/" }, "apps/web"],
    ["leads to the root", "apps/up", { "apps/up": ".." }, ""],
    ["leads through a linked directory", "web/a.yaml", { web: "apps/web" }, "apps/web/a.yaml"],
    [
      "leads up from where a linked directory is, not from where its link is",
      "web/../api/a.yaml",
      { web: "apps/web" },
      "apps/api/a.yaml",
    ],
    ["leads over 40 links", "link-0", chain(40), "base.yaml"],
    ["leads over no more", "link-0", chain(41), "it leads over more than 40 symbolic links"],
    ["leads in no circle", "a", { a: "b", b: "a" }, "it leads over more than 40 symbolic links"],
    [
      "leads not out",
      "apps/web/b",
      { "apps/web/b": "../../../secret" },
      'it leads out of the repository: apps/web/b is a symbolic link to "../../../secret"',
    ],
    [
      "leads not out by a link of a link",
      "a",
      { a: "apps/b", "apps/b": "../../a" },
      'it leads out of the repository: apps/b is a symbolic link to "../../a"',
    ],
    [
      "leads to no absolute place",
      "a",
      { a: "/etc/passwd" },
      'it leads out of the repository: a is a symbolic link to "/etc/passwd"',
    ],
    [
      "leads not to what is not there",
      "a",
      { a: "apps/none" },
      'it leads to nothing: a is a symbolic link to "apps/none"',
    ],
    [
      "leads not through a file",
      "a",
      { a: "base.yaml/../base.yaml" },
      'it leads to nothing: a is a symbolic link to "base.yaml/../base.yaml"',
    ],
    [
      "says little of a long target",
      "a",
      { a: `/${"b".repeat(500)}` },
      `it leads out of the repository: a is a symbolic link to "/${"b".repeat(142)} [...] ${"b".repeat(50)}"`,
    ],
  ];
  for (const [says, path, links, leads] of rows)
    test(says, () => assert.equal(followed(path, { files, links }), leads));

  test("leads where an operating system has it", () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "wheelhouse-links-")));
    const part = fc.constantFrom("a", "b", "..", ".");
    const target = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    const place = fc.constantFrom("a", "b", "c/a", "c/b", "c/d/a", "c/d/b");
    let count = 0;
    const law = fc.property(fc.dictionary(place, target), target, (links, path) => {
      count += 1;
      const root = join(folder, `${count}`, "inner", "root");
      mkdirSync(join(root, "c/d"), { recursive: true });
      const found = ["c/file", "c/d/file"];
      for (const file of found) writeFileSync(join(root, file), file);
      for (const [link, to] of Object.entries(links)) {
        mkdirSync(dirname(join(root, link)), { recursive: true });
        symlinkSync(to, join(root, link));
      }
      const asked = `c/d/${path}/file`;
      const made = followLinks(asked, lookingIn({ files: found, links }));
      if (!made.ok && made.problem.startsWith("leads out")) return;
      const file = made.ok && found.includes(made.value) ? join(root, made.value) : "nothing";
      assert.equal(file, realPath(`${root}/${asked}`));
    });
    try {
      fc.assert(law, { numRuns: 300 });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
