import type { KubeObject } from "../domain/kube-object.ts";
import { isRecord, listOf, recordOf, textsOf, type JsonRecord } from "./json.ts";

/**
 * What is sent for an object: as written, without what only the API server may say.
 *
 * Status goes (a CustomResourceDefinition keeps its own), as does bookkeeping in metadata. A Secret's
 * `stringData` moves into `data`, which is where a later removal is noticed. Ports get their default
 * protocol, because it is part of the key they are merged by. An unreadable conversion `caBundle` goes,
 * since newer API servers refuse the whole definition for it.
 */
export function payloadOf(object: KubeObject): KubeObject {
  const cleaned = withoutServerFields(object);
  switch (object.kind) {
    case "Secret":
      return object.apiVersion === "v1" ? withDataOnly(cleaned) : cleaned;
    case "Service":
      return object.apiVersion === "v1" ? withServicePorts(cleaned) : cleaned;
    case "CustomResourceDefinition":
      return withoutBadBundle(cleaned);
    default:
      return withContainerPorts(cleaned);
  }
}

const serverMetadata = new Set([
  "creationTimestamp",
  "managedFields",
  "resourceVersion",
  "uid",
  "generation",
  "selfLink",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
]);

function withoutServerFields(object: KubeObject): KubeObject {
  const { status, metadata, ...rest } = object;
  const kept = Object.entries(metadata).filter(([field]) => !serverMetadata.has(field));
  return {
    ...rest,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { ...Object.fromEntries(kept), name: metadata.name },
    ...(object.kind === "CustomResourceDefinition" && status !== undefined ? { status } : {}),
  };
}

function withDataOnly(object: KubeObject): KubeObject {
  const { stringData, ...rest } = object;
  if (stringData === undefined) return object;
  const moved = Object.entries(textsOf(stringData)).map(([key, text]) => [
    key,
    Buffer.from(text, "utf8").toString("base64"),
  ]);
  return {
    ...rest,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: object.metadata,
    data: { ...recordOf(object["data"]), ...Object.fromEntries(moved) },
  };
}

const withServicePorts = (object: KubeObject): KubeObject =>
  changed(object, ["spec", "ports"], withProtocols);

/** Where the kinds of Kubernetes keep a pod's specification. */
const podSpecPaths: readonly (readonly string[])[] = [
  ["spec"],
  ["spec", "template", "spec"],
  ["spec", "jobTemplate", "spec", "template", "spec"],
  ["template", "spec"],
];

const podOwners = new Set(["v1", "apps/v1", "batch/v1"]);

function withContainerPorts(object: KubeObject): KubeObject {
  if (!podOwners.has(object.apiVersion)) return object;
  let result = object;
  for (const path of podSpecPaths) {
    for (const list of ["containers", "initContainers"])
      result = changed(result, [...path, list], (containers) =>
        listOf(containers).map((container) =>
          isRecord(container) && Array.isArray(container["ports"])
            ? { ...container, ports: withProtocols(container["ports"]) }
            : container,
        ),
      );
  }
  return result;
}

const withProtocols = (ports: unknown): unknown =>
  Array.isArray(ports)
    ? (ports as readonly unknown[]).map((port) =>
        isRecord(port) && port["protocol"] === undefined ? { ...port, protocol: "TCP" } : port,
      )
    : ports;

const bundlePath = ["spec", "conversion", "webhook", "clientConfig"];

function withoutBadBundle(object: KubeObject): KubeObject {
  return changed(object, bundlePath, (config) => {
    if (!isRecord(config) || typeof config["caBundle"] !== "string") return config;
    const text = Buffer.from(config["caBundle"], "base64").toString("latin1");
    if (text.includes("-----BEGIN CERTIFICATE-----")) return config;
    const { caBundle: _unreadable, ...rest } = config;
    return rest;
  });
}

/** The object with `change` made to what stands at `path`; the same object when nothing stands there. */
function changed(
  object: KubeObject,
  path: readonly string[],
  change: (value: unknown) => unknown,
): KubeObject {
  const result = changedRecord(object, path, change);
  return result === object
    ? object
    : { ...result, apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata };
}

function changedRecord(
  record: JsonRecord,
  path: readonly string[],
  change: (value: unknown) => unknown,
): JsonRecord {
  const [field, ...rest] = path;
  const value = field === undefined ? undefined : record[field];
  if (field === undefined || value === undefined) return record;
  if (rest.length === 0) return { ...record, [field]: change(value) };
  if (!isRecord(value)) return record;
  const inner = changedRecord(value, rest, change);
  return inner === value ? record : { ...record, [field]: inner };
}
