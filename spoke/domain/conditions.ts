import { unreachable } from "../../proto/kit/unreachable.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import { objectKeyParts, type ObjectKey } from "../../proto/words/object-key.ts";
import type { ConditionReport } from "../../proto/words/report.ts";

/** Why one object is not as its application wants it, beyond simply not being there yet. */
export type ObjectProblem =
  | { readonly kind: "rejected"; readonly reason: string; readonly message: string }
  | { readonly kind: "not-permitted"; readonly message: string }
  | {
      readonly kind: "fields-owned";
      readonly managers: readonly string[];
      readonly message: string;
    }
  | { readonly kind: "namespace-missing"; readonly namespace: string }
  | { readonly kind: "unknown-kind"; readonly message: string }
  | { readonly kind: "awaits-definition"; readonly definition: string }
  | { readonly kind: "dependency-failed"; readonly on: string }
  | { readonly kind: "unreadable"; readonly message: string }
  /** The spoke was told to work in these namespaces only. */
  | { readonly kind: "out-of-reach"; readonly namespaces: readonly string[] }
  /** Another application of this cluster declares the object too, and has it. */
  | { readonly kind: "other-application"; readonly application: ApplicationName }
  /** Ours, and another application of this cluster declares it too. */
  | { readonly kind: "also-declared"; readonly applications: readonly ApplicationName[] }
  /** `mayBeTold`: the manifest may say that the object is to be taken over. */
  | { readonly kind: "foreign"; readonly owner: string; readonly mayBeTold: boolean }
  /** `remaining`: what the cluster says is in the way; empty while it says nothing. */
  | {
      readonly kind: "namespace-terminating";
      readonly namespace: string;
      readonly remaining: string;
    }
  | { readonly kind: "duplicate" }
  | { readonly kind: "contested"; readonly by: string }
  | { readonly kind: "removal-refused"; readonly reason: string; readonly message: string }
  | { readonly kind: "prune-held"; readonly why: PruneHold };

/** Why an object that left the bundle stays in the cluster for now. */
export type PruneHold =
  | "prune-off"
  | "prune-forbidden"
  | "needs-confirmation"
  | "empty-bundle"
  | "too-many"
  | "inventory-was-lost"
  | "namespace-in-use"
  | "unreadable";

/** Why a whole application cannot be looked at or synced. */
export type ApplicationProblem =
  | { readonly kind: "bundle-missing"; readonly blob: string }
  | { readonly kind: "bundle-corrupt"; readonly message: string }
  | { readonly kind: "bundle-empty" }
  | { readonly kind: "not-permitted"; readonly message: string }
  | { readonly kind: "cluster-unavailable"; readonly message: string }
  | { readonly kind: "bug"; readonly message: string };

