import { fail, ok, type Result } from "../kit/result.ts";

declare const objectKey: unique symbol;

/**
 * Identity of a Kubernetes object as text: `group/Kind/namespace/name`.
 *
 * Group is empty for the core group, namespace is empty for cluster scope. The API version is not part of
 * identity: moving a manifest from v1beta1 to v1 is a change, not a removal and an addition.
 */
export type ObjectKey = string & { readonly [objectKey]: true };

export type ObjectKeyParts = {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
};

export const makeObjectKey = ({ group, kind, namespace, name }: ObjectKeyParts): ObjectKey =>
  `${group}/${kind}/${namespace}/${name}` as ObjectKey;

/** Kinds, groups and namespaces hold no slash; names never do either, so the text splits one way only. */
export function parseObjectKey(text: string): Result<ObjectKeyParts, string> {
  const parts = text.split("/");
  const [group, kind, namespace, name] = parts;
  if (
    parts.length !== 4 ||
    group === undefined ||
    kind === undefined ||
    kind === "" ||
    namespace === undefined ||
    name === undefined ||
    name === ""
  )
    return fail(`${JSON.stringify(text)} is not an object key (group/Kind/namespace/name)`);
  return ok({ group, kind, namespace, name });
}

/** The parts of a key that was made by `makeObjectKey`. Throws TypeError for anything else: that is a bug. */
export function objectKeyParts(key: ObjectKey): ObjectKeyParts {
  const parsed = parseObjectKey(key);
  if (!parsed.ok) throw new TypeError(parsed.problem);
  return parsed.value;
}

/** `apps/v1` → group `apps`, version `v1`; `v1` → the core group. */
export function splitApiVersion(apiVersion: string): {
  readonly group: string;
  readonly version: string;
} {
  const slash = apiVersion.indexOf("/");
  return slash === -1
    ? { group: "", version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

export const joinApiVersion = (group: string, version: string): string =>
  group === "" ? version : `${group}/${version}`;
