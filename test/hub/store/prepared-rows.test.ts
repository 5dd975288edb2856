import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, suite } from "node:test";
import { openDatabase } from "../../../hub/store/database.ts";
import { changedColumns, preparedColumns, preparedRows } from "../../../hub/store/prepared-rows.ts";

const folder = await mkdtemp(join(tmpdir(), "wheelhouse-prepared-rows-"));
after(() => rm(folder, { recursive: true, force: true }));

const texts: string[] = [];
const { db, close } = await openDatabase({ folder, onStatement: (text) => texts.push(text) });
after(close);

type Setting = { readonly name: string; readonly value: string };

const add = preparedRows((rows: readonly Setting[]) => db.insertInto("hub_settings").values(rows));
const find = preparedRows<{ readonly name: string }, Setting>((rows) =>
  db
    .selectFrom("hub_settings")
    .selectAll()
    .where(
      "name",
      "in",
      rows.map(({ name }) => name),
    ),
);

suite("preparedRows", () => {
  const settings = Array.from({ length: 45 }, (_, at) => ({ name: `many-${at}`, value: `${at}` }));

  test("takes any number of rows, twenty a statement, and gives all answers", async () => {
    texts.length = 0;
    await add(db, settings);
    assert.equal(texts.length, 3);
    const found = await find(
      db,
      settings.map(({ name }) => ({ name })),
    );
    const byNumber = found.toSorted((left, right) => Number(left.value) - Number(right.value));
    assert.deepEqual(byNumber, settings);
  });

  test("asks nothing about no rows", async () => {
    texts.length = 0;
    await add(db, []);
    assert.deepEqual(await find(db, []), []);
    assert.deepEqual(texts, []);
  });

  test("puts values in their columns, whatever the order in which a row has them", async () => {
    await add(db, [{ value: "1", name: "turned" }]);
    assert.deepEqual(await find(db, [{ name: "turned" }]), [{ name: "turned", value: "1" }]);
  });
});

suite("preparedColumns", () => {
  type Named = Pick<Setting, "name"> & { readonly value?: string };
  const write = preparedColumns((row: Named) =>
    db.insertInto("hub_settings").values({ value: "left out", ...row }),
  );

  test("writes the columns that a row has", async () => {
    await write(db, { name: "one" });
    await write(db, { name: "two", value: "2" });
    await write(db, { value: "3", name: "three" });
    await write(db, { name: "four" });
    const found = await find(
      db,
      ["one", "two", "three", "four"].map((name) => ({ name })),
    );
    assert.deepEqual(Object.fromEntries(found.map(({ name, value }) => [name, value])), {
      one: "left out",
      two: "2",
      three: "3",
      four: "left out",
    });
  });
});

suite("changedColumns", () => {
  const before = { a: 1, b: "x", c: null as string | null };
  const rows = [
    { name: "nothing of an equal row", after: { a: 1, b: "x", c: null }, expect: {} },
    { name: "what has another value", after: { a: 2, b: "x" }, expect: { a: 2 } },
    { name: "what was null", after: { c: "y" }, expect: { c: "y" } },
  ];
  for (const { name, after: later, expect } of rows)
    test(name, () => assert.deepEqual(changedColumns(before, later), expect));
});
