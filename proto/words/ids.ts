import { fail, ok, type Result } from "../kit/result.ts";
import { isDnsLabel } from "./dns-label.ts";

declare const clusterName: unique symbol;
declare const clusterId: unique symbol;
declare const applicationName: unique symbol;

/** What people call a cluster: a DNS label. */
export type ClusterName = string & { readonly [clusterName]: true };

/** What certificates and keys call a cluster: an opaque lower-case UUID, never reused, never shown as a name. */
export type ClusterId = string & { readonly [clusterId]: true };

/** A DNS subdomain of at most 253 characters, as Argo CD names Applications. Unique on a hub. */
export type ApplicationName = string & { readonly [applicationName]: true };

/** Strictly growing number of one application's desired state in one cluster. The first is 1. */
export type Generation = number;

/** Strictly growing number of one cluster's desired set. 0 is the empty set nobody has written yet. */
export type Version = number;

/** The fencing number of one attachment. A spoke obeys no message whose epoch is lower than one it has seen. */
export type Epoch = number;

const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function parseClusterName(input: unknown): Result<ClusterName, string> {
  if (typeof input !== "string") return fail(`cluster name must be text, got ${typeof input}`);
  if (!isDnsLabel(input))
    return fail(
      `cluster name ${JSON.stringify(input)} is not a DNS label (a-z, 0-9 and "-", at most 63)`,
    );
  return ok(input as ClusterName);
}

export function parseClusterId(input: unknown): Result<ClusterId, string> {
  if (typeof input !== "string") return fail(`cluster id must be text, got ${typeof input}`);
  if (!uuid.test(input)) return fail(`cluster id ${JSON.stringify(input)} is not a UUID`);
  return ok(input as ClusterId);
}

export function parseApplicationName(input: unknown): Result<ApplicationName, string> {
  if (typeof input !== "string") return fail(`application name must be text, got ${typeof input}`);
  if (input.length > 253 || !dnsSubdomain.test(input))
    return fail(
      `application name ${JSON.stringify(input)} is not a DNS subdomain (a-z, 0-9, "-" and ".", at most 253)`,
    );
  return ok(input as ApplicationName);
}
