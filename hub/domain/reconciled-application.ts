import { canonicalJson, type Json } from "../../proto/words/digest.ts";
import { copyOf, emptyObject, field, isList, isObject, type JsonObject } from "./document.ts";
import { withIgnoredDifferences } from "./ignore-differences.ts";
import { normalizedSpec } from "./normalized-spec.ts";
import { allowsUpdate, type SetPolicy } from "./set-policy.ts";

/** Annotations that are about an Application's life, not about what it should be. */
const alwaysPreserved = [
  "notified.notifications.argoproj.io",
  "argocd.argoproj.io/refresh",
  "argocd.argoproj.io/hydrate",
];

const preservedFinalizers = [
  "pre-delete-finalizer.argocd.argoproj.io",
  "post-delete-finalizer.argocd.argoproj.io",
];

/**
 * The document of an Application after its set generated it anew: what is generated, but for what the set's
 * policy leaves alone. `live` is the document it had, if there was one; when nothing that counts differs, it
 * is the result.
 */
export function reconciledApplication(
  live: JsonObject | undefined,
  generated: JsonObject,
  policy: SetPolicy,
): JsonObject {
  if (live === undefined) return withNormalSpec(generated);
  if (!allowsUpdate(policy.applicationsSync)) return live;
  const wanted = copyOf(live);
  for (const key of ["apiVersion", "kind", "operation"] as const) {
    const value = field(generated, key);
    if (value !== undefined) wanted[key] = value;
  }
  wanted["metadata"] = mergedMetadata(
    objectIn(live, "metadata"),
    objectIn(generated, "metadata"),
    policy,
  );
  wanted["spec"] = objectIn(generated, "spec");
  const name = field(objectIn(generated, "metadata"), "name");
  const result = withIgnoredDifferences(
    withNormalSpec(live),
    withNormalSpec(wanted),
    typeof name === "string" ? name : "",
    policy.ignored,
  );
  return canonicalJson(result) === canonicalJson(withNormalSpec(live)) ? live : result;
}

const withNormalSpec = (application: JsonObject): JsonObject => ({
  ...application,
  spec: normalizedSpec(objectIn(application, "spec")),
});

function mergedMetadata(live: JsonObject, generated: JsonObject, policy: SetPolicy): JsonObject {
  const merged = copyOf(live);
  for (const key of Object.keys(generated)) merged[key] = field(generated, key) ?? null;
  const { annotations, labels } = policy.preserved;
  setUnlessEmpty(merged, "labels", withKept(live, generated, "labels", labels));
  setUnlessEmpty(
    merged,
    "annotations",
    withKept(live, generated, "annotations", [...alwaysPreserved, ...annotations]),
  );
  const finalizers = listIn(generated, "finalizers");
  const kept = listIn(live, "finalizers").filter(
    (finalizer) =>
      typeof finalizer === "string" &&
      preservedFinalizers.some((prefix) => finalizer.startsWith(prefix)) &&
      !finalizers.includes(finalizer),
  );
  setUnlessEmpty(merged, "finalizers", [...finalizers, ...kept]);
  return merged;
}

/** The generated mapping, and those of the live one's entries that are to be kept. */
function withKept(
  live: JsonObject,
  generated: JsonObject,
  key: string,
  preserved: readonly string[],
): JsonObject {
  const kept = emptyObject();
  const before = objectIn(live, key);
  for (const name of preserved) {
    const value = field(before, name);
    if (value !== undefined) kept[name] = value;
  }
  return Object.assign(copyOf(objectIn(generated, key)), kept);
}

/** What is empty is not written, and what was there goes. */
function setUnlessEmpty(target: { [key: string]: Json }, key: string, value: Json): void {
  const isEmpty = isList(value)
    ? value.length === 0
    : isObject(value) && Object.keys(value).length === 0;
  if (isEmpty) delete target[key];
  else target[key] = value;
}

const objectIn = (from: JsonObject, key: string): JsonObject => {
  const value = field(from, key);
  return isObject(value) ? value : emptyObject();
};

const listIn = (from: JsonObject, key: string): readonly Json[] => {
  const value = field(from, key);
  return isList(value) ? value : [];
};
