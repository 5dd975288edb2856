import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import Sqlite from "better-sqlite3";
import {
  applicationSorts,
  type ApplicationFilter,
  type ApplicationSort,
} from "../../../hub/domain/queries.ts";
import type { ApplicationRecord } from "../../../hub/domain/records.ts";
import { databaseFile } from "../../../hub/store/database.ts";
import { openStore, type Store } from "../../../hub/store/store.ts";
import {
  addCluster,
  allPages,
  app,
  atMs,
  bundleOf,
  clusterId,
  clusterName,
  configMap,
  deployment,
  hour,
  openSession,
  publish,
  putBundle,
  record,
  remove,
  report,
  setOrigin,
  setRecord,
  signal,
  tombstone,
  write,
} from "../../contract/store/builders.ts";

/*
 * The plans SQLite makes for what the store really asks: no statement may read through a big table.
 *
 * The fleet is just larger than what the lists look up row by row, so that both their ways are taken: few rows
 * looked up and sorted, many rows walked in order.
 */

const folder = await mkdtemp(join(tmpdir(), "wheelhouse-plans-"));
after(() => rm(folder, { recursive: true, force: true }));

const applications = 2_100;

type Statement = { readonly text: string; readonly parameters: readonly unknown[] };

const statements: Statement[] = [];
const store = await openStore({
  folder,
  onStatement: (text, parameters) => statements.push({ text, parameters }),
});
after(() => store.close());
await fill(store);
const plans = new Sqlite(join(folder, databaseFile), { readonly: true });
after(() => plans.close());

async function fill(store: Store): Promise<void> {
  const bundle = await putBundle(store, { one: 1 });
  const [dev, prod] = [
    await addCluster(store, "dev", { env: "dev" }),
    await addCluster(store, "prod", { env: "prod" }),
  ];
  const names = Array.from(
    { length: applications },
    (_, at) => `web-${String(at).padStart(4, "0")}`,
  );
  await publish(
    store,
    names.map((name, at) =>
      write(name, at % 100 === 0 ? dev : prod, bundle, {
        draft: { labels: { tier: at % 100 === 0 ? "rare" : "common" } },
      }),
    ),
    { set: setRecord("web") },
  );
  await record(
    store,
    prod,
    names.map((name) => report(name, { resources: [deployment(name, ["nginx:1", "envoy:2"])] })),
  );
}

/** The statements `work` makes, each with what SQLite would do for it. */
async function plansOf(
  work: () => Promise<unknown>,
): Promise<readonly { readonly text: string; readonly plan: readonly string[] }[]> {
  statements.length = 0;
  await work();
  return statements
    .filter(({ text }) => /^\s*(?:select|insert|update|delete|with)\b/i.test(text))
    .map(({ text, parameters }) => ({
      text,
      plan: plans
        .prepare(`explain query plan ${text}`)
        .all(...parameters)
        .map((step) =>
          typeof step === "object" && step !== null && "detail" in step ? String(step.detail) : "",
        ),
    }));
}

/** Reading through a table or a whole index. What was found by a probe, and constants, are small by themselves. */
const isScan = (step: string): boolean =>
  step.startsWith("SCAN ") &&
  !/^SCAN (?:p|some|hop|CONSTANT ROW|\(subquery-\d+\)|\d+-ROW)(?: |$)/.test(step);

async function assertNoScan(title: string, work: () => Promise<unknown>): Promise<void> {
  const made = await plansOf(work);
  assert.ok(made.length > 0, `${title}: no statement was seen`);
  for (const { text, plan } of made) {
    // A search table is always "scanned", by its own index: there is nothing else it could do.
    const scans = plan.filter(isScan).filter((step) => !step.includes("VIRTUAL TABLE INDEX"));
    assert.deepEqual(scans, [], `${title}: ${text}`);
    const sorts = plan.some((step) => step.includes("TEMP B-TREE FOR ORDER BY"));
    const walks =
      /from (?:applications as a|resources as r)\b/.test(text) && text.includes("limit");
    if (walks && sorts) assert.match(text, /cross join (?:applications as a|resources as r)/, text);
  }
}

