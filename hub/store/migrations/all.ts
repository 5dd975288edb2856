import type { Migration } from "kysely/migration";
import { first } from "./0001-first.ts";
import { identities } from "./0002-identities.ts";
import { serviceAccounts } from "./0003-service-accounts.ts";
import { rollouts } from "./0004-rollouts.ts";
import { labelNumbers } from "./0005-label-numbers.ts";
import { setConditions } from "./0006-set-conditions.ts";

/** Every migration by name, oldest first. Names never change, and nothing is ever put between two of them. */
export const migrations: Readonly<Record<string, Migration>> = {
  "0001-first": first,
  "0002-identities": identities,
  "0003-service-accounts": serviceAccounts,
  "0004-rollouts": rollouts,
  "0005-label-numbers": labelNumbers,
  "0006-set-conditions": setConditions,
};
