import { canonicalJson, type Json } from "../../../proto/words/digest.ts";
import type { ApplicationSet } from "../application-set.ts";
import { inApplicationShape } from "../application-shape.ts";
import { emptyObject, field, isList, isObject, type JsonObject } from "../document.ts";
import type { Facts } from "../facts.ts";
import { generate, type GenerateNeeds } from "../generate.ts";
import { normalizedSpec } from "../normalized-spec.ts";
import type { ExportedApplication } from "./exported.ts";
import { withoutUserInfo } from "./finding.ts";
import { objectIn } from "./unsupported.ts";

/** A field that Argo CD's Application has otherwise than the one generated here. */
export type FieldDifference = {
  readonly application: string;
  /** `spec.source.targetRevision`. */
  readonly path: string;
  /** As JSON, shortened; empty when it is not there. */
  readonly exported: string;
  readonly generated: string;
};

/** What a set generates here beside what Argo CD has of it. */
export type SetComparison =
  | {
      readonly set: string;
      readonly verdict: "same" | "differs";
      /** How many are generated here. */
      readonly applications: number;
      /** Argo CD has them, and they are not generated here. */
      readonly missing: readonly string[];
      /** They are generated here, and Argo CD does not have them. */
      readonly extra: readonly string[];
      readonly differences: readonly FieldDifference[];
      /** Elements and generators that failed. */
      readonly flaws: readonly string[];
    }
  | { readonly set: string; readonly verdict: "not-compared"; readonly reason: string };

/**
 * Generates a set and lays the result beside the Applications that Argo CD made of it, field by field. What
 * Argo CD has left out because it says nothing is no difference.
 */
export function compareSet(
  set: ApplicationSet,
  exported: readonly ExportedApplication[],
  facts: Facts,
  needs: GenerateNeeds,
): SetComparison {
  const unreadable = [...(facts.unreadable?.values() ?? [])];
  const notCompared = (reasons: readonly string[]): SetComparison => ({
    set: set.name,
    verdict: "not-compared",
    // What is missing says more than what it came to.
    reason: withoutUserInfo((unreadable.length > 0 ? unreadable : reasons).join("; ")),
  });
  const made = generate(set, facts, needs);
  if (!made.ok) return notCompared([made.problem.message]);
  const { applications, flaws } = made.value;
  const here = new Map(applications.map((one) => [one.name as string, one.document]));
  const reasons = [...new Set(flaws.map(({ problem }) => withoutUserInfo(problem.message)))];
  if (here.size === 0 && reasons.length > 0) return notCompared(reasons);
  const there = new Map(exported.map((one) => [one.name, one.document]));
  const differences: FieldDifference[] = [];
  for (const [name, document] of there) {
    const generated = here.get(name);
    if (generated === undefined) continue;
    const exported = comparable(document);
    const ours = comparable(generated);
    const expected = set.strategy === undefined ? ours : rolledOut(ours, exported);
    differ(name, "", exported, expected, differences);
  }
  const missing = [...there.keys()].filter((name) => !here.has(name));
  const extra = [...here.keys()].filter((name) => !there.has(name));
  const same = [missing, extra, differences, reasons].every((list) => list.length === 0);
  return {
    set: set.name,
    verdict: same ? "same" : "differs",
    applications: here.size,
    missing,
    extra,
    differences,
    flaws: reasons,
  };
}

/** The part of an Application that is anybody's intention, in one spelling. */
function comparable(document: JsonObject): JsonObject {
  const metadata = field(document, "metadata");
  const kept = emptyObject();
  for (const key of ["labels", "annotations", "finalizers"]) {
    const value = isObject(metadata) ? field(metadata, key) : undefined;
    if (value !== undefined) kept[key] = value;
  }
  const spec = field(document, "spec");
  const shaped = inApplicationShape({
    metadata: kept,
    spec: normalizedSpec(isObject(spec) ? spec : emptyObject()),
  });
  return shaped;
}

/**
 * What is generated as Argo CD's controller has it while it rolls a set out: it turns automated sync off, and starts
 * the syncs itself. Where the exported one was not turned off, no more is this one.
 */
function rolledOut(generated: JsonObject, exported: JsonObject): JsonObject {
  const off = automatedOf(exported);
  const automated = automatedOf(generated);
  if (automated === undefined || off === undefined || field(off, "enabled") !== false)
    return generated;
  const spec = objectIn(generated, "spec");
  const syncPolicy = {
    ...objectIn(spec, "syncPolicy"),
    automated: { ...automated, enabled: false },
  };
  return { ...generated, spec: { ...spec, syncPolicy } };
}

function automatedOf(application: JsonObject): JsonObject | undefined {
  const automated = field(objectIn(objectIn(application, "spec"), "syncPolicy"), "automated");
  return isObject(automated) ? automated : undefined;
}

function differ(
  application: string,
  path: string,
  exported: Json | undefined,
  generated: Json | undefined,
  found: FieldDifference[],
): void {
  if (isObject(exported) && isObject(generated)) {
    for (const key of [
      ...new Set([...Object.keys(exported), ...Object.keys(generated)]),
    ].toSorted())
      differ(
        application,
        path === "" ? key : `${path}.${key}`,
        field(exported, key),
        field(generated, key),
        found,
      );
    return;
  }
  if (isList(exported) && isList(generated) && exported.length === generated.length) {
    for (const [index, item] of exported.entries())
      differ(application, `${path}[${index}]`, item, generated[index], found);
    return;
  }
  if (shown(exported, Infinity) === shown(generated, Infinity)) return;
  found.push({
    application,
    path,
    exported: shown(exported, valueCharsMost),
    generated: shown(generated, valueCharsMost),
  });
}

const valueCharsMost = 120;

function shown(value: Json | undefined, charsMost: number): string {
  if (value === undefined) return "";
  const text = withoutUserInfo(canonicalJson(value));
  return text.length > charsMost ? `${text.slice(0, charsMost)}…` : text;
}
