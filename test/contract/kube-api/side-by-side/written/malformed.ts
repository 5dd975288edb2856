import type { Json } from "../../../../support/cluster/json.ts";
import { configMap, container, deployment } from "../../bench.ts";
import type { Step } from "../script.ts";
import { widget } from "./objects.ts";
import { apply, create, get, noUid, patch, pathsIn, type NamedSteps } from "./steps.ts";

/** What cannot be read, leads nowhere, or says what nobody knows. */
export const malformedScripts: readonly NamedSteps[] = [
  [
    "bodies that are none",
    (place) => {
      const { maps, map } = pathsIn(place);
      const broken = (verb: Step["verb"], path: string, body: Json): Step => ({
        verb,
        path,
        body,
        query: { fieldManager: "a" },
      });
      return [
        broken("create", maps, { kind: "Secret", metadata: { name: "x" } }),
        broken("create", maps, { apiVersion: "v2", kind: "ConfigMap", metadata: { name: "x" } }),
        broken("create", maps, { metadata: { name: "x", namespace: "other" } }),
        broken("create", maps, { metadata: { name: "x" }, data: { a: 1 } }),
        broken("create", maps, { metadata: { name: "x" }, data: [] }),
        broken("create", maps, { metadata: { name: "x" }, data: { a: null } }),
        broken("create", maps, { metadata: { name: "y", labels: { a: true } } }),
        broken("apply", map, {}),
        broken("apply", map, { apiVersion: "v1", kind: "ConfigMap" }),
        broken("apply", map, { apiVersion: "v1", kind: "Secret", metadata: { name: "one" } }),
        broken("apply", map, { apiVersion: "v2", kind: "ConfigMap", metadata: { name: "one" } }),
        broken("apply", map, configMap("two")),
        broken("apply", map, configMap("one", {}, { namespace: "other" })),
        broken("apply", map, { ...configMap("one"), data: { a: 1 } }),
        broken("apply", map, { ...configMap("one"), data: [] }),
        broken("apply", map, { ...configMap("one"), data: null }),
        broken("apply", map, { ...configMap("one"), surprise: {} }),
        broken("apply", map, configMap("one", {}, { managedFields: [] })),
        broken("apply", map, configMap("one", {}, { managedFields: [{ manager: "x" }] })),
        broken("apply", map, configMap("one", {}, { uid: noUid })),
        broken("apply", map, configMap("one", {}, { resourceVersion: "1" })),
        get(map),
      ];
    },
  ],
  [
    "names, labels and annotations that are none",
    (place) => {
      const { maps } = pathsIn(place);
      return [
        create(maps, configMap("")),
        create(maps, configMap("a_b")),
        create(maps, configMap("x".repeat(254))),
        create(maps, configMap("one", {}, { labels: { "": "x" } })),
        create(maps, configMap("one", {}, { labels: { "a/b/c": "x" } })),
        create(maps, configMap("one", {}, { labels: { "A_B.com/x": "x" } })),
        create(maps, configMap("one", {}, { labels: { a: "-" } })),
        create(maps, configMap("one", {}, { labels: { a: "x".repeat(64) } })),
        create(maps, configMap("one", {}, { labels: { ["x".repeat(64)]: "x" } })),
        create(maps, configMap("one", {}, { annotations: { "no good": "x" } })),
        create(maps, configMap("one", {}, { annotations: { "Fine.com/Key": "x" } })),
      ];
    },
  ],
  [
    "patches that do not fit",
    (place) => {
      const { maps, map } = pathsIn(place);
      return [
        create(maps, configMap("one", { a: "1" })),
        patch("json", map, {}),
        patch("json", map, [{ op: "sing", path: "/data" }]),
        patch("json", map, [{ op: "remove", path: "/data/none" }]),
        patch("json", map, [{ op: "replace", path: "/data/none", value: "x" }]),
        patch("json", map, [{ op: "add", path: "/none/here", value: "x" }]),
        patch("json", map, [{ op: "test", path: "/data/a", value: "2" }]),
        patch("json", map, [{ op: "test", path: "/data/none", value: null }]),
        patch("json", map, [{ op: "add", path: "/metadata/finalizers", value: ["example.com/a"] }]),
        patch("json", map, [{ op: "add", path: "/metadata/finalizers/-", value: "example.com/b" }]),
        patch("json", map, [{ op: "add", path: "/metadata/finalizers/9", value: "x" }]),
        patch("json", map, [{ op: "remove", path: "/metadata/finalizers" }]),
        patch("json", map, [{ op: "add", path: "/data/b", value: 1 }]),
        patch("merge", map, []),
        patch("merge", map, { data: "text" }),
        patch("merge", map, { data: { b: 1 } }),
        patch("merge", map, { surprise: 1 }),
        patch("merge", map, { surprise: 1 }, { fieldValidation: "Strict" }),
        patch("strategic", map, { data: { $patch: "replace", z: "1" } }),
        patch("strategic", map, { data: { z: null, y: "1" } }),
        patch("strategic", map, { data: { $patch: "delete" } }),
        patch("merge", map, {}, { force: "true" }),
        patch("merge", map, {}, { dryRun: "Some" }),
        patch("merge", map, {}, { fieldValidation: "Some" }),
        get(map),
      ];
    },
  ],
  [
    "addresses that lead nowhere",
    (place) => {
      const { maps, map } = pathsIn(place);
      const at = (verb: Step["verb"], path: string, body?: Json): Step => ({
        verb,
        path,
        ...(body === undefined ? {} : { body }),
      });
      return [
        get("/nothing"),
        get("/apis/nothing.example.com"),
        get("/apis/nothing.example.com/v1"),
        get("/apis/apps/v9"),
        get(`/apis/apps/v9/namespaces/${place.namespace}/deployments`),
        get(`/api/v1/namespaces/${place.namespace}/gadgets`),
        get(`/api/v1/namespaces/${place.namespace}/gadgets/one`),
        get(`${map}/none`),
        get(map),
        at("create", map, configMap("one")),
        at("update", maps, configMap("one")),
        at("merge", maps, {}),
        at("delete", "/api/v1/namespaces"),
        at("delete", "/api/v1/configmaps"),
        at("create", "/api/v1/configmaps", configMap("one")),
        get("/api/v1/namespaces/none/configmaps/one"),
        at("create", "/api/v1/namespaces/none/configmaps", configMap("one")),
        apply("a", "/api/v1/namespaces/none/configmaps/one", configMap("one")),
        at("delete", "/api/v1/namespaces/none"),
        at("update", map, configMap("one")),
        at("merge", map, {}),
        at("delete", map),
        at("delete", "/api/v1/namespaces/default"),
        at("delete", "/api/v1/namespaces/kube-system"),
      ];
    },
  ],
  [
    "fields that nobody knows",
    (place) => {
      const { deployments, web } = pathsIn(place);
      const odd = deployment(
        "web",
        { replicas: 0, surprise: 1 },
        { containers: [container({ imagee: "x" })] },
      );
      // Of several unknown fields, an apply tells one, whichever it meets first.
      const oddest = deployment("web", { replicas: 0, surprise: 1 });
      return [
        create(deployments, odd, { fieldValidation: "Strict" }),
        create(deployments, odd, { fieldValidation: "Ignore", dryRun: "All" }),
        create(deployments, odd, { fieldValidation: "Warn" }),
        patch("merge", web, { spec: { other: 1 } }),
        patch("merge", web, { spec: { other: 1 } }, { fieldValidation: "Strict" }),
        patch("strategic", web, { spec: { other: 1 } }, { fieldValidation: "Strict" }),
        patch("json", web, [{ op: "add", path: "/spec/other", value: 1 }], {
          fieldValidation: "Strict",
        }),
        apply("a", web, oddest, { fieldValidation: "Strict" }),
        apply("a", web, oddest, { fieldValidation: "Ignore" }),
        apply("a", web, deployment("web", { replicas: "three" })),
        apply(
          "a",
          web,
          deployment("web", { template: { spec: { containers: [{ image: "x" }] } } }),
        ),
        apply("a", web, deployment("web", {}, { containers: [container(), container()] })),
        create(place.widgets, widget(place, { size: 1, other: 1 }), { fieldValidation: "Strict" }),
        create(place.widgets, widget(place, { size: 1, other: 1 })),
        patch("merge", `${place.widgets}/one`, { spec: { more: 1 } }),
        patch(
          "merge",
          `${place.widgets}/one`,
          { spec: { more: 1 } },
          { fieldValidation: "Strict" },
        ),
        apply("a", `${place.widgets}/one`, widget(place, { size: 1, other: 1 })),
      ];
    },
  ],
];
