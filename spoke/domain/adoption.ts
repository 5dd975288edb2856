import { canonicalJson, type Json } from "../../proto/words/digest.ts";
import type { ObjectProblem } from "./conditions.ts";
import type { KubeObject } from "./kube-object.ts";

/**
 * Whether a dry run shows that applying would change nothing but metadata, so that an object nobody marked
 * may become ours. Status is not ours to compare, and the API version only says how it was asked for.
 */
export const wouldOnlyMark = (existing: KubeObject, dryRun: KubeObject): boolean =>
  essence(existing) === essence(dryRun);

function essence(object: KubeObject): string {
  const { metadata: _metadata, status: _status, apiVersion: _version, ...rest } = object;
  // Answers of the API server are JSON.
  return canonicalJson(rest as Json);
}

/** What there is to say about an object that may not become ours without being told. */
export const strangerManagedBy = (managers: readonly string[], tool?: string): ObjectProblem => ({
  kind: "foreign",
  owner:
    managers.length === 0
      ? `${tool === undefined ? "it is not marked as ours and" : `${tool} manages it; it`} differs from the manifest`
      : `${tool === undefined ? "" : `${tool} manages it; `}its field managers are ${managers.join(", ")}`,
  mayBeTold: true,
});
