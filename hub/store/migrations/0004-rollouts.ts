import { sql, type Kysely } from "kysely";

/**
 * How far the rollout of a set is, a row per application. Publishing drops the row of an application that is
 * gone, and all of a set's when the set is gone or has no rollout any more.
 */
export const rollouts = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const statements: readonly string[] = [
  `create table rollout_statuses (
    set_name text not null,
    application text not null,
    status text not null,
    step integer not null,
    message text not null,
    target_revisions text not null,
    since_ms integer,
    primary key (set_name, application)
  ) strict, without rowid`,
  // What is odd about the steps; null when nothing is.
  `alter table application_sets add column rollout_issue text`,
];
