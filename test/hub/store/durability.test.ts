import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sql } from "kysely";
import { openDatabase } from "../../../hub/store/database.ts";
import { openStore, type Store } from "../../../hub/store/store.ts";
import { allPages, app, clusterName, signal } from "../../contract/store/builders.ts";
import { chanceOfRun, wholeFrom } from "../../support/kill/seed.ts";

const writer = fileURLToPath(new URL("durability-writer.ts", import.meta.url));
const kills = 20;
const { random } = chanceOfRun("durability");

/** Runs the writer until it acknowledged some rows and a moment longer, kills it, and returns what it said. */
async function writeUntilKilled(folder: string, from: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [writer, folder, String(from)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once("close", (_, killedBy) => resolve(killedBy)),
  );
  const said: string[] = [];
  const [least, laterMs] = [wholeFrom(random, 1, 40), random() * 8];
  const reading = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(line);
      // Not at the acknowledgement itself but somewhere in the next writes.
      if (said.length === least) void pause(laterMs).then(() => child.kill("SIGKILL"));
    }
  })();
  await reading;
  assert.equal(await ended, "SIGKILL", "the writer ended by itself");
  return said;
}

test(`what was acknowledged is there after ${kills} kills at any moment`, async () => {
  const folder = await mkdtemp(join(tmpdir(), "wheelhouse-durable-"));
  try {
    const ledger: string[] = [];
    let from = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      const said = await writeUntilKilled(folder, from);
      ledger.push(...said);
      // The writer may have got one further than it could say.
      from = Number(said.at(-1)?.split(" ").at(-1) ?? from) + 2;
    }
    const store = await openStore({ folder, checkIntegrity: true });
    try {
      await checkLedger(store, ledger);
    } finally {
      store.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

async function checkLedger(store: Store, ledger: readonly string[]): Promise<void> {
  assert.ok(ledger.length > kills);
  for (const line of ledger) {
    const [what, at = ""] = line.split(" ");
    const cluster = await store.clusters.find(clusterName(`c${at}`), signal);
    assert.ok(cluster !== undefined, `${line}: the cluster is gone`);
    if (what === "cluster") continue;
    const application = await store.applications.find(app(`web-${at}`), signal);
    assert.equal(application?.cluster, `c${at}`, line);
    assert.equal(cluster.desiredVersion, 1, line);
    if (what === "report") assert.equal(application?.status.syncStatus, "Synced", line);
  }
  // Nothing is half there either: each cluster has its event and is counted, once.
  const clusters = await allPages((page) => store.clusters.list({}, page, signal), 500);
  const added = (await store.events.since(0, 100_000, signal)).filter(
    ({ kind }) => kind === "cluster-added",
  );
  assert.deepEqual(
    added.map(({ subject }) => subject).toSorted(),
    clusters.map(({ name }) => name).toSorted(),
  );
  const [whole] = await store.fleet.summary(undefined, signal);
  assert.equal(whole?.clusters.total, clusters.length);
}

test("a commit waits for the disk, which no kill can show", async () => {
  const folder = await mkdtemp(join(tmpdir(), "wheelhouse-pragmas-"));
  const database = await openDatabase({ folder });
  try {
    const asked = async (pragma: string) =>
      Object.values(
        (await sql<object>`${sql.raw(`pragma ${pragma}`)}`.execute(database.db)).rows[0] ?? {},
      )[0];
    const full = 2;
    assert.deepEqual(
      [await asked("synchronous"), await asked("journal_mode"), await asked("foreign_keys")],
      [full, "wal", 1],
    );
  } finally {
    database.close();
    await rm(folder, { recursive: true, force: true });
  }
});
