import { parseClusterName, type ClusterName } from "../../../proto/words/ids.ts";
import { emptyObject, field, isObject, type JsonObject } from "../document.ts";
import { localClusterName, localServer } from "../generators/clusters.ts";
import type { Labels } from "../records.ts";
import { normalize } from "../template/normalize.ts";
import { withoutUserInfo } from "./finding.ts";

/** The label that makes a Secret of Argo CD's namespace a cluster, and its value. */
export const secretTypeLabel = "argocd.argoproj.io/secret-type";

/** A cluster of Argo CD, without anything that opens it. */
export type ArgoCluster = {
  /** The Secret it was read from; empty for the cluster Argo CD runs in, which needs none. */
  readonly secret: string;
  /** What templates see as `name`. */
  readonly name: string;
  /** Empty when it is not known: the export holds metadata alone, say. */
  readonly server: string;
  /** Empty for clusters of all projects. */
  readonly project: string;
  readonly labels: Labels;
  readonly annotations: Labels;
};

/** The cluster that Argo CD runs in and knows without a Secret. */
export const localCluster: ArgoCluster = {
  secret: "",
  name: localClusterName,
  server: localServer,
  project: "",
  labels: {},
  annotations: {},
};

/** The annotation in which kubectl keeps a copy of the whole object, credentials included. */
export const appliedCopy = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * Reads a cluster Secret. Three keys of its data are looked at (`name`, `server`, `project`) and every other
 * one, where the credentials are, is never touched.
 */
export function clusterOfSecret(secret: JsonObject): ArgoCluster {
  const metadata = field(secret, "metadata");
  const labels = texts(metadata, "labels");
  delete labels[secretTypeLabel];
  const annotations = texts(metadata, "annotations");
  delete annotations[appliedCopy];
  const secretName = isObject(metadata) ? field(metadata, "name") : undefined;
  const named = typeof secretName === "string" ? secretName : "";
  const name = secretText(secret, "name");
  const server = secretText(secret, "server");
  return {
    secret: named,
    name: name === "" ? named : name,
    // One with a password inside is no address to write down.
    server: withoutUserInfo(server) === server ? server : "",
    project: secretText(secret, "project"),
    labels,
    annotations,
  };
}

/** The name a cluster can have here: Argo CD's where that is a DNS label, else the nearest there is. */
export function clusterNameHere(name: string): ClusterName | undefined {
  const same = parseClusterName(name);
  if (same.ok) return same.value;
  const near = parseClusterName(
    normalize(name).replaceAll(".", "-").slice(0, 63).replace(/-+$/, ""),
  );
  return near.ok ? near.value : undefined;
}

function texts(metadata: unknown, key: string): Record<string, string> {
  const read = emptyObject() as Record<string, string>;
  const written = isObject(metadata as JsonObject) ? field(metadata as JsonObject, key) : undefined;
  if (isObject(written))
    for (const [name, value] of Object.entries(written))
      if (typeof value === "string") read[name] = value;
  return read;
}

function secretText(secret: JsonObject, key: "name" | "server" | "project"): string {
  for (const part of ["stringData", "data"] as const) {
    const values = field(secret, part);
    const value = isObject(values) ? field(values, key) : undefined;
    if (typeof value !== "string") continue;
    return part === "data" ? Buffer.from(value, "base64").toString("utf8") : value;
  }
  return "";
}
