/** What all workloads do alike: make pods from a template, adopt those that match, count them. */
import { createHash } from "node:crypto";
import { isList, isMap, mapAt, type Json, type JsonMap } from "../json.ts";
import { controllerOf, isTerminating, namespaceOf, type KubeObject } from "../object.ts";
import { labelsOf, matchesLabels, requirementsOf } from "../selectors.ts";
import { builtIn } from "../kinds.ts";
import { controllerReference, type Host } from "./host.ts";
import { isActive, isReady } from "./pods.ts";

const safeCharacters = "bcdfghjklmnpqrstvwxz2456789";

/** Ten characters that stand for a template, as `pod-template-hash` does. */
export function templateHash(template: Json): string {
  const digest = createHash("sha256").update(sortedText(template)).digest();
  return [...digest.subarray(0, 10)]
    .map((byte) => safeCharacters[byte % safeCharacters.length] ?? "b")
    .join("");
}

function sortedText(value: Json): string {
  if (isList(value)) return `[${value.map(sortedText).join(",")}]`;
  if (!isMap(value)) return JSON.stringify(value);
  const fields = Object.keys(value).toSorted();
  return `{${fields.map((field) => `${JSON.stringify(field)}:${sortedText(value[field] ?? null)}`).join(",")}}`;
}

/** A template with one more label. */
export function withTemplateLabels(template: JsonMap, labels: JsonMap): JsonMap {
  const metadata = mapAt(template, "metadata");
  return {
    ...template,
    metadata: { ...metadata, labels: { ...mapAt(metadata, "labels"), ...labels } },
  };
}

const textsOf = (map: JsonMap): { readonly [key: string]: string } =>
  Object.fromEntries(
    Object.entries(map).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );

/** A pod of the owner's template, not yet made. */
export function podFrom(
  owner: KubeObject,
  template: JsonMap,
  identity: { readonly name: string } | { readonly generateName: string },
): KubeObject {
  const metadata = mapAt(template, "metadata");
  const labels = textsOf(mapAt(metadata, "labels"));
  const annotations = textsOf(mapAt(metadata, "annotations"));
  const namespace = namespaceOf(owner);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "",
      ...identity,
      namespace,
      labels,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ownerReferences: controllerReference(owner),
    },
    spec: mapAt(template, "spec"),
  };
}

/** Takes over objects of the kind that match the owner's selector and have no controller. */
export function adopt(host: Host, owner: KubeObject, kind: string): void {
  if (isTerminating(owner)) return;
  const requirements = requirementsOf(mapAt(owner, "spec")["selector"]);
  if (requirements.length === 0) return;
  for (const object of host.world.store.list(kind, namespaceOf(owner))) {
    if (controllerOf(object) !== undefined || isTerminating(object)) continue;
    if (!matchesLabels(requirements, labelsOf(object))) continue;
    host.setMeta(builtIn(kind), object, {
      ownerReferences: [...(object.metadata.ownerReferences ?? []), ...controllerReference(owner)],
    });
  }
}

export type PodCounts = {
  readonly active: readonly KubeObject[];
  readonly ready: readonly KubeObject[];
};

export function countPods(pods: readonly KubeObject[]): PodCounts {
  const active = pods.filter(isActive);
  return { active, ready: active.filter(isReady) };
}

/** Pods to give up first: those that are not ready, then the newest. */
export function leastUseful(pods: readonly KubeObject[], count: number): readonly KubeObject[] {
  return pods
    .toSorted(
      (a, b) =>
        Number(isReady(a)) - Number(isReady(b)) ||
        Number(b.metadata.resourceVersion ?? 0) - Number(a.metadata.resourceVersion ?? 0),
    )
    .slice(0, count);
}

/** A number or a percentage of `total`. */
export function portion(value: Json | undefined, total: number, round: "up" | "down"): number {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return 0;
  const share = value.endsWith("%") ? (Number(value.slice(0, -1)) * total) / 100 : Number(value);
  return round === "up" ? Math.ceil(share) : Math.floor(share);
}
