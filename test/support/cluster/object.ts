import type { Json, JsonMap } from "./json.ts";

export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
};

/** One manager's claim, as the API writes it. */
export type ManagedEntry = {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly time?: string;
  readonly fieldsType?: string;
  readonly fieldsV1?: JsonMap;
  readonly subresource?: string;
};

export type Meta = {
  readonly name: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: { readonly [key: string]: string };
  readonly annotations?: { readonly [key: string]: string };
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly ManagedEntry[];
};

/** An object as the API serves it. What has no type here is read with the functions of `json.ts`. */
export type KubeObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Meta;
  readonly [field: string]: Json;
};

export const namespaceOf = (object: KubeObject): string => object.metadata.namespace ?? "";

export const uidOf = (object: KubeObject): string => object.metadata.uid ?? "";

export const isTerminating = (object: KubeObject): boolean =>
  object.metadata.deletionTimestamp !== undefined;

/** A copy with some metadata changed. `undefined` removes a field. */
export function withMeta(
  object: KubeObject,
  changes: { readonly [field in keyof Meta]?: Meta[field] | undefined },
): KubeObject {
  const metadata: { [field: string]: Json } = { ...object.metadata };
  for (const field in changes) {
    if (!isMetaField(field, changes)) continue;
    const value = changes[field];
    if (value === undefined) delete metadata[field];
    else metadata[field] = value;
  }
  return { ...object, metadata: { ...metadata, name: changes.name ?? object.metadata.name } };
}

const isMetaField = (field: string, changes: object): field is keyof Meta => field in changes;

export const controllerOf = (object: KubeObject): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((reference) => reference.controller === true);
