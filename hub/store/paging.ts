import { sql, type RawBuilder } from "kysely";
import { BadCursor, type Page, type PageRequest } from "../domain/queries.ts";
import type { Db } from "./database.ts";
import type { Condition } from "./condition.ts";

type Key = readonly (string | number)[];

/** One order of one list: its name is part of every cursor, so that no other list takes it. */
export type Order = {
  readonly name: string;
  /** Columns the order goes by, the last of them unique within equals. */
  readonly columns: readonly RawBuilder<unknown>[];
  readonly types: readonly ("text" | "number")[];
  readonly descending: boolean;
};

/** Before everything there can be, and after. */
const edges = {
  text: { first: "", last: "\u{10ffff}" },
  number: { first: -1, last: Number.MAX_SAFE_INTEGER },
} as const;

/** The key a page starts after: the cursor's, or the edge of what there can be. Throws `BadCursor`. */
function startKey(order: Order, cursor: string | undefined, range: Condition["range"]): Key {
  if (cursor !== undefined) return decodeCursor(order, cursor);
  const edge = order.descending ? "last" : "first";
  const key = order.types.map((type) => edges[type][edge]);
  if (range === undefined) return key;
  return [order.descending ? range.most : range.least, ...key.slice(1)];
}

/** Every page, the first too, is bounded from before: so each is one range of an index. */
function after({ columns, descending }: Order, key: Key): RawBuilder<unknown> {
  const sign = descending ? sql`<` : sql`>`;
  const [only] = columns;
  return columns.length === 1 && only !== undefined
    ? sql`${only} ${sign} ${key[0]}`
    : sql`(${sql.join([...columns])}) ${sign} (${sql.join([...key])})`;
}

function orderBy({ columns, descending }: Order): RawBuilder<unknown> {
  return sql.join(columns.map((column) => (descending ? sql`${column} desc` : sql`${column}`)));
}

const encodeCursor = (order: Order, key: Key): string =>
  Buffer.from(JSON.stringify([order.name, order.descending, ...key])).toString("base64url");

function decodeCursor(order: Order, cursor: string): Key {
  let read: unknown;
  try {
    read = JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    throw new BadCursor();
  }
  if (!Array.isArray(read)) throw new BadCursor();
  const [name, descending, ...key] = read as readonly unknown[];
  if (name !== order.name || descending !== order.descending || key.length !== order.types.length)
    throw new BadCursor();
  return order.types.map((type, index) => {
    const part = key[index];
    if (type === "text" && typeof part === "string") return part;
    if (type === "number" && typeof part === "number" && Number.isFinite(part)) return part;
    throw new BadCursor();
  });
}

/** What one list reads. */
export type List = {
  readonly select: RawBuilder<unknown>;
  /** The table with its alias. */
  readonly from: RawBuilder<unknown>;
  /** The list's row is the one `p` names: what conditions' `source` selects is called `p`. */
  readonly identity: RawBuilder<unknown>;
  /** Tables and tests beside: a comma's worth of joins, and what always holds. */
  readonly beside?: { readonly join: RawBuilder<unknown>; readonly test: RawBuilder<unknown> };
};

/** One order of a list, with the key of a row in it. */
export type Ordering<R> = {
  readonly order: Order;
  readonly keyOf: (row: R) => Key;
  /** Whether it is the order that conditions' `inOrder` is about. */
  readonly own: boolean;
};

/** Up to so many rows are looked up and sorted for one page; beyond that, walking in order is cheaper. */
const fewMost = 2_000;

/**
 * One page of a list under any mixture of conditions, without an index for each mixture.
 *
 * Each condition is asked, from its own index, whether few rows meet it. If one is met by few, those are looked
 * up, put to the other conditions, and sorted. If none is, rows that meet them are dense, and a walk along an
 * index in the asked order soon has its page: along the index of one condition where that is in the same order,
 * else along that of the order itself. What stays unbounded but by the smallest of the conditions: several
 * dense ones that hardly ever meet, and dense ones that all lie at the far end of the order.
 */
