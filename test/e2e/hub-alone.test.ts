import assert from "node:assert/strict";
import { createServer } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { suite } from "node:test";
import { frontDoor, startProcess } from "../support/processes.ts";

suite("a hub that cannot start", () => {
  const runHub = async (words: readonly string[]) => {
    const folder = mkdtempSync(join(tmpdir(), "wheelhouse-hub-"));
    const hub = startProcess(
      frontDoor,
      ["hub", "--data-folder", join(folder, "data"), ...words],
      join(folder, "hub.log"),
    );
    const code = await hub.exited;
    const log = hub.log();
    rmSync(folder, { recursive: true, force: true });
    return { code, log };
  };

  test("says so and ends when a port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const address = other.address();
    assert.ok(typeof address === "object" && address !== null);
    try {
      const { code, log } = await runHub([
        "--fleet-repository=http://127.0.0.1:1/fleet.git",
        "--link-listen=127.0.0.1:0",
        `--http-listen=127.0.0.1:${address.port}`,
      ]);
      assert.equal(code, 1);
      assert.match(log, /EADDRINUSE/);
    } finally {
      other.close();
    }
  });

  test("names every bad setting, repeats no password, and ends with 78", async () => {
    const { code, log } = await runHub([
      "--fleet-repository=http://u:canary@git.example/fleet.git",
      "--poll-ms=soon",
    ]);
    assert.equal(code, 78);
    assert.match(log, /fleet-repository must not hold a user or password/);
    assert.match(log, /poll-ms must be a whole number/);
    assert.ok(!log.includes("canary"));
  });
});
