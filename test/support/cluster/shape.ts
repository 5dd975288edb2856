/** What becomes of an object on its way from a request into the store: which parts count, and which stay. */
import { withOpenApiDefaults } from "./custom.ts";
import { defaulted } from "./defaults.ts";
import { at, isList, isMap, mapAt, sameJson, textAt, type Json, type JsonMap } from "./json.ts";
import { apiVersionOf, type Kind } from "./kinds.ts";
import { withMeta, type KubeObject, type Meta } from "./object.ts";
import type { Cause } from "./status.ts";
import { invalidValue } from "./causes.ts";
import type { Target } from "./verbs.ts";

/** The same object under the API version that a request asked for. */
export const inVersion = (object: KubeObject, kind: Kind): KubeObject => {
  const apiVersion = apiVersionOf(kind);
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
};

export function objectFrom(kind: Kind, value: JsonMap): KubeObject {
  const metadata = mapAt(value, "metadata");
  return {
    ...value,
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: trimmedMeta({ ...metadata, name: textAt(metadata, "name") }),
  };
}

/** Empty maps and lists in metadata are as good as absent. */
function trimmedMeta(metadata: JsonMap & { readonly name: string }): Meta {
  const kept: Record<string, Json> = {};
  for (const [field, value] of Object.entries(metadata)) {
    const isEmpty = isList(value)
      ? value.length === 0 && field !== "managedFields"
      : isMap(value) && Object.keys(value).length === 0;
    if (value !== null && value !== "" && !isEmpty && field !== "selfLink") kept[field] = value;
  }
  return { ...kept, name: metadata.name };
}

export const asObject = (value: JsonMap, like: KubeObject): KubeObject => {
  const metadata = mapAt(value, "metadata");
  return {
    ...value,
    apiVersion: like.apiVersion,
    kind: like.kind,
    metadata: trimmedMeta({ ...metadata, name: like.metadata.name }),
  };
};

export function withDefaults(kind: Kind, object: KubeObject): KubeObject {
  if (kind.custom === undefined) return defaulted(kind.key, object);
  return asObject(mapAt({ all: withOpenApiDefaults(object, kind.custom.openApi) }, "all"), object);
}

export const placeOf = (
  kind: Kind,
  namespace: string,
): { readonly namespace: string | undefined } => ({
  namespace: kind.namespaced ? namespace : undefined,
});

/** Attempts to write what only the API server writes, where it does not just pass over them. */
export function metaChanges(was: KubeObject, draft: KubeObject): readonly Cause[] {
  const fields = ["uid", "deletionTimestamp", "deletionGracePeriodSeconds"] as const;
  return fields.flatMap((field) => {
    const given = draft.metadata[field];
    return given === undefined ||
      given === was.metadata[field] ||
      // The time of a deletion that has begun stays, whatever an author says.
      (field === "deletionTimestamp" && was.metadata[field] !== undefined)
      ? []
      : [invalidValue(`metadata.${field}`, given, "field is immutable")];
  });
}

/** What only the API server writes in metadata. */
export function keptMeta(was: KubeObject): {
  readonly [field in keyof Meta]?: Meta[field] | undefined;
} {
  const { metadata } = was;
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    generation: metadata.generation,
    creationTimestamp: metadata.creationTimestamp,
    deletionTimestamp: metadata.deletionTimestamp,
    deletionGracePeriodSeconds: metadata.deletionGracePeriodSeconds,
  };
}

export const withoutStatus = (object: KubeObject): KubeObject => {
  const { status: _, ...rest } = object;
  return { ...rest, apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata };
};

export function withStatusOf(object: KubeObject, was: KubeObject): KubeObject {
  const status = was["status"];
  if (status === object["status"]) return object;
  return status === undefined ? withoutStatus(object) : { ...object, status };
}

/** What a subresource's endpoint may change: only its own part. */
export function subresourceOf(target: Target, was: KubeObject, next: KubeObject): KubeObject {
  const managedFields = next.metadata.managedFields;
  switch (target.subresource) {
    case "status": {
      const status = next["status"];
      // Controllers note revisions in annotations together with the status; custom kinds allow no such thing.
      const annotations =
        target.kind.custom === undefined ? next.metadata.annotations : was.metadata.annotations;
      const base = withMeta(was, { managedFields, annotations });
      return status === undefined ? withoutStatus(base) : { ...base, status };
    }
    case "finalize":
      return {
        ...was,
        spec: { ...mapAt(was, "spec"), finalizers: at(next, "spec", "finalizers") ?? [] },
      };
    case "binding":
      // Finding a node is nobody's change of the pod.
      return withMeta(
        { ...was, spec: { ...mapAt(was, "spec"), nodeName: textAt(next, "spec", "nodeName") } },
        { generation: was.metadata.generation },
      );
    default:
      return next;
  }
}

export const unownedBy = (kind: Kind, subresource: string): readonly string[] => {
  if (subresource === "status") return kind.custom === undefined ? ["spec"] : ["spec", "metadata"];
  return kind.hasStatus ? ["status"] : [];
};

/** Whether a change counts as a generation. A Deployment's annotations do, for the sake of old rollbacks. */
export function changesSpec(kind: Kind, was: KubeObject, is: KubeObject): boolean {
  if (
    kind.key === "apps/deployments" &&
    !sameJson(was.metadata.annotations, is.metadata.annotations)
  )
    return true;
  const isCounted = (field: string): boolean =>
    field !== "metadata" &&
    field !== "apiVersion" &&
    field !== "kind" &&
    !(field === "status" && kind.hasStatus);
  const fields = new Set([...Object.keys(was), ...Object.keys(is)]);
  return [...fields].some((field) => isCounted(field) && !sameJson(was[field], is[field]));
}

/** The applied object as it counts: identity from the address, and only what this endpoint writes. */
export function appliedConfig(target: Target, body: JsonMap): KubeObject {
  const { kind, namespace, name, subresource } = target;
  const metadata = { ...mapAt(body, "metadata"), name };
  const config: KubeObject = {
    ...body,
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: kind.namespaced ? { ...metadata, namespace } : metadata,
  };
  if (subresource === "status") return config;
  return kind.hasStatus ? withoutStatus(config) : config;
}
