/** What must not change once an object exists. */
import { forbiddenField, immutable, invalidValue } from "./causes.ts";
import { isList, isMap, mapAt, sameJson, textAt, type Json } from "./json.ts";
import type { Kind } from "./kinds.ts";
import type { KubeObject } from "./object.ts";
import type { Cause } from "./status.ts";

type Transition = (was: KubeObject, is: KubeObject) => readonly Cause[];

/** The fields that must not change, each reported by its own path. */
const unchanging = (...paths: readonly (readonly string[])[]): Transition => {
  return (was, is) =>
    paths.flatMap((path) => {
      const before = read(was, path);
      const after = read(is, path);
      return sameJson(before, after) ? [] : [immutable(path.join("."), after ?? null)];
    });
};

function read(object: KubeObject, path: readonly string[]): Json | undefined {
  let here: Json | undefined = object;
  for (const step of path) here = isMap(here) ? here[step] : undefined;
  return here;
}

const immutableData: Transition = (was, is) => {
  if (was["immutable"] !== true) return [];
  const fields = ["data", "binaryData"].filter((field) => !sameJson(was[field], is[field]));
  return [
    ...(is["immutable"] === true
      ? []
      : [forbiddenField("immutable", "field is immutable when `immutable` is set")]),
    ...fields.map((field) => forbiddenField(field, "field is immutable when `immutable` is set")),
  ];
};

const statefulSetFields = new Set([
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
]);

const statefulSetTransition: Transition = (was, is) => {
  const before = mapAt(was, "spec");
  const after = mapAt(is, "spec");
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]);
  const isChanged = [...fields].some(
    (field) => !statefulSetFields.has(field) && !sameJson(before[field], after[field]),
  );
  return isChanged
    ? [
        forbiddenField(
          "spec",
          "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ),
      ]
    : [];
};

const podTransition: Transition = (was, is) => {
  const fixed = (object: KubeObject): Json => {
    const {
      activeDeadlineSeconds: _a,
      tolerations: _t,
      nodeName: _n,
      ...spec
    } = mapAt(object, "spec");
    const withoutImages = (containers: Json | undefined): Json =>
      isList(containers)
        ? containers.map((container) =>
            isMap(container) ? { ...container, image: "" } : container,
          )
        : [];
    return {
      ...spec,
      containers: withoutImages(spec["containers"]),
      initContainers: withoutImages(spec["initContainers"]),
    };
  };
  return sameJson(fixed(was), fixed(is))
    ? []
    : [
        forbiddenField(
          "spec",
          "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        ),
      ];
};

const serviceTransition: Transition = (was, is) => {
  const before = textAt(was, "spec", "clusterIP");
  const after = textAt(is, "spec", "clusterIP");
  const isFixed = [was, is].every((object) => textAt(object, "spec", "type") !== "ExternalName");
  return before === "" || before === after || !isFixed
    ? []
    : [
        invalidValue(
          "spec.clusterIPs[0]",
          after === "" ? null : [after],
          "may not change once set",
        ),
      ];
};

const claimTransition: Transition = (was, is) => {
  const before = mapAt(was, "spec")["storageClassName"];
  const fixed = (object: KubeObject): Json => {
    const { resources, volumeName: _v, storageClassName, ...spec } = mapAt(object, "spec");
    // A bound claim may grow, and one without a class may still be given the default one.
    const isBound = textAt(was, "status", "phase") === "Bound";
    return {
      ...spec,
      ...(isBound ? {} : { resources: resources ?? {} }),
      ...(before === undefined ? {} : { storageClassName: storageClassName ?? "" }),
    };
  };
  return sameJson(fixed(was), fixed(is))
    ? []
    : [
        forbiddenField(
          "spec",
          "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
        ),
      ];
};

const roleRefTransition: Transition = (was, is) =>
  sameJson(was["roleRef"], is["roleRef"])
    ? []
    : [
        invalidValue(
          "roleRef",
          {
            APIGroup: textAt(is, "roleRef", "apiGroup"),
            Kind: textAt(is, "roleRef", "kind"),
            Name: textAt(is, "roleRef", "name"),
          },
          "cannot change roleRef",
        ),
      ];

const isSuspended = (job: KubeObject): boolean => mapAt(job, "spec")["suspend"] === true;

const transitions: { readonly [key: string]: Transition } = {
  "/pods": podTransition,
  "/services": serviceTransition,
  "/configmaps": immutableData,
  "/secrets": (was, is) => [...unchanging(["type"])(was, is), ...immutableData(was, is)],
  "/persistentvolumeclaims": claimTransition,
  "apps/deployments": unchanging(["spec", "selector"]),
  "apps/replicasets": unchanging(["spec", "selector"]),
  "apps/daemonsets": unchanging(["spec", "selector"]),
  "apps/statefulsets": statefulSetTransition,
  "batch/jobs": (was, is) =>
    was["spec"] !== is["spec"] && isSuspended(was) && isSuspended(is)
      ? unchanging(["spec", "selector"], ["spec", "completions"])(was, is)
      : unchanging(
          ["spec", "completions"],
          ["spec", "selector"],
          ["spec", "template"],
          ["spec", "completionMode"],
        )(was, is),
  "rbac.authorization.k8s.io/rolebindings": roleRefTransition,
  "rbac.authorization.k8s.io/clusterrolebindings": roleRefTransition,
  "apiextensions.k8s.io/customresourcedefinitions": unchanging(
    ["spec", "group"],
    ["spec", "scope"],
    ["spec", "names", "plural"],
    ["spec", "names", "kind"],
  ),
  "storage.k8s.io/storageclasses": unchanging(["provisioner"], ["parameters"], ["reclaimPolicy"]),
};

/** Metadata is checked for every kind, and once more by the kind. */
const twice = (cause: Cause): readonly Cause[] => [cause, cause];

/** An object on its way out takes no new finalizers. */
function newFinalizers(was: KubeObject, is: KubeObject): readonly Cause[] {
  if (was.metadata.deletionTimestamp === undefined) return [];
  const fresh = (is.metadata.finalizers ?? []).filter(
    (finalizer) => !(was.metadata.finalizers ?? []).includes(finalizer),
  );
  return fresh.length === 0
    ? []
    : twice(
        forbiddenField(
          "metadata.finalizers",
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${fresh.map((one) => JSON.stringify(one)).join(", ")}}`,
        ),
      );
}

/** Every reason to refuse a change of an object that exists. */
export const transitionProblems = (
  kind: Kind,
  was: KubeObject,
  is: KubeObject,
): readonly Cause[] => [...newFinalizers(was, is), ...(transitions[kind.key]?.(was, is) ?? [])];
