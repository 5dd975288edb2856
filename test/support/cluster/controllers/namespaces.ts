/** Namespaces: what each one is furnished with, and how its content is cleared before it goes. */
import { withConditions, type Condition } from "../conditions.ts";
import { listAt, mapAt } from "../json.ts";
import { builtIn } from "../kinds.ts";
import { isTerminating, namespaceOf, type KubeObject } from "../object.ts";
import { itself, type Controller, type Host, type ObjectName } from "./host.ts";

const namespaces = builtIn("/namespaces");

const nowhere: readonly ObjectName[] = [];

export function createNamespaceController(host: Host): Controller {
  const { store, resources, time, caPem } = host.world;

  const furnish = (name: string): void => {
    const metadata = (object: string) => ({ name: object, namespace: name });
    if (store.get("/serviceaccounts", name, "default") === undefined)
      host.make("/serviceaccounts", {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: metadata("default"),
      });
    if (store.get("/configmaps", name, "kube-root-ca.crt") === undefined)
      host.make("/configmaps", {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: {
          ...metadata("kube-root-ca.crt"),
          annotations: {
            "kubernetes.io/description":
              "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
          },
        },
        data: { "ca.crt": caPem },
      });
  };

  const clear = (namespace: KubeObject): void => {
    const { name } = namespace.metadata;
    const keys = [
      ...new Set(
        resources
          .kinds()
          .filter((kind) => kind.namespaced)
          .map((kind) => kind.key),
      ),
    ];
    for (const key of keys) {
      const kind = host.world.kinds.byKey(key);
      if (kind === undefined) continue;
      for (const object of store.list(key, name))
        if (!isTerminating(object)) host.remove(kind, object);
    }
    const left = keys
      .map((key) => ({ key, objects: store.list(key, name) }))
      .filter(({ objects }) => objects.length > 0);
    report(namespace, left);
    if (left.length > 0) return;
    const now = store.get(namespaces.key, "", name);
    const others = listAt(now, "spec", "finalizers").filter((one) => one !== "kubernetes");
    if (now !== undefined) resources.finalizeNamespace(now, others);
  };

  const report = (
    namespace: KubeObject,
    left: readonly { readonly key: string; readonly objects: readonly KubeObject[] }[],
  ): void => {
    const resourceOf = (key: string): string => {
      const [group = "", plural = ""] = key.split("/");
      return group === "" ? `${plural}.` : `${plural}.${group}`;
    };
    const remaining = left.map(
      ({ key, objects }) => `${resourceOf(key)} has ${objects.length} resource instances`,
    );
    const finalizers = new Map<string, number>();
    for (const finalizer of left.flatMap(({ objects }) =>
      objects.flatMap((object) => object.metadata.finalizers ?? []),
    ))
      finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
    const waiting = [...finalizers].map(
      ([finalizer, count]) => `${finalizer} in ${count} resource instances`,
    );
    const isEmpty = remaining.length === 0;
    const conditions: readonly Condition[] = [
      {
        type: "NamespaceDeletionDiscoveryFailure",
        status: "False",
        reason: "ResourcesDiscovered",
        message: "All resources successfully discovered",
      },
      {
        type: "NamespaceDeletionGroupVersionParsingFailure",
        status: "False",
        reason: "ParsedGroupVersions",
        message: "All legacy kube types successfully parsed",
      },
      {
        type: "NamespaceDeletionContentFailure",
        status: "False",
        reason: "ContentDeleted",
        message: "All content successfully deleted, may be waiting on finalization",
      },
      {
        type: "NamespaceContentRemaining",
        status: isEmpty ? "False" : "True",
        reason: isEmpty ? "ContentRemoved" : "SomeResourcesRemain",
        message: isEmpty
          ? "All content successfully removed"
          : `Some resources are remaining: ${remaining.join(", ")}`,
      },
      {
        type: "NamespaceFinalizersRemaining",
        status: waiting.length === 0 ? "False" : "True",
        reason: waiting.length === 0 ? "ContentHasNoFinalizers" : "SomeFinalizersRemain",
        message:
          waiting.length === 0
            ? "All content-preserving finalizers finished"
            : `Some content in the namespace has finalizers remaining: ${waiting.join(", ")}`,
      },
    ];
    // A namespace that has nothing to wait for is gone before anybody could read this.
    if (isEmpty && mapAt(namespace, "status")["conditions"] === undefined) return;
    host.setStatus(namespaces.key, namespace, {
      ...mapAt(namespace, "status"),
      conditions: withConditions(namespace, time.stamp(), conditions),
    });
  };

  return {
    name: namespaces.plural,
    concerns: (change) => {
      if (change.kind === namespaces.key) return itself(namespaces.key)(change);
      const name = namespaceOf(change.last);
      if (name === "") return nowhere;
      const namespace = store.get(namespaces.key, "", name);
      const isNews =
        namespace !== undefined &&
        (isTerminating(namespace) || (change.is === undefined && isFurniture(change.last)));
      return isNews ? [{ namespace: "", name }] : nowhere;
    },
    reconcile: ({ name }) => {
      const namespace = store.get(namespaces.key, "", name);
      if (namespace === undefined) return;
      if (isTerminating(namespace)) clear(namespace);
      else furnish(name);
    },
  };
}

const isFurniture = (object: KubeObject): boolean =>
  (object.kind === "ServiceAccount" && object.metadata.name === "default") ||
  (object.kind === "ConfigMap" && object.metadata.name === "kube-root-ca.crt");
