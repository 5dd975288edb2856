import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, suite } from "node:test";
import Sqlite from "better-sqlite3";
import type { ApplicationChange, ApplicationDraft } from "../../../hub/domain/records.ts";
import { databaseFile } from "../../../hub/store/database.ts";
import { openStore } from "../../../hub/store/store.ts";
import type { DesiredApplication } from "../../../proto/words/desired.ts";
import {
  addCluster,
  atMs,
  hour,
  publish,
  putBundle,
  remove,
  setRecord,
  write,
} from "../../contract/store/builders.ts";

/*
 * How many statements recording makes: what a large set costs the hub, whatever the machine.
 *
 * Statements of the publication as a whole, and of its cluster, are allowed for with `besides`.
 */

const folder = await mkdtemp(join(tmpdir(), "wheelhouse-statements-"));
after(() => rm(folder, { recursive: true, force: true }));

let texts: string[] = [];
const store = await openStore({ folder, onStatement: (text) => texts.push(text) });
after(() => store.close());

const cluster = await addCluster(store, "a", { env: "dev", region: "north" });
const [bundle, other] = [await putBundle(store, { one: 1 }), await putBundle(store, { one: 2 })];
const names = Array.from({ length: 200 }, (_, at) => `web-${at}`);
const besides = 20;

/** What is published of each application, with four labels. */
const changesOf = (
  draft: Partial<ApplicationDraft>,
  entry: Partial<DesiredApplication>,
): readonly ApplicationChange[] =>
  names.map((name) => {
    const labels = { application: name, cluster: "a", env: "dev", region: "north" };
    const more = { draft: { labels, ...draft }, entry };
    return write(name, cluster, entry.bundle ?? bundle, more);
  });

/** The texts of what a publication asks. */
async function statementsOf(
  changes: readonly ApplicationChange[],
  publishedAtMs: number,
): Promise<readonly string[]> {
  texts = [];
  const events = changes.map(
    () => ({ kind: "application-changed", subject: "web", cluster: "a", message: "c1" }) as const,
  );
  await publish(store, changes, { set: setRecord("web"), events, atMs: publishedAtMs });
  return texts;
}

/** The tables that statements write to. */
const tablesWritten = (statements: readonly string[]): readonly string[] =>
  [
    ...new Set(
      statements.flatMap(
        (text) => /^(?:insert into|update|delete from) "(\w+)"/.exec(text)?.[1] ?? [],
      ),
    ),
  ].toSorted();

suite("a publication makes few statements an application", () => {
  const note = (text: string) => ({ annotations: { note: text }, document: `{"note":"${text}"}` });
  const set = ["application_sets", "events"];
  // In this order: each finds what the one before left.
  const rows: readonly {
    readonly name: string;
    readonly changes: readonly ApplicationChange[];
    readonly most: number;
    readonly written: readonly string[];
  }[] = [
    {
      name: "when all are new",
      changes: changesOf(note("first"), {}),
      most: 1.6,
      written: [
        "application_documents",
        "application_labels",
        "application_search",
        "application_set_search",
        "applications",
        "clusters",
        "desired_entries",
        "status_counts",
      ],
    },
    {
      name: "when nothing changes",
      changes: changesOf(note("first"), {}),
      most: 0.2,
      written: [],
    },
    {
      name: "when one field changes",
      changes: changesOf(note("second"), {}),
      most: 1.3,
      written: ["application_documents", "applications"],
    },
    {
      name: "when what is offered changes",
      changes: changesOf(note("second"), { generation: 2, revision: "c2", bundle: other }),
      most: 2.3,
      written: ["application_documents", "applications", "clusters", "desired_entries"],
    },
    {
      name: "when all are removed",
      changes: names.map((name) => remove(name, cluster)),
      most: 3.3,
      written: [
        "application_search",
        "applications",
        "clusters",
        "desired_entries",
        "status_counts",
        "tombstones",
      ],
    },
  ];
  for (const [at, { name, changes, most, written }] of rows.entries())
    test(name, async () => {
      const made = await statementsOf(changes, atMs + at * hour);
      const each = (made.length - besides) / names.length;
      assert.ok(each <= most, `${each} statements an application, ${made.length} in all`);
      assert.deepEqual(tablesWritten(made), [...set, ...written].toSorted());
    });
});

test("an application that changes has the columns set that change, and no others", async () => {
  const draft = { annotations: { note: "one" } };
  await statementsOf([write("api", cluster, bundle, { draft })], atMs);
  const made = await statementsOf(
    [write("api", cluster, bundle, { draft: { annotations: { note: "two" } } })],
    atMs + hour,
  );
  assert.deepEqual(
    made.filter((text) => text.startsWith('update "applications"')),
    [
      'update "applications" set "annotations" = ?, "draft_digest" = ?, "changed_at_ms" = ? ' +
        'where "key" = ?',
    ],
  );
});

test("names of one publication are put into the search table together, whatever their order", async () => {
  const own = await mkdtemp(join(folder, "search-"));
  const searched = await openStore({ folder: own });
  try {
    const into = await addCluster(searched, "a");
    const content = await putBundle(searched, { one: 1 });
    // Fewer than SQLite merges by itself, and against the order of their names.
    const backwards = names.slice(0, 60).toReversed();
    await publish(
      searched,
      backwards.map((name) => write(name, into, content)),
    );
  } finally {
    searched.close();
  }
  const file = new Sqlite(join(own, databaseFile), { readonly: true });
  try {
    const segments = file
      .prepare("select count(distinct segid) from application_search_idx")
      .pluck()
      .get();
    assert.equal(segments, 3, "one of each statement of twenty");
  } finally {
    file.close();
  }
});
