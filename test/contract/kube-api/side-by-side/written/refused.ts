import type { Json, JsonMap } from "../../../../support/cluster/json.ts";
import { configMap, container, deployment, service } from "../../bench.ts";
import type { Step } from "../script.ts";
import { cronJob, job, widget } from "./objects.ts";
import { apply, create, get, patch, pathsIn, type NamedSteps } from "./steps.ts";

/** Objects that can be read and are not accepted. */
export const refusedScripts: readonly NamedSteps[] = [
  [
    "Deployments that are refused",
    (place) => {
      const { deployments } = pathsIn(place);
      const tried = (spec: JsonMap, pod: JsonMap = {}): Step =>
        create(deployments, deployment("web", spec, pod), { dryRun: "All" });
      return [
        tried({ replicas: -1 }),
        tried({ replicas: 1.5 }),
        tried({ replicas: "1" }),
        tried({ paused: "yes" }),
        tried({ selector: { matchLabels: { app: "other" } } }),
        tried({ selector: {} }),
        tried({ selector: { matchExpressions: [{ key: "a", operator: "Near", values: [] }] } }),
        tried({ template: {} }),
        tried({ strategy: { type: "Magic" } }),
        tried({ strategy: { type: "Recreate", rollingUpdate: {} } }),
        tried({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
        tried({ strategy: { rollingUpdate: { maxSurge: "x" } } }),
        tried({ minReadySeconds: -1 }),
        tried({ revisionHistoryLimit: -1 }),
        tried({ progressDeadlineSeconds: 0, minReadySeconds: 0 }),
        tried({}, { restartPolicy: "Never" }),
        tried({}, { restartPolicy: "Maybe" }),
        tried({}, { containers: [] }),
        tried({}, { containers: [container({ name: "" })] }),
        tried({}, { containers: [container({ name: "Upper" })] }),
        tried({}, { containers: [container({ image: "" })] }),
        tried({}, { containers: [container(), container()] }),
        tried({}, { containers: [container({ imagePullPolicy: "Sometimes" })] }),
        tried({}, { containers: [container({ ports: [{ containerPort: 0 }] })] }),
        tried({}, { containers: [container({ ports: [{ containerPort: 70_000 }] })] }),
        tried({}, { containers: [container({ ports: [{ containerPort: 80, protocol: "X" }] })] }),
        tried({}, { containers: [container({ ports: [{ containerPort: 80, name: "UP" }] })] }),
        tried({}, { containers: [container({ env: [{ name: "" }] })] }),
        tried({}, { containers: [container({ env: [{ name: "a=b", value: "1" }] })] }),
        tried(
          {},
          {
            containers: [
              container({
                env: [
                  {
                    name: "A",
                    value: "1",
                    valueFrom: { fieldRef: { fieldPath: "metadata.name" } },
                  },
                ],
              }),
            ],
          },
        ),
        tried({}, { containers: [container({ env: [{ name: "A", value: 1 }] })] }),
        tried({}, { containers: [container({ resources: { limits: { cpu: "much" } } })] }),
        tried({}, { containers: [container({ resources: { limits: { cpu: "-1" } } })] }),
        tried(
          {},
          {
            containers: [
              container({ resources: { limits: { cpu: "1" }, requests: { cpu: "2" } } }),
            ],
          },
        ),
        tried({}, { containers: [container({ livenessProbe: {} })] }),
        tried({}, { containers: [container({ volumeMounts: [{ name: "no", mountPath: "/x" }] })] }),
        tried(
          {},
          {
            containers: [container({ volumeMounts: [{ name: "v", mountPath: "" }] })],
            volumes: [{ name: "v" }],
          },
        ),
        tried({}, { volumes: [{ name: "v" }, { name: "v" }] }),
        tried({}, { volumes: [{ name: "v", emptyDir: {}, configMap: { name: "x" } }] }),
        tried({}, { volumes: [{ name: "v", configMap: {} }] }),
        tried({}, { serviceAccountName: "UP" }),
        tried({}, { dnsPolicy: "Magic" }),
        tried({}, { tolerations: [{ operator: "Near" }] }),
        tried({}, { initContainers: [container()] }),
      ];
    },
  ],
  [
    "other things that are refused",
    (place) => {
      const paths = pathsIn(place);
      const refused = (path: string, body: JsonMap): Step => create(path, body, { dryRun: "All" });
      const role = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "x" };
      return [
        refused(paths.services, service("Web")),
        refused(paths.services, service("1web")),
        refused(paths.services, service("web", { ports: [] })),
        refused(paths.services, service("web", { ports: [{ port: 80 }, { port: 81 }] })),
        refused(paths.services, service("web", { ports: [{ port: 0 }] })),
        refused(paths.services, service("web", { ports: [{ port: 80, targetPort: 70_000 }] })),
        refused(paths.services, service("web", { ports: [{ port: 80, protocol: "X" }] })),
        refused(
          paths.services,
          service("web", {
            ports: [
              { port: 80, name: "a" },
              { port: 80, name: "b" },
            ],
          }),
        ),
        refused(
          paths.services,
          service("web", {
            ports: [
              { port: 80, name: "a" },
              { port: 81, name: "a" },
            ],
          }),
        ),
        refused(paths.services, service("web", { type: "Magic" })),
        refused(paths.services, service("web", { type: "ExternalName" })),
        refused(paths.services, service("web", { clusterIP: "nowhere" })),
        refused(paths.services, service("web", { sessionAffinity: "Magic" })),
        refused(paths.jobs, job("once", { parallelism: -1 })),
        refused(paths.jobs, job("once", { backoffLimit: -1 })),
        refused(paths.jobs, job("once", { completions: -1 })),
        refused(
          paths.jobs,
          job("once", {
            template: { spec: { restartPolicy: "Always", containers: [container()] } },
          }),
        ),
        refused(paths.jobs, job("once", { template: { spec: { containers: [container()] } } })),
        refused(paths.jobs, job("once", { selector: { matchLabels: { a: "b" } } })),
        refused(paths.cronJobs, cronJob("nightly", "")),
        refused(paths.cronJobs, cronJob("nightly", "at night")),
        refused(paths.ingresses, { metadata: { name: "web" } }),
        refused(paths.ingresses, { metadata: { name: "web" }, spec: {} }),
        refused(paths.ingresses, {
          metadata: { name: "web" },
          spec: { rules: [{ http: { paths: [{ path: "x", pathType: "Prefix", backend: {} }] } }] },
        }),
        refused(paths.ingresses, {
          metadata: { name: "web" },
          spec: {
            rules: [
              { http: { paths: [{ path: "/", backend: { service: { name: "x", port: {} } } }] } },
            ],
          },
        }),
        refused(paths.roles, {
          metadata: { name: "some" },
          rules: [{ apiGroups: [""], resources: ["pods"] }],
        }),
        refused(paths.roles, { metadata: { name: "some" }, rules: [{ verbs: ["get"] }] }),
        refused(paths.bindings, {
          metadata: { name: "some" },
          roleRef: { kind: "Role", name: "" },
        }),
        refused(paths.bindings, {
          metadata: { name: "some" },
          roleRef: { kind: "Magic", name: "x" },
        }),
        refused(paths.bindings, {
          metadata: { name: "some" },
          roleRef: role,
          subjects: [{ kind: "ServiceAccount", name: "x" }],
        }),
        refused(paths.bindings, {
          metadata: { name: "some" },
          roleRef: role,
          subjects: [{ kind: "Robot", name: "x" }],
        }),
        refused(paths.secrets, { metadata: { name: "x" }, data: { a: "not base64!" } }),
        refused(paths.secrets, { metadata: { name: "x" }, data: { "a/b": "" } }),
        refused(paths.secrets, { metadata: { name: "x" }, type: "kubernetes.io/tls" }),
        refused(paths.secrets, { metadata: { name: "x" }, type: "kubernetes.io/dockerconfigjson" }),
        refused(paths.claims, { metadata: { name: "x" }, spec: {} }),
        refused(paths.claims, {
          metadata: { name: "x" },
          spec: { accessModes: ["Sometimes"], resources: { requests: { storage: "1Gi" } } },
        }),
        refused(paths.budgets, {
          metadata: { name: "x" },
          spec: { minAvailable: 1, maxUnavailable: 1 },
        }),
        refused(paths.autoscalers, { metadata: { name: "x" }, spec: { maxReplicas: 0 } }),
        refused(paths.quotas, { metadata: { name: "x" }, spec: { hard: { pods: "many" } } }),
        refused(paths.maps, configMap("x", { "a b": "1" })),
        refused(paths.maps, configMap("x", { "..": "1" })),
        refused(paths.maps, { ...configMap("x", { a: "1" }), binaryData: { a: "AA==" } }),
        refused("/api/v1/namespaces", { metadata: { name: "Not-A-Name" } }),
        refused("/api/v1/namespaces", { metadata: { name: place.namespace } }),
      ];
    },
  ],
  [
    "what cannot change",
    (place) => {
      const paths = pathsIn(place);
      const role = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "x" };
      return [
        apply("a", paths.web, deployment("web", { replicas: 0 })),
        apply(
          "a",
          paths.web,
          deployment("web", {
            replicas: 0,
            selector: { matchLabels: { app: "other" } },
            template: {
              metadata: { labels: { app: "other" } },
              spec: { containers: [container()] },
            },
          }),
        ),
        create(paths.jobs, job("once", { parallelism: 0 })),
        apply(
          "a",
          `${paths.jobs}/once`,
          job("once", {
            parallelism: 0,
            template: {
              spec: { restartPolicy: "Never", containers: [container({ image: "other" })] },
            },
          }),
          { force: "true" },
        ),
        patch("merge", `${paths.jobs}/once`, { spec: { completions: 2 } }),
        patch("merge", `${paths.jobs}/once`, { spec: { parallelism: 1 } }),
        create(paths.services, service("web")),
        patch("merge", paths.service, { spec: { clusterIP: "10.96.200.200" } }),
        patch("merge", paths.service, { spec: { clusterIP: "" } }),
        patch("merge", paths.service, { spec: { type: "NodePort" } }),
        patch("merge", paths.service, { spec: { type: "ClusterIP" } }),
        create(paths.bindings, { metadata: { name: "some" }, roleRef: role }),
        patch("merge", `${paths.bindings}/some`, { roleRef: { name: "y" } }),
        create(paths.maps, { ...configMap("one", { a: "1" }), immutable: true }),
        patch("merge", paths.map, { data: { a: "2" } }),
        patch("merge", paths.map, { immutable: false }),
        patch("merge", paths.map, { metadata: { labels: { x: "1" } } }),
        create(paths.secrets, { metadata: { name: "one" }, type: "example.com/a" }),
        patch("merge", `${paths.secrets}/one`, { type: "example.com/b" }),
        patch("merge", `${paths.secrets}/one`, { type: null }),
        create(paths.claims, {
          metadata: { name: "data" },
          spec: {
            storageClassName: "fast",
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage: "1Gi" } },
          },
        }),
        patch("merge", `${paths.claims}/data`, { spec: { storageClassName: "slow" } }),
        patch("merge", `${paths.claims}/data`, {
          spec: { resources: { requests: { storage: "2Gi" } } },
        }),
      ];
    },
  ],
  [
    "custom objects that are refused",
    (place) => {
      const tried = (spec: Json): Step =>
        create(place.widgets, widget(place, spec), { dryRun: "All" });
      return [
        tried({ size: 0 }),
        tried({ size: 10 }),
        tried({ size: "big" }),
        tried({ size: 1.5 }),
        tried({ color: "blue" }),
        tried({ name: "UP" }),
        tried({ name: "abcdef" }),
        tried({ name: "ABCDEF" }),
        tried({ on: "yes" }),
        tried({ ratio: "half" }),
        tried({ args: [1, "a"] }),
        tried({ args: "a" }),
        tried({ labels: { a: 1 } }),
        tried({ ports: [{ protocol: "TCP" }] }),
        tried({ ports: [{ port: 1 }, { port: 1 }] }),
        tried({ ports: [{ port: 1 }, { port: 2 }, { port: 3 }, { port: 4 }, { port: 5 }] }),
        tried({ tags: ["a", "a"] }),
        tried({ share: true }),
        tried({ nested: { b: null } }),
        tried("text"),
        create(place.widgets, widget(place, {}, { name: "UP" })),
        create(place.widgets, { ...widget(place, {}), kind: "Gadget" }),
        create(place.widgets, { ...widget(place, {}), apiVersion: "x/v1" }),
        create(place.widgets, { metadata: { name: "bare" } }),
        apply("a", `${place.widgets}/one`, widget(place, { size: 0 })),
        apply("a", `${place.widgets}/one`, widget(place, { size: "big" })),
        apply("a", `${place.widgets}/one`, widget(place, { tags: ["a", "a"] })),
        get(place.widgets),
      ];
    },
  ],
];
