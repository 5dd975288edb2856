import { sql, type Kysely } from "kysely";

/**
 * What is true of a set, and since when: it goes with the set's row. `rollout_issue` is one of the conditions now
 * and is neither read nor written any more. Null until the set is published again, as all are when a hub starts.
 */
export const setConditions = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await sql.raw(`alter table application_sets add column conditions text`).execute(db);
  },
};
