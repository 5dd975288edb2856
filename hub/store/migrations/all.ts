import type { Migration } from "kysely/migration";
import { first } from "./0001-first.ts";

/** Every migration by name, oldest first. Names never change, and nothing is ever put between two of them. */
export const migrations: Readonly<Record<string, Migration>> = {
  "0001-first": first,
};
