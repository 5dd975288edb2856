import type { ResourceType } from "../domain/kube-object.ts";

/** Path of a whole collection, of all namespaces when `namespace` is empty. */
export function collectionPath(type: ResourceType, namespace: string): string {
  const root =
    type.group === ""
      ? `/api/${encodeURIComponent(type.version)}`
      : `/apis/${encodeURIComponent(type.group)}/${encodeURIComponent(type.version)}`;
  const scope =
    type.namespaced && namespace !== "" ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}${scope}/${encodeURIComponent(type.plural)}`;
}

export const objectPath = (type: ResourceType, namespace: string, name: string): string =>
  `${collectionPath(type, namespace)}/${encodeURIComponent(name)}`;