const first = { limit: 50, after: undefined };

test("a page of applications is a range of an index, for every filter in every order", async () => {
  const filters = [
    {},
    { cluster: "prod" },
    { cluster: "dev" },
    { set: "web" },
    { project: "default" },
    { project: "nobody's" },
    { revision: "c1" },
    { syncStatus: ["Synced"] },
    { syncStatus: ["Unknown", "OutOfSync"] },
    { health: ["Healthy"] },
    { health: ["Degraded", "Missing"] },
    { troubled: true },
    { text: "web" },
    { text: "0042" },
    { text: "w" },
    { selector: [{ key: "tier", operator: "In", values: ["rare"] }] },
    { selector: [{ key: "tier", operator: "In", values: ["common"] }] },
    { selector: [{ key: "tier", operator: "NotIn", values: ["common"] }] },
    { selector: [{ key: "tier", operator: "Gt", values: ["3"] }] },
    { clusterSelector: [{ key: "env", operator: "In", values: ["prod"] }] },
    { clusterSelector: [{ key: "env", operator: "In", values: ["dev"] }] },
    { cluster: "prod", health: ["Healthy"], project: "default" },
    { cluster: "dev", text: "web" },
  ] as const;
  for (const filter of filters) {
    for (const by of applicationSorts) {
      for (const descending of [false, true]) {
        const title = `${JSON.stringify(filter)} by ${by}`;
        await assertNoScan(title, async () => {
          const sort = { by, descending };
          const page = await store.applications.list(filter, sort, first, signal);
          if (page.next !== undefined)
            await store.applications.list(filter, sort, { limit: 50, after: page.next }, signal);
        });
      }
    }
  }
});

test("labels are compared as numbers in an index of those that are numbers", async () => {
  const sort = { by: "name", descending: false } as const;
  for (const [operator, sign] of [
    ["Gt", ">"],
    ["Lt", "<"],
  ] as const) {
    const selector = [{ key: "tier", operator, values: ["3"] }];
    const steps = async (work: () => Promise<unknown>): Promise<string> =>
      (await plansOf(work)).flatMap(({ plan }) => plan).join("; ");
    assert.match(
      await steps(() => store.applications.list({ selector }, sort, first, signal)),
      new RegExp(`INDEX application_labels_number \\(label=\\? AND number${sign}\\?\\)`),
    );
    assert.match(
      await steps(() => store.clusters.list({ selector }, first, signal)),
      new RegExp(`INDEX cluster_labels_number \\(label=\\? AND number${sign}\\?\\)`),
    );
  }
});

test("a walk along what is filtered by keeps to its range", async () => {
  const rows = [
    {
      filter: { health: ["Healthy"] },
      by: "health",
      index: "applications_health",
      column: "health_rank",
    },
    {
      filter: { cluster: "prod" },
      by: "cluster",
      index: "applications_cluster",
      column: "cluster_name",
    },
  ] as const;
  for (const { filter, by, index, column } of rows) {
    for (const descending of [false, true]) {
      const made = await plansOf(() =>
        store.applications.list(filter, { by, descending }, first, signal),
      );
      const range = descending
        ? `${column}>? AND (${column},name)<(?,?)`
        : `(${column},name)>(?,?) AND ${column}<?`;
      assert.equal(made.at(-1)?.plan[0], `SEARCH a USING INDEX ${index} (${range})`);
    }
  }
});

