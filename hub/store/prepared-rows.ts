import type { Compilable } from "kysely";
import { pieces, prepared, type Db } from "./database.ts";

/** Rows of one statement: more of them hardly make it cheaper, and each number of them is a text of its own. */
export const rowsOfStatement = 20;

/**
 * Like `prepared`, for a statement about any number of rows: `rowsOfStatement` at a time, compiled once for each
 * number of them. `build` gets that many rows, with stand-ins for their values. Which columns there are is what the
 * first row ever given has; throws TypeError for a row that has others. Gives the rows of all answers.
 */
export function preparedRows<Row extends object, R>(
  build: (rows: readonly Row[]) => Compilable<R>,
): (db: Db, rows: readonly Row[]) => Promise<readonly R[]> {
  type Run = (db: Db, values: readonly unknown[]) => Promise<readonly R[]>;
  const byCount = new Map<number, Run>();
  let columns: readonly (keyof Row)[] | undefined;

  const runOf = (count: number, names: readonly (keyof Row)[]): Run => {
    const known = byCount.get(count);
    if (known !== undefined) return known;
    const run = prepared<readonly unknown[], R>((parameter) =>
      build(
        Array.from({ length: count }, (_, row) =>
          rowOf<Row>(names, (_name, column) => parameter(row * names.length + column)),
        ),
      ),
    );
    byCount.set(count, run);
    return run;
  };

  return async (db, rows) => {
    const answers: R[] = [];
    for (const some of pieces(rows, rowsOfStatement)) {
      columns ??= columnsOf(some[0] ?? {});
      const names = columns;
      const values: unknown[] = [];
      for (const row of some) {
        if (columnsOf(row).length !== names.length)
          throw new TypeError(`a row has not the columns ${names.join(", ")}`);
        for (const name of names) values.push(row[name]);
      }
      for (const answer of await runOf(some.length, names)(db, values)) answers.push(answer);
    }
    return answers;
  };
}

/** Choices remembered of one statement. What changes together is few of all that could. */
const choicesMost = 100;

/**
 * Like `prepared`, for a row of which other columns are given each time: compiled once for each choice of them.
 * `build` gets a row with these columns, with stand-ins for their values.
 */
export function preparedColumns<Row extends object>(
  build: (row: Row) => Compilable<unknown>,
): (db: Db, row: Row) => Promise<unknown> {
  const byChoice = new Map<string, (db: Db, row: Row) => Promise<unknown>>();
  return (db, row) => {
    const columns = columnsOf(row);
    const choice = columns.join();
    let run = byChoice.get(choice);
    if (run === undefined) {
      run = prepared((parameter) => build(rowOf<Row>(columns, parameter)));
      if (byChoice.size === choicesMost) byChoice.clear();
      byChoice.set(choice, run);
    }
    return run(db, row);
  };
}

/**
 * The columns of `after` that are others than before. To set a column costs as if it changed: its indexes are
 * written anew, and rows that refer to it are looked for.
 */
export function changedColumns<Row extends object>(before: Row, after: Partial<Row>): Partial<Row> {
  const changed: Partial<Row> = {};
  for (const column of columnsOf(after))
    if (after[column] !== before[column]) changed[column] = after[column];
  return changed;
}

const columnsOf = <Row extends object>(row: Row): (keyof Row)[] =>
  Object.keys(row) as (keyof Row)[];

const rowOf = <Row extends object>(
  columns: readonly (keyof Row)[],
  valueOf: (name: keyof Row, column: number) => unknown,
): Row => Object.fromEntries(columns.map((name, column) => [name, valueOf(name, column)])) as Row;
