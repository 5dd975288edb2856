import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { number, text } from "../../../hub/cli/answer.ts";
import { sortRows, tablePrinter, type Column, type TableManner } from "../../../hub/cli/table.ts";

const columns: readonly Column[] = [
  { header: "NAME", cell: (row) => text(row, "name") },
  {
    header: "COUNT",
    sign: "#",
    align: "right",
    cell: (row) => text(row, "count"),
    order: (row) => number(row, "count"),
  },
  { header: "WIDE", wide: true, cell: () => "w" },
  { header: "NOTE", cell: (row) => ({ text: text(row, "note"), colour: "red" }) },
];

const manner: TableManner = {
  look: { colour: false, glyphs: "none", columns: undefined },
  nowMs: 0,
  wide: false,
  headers: true,
};

const rows = [
  { name: "a", count: 10, note: "" },
  { name: "long-name", count: 9, note: "x" },
];

suite("tables", () => {
  test("columns line up, numbers to the right, and what is empty is a dash", () => {
    assert.equal(
      tablePrinter(columns, manner).print(rows),
      ["NAME        COUNT   NOTE", "a              10   -", "long-name       9   x", ""].join("\n"),
    );
  });

  test("rows printed later stand under those printed before, without a second header", () => {
    const printer = tablePrinter(columns, { ...manner, headers: true });
    printer.print(rows);
    assert.equal(printer.print([{ name: "b", count: 1, note: "y" }]), "b               1   y\n");
  });

  test("wide columns come when asked for, headers go when told to", () => {
    const printer = tablePrinter(columns, { ...manner, wide: true, headers: false });
    assert.equal(printer.print([{ name: "a", count: 1, note: "n" }]), "a   1   w   n\n");
  });

  test("a sign replaces a header where signs can be shown, and colour where it can", () => {
    const look = { colour: true, glyphs: "unicode", columns: 80 } as const;
    const printed = tablePrinter(columns, { ...manner, look }).print([{ name: "a", note: "n" }]);
    assert.match(printed, /#/);
    assert.match(printed, /\u001b\[31mn\u001b\[39m/);
  });

  test("only the last column is cut, to what the terminal has left", () => {
    const look = { colour: false, glyphs: "unicode", columns: 40 } as const;
    const printed = tablePrinter(columns, { ...manner, look, headers: false }).print([
      { name: "a", count: 1, note: "n".repeat(100) },
    ]);
    assert.ok(printed.trimEnd().length <= 40);
    assert.match(printed, /…\n$/);
  });

  test("rows sort by numbers as numbers, either way, and equals keep their order", () => {
    const names = (by: string) =>
      sortRows([...rows, { name: "z", count: 9 }], columns, by, manner)?.map((row) =>
        text(row, "name"),
      );
    assert.deepEqual(names("count"), ["long-name", "z", "a"]);
    assert.deepEqual(names("-count"), ["a", "long-name", "z"]);
    assert.deepEqual(names("-NAME"), ["z", "long-name", "a"]);
    assert.equal(names("colour"), undefined);
  });
});
