import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestSummary } from "./test-reporter.ts";

/**
 * `npm test`: all suites, or those below the folders and files named, and one closing line that counts them.
 *
 * Quick suites share one process; suites that start processes and clusters run after them, a process each, two
 * at a time: they wait more than they compute, and a crash costs one file. A skip says why. In CI a skip is
 * a failure: whatever the machine lacks there must be installed, not passed over.
 */

const root = join(import.meta.dirname, "..");
const slowFolder = "test/e2e/";
/** Suites against real programs outside that folder: the file's name says so. */
const slowName = /(^|\/)real-[^/]+$/;

const words = process.argv.slice(2);
const updateGolden = words.includes("--update-golden");
const chosen = words.filter((word) => !word.startsWith("--"));

const files = globSync("test/**/*.test.ts", { cwd: root })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => chosen.length === 0 || chosen.some((part) => file.startsWith(testPath(part))))
  .toSorted();
const isSlow = (file: string): boolean => slowName.test(file) || file.startsWith(slowFolder);

if (files.length === 0) {
  console.error(`no test files match ${chosen.join(", ")}`);
  process.exit(2);
}

if (files.some(isSlow)) await buildTools();

const summaries: TestSummary[] = [];
const quick = files.filter((file) => !isSlow(file));
if (quick.length > 0) summaries.push(await runFiles(quick, "none"));
const slow = files.filter(isSlow);
const takeTurns = async (): Promise<void> => {
  for (let file = slow.shift(); file !== undefined; file = slow.shift())
    summaries.push(await runFiles([file], "process"));
};
await Promise.all([takeTurns(), takeTurns()]);

const passed = total((summary) => summary.passed);
const failed = total((summary) => summary.failed);
const skips = summaries.flatMap((summary) => summary.skips);
if (skips.length > 0) {
  console.log("\nSkipped:");
  for (const skip of skips) console.log(`  ${skip.name}: ${skip.reason}`);
}
for (const failure of summaries.flatMap((summary) => summary.failures))
  console.log(`failed: ${failure}`);
console.log(`\n${passed} passed, ${failed} failed, ${skips.length} skipped`);
const skipsAreFailures = process.env["CI"] === "true" && skips.length > 0;
if (skipsAreFailures) console.error("a skipped test is a failure in CI");
process.exit(failed > 0 || skipsAreFailures ? 1 : 0);

/**
 * What the suites on real clusters run, when Go can build it and the user has not brought it. Without Go, or with
 * WHEELHOUSE_TOOLS=none, those suites are skipped and say how to enable them. A build that fails ends the run.
 */
async function buildTools(): Promise<void> {
  const isWanted = process.env["WHEELHOUSE_TOOLS"] !== "none";
  const hasGo = spawnSync("go", ["version"], { stdio: "ignore" }).status === 0;
  if (!isWanted || !hasGo || process.env["KUBEBUILDER_ASSETS"] !== undefined) return;
  const code = await ended(
    spawn(process.execPath, [join(root, "test/tools/build.ts")], {
      stdio: ["ignore", "inherit", "inherit"],
    }),
  );
  if (code === 0) return;
  console.error(
    "the tools of the real clusters could not be built; WHEELHOUSE_TOOLS=none skips them",
  );
  process.exit(1);
}

/** The exit code; 1 for a process that a signal ended. */
function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    // Its end and that of its output.
    child.on("close", (status, signal) => resolve(signal === null ? (status ?? 1) : 1));
  });
}

/** `hub/domain`, `test/hub/domain` and a file's own path all name the same tests. */
function testPath(part: string): string {
  const path = part.replace(/^\.\//, "");
  return path.startsWith("test/") || path === "test" ? path : `test/${path}`;
}

function total(count: (summary: TestSummary) => number): number {
  return summaries.reduce((sum, summary) => sum + count(summary), 0);
}

async function runFiles(
  some: readonly string[],
  isolation: "none" | "process",
): Promise<TestSummary> {
  const folder = mkdtempSync(join(tmpdir(), "wheelhouse-test-"));
  const summaryFile = join(folder, "summary.json");
  const child = spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      "--test",
      `--test-isolation=${isolation}`,
      "--test-force-exit",
      `--test-reporter=${join(root, "scripts/test-reporter.ts")}`,
      ...some,
    ],
    {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        WHEELHOUSE_TEST_SUMMARY: summaryFile,
        ...(updateGolden ? { UPDATE_GOLDEN: "1" } : {}),
      },
    },
  );
  // Two run at a time: each says what it has to say in one piece.
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      if (isolation === "none") process.stdout.write(chunk);
      else said += chunk.toString();
    });
  const startedAtMs = performance.now();
  const code = await ended(child);
  if (isolation === "process")
    process.stdout.write(
      `${said.trimEnd() || some.join()} (${Math.round((performance.now() - startedAtMs) / 1_000)} s)\n`,
    );
  const summary = readSummary(summaryFile, some, code);
  rmSync(folder, { recursive: true, force: true });
  return summary;
}

/** A run that died without a summary, or failed without saying what, still counts as a failure. */
function readSummary(file: string, some: readonly string[], code: number): TestSummary {
  let summary: TestSummary | undefined;
  try {
    summary = JSON.parse(readFileSync(file, "utf8")) as TestSummary;
  } catch {
    summary = undefined;
  }
  if (summary === undefined || (code !== 0 && summary.failed === 0)) {
    const name = some.length === 1 ? (some[0] ?? "") : `${some.length} files in one process`;
    return {
      passed: summary?.passed ?? 0,
      failed: (summary?.failed ?? 0) + 1,
      skips: summary?.skips ?? [],
      failures: [...(summary?.failures ?? []), `${name}: the test process ended with code ${code}`],
    };
  }
  return summary;
}
