import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { suite } from "node:test";
import { eventually } from "../eventually.ts";

const guardModule = new URL("guard.ts", import.meta.url).href;

suite("the guard of what a test started", () => {
  test("ends what is listed when the test is killed, and nobody whose number was taken off the list", async () => {
    const folder = mkdtempSync(join(tmpdir(), "wheelhouse-guard-"));
    const [listed, takenOff] = [sleeper(), sleeper()];
    try {
      const killed = spawn(process.execPath, [
        "--input-type=module",
        "--eval",
        `import { startGuard } from ${JSON.stringify(guardModule)};
        const guard = startGuard(${JSON.stringify(folder)});
        guard.add(${takenOff.pid});
        guard.add(${listed.pid});
        guard.remove(${takenOff.pid});
        process.kill(process.pid, "SIGKILL");`,
      ]);
      assert.deepEqual(await once(killed, "exit"), [null, "SIGKILL"]);
      // The folder goes last.
      await eventually(() => assert.ok(!existsSync(folder), "the folder is there"));
      await eventually(() => assert.equal(listed.signalCode, "SIGKILL"));
      assert.equal(takenOff.signalCode, null);
    } finally {
      for (const child of [listed, takenOff]) child.kill("SIGKILL");
    }
  });
});

/** Does nothing until it is ended. */
const sleeper = (): ChildProcess =>
  spawn(process.execPath, ["--eval", "setInterval(() => {}, 60_000)"], { stdio: "ignore" });
