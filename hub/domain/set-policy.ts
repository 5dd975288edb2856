import { describe, FieldReader, isObject } from "./document.ts";
import { compileJqPath } from "./jq/path.ts";

/** What may happen to the Applications of a set after they were created, in Argo CD's words. */
export const applicationsSyncs = ["sync", "create-update", "create-delete", "create-only"] as const;

export type ApplicationsSync = (typeof applicationsSyncs)[number];

export const allowsUpdate = (policy: ApplicationsSync): boolean =>
  policy === "sync" || policy === "create-update";

export const allowsDelete = (policy: ApplicationsSync): boolean =>
  policy === "sync" || policy === "create-delete";

/** Differences between an Application and what is generated that are left alone. */
export type IgnoreRule = {
  /** Of this Application only; empty: of all. */
  readonly name: string;
  readonly jsonPointers: readonly string[];
  readonly jqPathExpressions: readonly string[];
};

export type PreservedFields = {
  readonly annotations: readonly string[];
  readonly labels: readonly string[];
};

/** How a set treats the Applications it generated before. */
export type SetPolicy = {
  readonly applicationsSync: ApplicationsSync;
  readonly preserved: PreservedFields;
  readonly ignored: readonly IgnoreRule[];
};

/** Whether what becomes of an Application depends on what it was before. */
export const consultsLive = ({ applicationsSync, preserved, ignored }: SetPolicy): boolean =>
  !allowsUpdate(applicationsSync) ||
  preserved.annotations.length > 0 ||
  preserved.labels.length > 0 ||
  ignored.length > 0;

/** Reads the policy out of a set's `spec`. */
export function readSetPolicy(spec: FieldReader): SetPolicy {
  const policy = spec.inside("syncPolicy");
  const written = policy.text("applicationsSync");
  const found = applicationsSyncs.find((candidate) => candidate === written);
  if (written !== "" && found === undefined)
    policy.complain(
      "applicationsSync",
      `must be one of ${applicationsSyncs.join(", ")}, got ${JSON.stringify(written)}`,
    );
  const preserved = spec.inside("preservedFields");
  return {
    applicationsSync: found ?? "sync",
    preserved: { annotations: preserved.texts("annotations"), labels: preserved.texts("labels") },
    ignored: readIgnoreRules(spec),
  };
}

function readIgnoreRules(spec: FieldReader): readonly IgnoreRule[] {
  return spec.list("ignoreApplicationDifferences").flatMap((item, index) => {
    const place = `ignoreApplicationDifferences[${index}]`;
    if (!isObject(item)) {
      spec.complain(place, `must be a mapping, got ${describe(item)}`);
      return [];
    }
    const fields = new FieldReader(item, spec.path(place), spec.problems);
    const jqPathExpressions = fields.texts("jqPathExpressions");
    for (const [at, expression] of jqPathExpressions.entries()) {
      const compiled = compileJqPath(expression);
      if (!compiled.ok) fields.complain(`jqPathExpressions[${at}]`, compiled.problem);
    }
    const jsonPointers = fields.texts("jsonPointers");
    for (const [at, pointer] of jsonPointers.entries())
      if (!pointer.startsWith("/"))
        fields.complain(`jsonPointers[${at}]`, `must begin with /, got ${JSON.stringify(pointer)}`);
    return [{ name: fields.text("name"), jsonPointers, jqPathExpressions }];
  });
}
