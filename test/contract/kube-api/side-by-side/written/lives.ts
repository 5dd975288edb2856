import type { JsonMap } from "../../../../support/cluster/json.ts";
import { configMap, deploymentsPath } from "../../bench.ts";
import type { Step } from "../script.ts";
import { widget } from "./objects.ts";
import {
  apply,
  create,
  get,
  noUid,
  patch,
  pathsIn,
  remove,
  update,
  withMetadata,
  type NamedSteps,
} from "./steps.ts";

/** How objects come, change and go. */
export const lifeScripts: readonly NamedSteps[] = [
  [
    "preconditions",
    (place) => {
      const { maps, map } = pathsIn(place);
      return [
        create(maps, configMap("one", { a: "1" })),
        remove(map, { preconditions: { uid: noUid } }),
        remove(map, { preconditions: { resourceVersion: "1" } }),
        remove(map, { preconditions: { uid: noUid, resourceVersion: "1" } }),
        update(map, (was) => withMetadata(was, { uid: noUid })),
        update(map, (was) => withMetadata(was, { resourceVersion: "1" })),
        update(map, (was) => withMetadata(was, { name: "two" })),
        update(map, (was) => withMetadata(was, { namespace: "other" })),
        update(map, (was) => withMetadata(was, { creationTimestamp: "2020-01-01T00:00:00Z" })),
        update(map, (was) => withMetadata(was, { creationTimestamp: null })),
        update(map, (was) => withMetadata(was, { deletionTimestamp: "2020-01-01T00:00:00Z" })),
        update(map, (was) => withMetadata(was, { generation: 7, selfLink: "x" })),
        update(map, (was) => withMetadata(was, { generateName: "x" })),
        patch("merge", map, { metadata: { resourceVersion: "1" }, data: { b: "1" } }),
        patch("merge", map, { metadata: { uid: noUid }, data: { b: "1" } }),
        patch("merge", map, { metadata: { name: "two" } }),
        patch("merge", map, { metadata: { namespace: "two" } }),
        patch("merge", map, { kind: "Gadget" }),
        patch("merge", map, { metadata: null }),
        patch("merge", map, { metadata: { resourceVersion: null, uid: null } }),
        apply("a", map, configMap("one", {}, { uid: noUid })),
        apply("a", map, configMap("one", {}, { resourceVersion: "1" })),
        apply("a", map, configMap("one", {}, { creationTimestamp: null })),
        apply("a", map, configMap("one", {}, { creationTimestamp: "2020-01-01T00:00:00Z" })),
        get(map),
      ];
    },
  ],
  [
    "deleting",
    (place) => {
      const { maps, map } = pathsIn(place);
      const held = configMap("one", {}, { finalizers: ["example.com/hold"] });
      return [
        remove(map),
        create(maps, configMap("one")),
        remove(map, undefined, { dryRun: "All" }),
        remove(map, { dryRun: ["All"] }),
        remove(map, { dryRun: ["Some"] }),
        remove(map, { propagationPolicy: "Sideways" }),
        remove(map, { propagationPolicy: "Orphan", orphanDependents: true }),
        remove(map, { gracePeriodSeconds: -1, dryRun: ["All"] }),
        remove(map, {}, { propagationPolicy: "Background" }),
        create(maps, held),
        remove(map, { propagationPolicy: "Foreground" }),
        remove(map, { propagationPolicy: "Foreground" }),
        remove(map, { propagationPolicy: "Background" }),
        remove(map, { propagationPolicy: "Orphan" }),
        apply("a", map, configMap("one", { a: "1" })),
        patch("merge", map, { metadata: { finalizers: ["example.com/hold", "example.com/b"] } }),
        patch("merge", map, { metadata: { finalizers: ["example.com/hold"] } }),
        patch("merge", map, { metadata: { deletionTimestamp: null } }),
        create(maps, configMap("one")),
        patch("merge", map, { metadata: { finalizers: null } }),
        get(map),
        create(maps, configMap("one", {}, { finalizers: ["bare"] })),
        create(maps, configMap("one", {}, { finalizers: ["not a name"] })),
        get(maps),
      ];
    },
  ],
  [
    "owners",
    (place) => {
      const { maps } = pathsIn(place);
      const owner = (changes: JsonMap): JsonMap =>
        configMap(
          "one",
          {},
          {
            ownerReferences: [
              { apiVersion: "v1", kind: "ConfigMap", name: "x", uid: noUid, ...changes },
            ],
          },
        );
      return [
        create(maps, owner({ kind: "" })),
        create(maps, owner({ name: "", uid: "" })),
        create(maps, owner({ apiVersion: "" })),
        create(maps, owner({ kind: "Event" })),
        create(
          maps,
          configMap(
            "one",
            {},
            {
              ownerReferences: [
                { apiVersion: "v1", kind: "A", name: "x", uid: "1", controller: true },
                { apiVersion: "v1", kind: "B", name: "y", uid: "2", controller: true },
              ],
            },
          ),
        ),
        create(maps, owner({ controller: true, blockOwnerDeletion: true })),
      ];
    },
  ],
  [
    "lists and selectors",
    (place) => {
      const { maps } = pathsIn(place);
      const select = (labelSelector: string): Step => get(maps, { labelSelector });
      const field = (fieldSelector: string): Step => get(maps, { fieldSelector });
      return [
        get(maps),
        create(maps, configMap("a", {}, { labels: { n: "1", on: "" } })),
        create(maps, configMap("b", {}, { labels: { n: "2" } })),
        create(maps, configMap("c")),
        select("n=1"),
        select("n!=1"),
        select("n in (1,2)"),
        select("n notin (1)"),
        select("n>1"),
        select("!n"),
        select("on="),
        select("a in b"),
        select("=x"),
        select("n=1,,"),
        select("n=a b"),
        select("a b=c"),
        select("n in ()"),
        select("n=(x)"),
        field("metadata.name=a"),
        field("metadata.name!=a"),
        field("metadata.name=a,metadata.namespace=default"),
        field("data.a=b"),
        field("metadata.name"),
        get(`/api/v1/namespaces/${place.namespace}/secrets`, { fieldSelector: "spec.x=y" }),
        get(deploymentsPath(place.namespace), { fieldSelector: "status.phase=x" }),
        get(place.widgets, { fieldSelector: "spec.size=1" }),
        get(maps, { limit: "2" }),
        get(maps, { limit: "x" }),
        get(maps, { limit: "-1" }),
        get(maps, { resourceVersionMatch: "Exact" }),
        get(maps, { resourceVersionMatch: "Magic", resourceVersion: "1" }),
        get(maps, { resourceVersionMatch: "Exact", resourceVersion: "0" }),
        get(maps, { resourceVersion: "x" }),
        get(maps, { timeoutSeconds: "x" }),
        remove(maps, undefined, { labelSelector: "n=1" }),
        remove(maps, undefined, { labelSelector: "n in n" }),
        get(maps),
        remove(maps),
        get(maps),
      ];
    },
  ],
  [
    "a custom object's life",
    (place) => {
      const one = `${place.widgets}/one`;
      const spec = {
        size: 1,
        ports: [{ port: 80, note: "web" }],
        tags: ["a", "b"],
        args: ["x"],
        selector: { s: "1" },
        labels: { l: "1" },
        free: { deep: { x: [1, { y: 2 }] } },
        share: "50%",
        nested: { b: "x" },
      };
      return [
        apply("a", one, widget(place, spec)),
        apply("a", one, widget(place, spec)),
        apply(
          "b",
          one,
          widget(place, { tags: ["b", "c"], ports: [{ port: 80, protocol: "UDP" }] }),
        ),
        apply("b", one, widget(place, { selector: { t: "1" }, args: ["y"] })),
        apply("b", one, widget(place, { selector: { t: "1" }, args: ["y"] }), { force: "true" }),
        apply("a", one, widget(place, { size: 1 })),
        patch("merge", one, { spec: { tags: ["z"], free: { deep: null, other: {} } } }),
        patch("merge", one, { spec: { nested: null, color: null } }),
        patch("json", one, [{ op: "add", path: "/spec/tags/-", value: "q" }]),
        patch("strategic", one, { spec: {} }),
        patch("merge", `${one}/status`, { status: { phase: "Up", extra: 1 }, spec: { size: 5 } }),
        apply("reporter", `${one}/status`, {
          apiVersion: place.widgetVersion,
          kind: "Widget",
          metadata: { name: "one" },
          status: { conditions: [{ type: "Ready", status: "True" }] },
        }),
        patch("merge", `${one}/status`, { status: { replicas: "x" } }),
        update(one, (was) => withMetadata({ ...was, spec: { size: 3 } }, { resourceVersion: "" })),
        get(one),
        update(one, (was) => ({ ...was, spec: { size: 3, empty: {} }, status: {} })),
        patch("merge", one, { metadata: { labels: {}, annotations: { x: "1" } } }),
        remove(one),
        get(one),
      ];
    },
  ],
  [
    "a namespace's life",
    (place) => {
      const { maps, map, namespace } = pathsIn(place);
      return [
        get(namespace),
        patch("merge", namespace, { metadata: { labels: { x: "1" } } }),
        patch("merge", namespace, { metadata: { labels: { "kubernetes.io/metadata.name": "x" } } }),
        patch("merge", namespace, { metadata: { labels: null } }),
        patch("merge", namespace, { spec: { finalizers: [] } }),
        apply("a", namespace, {
          apiVersion: "v1",
          kind: "Namespace",
          metadata: { name: place.namespace, labels: { y: "1" } },
        }),
        create(maps, configMap("one", {}, { finalizers: ["example.com/hold"] })),
        remove(namespace),
        remove(namespace),
        create(maps, configMap("late")),
        apply("a", `${maps}/late`, configMap("late")),
        apply("a", map, configMap("one", { a: "1" })),
        create("/api/v1/namespaces", { metadata: { name: place.namespace } }),
        patch("merge", namespace, { metadata: { labels: { z: "1" } } }),
        patch("merge", map, { metadata: { finalizers: null } }),
        get(map),
      ];
    },
  ],
];