test("looked up or walked, a list gives the same answer", async () => {
  const list = (filter: ApplicationFilter, by: ApplicationSort, descending: boolean) =>
    allPages((page) => store.applications.list(filter, { by, descending }, page, signal), 700);
  const everything = await list({}, "name", false);
  const rows: readonly {
    readonly filter: ApplicationFilter;
    readonly meets: (application: ApplicationRecord) => boolean;
  }[] = [
    { filter: {}, meets: () => true },
    { filter: { cluster: "prod" }, meets: ({ cluster }) => cluster === "prod" },
    { filter: { cluster: "dev" }, meets: ({ cluster }) => cluster === "dev" },
    { filter: { syncStatus: ["Synced"] }, meets: ({ status }) => status.syncStatus === "Synced" },
    {
      filter: { syncStatus: ["Synced", "Unknown"], project: "default" },
      meets: () => true,
    },
    {
      filter: { health: ["Healthy", "Missing"] },
      meets: ({ status }) => status.health.state === "Healthy",
    },
    { filter: { health: ["Unknown"] }, meets: ({ status }) => status.health.state === "Unknown" },
    { filter: { text: "Web-" }, meets: () => true },
    { filter: { text: "-20" }, meets: ({ name }) => name.includes("-20") },
    { filter: { text: "7" }, meets: ({ name }) => name.includes("7") },
    {
      filter: { selector: [{ key: "tier", operator: "In", values: ["common"] }], set: "web" },
      meets: ({ labels }) => labels["tier"] === "common",
    },
    {
      filter: { clusterSelector: [{ key: "env", operator: "NotIn", values: ["dev"] }] },
      meets: ({ cluster }) => cluster === "prod",
    },
  ];
  for (const { filter, meets } of rows) {
    const expected = everything.filter(meets).map(({ name }) => name);
    for (const by of applicationSorts) {
      for (const descending of [false, true]) {
        const found = (await list(filter, by, descending)).map(({ name }) => name);
        const label = `${JSON.stringify(filter)} by ${by}`;
        assert.deepEqual(found.toSorted(), expected, label);
        if (by === "name")
          assert.deepEqual(descending ? found.toReversed() : found, expected, label);
      }
    }
  }
});

test("a page of resources is a range of an index, for every filter", async () => {
  const filters = [
    {},
    { kind: "Deployment" },
    { kind: "ConfigMap" },
    { group: "apps" },
    { name: "web-0042" },
    { namespace: "web" },
    { cluster: "dev" },
    { cluster: "prod" },
    { application: "web-0042" },
    { health: ["Healthy"] },
    { health: ["Degraded"] },
    { image: "nginx:1" },
    { image: "nginx:*" },
    { image: "redis:*" },
    { image: "*", kind: "Deployment", cluster: "prod" },
  ] as const;
  for (const filter of filters)
    await assertNoScan(JSON.stringify(filter), () => store.fleet.resources(filter, first, signal));
});

test("a page of clusters and of sets is a range of an index", async () => {
  const exists = [{ key: "env", operator: "Exists", values: [] }] as const;
  for (const filter of [
    {},
    { selector: exists },
    { connection: "attached" },
    { text: "rod" },
  ] as const)
    await assertNoScan(JSON.stringify(filter), () => store.clusters.list(filter, first, signal));
  for (const filter of [{}, { project: "default" }, { troubled: true }, { text: "web" }])
    await assertNoScan(JSON.stringify(filter), () =>
      store.applicationSets.list(filter, first, signal),
    );
});

