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
    case "exists":
      return { kind: "rejected", reason: "Conflict", message: outcome.message };
    case "unknown-kind":
      return { kind: "unknown-kind", message: outcome.message };
    case "rejected": {
      const { namespace } = objectKeyParts(key);
      const isNamespaceMissing =
        outcome.status === 404 && outcome.message.startsWith(`namespaces "${namespace}" not found`);
      if (isNamespaceMissing) return { kind: "namespace-missing", namespace };
      if (isDenial(outcome)) return { kind: "not-permitted", message: outcome.message };
      return isForTermination(outcome, namespace)
        ? { kind: "namespace-terminating", namespace, remaining: "" }
        : { kind: "rejected", reason: outcome.reason, message: outcome.message };
    }
    default:
      return unreachable(outcome, "apply outcome");
  }
}

/** An authorizer's words. Admission refuses with 403 too, a quota for instance, and names no user. */
const isDenial = ({
  status,
  message,
}: Extract<ApplyOutcome, { readonly kind: "rejected" }>): boolean =>
  status === 403 && /\bis forbidden: User "[^"]*" cannot /.test(message);

/** Admission words it so for every kind; the status carries no code of its own that survives all versions. */
const isForTermination = (
  { status, message }: Extract<ApplyOutcome, { readonly kind: "rejected" }>,
  namespace: string,
): boolean =>
  status === 403 &&
  message.includes(
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  );

/**
 * Waiting for a definition or for a namespace to be gone is no failure, and a second manifest of one name
 * changes nothing for the first; nor does another application that is refused what is ours.
 */
export function isFailure(problem: ObjectProblem | undefined): boolean {
  switch (problem?.kind) {
    case undefined:
    case "awaits-definition":
    case "namespace-terminating":
    case "duplicate":
    case "also-declared":
      return false;
    default:
      return true;
  }
}
