import type { Json, JsonMap } from "../../../../support/cluster/json.ts";
import { configMap, container, deployment } from "../../bench.ts";
import type { Step } from "../script.ts";
import { widget } from "./objects.ts";
import {
  apply,
  create,
  get,
  patch,
  pathsIn,
  update,
  withMetadata,
  type NamedSteps,
} from "./steps.ts";

/** Who owns which fields, and what comes of it. */
export const ownedFieldScripts: readonly NamedSteps[] = [
  [
    "conflicts and force",
    (place) => {
      const { maps, map } = pathsIn(place);
      const data = (values: JsonMap): JsonMap => configMap("one", values);
      return [
        create(maps, data({ k: "1", h: "1" })),
        apply("a", map, data({ k: "2" })),
        apply("a", map, data({ k: "1" })),
        apply("b", map, data({ k: "2", l: "2" })),
        apply("b", map, data({ k: "2", l: "2" }), { dryRun: "All" }),
        apply("b", map, data({ k: "2", l: "2" }), { force: "true", dryRun: "All" }),
        apply("b", map, data({ k: "2", l: "2" }), { force: "true" }),
        apply("a", map, data({ k: "3", l: "3" })),
        apply("c", map, configMap("one", {}, { labels: { x: "1" } })),
        patch("merge", map, { data: { k: "9" }, metadata: { labels: { x: "2", y: "1" } } }),
        apply("c", map, configMap("one", {}, { labels: { x: "1" } })),
        apply("b", map, data({ k: "2", l: "2" })),
        apply("b", map, configMap("one")),
        apply("a", map, data({ k: null })),
        get(map),
      ];
    },
  ],
  [
    "managedFields sent back",
    (place) => {
      const { map } = pathsIn(place);
      const entry = (changes: JsonMap): Json => ({
        manager: "x",
        operation: "Update",
        apiVersion: "v1",
        time: "2020-01-01T00:00:00Z",
        fieldsType: "FieldsV1",
        fieldsV1: { "f:data": { "f:k": {} } },
        ...changes,
      });
      const send = (...entries: readonly Json[]): Step =>
        patch("merge", map, { metadata: { managedFields: entries } });
      return [
        apply("a", map, configMap("one", { k: "1", l: "1" })),
        update(map, (was) => ({ ...was, data: { k: "1", l: "2" } })),
        update(map, (was) => withMetadata(was, { managedFields: [] })),
        update(map, (was) => withMetadata(was, { managedFields: null })),
        send(entry({})),
        send(entry({ operation: "Apply" })),
        send(entry({ fieldsV1: { "f:data": { "f:gone": {} } } })),
        send(entry({ operation: "Sideways" })),
        send(entry({ fieldsType: "FieldsV0" })),
        send(entry({ fieldsV1: { wrong: {} } })),
        send({}),
        apply("b", map, configMap("one", { k: "1" })),
        send(),
        get(map),
      ];
    },
  ],
  [
    "who an update is recorded under",
    (place) => {
      const { maps, map } = pathsIn(place);
      return [
        { verb: "create", path: maps, body: configMap("one", { a: "1" }) },
        {
          verb: "merge",
          path: map,
          body: { data: { b: "1" } },
          headers: { "user-agent": "some thing/1.0 (x)" },
        },
        {
          verb: "merge",
          path: map,
          body: { data: { c: "1" } },
          headers: { "user-agent": "plain" },
        },
        patch("merge", map, { data: { d: "1" } }, { fieldManager: "x".repeat(129) }),
        patch("merge", map, { data: { d: "1" } }, { fieldManager: "tab\there" }),
        apply("", map, configMap("one")),
        apply("x".repeat(129), map, configMap("one")),
      ];
    },
  ],
  [
    "empty values",
    (place) => {
      const { maps, map, web } = pathsIn(place);
      return [
        create(maps, { ...configMap("one"), data: {}, binaryData: {} }),
        apply("a", map, { ...configMap("one", {}, { labels: {}, annotations: {} }), data: {} }),
        apply("a", map, configMap("one", { a: "" })),
        patch("merge", map, { data: {} }),
        patch("merge", map, { metadata: { labels: { a: "" }, finalizers: [] } }),
        apply(
          "a",
          web,
          deployment(
            "web",
            { replicas: 0, strategy: {} },
            {
              containers: [container({ env: [], args: [], resources: {}, securityContext: {} })],
              volumes: [{ name: "v", emptyDir: {} }],
              nodeSelector: {},
              hostNetwork: false,
            },
          ),
        ),
        apply("a", web, deployment("web", { replicas: 0 })),
        patch("merge", web, { spec: { template: { spec: { volumes: [] } } } }),
        create(place.widgets, widget(place, { labels: {}, tags: [], free: {}, nested: {} })),
        apply("a", `${place.widgets}/one`, widget(place, { labels: {}, tags: [], free: {} })),
        apply("a", `${place.widgets}/one`, widget(place, {})),
        apply("a", `${place.widgets}/one`, { apiVersion: place.widgetVersion, kind: "Widget" }),
      ];
    },
  ],
  [
    "containers of several managers",
    (place) => {
      const { web } = pathsIn(place);
      const only = (containers: readonly JsonMap[]): JsonMap => ({
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "web" },
        spec: { template: { spec: { containers } } },
      });
      return [
        apply("a", web, deployment("web", { replicas: 0 })),
        apply("b", web, only([{ name: "side", image: "side:1" }])),
        apply("b", web, only([{ name: "app", env: [{ name: "X", value: "1" }] }])),
        apply("c", web, only([{ name: "app", image: "other:1" }])),
        apply("c", web, only([{ name: "app", image: "other:1" }]), { force: "true" }),
        apply("a", web, deployment("web", { replicas: 0 })),
        apply("c", web, only([])),
        patch("strategic", web, {
          spec: { template: { spec: { containers: [{ name: "app", image: "hand:1" }] } } },
        }),
        apply(
          "a",
          web,
          deployment("web", { replicas: 0 }, { containers: [container({ name: "new" })] }),
        ),
        get(web),
      ];
    },
  ],
];