test("a summary reads kept counts", async () => {
  for (const groupBy of [undefined, "env", "nothing"]) {
    await assertNoScan(`by ${groupBy ?? "nothing"}`, () => store.fleet.summary(groupBy, signal));
    assert.ok(!statements.some(({ text }) => /applications"? (?:as|where)/.test(text)));
  }
});

test("nothing a session, a report or a publication asks reads through a table", async () => {
  const cluster = clusterId("dev");
  const next = bundleOf({ one: 2 });
  const asked: Readonly<Record<string, () => Promise<unknown>>> = {
    "session opened": () => openSession(store, cluster),
    "session closed": () => store.sessions.close(cluster, "s1", atMs, signal),
    "sessions closed": () => store.sessions.closeAll(atMs, signal),
    "current set": () => store.desiredSets.current(cluster, signal),
    "change since": () => store.desiredSets.changeSince(cluster, 0, signal),
    "change against": () => store.desiredSets.changeAgainst(cluster, new Map(), signal),
    "lacking blobs": () =>
      store.desiredSets.lackingBlobs(
        cluster,
        [app("web-0000")],
        { blobBytesMost: 9_000, totalBytesMost: 9_000 },
        signal,
      ),
    "blob read": () => store.blobs.readFor(cluster, next.digest, signal),
    "bundle put": () => putBundle(store, { one: 2 }),
    stored: () => store.desiredSets.recordStored(cluster, 1, next.digest, atMs, signal),
    report: () =>
      record(store, cluster, [report("web-0000", { resources: [configMap("one")] })], ["web-0100"]),
    "status root": () => store.reports.statusRoot(cluster, signal),
    "entry changed": () =>
      publish(store, [write("web-0000", cluster, next.digest, { entry: { generation: 2 } })]),
    "application moved": () =>
      publish(store, [
        write("web-0000", clusterId("prod"), next.digest, {
          leaves: tombstone("web-0000", cluster),
        }),
      ]),
    "application removed": () => publish(store, [remove("web-0100", cluster)]),
    removed: () => store.desiredSets.recordRemoved(cluster, app("web-0000"), 9, atMs, signal),
    "tombstones forgotten": () => store.desiredSets.forgetTombstones(atMs + hour, signal),
    published: () => store.publishing.published(setOrigin("nobody"), signal),
    owners: () => store.publishing.owners([app("web-0042")], signal),
    "published by name": () => store.publishing.named([app("web-0042")], signal),
    "application found": () => store.applications.find(app("web-0042"), signal),
    "its resources": () => store.applications.resources(app("web-0042"), signal),
    "cluster found": () => store.clusters.find(clusterName("dev"), signal),
    "cluster relabelled": () =>
      store.clusters.setMetadata(clusterName("dev"), { labels: { env: "x" } }, atMs, signal),
    "token checked": () => store.tokens.findBySecret(next.digest, atMs, signal),
    "certificate checked": () => store.identities.standing(cluster, "01", signal),
    "certificate presented": () => store.identities.present(cluster, "01", atMs, signal),
    "cluster locked": () => store.identities.lock(clusterName("dev"), "a test", atMs, signal),
    "cluster unlocked": () => store.identities.unlock(clusterName("dev"), "ann", atMs, signal),
    "cluster cut off": () => store.identities.cutOff(clusterName("dev"), "ann", atMs, signal),
    "enrollments forgotten": () => store.enrollments.forget(atMs, signal),
    "commands waiting": () => store.commands.waiting(cluster, atMs, signal),
    "commands forgotten": () => store.commands.forget(atMs, signal),
    "events read": () => store.events.since(0, 10, signal),
    "events forgotten": () => store.events.forget(atMs - hour, signal),
    "newest event": () => store.events.latest(signal),
    "blobs forgotten": () => store.blobs.forgetUnused(atMs + hour, signal),
    "cluster removed": () => store.clusters.remove(clusterName("dev"), "ann", atMs, signal),
  };
  for (const [title, work] of Object.entries(asked)) await assertNoScan(title, work);
});

test("the origins are found by hopping, not by reading every application", async () => {
  const made = await plansOf(() => store.publishing.origins(signal));
  const steps = made.flatMap(({ plan }) => plan);
  assert.ok(
    steps.some((step) => step.startsWith("SEARCH a USING COVERING INDEX applications_origin")),
  );
  assert.deepEqual(
    steps.filter((step) => /^SCAN (?:a|applications)\b/.test(step)),
    [],
  );
});

test("the check would notice a scan", async () => {
  const plan = plans
    .prepare("explain query plan select * from resources where message = 'x'")
    .all()
    .map((step) =>
      typeof step === "object" && step !== null && "detail" in step ? step.detail : "",
    );
  assert.deepEqual(plan.map(String).filter(isScan), ["SCAN resources"]);
});
