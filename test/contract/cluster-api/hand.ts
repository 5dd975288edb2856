/** Somebody beside the client under test, who sends plain requests. */
import { objectKeyParts, splitApiVersion } from "../../../proto/words/object-key.ts";
import type { KubeObject } from "../../../spoke/domain/kube-object.ts";
import type { ContractCluster } from "./suite.ts";

/** Sends one request, a PATCH as a merge patch, and throws when it is refused. */
export type Ask = (method: string, path: string, body?: unknown) => Promise<void>;

export const handOf = (ask: Ask): ContractCluster["hand"] => ({
  create: async (object) => await ask("POST", pathOf(object), object),
  edit: async (key, patch) => await ask("PATCH", pathOfKey(objectKeyParts(key)), patch),
  remove: async (key) => await ask("DELETE", pathOfKey(objectKeyParts(key))),
});

/** Only the kinds the contract touches by hand. */
const collections: { readonly [kind: string]: string } = {
  "/ConfigMap": "/api/v1/namespaces/NAMESPACE/configmaps",
  "apiextensions.k8s.io/CustomResourceDefinition":
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
};

function collection(group: string, kind: string, namespace: string): string {
  const path = collections[`${group}/${kind}`];
  if (path === undefined) throw new Error(`nobody creates a ${kind} by hand here`);
  return path.replace("NAMESPACE", namespace);
}

const pathOf = ({ apiVersion, kind, metadata }: KubeObject): string =>
  collection(splitApiVersion(apiVersion).group, kind, metadata.namespace ?? "");

const pathOfKey = ({ group, kind, namespace, name }: ReturnType<typeof objectKeyParts>): string =>
  `${collection(group, kind, namespace)}/${name}`;
