import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before, suite } from "node:test";
import { documentText } from "../../../../hub/cli/import-argocd/write.ts";
import { parseOne } from "../../../../hub/git/yaml.ts";
import { assertGolden } from "../../../support/golden.ts";
import { runWith, type Run } from "../fixture.ts";

const exportFile = join(import.meta.dirname, "export.yaml");

/** A set of an Application for each file that a pattern finds. */
const placesSet = (path: string): object => ({
  apiVersion: "argoproj.io/v1alpha1",
  kind: "ApplicationSet",
  metadata: { name: "places", namespace: "argocd" },
  spec: {
    goTemplate: true,
    generators: [
      { git: { repoURL: "https://git.example/places", revision: "main", files: [{ path }] } },
    ],
    template: {
      metadata: { name: "place-{{ .name }}" },
      spec: {
        project: "default",
        source: { repoURL: "r", path: "p" },
        destination: { name: "one" },
      },
    },
  },
});

suite("wheelhouse import argocd", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "wheelhouse-import-"));
    for (const name of ["dns", "metrics", "draft"]) {
      mkdirSync(join(folder, "clone/addons", name), { recursive: true });
      writeFileSync(join(folder, "clone/addons", name, "all.yaml"), "");
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const checkout = (): readonly string[] => [
    "--checkout",
    `https://git.example/fleet=${join(folder, "clone")}`,
  ];
  const run = (words: readonly string[], stdin = "", path = ""): Promise<Run> =>
    runWith(["import", "argocd", ...words], { stdin }, { PATH: path });

  test("writes a fleet repository, commands and a report", async () => {
    const to = join(folder, "golden");
    const { code, stderr, stdout } = await run(["--from", exportFile, "--to", to, ...checkout()]);
    assert.equal(code, 1, "there are differences");
    assert.equal(stderr, `9 files are in ${to}; REPORT.md says what differs\n`);
    assert.equal(stdout, readFileSync(join(to, "REPORT.md"), "utf8"));
    const files = filesBelow(to);
    assert.equal(files.length, 9);
    assertGolden(
      "test/golden/import-argocd.txt",
      files.map((file) => `==== ${file}\n${readFileSync(join(to, file), "utf8")}`).join("\n"),
    );
  });

  test("nothing secret of the export is written, said or shown", async () => {
    for (const format of ["table", "json", "yaml", "name"]) {
      const to = join(folder, `canary-${format}`);
      const { code, stdout, stderr } = await run([
        "--from",
        exportFile,
        "--to",
        to,
        "-o",
        format,
        "-v",
      ]);
      assert.equal(code, 1);
      assertNoCanary(stdout + stderr);
      for (const file of filesBelow(to)) assertNoCanary(readFileSync(join(to, file), "utf8"));
    }
  });

  test("a Secret that cannot be read is refused without a word of it", async () => {
    const rows = [
      "kind: Secret\nstringData: {token: *CANARY-token}\n",
      'kind: Secret\nstringData: {token: "CANARY-token\n',
      "kind: Secret\nstringData: {token: !CANARY-token!x y}\n",
      "CANARY-token: 1\nCANARY-token: 2\n",
      '{"token": "CANARY-token" \'x}',
      "%CANARY-token\n",
    ];
    for (const text of rows) {
      const { code, stdout, stderr } = await run(
        ["--from", "-", "--to", join(folder, "bad"), "-v"],
        text,
      );
      assert.equal(code, 2, text);
      assert.match(stderr, /^error: standard input is not YAML or JSON: line \d+, column \d+/);
      assertNoCanary(stdout + stderr.split("\n  from:")[0]);
      assertNoCanary(stdout + stderr);
    }
  });

  test("says what is wrong with how it is called", async () => {
    const full = join(folder, "full");
    mkdirSync(full);
    writeFileSync(join(full, "mine.txt"), "kept");
    const to = join(folder, "other");
    const rows: readonly (readonly [words: readonly string[], said: RegExp])[] = [
      [["--from", exportFile], /required option '--to/],
      [["--to", to], /say what to read/],
      [["--from", exportFile, "--kubeconfig", "x", "--to", to], /give one of them/],
      [
        ["--from", join(folder, "nowhere.yaml"), "--to", to],
        /nowhere\.yaml cannot be read \(ENOENT\)/,
      ],
      [["--from", full, "--to", to], /has no \.yaml, \.yml or \.json file/],
      [["--from", exportFile, "--to", full], /is not empty/],
      [["--from", exportFile, "--to", to, "--checkout", "x"], /not of the form URL=DIR/],
      [
        [
          "--from",
          exportFile,
          "--to",
          to,
          "--checkout",
          "https://git.example/fleet=/nowhere/at/all",
        ],
        /no folder that can be read/,
      ],
      [
        ["--from", exportFile, "--to", to, "--git-file-dialect", "glob"],
        /Allowed choices are pathspec, doublestar/,
      ],
      [["--kubeconfig", "x", "--to", to], /there is no kubectl on the PATH/],
    ];
    for (const [words, said] of rows) {
      const { code, stderr } = await run(words);
      assert.equal(code, 2, stderr);
      assert.match(stderr, said);
    }
    const nothing = await run(["--from", "-", "--to", to], "kind: ConfigMap\napiVersion: v1\n");
    assert.equal(nothing.code, 2);
    assert.match(nothing.stderr, /no ApplicationSet, Application, AppProject or cluster in it/);
    const forced = await run(["--from", exportFile, "--to", full, "--force", ...checkout()]);
    assert.equal(forced.code, 1);
    assert.equal(readFileSync(join(full, "mine.txt"), "utf8"), "kept");
  });

  test("a folder of files gives what one file does, in whatever order", async () => {
    const parts = join(folder, "parts");
    mkdirSync(join(parts, ".git"), { recursive: true });
    writeFileSync(join(parts, ".git/config.yaml"), "a: [");
    const whole = parseOne(readFileSync(exportFile, "utf8"));
    assert.ok(whole.ok);
    const { items } = whole.value as unknown as { readonly items: readonly object[] };
    for (const [index, item] of items.toReversed().entries())
      writeFileSync(join(parts, `${index}.json`), JSON.stringify(item));
    const one = await run(["--from", exportFile, "--to", join(folder, "one"), ...checkout()]);
    const many = await run(["--from", parts, "--to", join(folder, "many"), ...checkout()]);
    const sorted = (text: string): readonly string[] => text.split("\n").toSorted();
    assert.deepEqual(sorted(many.stdout), sorted(one.stdout));
  });

  test("files of a clone are read through symbolic links that stay inside", async () => {
    const clone = join(folder, "linked");
    mkdirSync(join(clone, "places"), { recursive: true });
    writeFileSync(join(clone, "north.yaml"), "name: north");
    symlinkSync("../north.yaml", join(clone, "places/a.yaml"));
    const generated = async (): Promise<unknown> => {
      const words = ["--from", "-", "--to", join(folder, "of-links"), "--force", "-o", "json"];
      const linked = ["--checkout", `https://git.example/places=${clone}`];
      const { stdout } = await run([...words, ...linked], JSON.stringify(placesSet("places/*")));
      const { comparisons } = JSON.parse(stdout) as { readonly comparisons: readonly unknown[] };
      return comparisons[0];
    };
    const comparison = { set: "places", verdict: "differs", applications: 1, missing: [] };
    const expected = { ...comparison, extra: ["place-north"], differences: [], flaws: [] };
    assert.deepEqual(await generated(), expected);
    symlinkSync(join(folder, "clone"), join(clone, "places/b.yaml"));
    symlinkSync("../places", join(clone, "places/c.yaml"));
    symlinkSync("../.git/config", join(clone, "places/d.yaml"));
    mkdirSync(join(clone, ".git"));
    writeFileSync(join(clone, ".git/config"), "name: config");
    const unread = (file: string, why: string): string =>
      `error generating params from git: unable to process file 'places/${file}' from repository 'https://git.example/places': unable to parse file: ${why}`;
    assert.deepEqual(await generated(), {
      ...expected,
      flaws: [
        unread(
          "b.yaml",
          `leads out of the repository: places/b.yaml is a symbolic link to ${JSON.stringify(join(folder, "clone"))}`,
        ),
        unread("c.yaml", "is a directory, not a file"),
        unread("d.yaml", 'leads to nothing: places/d.yaml is a symbolic link to "../.git/config"'),
      ],
    });
  });

  test("files of a clone are found in the dialect of the hub", async () => {
    const clone = join(folder, "deep");
    mkdirSync(join(clone, "places/deep"), { recursive: true });
    writeFileSync(join(clone, "places/near.yaml"), "name: near");
    writeFileSync(join(clone, "places/deep/far.yaml"), "name: far");
    const extra = async (dialect: readonly string[]): Promise<unknown> => {
      const words = ["--from", "-", "--to", join(folder, "of-dialects"), "--force", "-o", "json"];
      const checkouts = ["--checkout", `https://git.example/places=${clone}`];
      const exported = JSON.stringify(placesSet("places/*.yaml"));
      const { stdout } = await run([...words, ...checkouts, ...dialect], exported);
      const { comparisons } = JSON.parse(stdout) as {
        readonly comparisons: readonly { readonly extra: unknown }[];
      };
      return comparisons[0]?.extra;
    };
    assert.deepEqual(await extra([]), ["place-far", "place-near"]);
    assert.deepEqual(await extra(["--git-file-dialect", "pathspec"]), ["place-far", "place-near"]);
    assert.deepEqual(await extra(["--git-file-dialect", "doublestar"]), ["place-near"]);
  });

  test("the programs' answer says the same as the page", async () => {
    const { stdout } = await run([
      "--from",
      exportFile,
      "--to",
      join(folder, "json"),
      "-o",
      "json",
      ...checkout(),
    ]);
    const answer = JSON.parse(stdout) as {
      readonly kind: string;
      readonly same: boolean;
      readonly comparisons: readonly { readonly set: string; readonly verdict: string }[];
    };
    assert.equal(answer.kind, "import");
    assert.equal(answer.same, false);
    assert.deepEqual(
      answer.comparisons.map(({ set, verdict }) => `${set} ${verdict}`),
      ["addons same", "previews not-compared", "shop differs"],
    );
  });

  test("reads a namespace with kubectl, and asks it for no credential", async () => {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    cpSync(exportFile, join(bin, "export.yaml"));
    // Answers as kubectl does for the words it knows, and keeps them.
    writeFileSync(
      join(bin, "kubectl"),
      `#!/bin/sh
echo "$@" >> ${bin}/asked
case "$*" in
  *secrets*) printf '%s\\n' 'cluster-one argocd.argoproj.io%2Fsecret-type=cluster&env=prod&tier=shop& note=a+b%26c& ${base64("one")} ${urlquery(base64("https://one.example"))}  ' ;;
  *applicationsets.argoproj.io*) cat ${bin}/export.yaml | sed 's/^kind: List/kind: ApplicationSetList/;/kind: Application$/,$d' ;;
  *applications.argoproj.io*) echo '{"apiVersion":"v1","kind":"List","items":[]}' ;;
  *appprojects.argoproj.io*) echo 'Error from server (Forbidden): no' >&2; exit \${FAIL:-0} ;;
esac
`,
    );
    chmodSync(join(bin, "kubectl"), 0o755);
    const words = ["--kubeconfig", "K", "--kube-context", "C", "--namespace", "gitops"];
    const path = `${bin}:${process.env["PATH"] ?? ""}`;
    const to = join(folder, "live");
    const { code, stderr } = await run([...words, "--to", to], "", path);
    assert.equal(code, 1, stderr);
    const asked = readFileSync(join(bin, "asked"), "utf8").trim().split("\n");
    const where = "--kubeconfig K --context C --namespace gitops get";
    assert.deepEqual(asked.slice(0, 3), [
      `${where} applicationsets.argoproj.io -o json`,
      `${where} applications.argoproj.io -o json`,
      `${where} appprojects.argoproj.io -o json`,
    ]);
    assert.match(
      asked[3] ?? "",
      /get secrets --selector argocd\.argoproj\.io\/secret-type=cluster/,
    );
    const dataRead = [...(asked[3] ?? "").matchAll(/urlquery \.data\.(\w+)/g)].map(
      ([, key]) => key,
    );
    assert.deepEqual(dataRead, ["name", "server", "project"]);
    assert.match(
      readFileSync(join(to, "clusters.sh"), "utf8"),
      /\nwheelhouse cluster add one --server https:\/\/one\.example --label env=prod --label tier=shop\n/,
    );
    assert.ok(filesBelow(to).includes("fleet/sets/shop.yaml"));
    const refused = await runWith(
      ["import", "argocd", ...words, "--to", join(folder, "refused")],
      {},
      { PATH: path, FAIL: "1" },
    );
    assert.equal(refused.code, 3);
    assert.match(
      refused.stderr,
      /kubectl get appprojects\.argoproj\.io failed: Error from server \(Forbidden\)/,
    );
  });

  test("clusters.sh is a script whatever labels and annotations say", async () => {
    const nasty = `it's $(touch ${folder}/pwned); "x" \`y\` \\ *`;
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: "one",
        labels: { "argocd.argoproj.io/secret-type": "cluster" },
        annotations: { "x.example/note": nasty },
      },
      stringData: { name: "one", server: "https://one.example" },
    };
    const set = {
      apiVersion: "argoproj.io/v1alpha1",
      kind: "ApplicationSet",
      metadata: { name: "s" },
      spec: {
        generators: [{ clusters: {} }],
        template: { metadata: { name: "{{metadata.annotations.x.example/note}}" }, spec: {} },
      },
    };
    const to = join(folder, "nasty");
    await run(["--from", "-", "--to", to], JSON.stringify({ kind: "List", items: [secret, set] }));
    const script = `wheelhouse() { printf '%s\\n' "$@"; }\n. ${to}/clusters.sh`;
    const words = execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\n");
    assert.equal(words[words.indexOf("--annotation") + 1], `x.example/note=${nasty}`);
    assert.ok(!readdirSync(folder).includes("pwned"));
  });

  test("documents are written so that they are read back as they were", () => {
    const value = {
      yes: "no",
      on: [
        "y",
        "012",
        "1_000",
        "~",
        "null",
        "0x1f",
        "1e3",
        "2001-01-01",
        "1:30",
        "",
        " a ",
        "a\nb\n",
      ],
      big: 12345678901234567890n,
      text: '{{ if eq .x "y" }}#{{ end }}',
    };
    const back = parseOne(documentText(value));
    assert.ok(back.ok);
    assert.deepEqual(back.value, value);
  });
});

function assertNoCanary(text: string): void {
  assert.doesNotMatch(text, /CANARY(?!-annotation)/);
  assert.ok(!text.includes("CANARY-annotation"));
  // "CANARY" in base64 at each of its three places.
  for (const piece of ["Q0FOQVJ", "NBTkFSW", "DQU5BUl"]) assert.ok(!text.includes(piece), piece);
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const urlquery = (text: string): string => encodeURIComponent(text);

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
