import { basicCases } from "./apply/basics.ts";
import { conflictCases } from "./apply/conflicts.ts";
import { listCases } from "./apply/lists.ts";
import { ownershipCases } from "./apply/ownership.ts";
import { refusalCases } from "./apply/refusals.ts";
import { removalCases } from "./apply/removal.ts";
import { silentValueCases } from "./apply/silent-values.ts";
import { updateCases } from "./apply/updates.ts";
import type { Cases } from "./bench.ts";

export function applyCases(cases: Cases): void {
  basicCases(cases);
  ownershipCases(cases);
  removalCases(cases);
  conflictCases(cases);
  listCases(cases);
  updateCases(cases);
  silentValueCases(cases);
  refusalCases(cases);
}
