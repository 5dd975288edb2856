import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { digestOf, type Digest, type Json } from "../../proto/words/digest.ts";
import type { ObjectKey } from "../../proto/words/object-key.ts";
import { managedLabel, trackingAnnotation } from "./cluster.ts";
import { parseExactJson } from "./exact-json.ts";
import { isFields, listAt, textAt } from "./fields.ts";
import { keyOfObject, type KubeObject, type ResourceType } from "./kube-object.ts";
import { markerText } from "./marker.ts";

/** Reads the bytes of one blob. Whole numbers too large for a double come back as bigints, exact. */
export function readManifest(bytes: Uint8Array): Result<KubeObject, string> {
  let value: unknown;
  try {
    value = parseExactJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    return fail(`manifest is not JSON: ${error instanceof Error ? error.name : "unknown"}`);
  }
  return checkManifest(value);
}

function checkManifest(value: unknown): Result<KubeObject, string> {
  if (!isFields(value)) return fail("manifest is not an object");
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== "string" || apiVersion === "")
    return fail("manifest has no apiVersion");
  if (typeof kind !== "string" || kind === "") return fail("manifest has no kind");
  if (!isFields(metadata) || textAt(metadata, "name") === "")
    return fail(`manifest of kind ${kind} has no metadata.name`);
  if (metadata["namespace"] !== undefined && typeof metadata["namespace"] !== "string")
    return fail(`metadata.namespace of ${kind} ${textAt(metadata, "name")} is not text`);
  for (const field of ["labels", "annotations"]) {
    const map = metadata[field] ?? {};
    if (!isFields(map) || Object.values(map).some((text) => typeof text !== "string"))
      return fail(`metadata.${field} of ${kind} ${textAt(metadata, "name")} must map text to text`);
  }
  return ok(value as KubeObject);
}

export type Destination = {
  readonly resourceType: ResourceType;
  /** Where a namespaced object without a namespace goes. Empty: `default`. */
  readonly destinationNamespace: string;
  readonly hubId: string;
  readonly application: string;
};

export type PreparedManifest = {
  readonly key: ObjectKey;
  /** What is sent to the API server, but for what the Kubernetes edge cleans from every payload. */
  readonly object: KubeObject;
  readonly digest: Digest;
};

/** The object to send: namespace filled in or taken out as its kind wants, label and tracking annotation added. */
export function prepareManifest(manifest: KubeObject, destination: Destination): PreparedManifest {
  const placed = inNamespace(withoutLastApplied(manifest), namespaceFor(manifest, destination));
  const key = keyOfObject(placed);
  const object: KubeObject = {
    ...placed,
    metadata: {
      ...placed.metadata,
      labels: { ...placed.metadata.labels, [managedLabel]: destination.hubId },
      annotations: {
        ...placed.metadata.annotations,
        [trackingAnnotation]: markerText(destination.hubId, destination.application, key),
      },
    },
  };
  // JSON from a blob: readManifest let nothing else in.
  return { key, object, digest: digestOf(object as Json) };
}

const namespaceFor = (manifest: KubeObject, destination: Destination): string => {
  if (!destination.resourceType.namespaced) return "";
  const own = manifest.metadata.namespace ?? "";
  return own || destination.destinationNamespace || "default";
};

function inNamespace(object: KubeObject, namespace: string): KubeObject {
  const { namespace: _dropped, ...metadata } = object.metadata;
  return { ...object, metadata: namespace === "" ? metadata : { ...metadata, namespace } };
}

/** Written by client-side apply; a big object would not fit into it. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

function withoutLastApplied(manifest: KubeObject): KubeObject {
  const { annotations } = manifest.metadata;
  if (annotations === undefined || !(lastApplied in annotations)) return manifest;
  const { [lastApplied]: _dropped, ...kept } = annotations;
  return { ...manifest, metadata: { ...manifest.metadata, annotations: kept } };
}

/** Where a pod's spec lies in an object: its own, a workload's template's, a CronJob's job's template's. */
const podSpecPaths: readonly (readonly string[])[] = [
  ["spec", "template", "spec"],
  ["spec", "jobTemplate", "spec", "template", "spec"],
];

const podSpecPathsOf = (object: KubeObject): readonly (readonly string[])[] =>
  object.apiVersion === "v1" && object.kind === "Pod" ? [["spec"]] : podSpecPaths;

const containerLists = ["initContainers", "containers", "ephemeralContainers"] as const;

/** Images of an object's containers as written, without repeats, sorted. */
export function imagesOf(object: KubeObject): readonly string[] {
  const images = new Set<string>();
  for (const path of podSpecPathsOf(object)) {
    for (const list of containerLists) {
      for (const container of listAt(object, ...path, list)) {
        const image = textAt(container, "image");
        if (image !== "") images.add(image);
      }
    }
  }
  return [...images].toSorted();
}

/** The kind that a CustomResourceDefinition brings; `undefined` for every other object. */
export function kindDefinedBy(
  object: KubeObject,
): { readonly group: string; readonly kind: string } | undefined {
  if (object.kind !== "CustomResourceDefinition") return undefined;
  if (!object.apiVersion.startsWith("apiextensions.k8s.io/")) return undefined;
  return { group: textAt(object, "spec", "group"), kind: textAt(object, "spec", "names", "kind") };
}
