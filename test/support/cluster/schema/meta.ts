import {
  any,
  atomicList,
  atomicMapOf,
  atomicStruct,
  bool,
  int64,
  listMap,
  setOf,
  struct,
  text,
  textMap,
  texts,
  type Schema,
} from "./schema.ts";

export const objectMeta = struct(
  {
    name: text,
    generateName: text,
    namespace: text,
    selfLink: text,
    uid: text,
    resourceVersion: text,
    generation: int64,
    creationTimestamp: text,
    deletionTimestamp: text,
    deletionGracePeriodSeconds: int64,
    labels: textMap,
    annotations: textMap,
    ownerReferences: listMap(
      ["uid"],
      atomicStruct({
        apiVersion: text,
        kind: text,
        name: text,
        uid: text,
        controller: bool,
        blockOwnerDeletion: bool,
      }),
    ),
    finalizers: setOf(text),
    managedFields: atomicList(any),
  },
  // An empty list of records is an order to forget them, which leaving them out is not.
  ["creationTimestamp", "managedFields"],
);

/** A kind's whole schema: what every object has, and its own fields. */
export const objectSchema = (
  fields: { readonly [field: string]: Schema },
  inline: readonly string[] = ["spec", "status"],
): Schema =>
  struct({ apiVersion: text, kind: text, metadata: objectMeta, ...fields }, [
    "metadata",
    ...inline,
  ]);

export const labelSelector = atomicStruct({
  matchLabels: textMap,
  matchExpressions: atomicList(struct({ key: text, operator: text, values: texts })),
});

const conditionFields = {
  type: text,
  status: text,
  observedGeneration: int64,
  lastTransitionTime: text,
  lastUpdateTime: text,
  lastProbeTime: text,
  lastHeartbeatTime: text,
  reason: text,
  message: text,
};

export const condition = struct(conditionFields, ["lastTransitionTime"]);
export const conditions = listMap(["type"], condition);
export const atomicConditions = atomicList(condition);

export const objectReference = atomicStruct({
  apiVersion: text,
  kind: text,
  name: text,
  namespace: text,
  uid: text,
  resourceVersion: text,
  fieldPath: text,
});

export const localReference = atomicStruct({ name: text });

export const typedLocalReference = atomicStruct({
  apiGroup: text,
  kind: text,
  name: text,
  namespace: text,
});

export const atomicTextMap = atomicMapOf(text);
