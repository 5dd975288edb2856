import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, suite } from "node:test";
import Sqlite from "better-sqlite3";
import {
  compareVersions,
  databaseFile,
  openDatabase,
  prepared,
} from "../../../hub/store/database.ts";
import { migrations } from "../../../hub/store/migrations/all.ts";
import { openStore } from "../../../hub/store/store.ts";
import { Trouble, describeError } from "../../../proto/kit/trouble.ts";
import {
  addCluster,
  allPages,
  atMs,
  clusterName,
  configMap,
  deployment,
  digest,
  publish,
  putBundle,
  report,
  setRecord,
  signal,
  write,
} from "../../contract/store/builders.ts";

const base = await mkdtemp(join(tmpdir(), "wheelhouse-database-"));
after(() => rm(base, { recursive: true, force: true }));

let folders = 0;
const newFolder = (): string => {
  folders += 1;
  return join(base, String(folders), "store");
};

suite("openDatabase", () => {
  test("makes the folder for its owner alone", async () => {
    const folder = newFolder();
    (await openDatabase({ folder })).close();
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
  });

  test("runs every migration once, in order", async () => {
    const folder = newFolder();
    for (let opening = 0; opening < 2; opening += 1) (await openDatabase({ folder })).close();
    const sqlite = new Sqlite(join(folder, databaseFile), { readonly: true });
    const done = sqlite.prepare("select name from kysely_migration order by name").pluck().all();
    sqlite.close();
    assert.deepEqual(done, Object.keys(migrations).toSorted());
  });

  test("keeps what was written when it is opened again", async () => {
    const folder = newFolder();
    const before = await openStore({ folder });
    const id = await before.hub.id(signal);
    await addCluster(before, "a", { env: "dev" });
    before.close();
    const again = await openStore({ folder, checkIntegrity: true });
    assert.equal(await again.hub.id(signal), id);
    assert.deepEqual((await again.clusters.find(clusterName("a"), signal))?.labels, { env: "dev" });
    again.close();
  });

  test("a set of before conditions were kept has none", async () => {
    const folder = newFolder();
    const before = await openStore({ folder });
    await publish(before, [], { set: setRecord("web") });
    before.close();
    const sqlite = new Sqlite(join(folder, databaseFile));
    sqlite.exec("update application_sets set conditions = null");
    sqlite.close();
    const again = await openStore({ folder });
    assert.deepEqual((await again.applicationSets.find("web", signal))?.conditions, []);
    again.close();
  });

  test("refuses a database that a newer version wrote, and leaves it alone", async () => {
    const folder = newFolder();
    (await openDatabase({ folder })).close();
    const sqlite = new Sqlite(join(folder, databaseFile));
    sqlite.exec("insert into kysely_migration (name, timestamp) values ('9999-later', 'x')");
    sqlite.close();
    await assert.rejects(openDatabase({ folder }), {
      name: "StoreUnusable",
      message: /written by a newer version \(9999-later is unknown here\)/,
    });
  });

  test("refuses a file that is no database", async () => {
    const folder = newFolder();
    (await openDatabase({ folder })).close();
    await rm(join(folder, databaseFile));
    await writeFile(join(folder, databaseFile), "not a database at all".repeat(300));
    await assert.rejects(openDatabase({ folder }), {
      name: "StoreUnusable",
      message: /is damaged \(.*not a database.*restore a backup/,
    });
  });

  test("of which a search table is damaged is said to be so, though SQLite has no code for it", async () => {
    const folder = newFolder();
    const store = await openStore({ folder });
    store.close();
    const sqlite = new Sqlite(join(folder, databaseFile));
    sqlite.unsafeMode(true);
    sqlite.exec("update application_search_config set v = 0 where k = 'version'");
    sqlite.close();
    await assert.rejects(openStore({ folder }), {
      name: "StoreUnusable",
      message: /is damaged \(.*invalid fts5 file format.*restore a backup/,
    });
  });

  test("is in trouble, with the reason, when the folder cannot be made", async () => {
    const folder = newFolder();
    await rm(join(folder, ".."), { recursive: true, force: true });
    await writeFile(join(base, "file"), "");
    await assert.rejects(openDatabase({ folder: join(base, "file", "store") }), (error) => {
      assert.ok(error instanceof Trouble);
      assert.match(describeError(error), /^the store could not be opened: E\w+/);
      return true;
    });
  });

  test("finds damage when it is asked to look", async () => {
    const folder = newFolder();
    const store = await openStore({ folder });
    for (let at = 0; at < 40; at += 1) await addCluster(store, `c${at}`, { env: "dev" });
    store.close();
    const sqlite = new Sqlite(join(folder, databaseFile));
    sqlite.unsafeMode(true);
    sqlite.pragma("writable_schema = ON");
    // An index that lacks a row the table has: what a torn page leaves behind.
    sqlite.exec(
      "update sqlite_schema set rootpage = (select rootpage from sqlite_schema where name = 'events_at') where name = 'clusters_connection'",
    );
    sqlite.close();
    await assert.rejects(openDatabase({ folder, checkIntegrity: true }), {
      name: "StoreUnusable",
      message: /damaged/,
    });
  });

  test("is not ready once it is closed", async () => {
    const store = await openStore({ folder: newFolder() });
    store.close();
    await assert.rejects(store.checkReady(signal), { name: "StoreUnavailable" });
  });
});

suite("transactions", () => {
  test("leave nothing behind when their work fails, and let the next one in", async () => {
    const database = await openDatabase({ folder: newFolder() });
    let heard = 0;
    database.onAppend(() => {
      heard += 1;
    });
    const insert = database.write(async ({ db, append }) => {
      await db.insertInto("hub_settings").values({ name: "x", value: "1" }).execute();
      append({ kind: "set-changed", subject: "x", cluster: "", message: "" }, atMs);
      throw new RangeError("changed my mind");
    }, signal);
    const next = database.read((db) => db.selectFrom("hub_settings").selectAll().execute(), signal);
    await assert.rejects(insert, RangeError);
    assert.deepEqual(await next, []);
    assert.equal(heard, 0);
    database.close();
  });

  test("see one moment, however many wait for their turn", async () => {
    const database = await openDatabase({ folder: newFolder() });
    const add = (name: string) =>
      database.write(async ({ db, breathe }) => {
        await db.insertInto("hub_settings").values({ name, value: "1" }).execute();
        await breathe();
        await db
          .insertInto("hub_settings")
          .values({ name: `${name}'`, value: "1" })
          .execute();
      }, signal);
    const count = () =>
      database.read(async (db) => {
        const names = () => db.selectFrom("hub_settings").select("name").execute();
        return [(await names()).length, (await names()).length];
      }, signal);
    const counts = await Promise.all([add("a"), count(), add("b"), count()]);
    assert.deepEqual(counts, [undefined, [2, 2], undefined, [4, 4]]);
    database.close();
  });
});

suite("prepared", () => {
  test("puts values in their places at every run", async () => {
    const { db, close } = await openDatabase({ folder: newFolder() });
    const insert = prepared<{ name: string; value: string }, unknown>((parameter) =>
      db.insertInto("hub_settings").values({ name: parameter("name"), value: parameter("value") }),
    );
    const find = prepared<{ value: string }, { name: string }>((parameter) =>
      db
        .selectFrom("hub_settings")
        .select("name")
        .where("value", "=", parameter("value"))
        .where("name", "<>", "never")
        .orderBy("name"),
    );
    await insert(db, { name: "a", value: "1" });
    await insert(db, { name: "b", value: "1" });
    await insert(db, { value: "2", name: "c" });
    assert.deepEqual(await find(db, { value: "1" }), [{ name: "a" }, { name: "b" }]);
    assert.deepEqual(await find(db, { value: "2" }), [{ name: "c" }]);
    close();
  });
});

suite("compareVersions", () => {
  const rows = [
    { left: "3.51.3", right: "3.51.3", expect: 0 },
    { left: "3.51.2", right: "3.51.3", expect: -1 },
    { left: "3.54.1", right: "3.51.3", expect: 1 },
    { left: "3.9.0", right: "3.51.3", expect: -1 },
    { left: "4.0", right: "3.51.3", expect: 1 },
  ];
  for (const { left, right, expect } of rows)
    test(`${left} and ${right}`, () =>
      assert.equal(Math.sign(compareVersions(left, right)), expect));
});

test("a fleet of 100 clusters with 20 applications of 5 objects each is recorded and listed", async () => {
  const store = await openStore({ folder: newFolder() });
  const bundle = await putBundle(store, { one: 1 });
  const clusters = [];
  for (let at = 0; at < 100; at += 1)
    clusters.push(await addCluster(store, `c${at}`, { env: at < 50 ? "dev" : "prod" }));
  const names = Array.from({ length: 20 }, (_, at) => `app-${at}`);
  await publish(
    store,
    clusters.flatMap((cluster, at) =>
      names.map((name) => write(`${name}-c${at}`, cluster, bundle)),
    ),
  );
  await store.reports.record(
    clusters.map((cluster, at) => ({
      cluster,
      applications: names.map((name) =>
        report(`${name}-c${at}`, {
          resources: [
            ...["a", "b", "c", "d"].map((key) => configMap(key)),
            deployment("web", [at % 10 === 0 ? "nginx:2" : "nginx:1"]),
          ],
        }),
      ),
      gone: [],
    })),
    atMs,
    signal,
  );
  const listed = await allPages(
    (page) => store.applications.list({}, { by: "health", descending: true }, page, signal),
    300,
  );
  assert.equal(new Set(listed.map(({ name }) => name)).size, 2_000);
  const everything = await allPages((page) => store.fleet.resources({}, page, signal), 1_000);
  assert.equal(everything.length, 10_000);
  const running = await allPages(
    (page) => store.fleet.resources({ image: "nginx:2" }, page, signal),
    50,
  );
  assert.equal(new Set(running.map(({ cluster }) => cluster)).size, 10);
  assert.equal(running.length, 200);
  const groups = await store.fleet.summary("env", signal);
  assert.deepEqual(
    groups.map(({ value, applications }) => [value, applications.sync.Synced]),
    [
      ["dev", 1_000],
      ["prod", 1_000],
    ],
  );
  assert.equal(
    await store.desiredSets.changeSince(clusters[0] ?? assert.fail(), 2, signal),
    undefined,
  );
  assert.equal(await store.blobs.read(digest("nothing"), signal), undefined);
  store.close();
});
