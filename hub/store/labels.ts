import { sql, type RawBuilder } from "kysely";
import { unreachable } from "../../proto/kit/unreachable.ts";
import type { Labels } from "../domain/records.ts";
import type { Requirement } from "../domain/selector.ts";
import { always, never, type Condition } from "./condition.ts";
import type { LabelColumns } from "./tables.ts";

export const labelRows = (labels: Labels): LabelColumns[] =>
  Object.entries(labels).map(([label, value]) => ({
    label,
    value,
    number: wholeNumber(value) ?? null,
  }));

/** The whole number a text spells, as Kubernetes reads one for `Gt` and `Lt`. */
function wholeNumber(text: string): number | undefined {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** How the rows of a label table, always called `l`, belong to the rows of a list. */
type LabelTies = {
  /** A select's `from` and `where` for the labels of the row in question. */
  readonly ofRow: RawBuilder<unknown>;
  /** A select of identities up to its `where`, over all labels. */
  readonly all: RawBuilder<unknown>;
  /** When the label's index is in the list's own order: the table, the tie, and the column of that order. */
  readonly walk?: {
    readonly from: RawBuilder<unknown>;
    readonly tie: RawBuilder<unknown>;
    readonly column: RawBuilder<unknown>;
  };
};

/** A label requirement as SQL. A row without the label meets `NotIn`, as in Kubernetes. */
export function labelCondition(requirement: Requirement, ties: LabelTies): Condition {
  const { key, values } = requirement;
  const label = sql`l.label = ${key}`;
  const having = (what: RawBuilder<unknown>) =>
    sql`exists (select 1 from ${ties.ofRow} and ${what})`;
  const positive = (what: RawBuilder<unknown>): Condition => ({
    test: having(what),
    source: sql`${ties.all} ${what}`,
  });
  switch (requirement.operator) {
    case "In":
      return values.length === 0
        ? never
        : {
            ...positive(sql`${label} and l.value in (${sql.join(values)})`),
            ...(values.length === 1 ? walkOf(ties, sql`${label} and l.value = ${values[0]}`) : {}),
          };
    case "NotIn":
      return values.length === 0
        ? always
        : { test: sql`not ${having(sql`${label} and l.value in (${sql.join(values)})`)}` };
    case "Exists":
      return positive(label);
    case "DoesNotExist":
      return { test: sql`not ${having(label)}` };
    case "Gt":
    case "Lt": {
      const limit = wholeNumber(values[0] ?? "");
      if (limit === undefined) return never;
      return positive(
        requirement.operator === "Gt"
          ? sql`${label} and l.number > ${limit}`
          : sql`${label} and l.number < ${limit}`,
      );
    }
    default:
      return unreachable(requirement.operator, "selector operator");
  }
}

const walkOf = (
  { walk }: LabelTies,
  what: RawBuilder<unknown>,
): Pick<Condition, "inOrder"> | object =>
  walk === undefined
    ? {}
    : {
        inOrder: {
          kind: "table",
          from: walk.from,
          where: sql`${what} and ${walk.tie}`,
          columns: [walk.column],
        },
      };
