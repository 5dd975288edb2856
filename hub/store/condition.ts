import { sql, type RawBuilder } from "kysely";

type Sql = RawBuilder<unknown>;

/** One thing a list may be asked for, and the ways to find it without looking at the rest. */
export type Condition = {
  /**
   * Over the row in question. Written so that no index is taken for it: whoever walks in some order and stops
   * to sort everything that has one value reads all of that for a single page.
   */
  readonly test: Sql;
  /** Selects the identity of every row that meets it, from an index. `undefined`: no index would help. */
  readonly source?: Sql;
  /** How to walk what meets it, and nothing else, in the list's own order. */
  readonly inOrder?: InOrder;
  /** The range it leaves of another order, by that order's name. */
  readonly range?: {
    readonly order: string;
    readonly least: string | number;
    readonly most: string | number;
  };
};

type InOrder =
  /** The table has an index over the value and the list's order; this test takes it. */
  | { readonly kind: "index"; readonly test: Sql }
  /** Another table has: the walk is along that one. `where` ties the list's row to it. */
  | {
      readonly kind: "table";
      readonly from: Sql;
      readonly where: Sql;
      readonly columns: readonly Sql[];
    };

export const always: Condition = { test: sql`1 = 1` };

export const never: Condition = { test: sql`1 = 0` };
