import { sql, type Kysely } from "kysely";

/**
 * Which identity a cluster's spoke should be using, so that one that was copied can be told and cut off.
 *
 *   certificates.generation  the cluster's how-manieth certificate it is; 0 for those of before;
 *   identity_newest          the generation issued last;
 *   identity_least           the lowest that is still taken;
 *   identity_used            the highest that was ever presented, and since when;
 *   locked_at_ms             no identity is taken from then on, because of locked_why.
 *
 * Generations only grow. The rows go as they did before.
 */
export const identities = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const statements: readonly string[] = [
  `alter table certificates add column generation integer not null default 0`,
  `alter table clusters add column identity_newest integer not null default 0`,
  `alter table clusters add column identity_least integer not null default 0`,
  `alter table clusters add column identity_used integer not null default 0`,
  `alter table clusters add column identity_used_since_ms integer not null default 0`,
  `alter table clusters add column locked_at_ms integer`,
  `alter table clusters add column locked_why text`,
];
