import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { suite } from "node:test";
import { whyNoControlPlane } from "../support/control-plane/binaries.ts";
import { eventually } from "../support/eventually.ts";

const demo = join(import.meta.dirname, "../../scripts/demo.ts");

suite("npm run demo", () => {
  const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), "wheelhouse-demo-"));
    try {
      await work(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };

  test("once, as JSON: prints one line, exits 0, leaves nothing", () =>
    inFolder(async (folder) => {
      const run = start(folder, ["--once", "--json", "--clusters", "3", "--port", "0"]);
      assert.equal(await run.exited, 0, run.errors());
      const lines = run.output().trim().split("\n");
      assert.equal(lines.length, 1);
      const result = JSON.parse(lines[0] ?? "") as Readonly<Record<string, number>>;
      assert.equal(result["clusters"], 3);
      assert.equal(result["applications"], 11);
      assert.equal(result["synced"], 11);
      assert.equal(result["healthy"], 11);
      assert.ok((result["objects"] ?? 0) > 30);
      assert.ok((result["convergedMs"] ?? 0) > 0);
      assert.equal(existsSync(join(folder, ".demo")), false);
    }));

  test(
    "on real control planes: the same applications run there",
    { skip: whyNoControlPlane() ?? false },
    () =>
      inFolder(async (folder) => {
        const words = ["--real", "--once", "--json", "--clusters", "2", "--port", "0"];
        const run = start(folder, words);
        assert.equal(await run.exited, 0, run.errors());
        const result = JSON.parse(run.output()) as Readonly<Record<string, number>>;
        const { clusters, applications, synced, healthy } = result;
        assert.equal(clusters, 2);
        assert.ok((applications ?? 0) >= 6);
        assert.deepEqual([synced, healthy], [applications, applications]);
      }),
  );

  test("every command it suggests works, and Ctrl-C leaves no process and no file", () =>
    inFolder(async (folder) => {
      const run = start(folder, ["--clusters", "3", "--port", "0"]);
      await eventually(
        () => {
          assert.match(run.output(), /Ctrl-C stops everything/);
        },
        { withinMs: 60_000, what: `the invitation; so far: ${run.errors()}` },
      );
      const suggested = [
        ...run.output().matchAll(/^ {2}[a-z][a-zA-Z ,]* {2,}((?:\.demo\/wh|\(cd|curl).*)$/gm),
      ].map((match) => match[1] ?? "");
      assert.ok(suggested.length >= 8, `only ${suggested.length} commands are suggested`);
      for (const command of suggested) {
        // Watching goes on for ever by design; here it is enough that it starts and shows something.
        const line = command.replaceAll(" --watch", "");
        const shell = await runShell(folder, line);
        assert.equal(shell.code, 0, `${line}\n${shell.output}`);
        assert.notEqual(shell.output.trim(), "", line);
      }
      const second = start(folder, ["--once", "--json"]);
      assert.equal(await second.exited, 1);
      assert.match(second.errors(), /a demo runs in .* already/);
      const children = await descendants(run.pid);
      assert.ok(children.length >= 4, "a hub and three spokes should run");
      process.kill(run.pid, "SIGINT");
      assert.equal(await run.exited, 0, run.errors());
      await eventually(() => assert.deepEqual(children.filter(isAlive), []));
      assert.equal(existsSync(join(folder, ".demo")), false);
    }));

  test("killed without warning, it takes what it started with it", () =>
    inFolder(async (folder) => {
      const run = start(folder, ["--clusters", "1", "--port", "0"]);
      await eventually(
        () => {
          assert.match(run.output(), /Ctrl-C stops everything/);
        },
        { withinMs: 60_000, what: "the invitation" },
      );
      const children = await descendants(run.pid);
      assert.ok(children.length >= 2);
      process.kill(run.pid, "SIGKILL");
      await run.exited;
      await eventually(() => assert.deepEqual(children.filter(isAlive), []), { withinMs: 15_000 });
    }));

  test("wrong options are all named", () =>
    inFolder(async (folder) => {
      const run = start(folder, ["--clusters", "none", "--colour"]);
      assert.equal(await run.exited, 2);
      assert.match(run.errors(), /--clusters must be a whole number/);
      assert.match(run.errors(), /there is no option "--colour"/);
    }));
});

function start(folder: string, words: readonly string[]) {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", demo, ...words], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const exited = new Promise<number>((resolve) => {
    child.on("close", (code) => resolve(code ?? 128));
  });
  return { pid: child.pid ?? 0, exited, output: () => output, errors: () => errors };
}

async function runShell(
  folder: string,
  line: string,
): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn("sh", ["-c", line], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number>((resolve) => {
    child.on("close", (status) => resolve(status ?? 128));
  });
  return { code, output };
}

/** Ids of the processes below one, by the parent each names. */
async function descendants(pid: number): Promise<readonly number[]> {
  const { output } = await runShell("/", "ps -A -o pid=,ppid=");
  const parents = output
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): readonly number[] =>
    parents.filter(([, of]) => of === parent).flatMap(([child = 0]) => [child, ...below(child)]);
  return below(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
