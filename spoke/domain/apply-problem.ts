import { unreachable } from "../../proto/kit/unreachable.ts";
import { objectKeyParts, type ObjectKey } from "../../proto/words/object-key.ts";
import type { ApplyOutcome } from "./cluster.ts";
import type { ObjectProblem } from "./conditions.ts";

/** What an apply that did not succeed means for its object. */
export function problemOfApply(
  key: ObjectKey,
  outcome: Exclude<ApplyOutcome, { readonly kind: "applied" }>,
): ObjectProblem {
  switch (outcome.kind) {
    case "conflict":
      return { kind: "fields-owned", managers: outcome.managers, message: outcome.message };
    case "unknown-kind":
      return { kind: "unknown-kind", message: outcome.message };
    case "rejected": {
      const { namespace } = objectKeyParts(key);
      const isNamespaceMissing =
        outcome.status === 404 && outcome.message.startsWith(`namespaces "${namespace}" not found`);
      return isNamespaceMissing
        ? { kind: "namespace-missing", namespace }
        : { kind: "rejected", reason: outcome.reason, message: outcome.message };
    }
    default:
      return unreachable(outcome, "apply outcome");
  }
}

/** Waiting for a definition is no failure, and a second manifest of one name changes nothing for the first. */
export const isFailure = (problem: ObjectProblem | undefined): boolean =>
  problem !== undefined && problem.kind !== "awaits-definition" && problem.kind !== "duplicate";
