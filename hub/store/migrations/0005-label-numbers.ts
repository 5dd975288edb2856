import { sql, type Kysely } from "kysely";

/**
 * Only labels that are numbers are in the index over numbers. Most are none, and each had a row there all the same:
 * a fifth of all that publishing many applications writes.
 */
export const labelNumbers = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const statements: readonly string[] = [
  `drop index cluster_labels_number`,
  `drop index application_labels_number`,
  `create index cluster_labels_number on cluster_labels (label, number, cluster_key) where number is not null`,
  `create index application_labels_number on application_labels (label, number, application) where number is not null`,
];
