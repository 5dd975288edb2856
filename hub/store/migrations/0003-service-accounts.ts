import { sql, type Kysely } from "kysely";

/**
 * Whose rights a spoke looks after an application with, and removes it with, as `namespace:name`; null for its
 * own. The rows go as they did before.
 */
export const serviceAccounts = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const statements: readonly string[] = [
  `alter table desired_entries add column service_account text`,
  `alter table tombstones add column service_account text`,
];