/** A stable code and a sentence. Values of Secrets never get in: what was refused about a Secret stays out. */
export function describeObjectProblem(key: ObjectKey, problem: ObjectProblem): ConditionReport {
  const { kind, namespace } = objectKeyParts(key);
  const said = (message: string): string =>
    kind === "Secret" ? "(the answer may quote the Secret and is not repeated)" : message;
  switch (problem.kind) {
    case "rejected":
      return code(1010, `refused by the API server: ${problem.reason}: ${said(problem.message)}`);
    case "not-permitted":
      // RBAC's words name users, verbs and kinds, never what is in an object.
      return code(1030, `not permitted: ${problem.message}`);
    case "fields-owned":
      return code(
        1011,
        `other field managers own what would be changed: ${problem.managers.join(", ") || said(problem.message)}`,
      );
    case "namespace-missing":
      return code(
        1012,
        `namespace ${JSON.stringify(problem.namespace)} does not exist and no manifest declares it (sync option CreateNamespace=true makes it)`,
      );
    case "unknown-kind":
      return code(1013, `the cluster does not serve this kind: ${problem.message}`);
    case "awaits-definition":
      return code(1014, `waits for ${problem.definition} to be established`);
    case "dependency-failed":
      return code(1015, `not tried, because ${problem.on} failed`);
    case "unreadable":
      return code(1016, `objects of this kind cannot be read: ${problem.message}`);
    case "out-of-reach":
      return code(
        1028,
        `${namespace === "" ? "it lives in no namespace" : `namespace ${JSON.stringify(namespace)} is not among them`}, and the spoke of this cluster manages only: ${problem.namespaces.join(", ")}`,
      );
    case "other-application":
      return code(
        1026,
        `application ${JSON.stringify(problem.application)} declares it too and has it; it stays as it is there`,
      );
    case "also-declared":
      return code(
        1026,
        `application ${problem.applications.map((name) => JSON.stringify(name)).join(", ")} declares it too and is refused it`,
      );
    case "foreign":
      return code(
        1017,
        `exists and is not ours: ${problem.owner}${problem.mayBeTold ? "; left alone unless its manifest says wheelhouse.dev/adopt: always" : ""}`,
      );
    case "namespace-terminating":
      return code(
        1027,
        `namespace ${JSON.stringify(problem.namespace)} is being deleted${problem.remaining === "" ? "" : `: ${problem.remaining}`}; goes on by itself once it is gone`,
      );
    case "prune-held":
      return code(1018, `no longer wanted, but ${holdSentence(problem.why)}`);
    case "duplicate":
      return code(
        1019,
        `two manifests of the bundle name this object once namespace ${JSON.stringify(namespace)} is filled in; the first is used`,
      );
    case "removal-refused":
      return code(
        1022,
        `removal refused by the API server: ${problem.reason}: ${said(problem.message)}`,
      );
    case "contested":
      return code(1024, `changed by ${problem.by} as often as it is applied`);
    default:
      return unreachable(problem, "object problem");
  }
}

function holdSentence(why: PruneHold): string {
  switch (why) {
    case "prune-off":
      return "pruning is off: sync with prune to remove it";
    case "prune-forbidden":
      return "it says that it must not be pruned";
    case "needs-confirmation":
      return "removing it takes a sync with prune, or the sync option Prune=true on the object";
    case "empty-bundle":
      return "an empty bundle removes nothing unless the policy says allowEmpty";
    case "too-many":
      return "so many objects are removed at once only by a sync with prune";
    case "inventory-was-lost":
      return "it was found by its marker only: the next generation, or a sync with prune, removes it";
    case "namespace-in-use":
      return "objects of other applications are in it";
    case "unreadable":
      return "its kind cannot be read";
    default:
      return unreachable(why, "reason to hold a prune");
  }
}

export function describeApplicationProblem(problem: ApplicationProblem): ConditionReport {
  switch (problem.kind) {
    case "bundle-missing":
      return code(
        1020,
        `blob ${problem.blob} of the bundle is not on disk; nothing is changed until it is`,
      );
    case "bundle-corrupt":
      return code(1021, `the bundle cannot be read, so nothing is changed: ${problem.message}`);
    case "bundle-empty":
      return code(
        1023,
        "the bundle is empty and the policy does not say allowEmpty: nothing is removed",
      );
    case "not-permitted":
      return code(1030, `not permitted: ${problem.message}`);
    case "cluster-unavailable":
      return code(1025, `the API server cannot be used: ${problem.message}`);
    case "bug":
      return code(1099, `unexpected: ${problem.message}`);
    default:
      return unreachable(problem, "application problem");
  }
}

const code = (number: number, message: string): ConditionReport => ({
  code: `WH-APP-${number}`,
  message,
});

/** For people: `apps/Deployment shop/web`, `Namespace shop`. */
export function objectName(key: ObjectKey): string {
  const { group, kind, namespace, name } = objectKeyParts(key);
  const place = namespace === "" ? name : `${namespace}/${name}`;
  return `${group === "" ? "" : `${group}/`}${kind} ${place}`;
}
