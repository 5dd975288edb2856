import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { makeObjectKey, type ObjectKey } from "../../../proto/words/object-key.ts";
import { trackingAnnotation } from "../../../spoke/domain/cluster.ts";
import type { KubeObject } from "../../../spoke/domain/kube-object.ts";
import { liveFrom } from "../../../spoke/domain/live.ts";
import { markerText } from "../../../spoke/domain/marker.ts";
import { planRemoval } from "../../../spoke/domain/removal.ts";

const configMap = makeObjectKey({ group: "", kind: "ConfigMap", namespace: "shop", name: "a" });
const namespace = makeObjectKey({ group: "", kind: "Namespace", namespace: "", name: "shop" });
const claim = makeObjectKey({
  group: "",
  kind: "PersistentVolumeClaim",
  namespace: "shop",
  name: "a",
});
const definition = makeObjectKey({
  group: "apiextensions.k8s.io",
  kind: "CustomResourceDefinition",
  namespace: "",
  name: "widgets.example.com",
});

type Row = {
  readonly name: string;
  readonly key: ObjectKey;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly uid?: string;
  readonly isGone?: boolean;
  readonly isReadable?: boolean;
  readonly isUsed?: boolean;
  readonly isDeclaredByOthers?: boolean;
  readonly expect: string;
};

const option = (text: string) => ({ "argocd.argoproj.io/sync-options": text });

const rows: readonly Row[] = [
  { name: "removes what it owns", key: configMap, expect: "remove" },
  { name: "removes a namespace of its own", key: namespace, expect: "remove" },
  { name: "removes a volume claim", key: claim, expect: "remove" },
  {
    name: "leaves a namespace others live in",
    key: namespace,
    isUsed: true,
    expect: "leave namespace-in-use",
  },
  { name: "leaves a definition", key: definition, expect: "leave definition" },
  {
    name: "leaves what another application declares: that one takes it over",
    key: configMap,
    isDeclaredByOthers: true,
    expect: "leave declared-by-others",
  },
  {
    name: "removes a definition that says Prune=true",
    key: definition,
    annotations: option("Prune=true"),
    expect: "remove",
  },
  {
    name: "leaves what asks to stay",
    key: configMap,
    annotations: option("Delete=false"),
    expect: "leave asks-to-stay",
  },
  {
    name: "leaves what Helm was told to keep",
    key: configMap,
    annotations: { "helm.sh/resource-policy": "keep" },
    expect: "leave asks-to-stay",
  },
  {
    name: "removes what only must not be pruned",
    key: configMap,
    annotations: option("Prune=false"),
    expect: "remove",
  },
  { name: "forgets what is gone", key: configMap, isGone: true, expect: "forget" },
  { name: "forgets an object that took its name", key: configMap, uid: "other", expect: "forget" },
  {
    name: "forgets what another application marked",
    key: configMap,
    annotations: { [trackingAnnotation]: markerText("hub", "blog", configMap) },
    expect: "forget",
  },
  { name: "waits for what cannot be read", key: configMap, isReadable: false, expect: "wait" },
];

suite("planRemoval", () => {
  for (const { name, key, expect, ...row } of rows) {
    test(name, () => {
      const [group = "", kind = "", space = "", own = ""] = key.split("/");
      const object: KubeObject = {
        apiVersion: group === "" ? "v1" : `${group}/v1`,
        kind,
        metadata: {
          name: own,
          ...(space === "" ? {} : { namespace: space }),
          uid: row.uid ?? "u1",
          annotations: { [trackingAnnotation]: markerText("hub", "shop", key), ...row.annotations },
        },
      };
      const [removal] = planRemoval({
        hubId: "hub",
        application: "shop",
        inventory: new Map([
          [key, { key, version: "v1", uid: "u1", applied: "d", fingerprint: "f" }],
        ]),
        live: () => (row.isGone === true ? undefined : liveFrom(object)),
        isReadable: () => row.isReadable ?? true,
        isNamespaceInUse: () => row.isUsed ?? false,
        isDeclaredByOthers: () => row.isDeclaredByOthers ?? false,
      });
      const why = removal?.kind === "leave" ? ` ${removal.why}` : "";
      assert.equal(`${removal?.kind}${why}`, expect);
    });
  }
});
