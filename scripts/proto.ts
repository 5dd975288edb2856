import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, globSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * `npm run proto`: lints the schema and writes the generated code again. With `--check` it writes nothing and
 * fails when the committed code is not what the schema generates, or when the schema breaks what the last
 * release, or before the first one the commit before, could read.
 */

const root = join(import.meta.dirname, "..");
const buf = join(root, "node_modules/.bin/buf");

if (import.meta.main) {
  execFileSync(buf, ["lint"], { cwd: root, stdio: "inherit" });
  if (process.argv.includes("--check")) {
    checkFresh();
    checkBreaking(baseline());
  } else {
    execFileSync(buf, ["generate"], { cwd: root, stdio: "inherit" });
  }
}

function checkFresh(): void {
  const folder = mkdtempSync(join(tmpdir(), "wheelhouse-proto-"));
  try {
    execFileSync(buf, ["generate", "--output", folder], { cwd: root, stdio: "inherit" });
    const stale = globSync("**/*.ts", { cwd: join(folder, "proto/gen") }).filter(
      (file) => read(join(root, "proto/gen", file)) !== read(join(folder, "proto/gen", file)),
    );
    const orphans = globSync("**/*.ts", { cwd: join(root, "proto/gen") }).filter(
      (file) => read(join(folder, "proto/gen", file)) === undefined,
    );
    for (const file of stale)
      console.error(`proto/gen/${file} is not what the schema generates; run npm run proto`);
    for (const file of orphans) console.error(`proto/gen/${file} belongs to no schema; remove it`);
    if (stale.length + orphans.length > 0) process.exit(1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The newest release tag, else the commit before this one, else nothing. */
function baseline(): string | undefined {
  const tag = spawnSync("git", ["describe", "--tags", "--abbrev=0", "--match", "v*"], {
    cwd: root,
    encoding: "utf8",
  });
  const candidate = tag.status === 0 ? tag.stdout.trim() : "HEAD~1";
  const known = spawnSync("git", ["cat-file", "-e", `${candidate}:buf.yaml`], {
    cwd: root,
    stdio: "ignore",
  });
  return known.status === 0 ? candidate : undefined;
}

/** A schema may grow but never break: bytes written by an earlier release stay readable. */
function checkBreaking(earlier: string | undefined): void {
  if (earlier === undefined) {
    console.log("there is no earlier schema to compare with");
    return;
  }
  // buf reads a branch from a repository; a copy of its files does the same without needing a remote.
  const folder = mkdtempSync(join(tmpdir(), "wheelhouse-proto-"));
  try {
    const archive = execFileSync("git", ["archive", earlier, "proto", "buf.yaml"], {
      cwd: root,
      maxBuffer: 64 * 1024 * 1024,
    });
    execFileSync("tar", ["-x", "-C", folder], { input: archive });
    cpSync(join(root, "buf.yaml"), join(folder, "buf.yaml"));
    execFileSync(buf, ["breaking", "--against", folder], { cwd: root, stdio: "inherit" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