export async function readPage<R, T>(
  db: Db,
  list: List,
  conditions: readonly Condition[],
  { order, keyOf, own }: Ordering<R>,
  page: PageRequest,
  toItem: (rows: readonly R[]) => Promise<readonly T[]> | readonly T[],
): Promise<Page<T>> {
  checkLimit(page);
  const range = conditions.find((condition) => condition.range?.order === order.name)?.range;
  const key = startKey(order, page.after, range);
  const along = own ? conditions.find(({ inOrder }) => inOrder !== undefined) : undefined;
  // A single condition that can be walked needs no weighing.
  const few =
    along !== undefined && conditions.length === 1 ? undefined : await fewest(db, conditions);
  const walk = walkOf(list, order, few, along);
  const tests = [
    ...walk.tests,
    ...(list.beside === undefined ? [] : [list.beside.test]),
    ...conditions.filter((condition) => condition !== walk.taken).map(({ test }) => test),
    after(walk.order, key),
    ...(range === undefined ? [] : [upTo(order, range)]),
  ];
  const { rows } = await sql<R>`
    select ${list.select}
    from ${walk.from} ${list.beside?.join ?? sql``}
    where ${sql.join(tests, sql` and `)}
    order by ${orderBy(walk.order)} limit ${page.limit + 1}
  `.execute(db);
  // The extra row only tells that there is more.
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  return {
    items: await toItem(shown),
    next:
      rows.length > page.limit && last !== undefined ? encodeCursor(order, keyOf(last)) : undefined,
  };
}

type Walk = {
  readonly from: RawBuilder<unknown>;
  readonly tests: readonly RawBuilder<unknown>[];
  readonly order: Order;
  /** The condition that these tests see to. */
  readonly taken: Condition | undefined;
};

// Cross joins keep SQLite to the order they are written in; elsewhere they are joins like others.
function walkOf(
  list: List,
  order: Order,
  few: RawBuilder<unknown> | undefined,
  along: Condition | undefined,
): Walk {
  if (few !== undefined)
    return {
      from: sql`${few} as p cross join ${list.from}`,
      tests: [list.identity],
      order,
      taken: undefined,
    };
  const way = along?.inOrder;
  if (way?.kind === "index") return { from: list.from, tests: [way.test], order, taken: along };
  if (way?.kind === "table")
    return {
      from: sql`${way.from} cross join ${list.from}`,
      tests: [way.where],
      order: { ...order, columns: way.columns },
      taken: along,
    };
  return { from: list.from, tests: [], order, taken: undefined };
}

/** Ends the walk where the range ends. */
function upTo(
  { columns: [column], descending }: Order,
  { least, most }: NonNullable<Condition["range"]>,
): RawBuilder<unknown> {
  return descending ? sql`${column} >= ${least}` : sql`${column} <= ${most}`;
}

/** A select of the identities that meet the most selective condition, if any is met by few rows. */
async function fewest(
  db: Db,
  conditions: readonly Condition[],
): Promise<RawBuilder<unknown> | undefined> {
  let best: { readonly source: RawBuilder<unknown>; readonly rows: number } | undefined;
  for (const { source } of conditions) {
    if (source === undefined) continue;
    const { rows } = await sql<{ n: number | string }>`
      select count(*) as n from (${source} limit ${fewMost + 1}) as some
    `.execute(db);
    const found = Number(rows[0]?.n ?? 0);
    if (found <= fewMost && found < (best?.rows ?? Number.POSITIVE_INFINITY))
      best = { source, rows: found };
  }
  return best === undefined ? undefined : sql`(${best.source} limit ${fewMost + 1})`;
}

function checkLimit({ limit }: PageRequest): void {
  if (!Number.isInteger(limit) || limit < 1)
    throw new RangeError(`a page holds a whole number of rows from 1, not ${limit}`);
}
