import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { toolSets, toolsFolder, type ToolSet } from "./sets.ts";

/**
 * `npm run tools`: builds the programs that the suites on real clusters run, each once.
 *
 * Needs Go and its module proxy; about ten minutes on two cores the first time, nothing afterwards. Words
 * choose sets (`npm run tools -- helm kustomize`). A failing build prints Go's own output and ends with 1.
 */

const words = process.argv.slice(2);
const unknown = words.filter((word) => !toolSets.some(({ name }) => name === word));
if (unknown.length > 0) {
  console.error(`usage: npm run tools [-- ${toolSets.map(({ name }) => name).join(" ")}]`);
  process.exit(2);
}
const wanted = toolSets.filter(({ name }) => words.length === 0 || words.includes(name));
const missing = wanted.filter((set) => !isBuilt(set));
if (missing.length === 0) process.exit(0);
const goVersion = spawnSync("go", ["env", "GOVERSION"], { encoding: "utf8" });
if (goVersion.status !== 0) {
  console.error(
    `go is not on the PATH, so ${missing.map(({ name }) => name).join(", ")} cannot be built: install Go 1.26 or newer, or point KUBEBUILDER_ASSETS at a folder with the binaries`,
  );
  process.exit(1);
}

const startedAtMs = Date.now();
for (const [index, set] of missing.entries()) {
  console.log(
    `[${index + 1}/${missing.length}] building ${set.name} ${set.version}: ${set.tools.map(({ name }) => name).join(", ")} …`,
  );
  await build(set);
}
console.log(`tools are built, in ${seconds(startedAtMs)}`);

function isBuilt(set: ToolSet): boolean {
  return set.tools.every(({ name }) => existsSync(join(toolsFolder, set.folder, name)));
}

async function build(set: ToolSet): Promise<void> {
  checkVersion(set);
  const begunAtMs = Date.now();
  const folder = join(toolsFolder, set.folder);
  const version =
    set.versionVariable === undefined ? "" : ` -X ${set.versionVariable}=${set.version}`;
  mkdirSync(folder, { recursive: true });
  for (const tool of set.tools) {
    const file = join(folder, tool.name);
    if (existsSync(file)) continue;
    // Under another name until it is whole: a build cut short must not look like a finished one.
    const unfinished = `${file}.unfinished`;
    rmSync(unfinished, { force: true });
    const code = await go(
      [
        "build",
        "-trimpath",
        "-buildvcs=false",
        `-ldflags=-s -w${version}`,
        "-o",
        unfinished,
        tool.package,
      ],
      join(import.meta.dirname, set.name),
      tool.name,
    );
    if (code !== 0) {
      console.error(`go build of ${tool.package} failed with code ${code} (its output is above)`);
      process.exit(1);
    }
    renameSync(unfinished, file);
  }
  console.log(`      ${set.name} took ${seconds(begunAtMs)}`);
}

/** The folder is named after the version in `sets.ts`; a `go.mod` that says another would lie. */
function checkVersion({ name, module, version }: ToolSet): void {
  const text = readFileSync(join(import.meta.dirname, name, "go.mod"), "utf8");
  if (!text.includes(`${module} ${version}`)) {
    console.error(
      `test/tools/${name}/go.mod does not require ${module} ${version}: make them agree`,
    );
    process.exit(1);
  }
}

/** Says every half minute that it is still at it: a silent ten minutes looks like a hang. */
async function go(words: readonly string[], folder: string, what: string): Promise<number> {
  const begunAtMs = Date.now();
  const child = spawn("go", words, {
    cwd: folder,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOWORK: "off" },
  });
  const progress = setInterval(
    () => console.log(`      … ${what}, ${seconds(begunAtMs)} so far`),
    30_000,
  );
  const code = await new Promise<number>((resolve) => {
    child.on("error", () => resolve(127));
    child.on("exit", (status) => resolve(status ?? 1));
  });
  clearInterval(progress);
  return code;
}

function seconds(sinceMs: number): string {
  return `${Math.round((Date.now() - sinceMs) / 1000)} s`;
}
