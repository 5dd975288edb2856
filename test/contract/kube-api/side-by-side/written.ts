/** Scripts written by hand: what people and controllers do to objects, and what they get wrong. */
import { textAt, type Json, type JsonMap } from "../../../support/cluster/json.ts";
import {
  configMap,
  configMapsPath,
  container,
  deployment,
  deploymentsPath,
  metadataOf,
  service,
  servicesPath,
} from "../bench.ts";
import type { Query } from "../client.ts";
import type { Place } from "./pair.ts";
import { lastObject, type Step } from "./script.ts";

type Steps = (place: Place) => readonly Step[];

const apply = (manager: string, path: string, body: Json, query: Query = {}): Step => ({
  verb: "apply",
  path,
  body,
  query: { fieldManager: manager, ...query },
});

const create = (path: string, body: Json, query: Query = {}): Step => ({
  verb: "create",
  path,
  body,
  query: { fieldManager: "hand", ...query },
});

const get = (path: string, query: Query = {}): Step => ({ verb: "get", path, query });

const remove = (path: string, body?: Json, query: Query = {}): Step => ({
  verb: "delete",
  path,
  query,
  ...(body === undefined ? {} : { body }),
});

const patch = (
  verb: "merge" | "json" | "strategic",
  path: string,
  body: Json,
  query: Query = {},
): Step => ({ verb, path, body, query: { fieldManager: "hand", ...query } });

/** Sends back what was said last, changed. */
const update = (path: string, change: (was: JsonMap) => JsonMap, query: Query = {}): Step => ({
  verb: "update",
  path,
  body: (earlier) => change(lastObject(earlier)),
  query: { fieldManager: "hand", ...query },
});

const withMetadata = (object: JsonMap, changes: JsonMap): JsonMap => ({
  ...object,
  metadata: { ...metadataOf(object), ...changes },
});

const noUid = "00000000-0000-0000-0000-000000000000";

const pathsIn = ({ namespace }: Place) => {
  const group = (name: string, plural: string): string =>
    `/apis/${name}/namespaces/${namespace}/${plural}`;
  return {
    maps: configMapsPath(namespace),
    map: `${configMapsPath(namespace)}/one`,
    deployments: deploymentsPath(namespace),
    web: `${deploymentsPath(namespace)}/web`,
    services: servicesPath(namespace),
    service: `${servicesPath(namespace)}/web`,
    secrets: `/api/v1/namespaces/${namespace}/secrets`,
    accounts: `/api/v1/namespaces/${namespace}/serviceaccounts`,
    claims: `/api/v1/namespaces/${namespace}/persistentvolumeclaims`,
    quotas: `/api/v1/namespaces/${namespace}/resourcequotas`,
    ranges: `/api/v1/namespaces/${namespace}/limitranges`,
    namespace: `/api/v1/namespaces/${namespace}`,
    statefulSets: group("apps/v1", "statefulsets"),
    daemonSets: group("apps/v1", "daemonsets"),
    jobs: group("batch/v1", "jobs"),
    cronJobs: group("batch/v1", "cronjobs"),
    ingresses: group("networking.k8s.io/v1", "ingresses"),
    policies: group("networking.k8s.io/v1", "networkpolicies"),
    budgets: group("policy/v1", "poddisruptionbudgets"),
    autoscalers: group("autoscaling/v2", "horizontalpodautoscalers"),
    roles: group("rbac.authorization.k8s.io/v1", "roles"),
    bindings: group("rbac.authorization.k8s.io/v1", "rolebindings"),
  };
};

const job = (name: string, spec: JsonMap = {}): JsonMap => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name },
  spec: { template: { spec: { restartPolicy: "Never", containers: [container()] } }, ...spec },
});

const cronJob = (name: string, schedule: string): JsonMap => ({
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name },
  spec: { schedule, jobTemplate: { spec: mapSpec(job(name)) } },
});

const mapSpec = (object: JsonMap): Json => object["spec"] ?? {};

const full = deployment(
  "web",
  { replicas: 2, strategy: { rollingUpdate: { maxSurge: 1 } } },
  {
    containers: [
      container({
        command: ["run"],
        args: ["a", "b"],
        env: [
          { name: "A", value: "1" },
          { name: "B", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          { name: "C", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
        ],
        envFrom: [{ configMapRef: { name: "one" } }],
        ports: [
          { containerPort: 80, name: "http" },
          { containerPort: 53, protocol: "UDP" },
        ],
        resources: { limits: { cpu: "0.5", memory: "1024Mi" }, requests: { cpu: 0.1 } },
        livenessProbe: { httpGet: { port: 80 } },
        readinessProbe: { tcpSocket: { port: "http" }, periodSeconds: 3 },
        volumeMounts: [{ name: "config", mountPath: "/etc/config" }],
        securityContext: { runAsNonRoot: true, capabilities: { drop: ["ALL"] } },
      }),
    ],
    initContainers: [container({ name: "first", image: "first" })],
    volumes: [
      { name: "config", configMap: { name: "one" } },
      { name: "temp", emptyDir: {} },
      { name: "keys", secret: { secretName: "keys", items: [{ key: "a", path: "b" }] } },
    ],
    serviceAccountName: "robot",
    nodeSelector: { disk: "fast" },
    tolerations: [{ key: "a", operator: "Exists" }],
    imagePullSecrets: [{ name: "pull" }],
    securityContext: { fsGroup: 1 },
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 1,
            podAffinityTerm: {
              topologyKey: "kubernetes.io/hostname",
              labelSelector: { matchLabels: { app: "web" } },
            },
          },
        ],
      },
    },
  },
);

const widget = (place: Place, spec: Json, metadata: JsonMap = {}): JsonMap => ({
  apiVersion: place.widgetVersion,
  kind: "Widget",
  metadata: { name: "one", ...metadata },
  spec,
});

/** One object of each built-in kind, applied, applied again, read and deleted. */
const kinds: readonly (readonly [title: string, path: (place: Place) => string, body: JsonMap])[] =
  [
    ["a full Deployment", (place) => pathsIn(place).deployments, full],
    ["a small Deployment", (place) => pathsIn(place).deployments, deployment("web")],
    [
      "a StatefulSet",
      (place) => pathsIn(place).statefulSets,
      {
        ...deployment("db", {
          serviceName: "db",
          volumeClaimTemplates: [
            {
              metadata: { name: "data" },
              spec: {
                accessModes: ["ReadWriteOnce"],
                resources: { requests: { storage: "1Gi" } },
              },
            },
          ],
        }),
        kind: "StatefulSet",
      },
    ],
    [
      "a DaemonSet",
      (place) => pathsIn(place).daemonSets,
      { ...deployment("each"), kind: "DaemonSet" },
    ],
    ["a Job", (place) => pathsIn(place).jobs, job("once", { ttlSecondsAfterFinished: 60 })],
    ["a CronJob", (place) => pathsIn(place).cronJobs, cronJob("nightly", "0 3 * * *")],
    ["a Service", (place) => pathsIn(place).services, service("web")],
    [
      "a headless Service",
      (place) => pathsIn(place).services,
      service("db", { clusterIP: "None", ports: [{ port: 5432, name: "sql" }] }),
    ],
    [
      "a NodePort Service",
      (place) => pathsIn(place).services,
      service("out", { type: "NodePort", ports: [{ port: 80, targetPort: "http" }] }),
    ],
    [
      "a LoadBalancer Service",
      (place) => pathsIn(place).services,
      service("lb", { type: "LoadBalancer", externalTrafficPolicy: "Local" }),
    ],
    [
      "an ExternalName Service",
      (place) => pathsIn(place).services,
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "away" },
        spec: { type: "ExternalName", externalName: "example.com" },
      },
    ],
    [
      "a Secret",
      (place) => pathsIn(place).secrets,
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "keys" },
        stringData: { a: "alpha" },
        data: { b: "YmV0YQ==" },
      },
    ],
    [
      "a ServiceAccount",
      (place) => pathsIn(place).accounts,
      {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: "robot" },
        automountServiceAccountToken: false,
      },
    ],
    [
      "a PersistentVolumeClaim",
      (place) => pathsIn(place).claims,
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "data" },
        spec: {
          storageClassName: "fast",
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: "1024Mi" } },
        },
      },
    ],
    [
      "a ResourceQuota",
      (place) => pathsIn(place).quotas,
      {
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: { name: "limits" },
        spec: { hard: { "count/secrets": "9", cpu: "2000m" } },
      },
    ],
    [
      "an Ingress",
      (place) => pathsIn(place).ingresses,
      {
        apiVersion: "networking.k8s.io/v1",
        kind: "Ingress",
        metadata: { name: "web" },
        spec: {
          ingressClassName: "nginx",
          rules: [
            {
              host: "example.com",
              http: {
                paths: [
                  {
                    path: "/",
                    pathType: "Prefix",
                    backend: { service: { name: "web", port: { number: 80 } } },
                  },
                ],
              },
            },
          ],
          tls: [{ hosts: ["example.com"], secretName: "tls" }],
        },
      },
    ],
    [
      "a NetworkPolicy",
      (place) => pathsIn(place).policies,
      {
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name: "closed" },
        spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] },
      },
    ],
    [
      "a PodDisruptionBudget",
      (place) => pathsIn(place).budgets,
      {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name: "web" },
        spec: { minAvailable: 1, selector: { matchLabels: { app: "web" } } },
      },
    ],
    [
      "a HorizontalPodAutoscaler",
      (place) => pathsIn(place).autoscalers,
      {
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        metadata: { name: "web" },
        spec: {
          maxReplicas: 3,
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
          metrics: [
            {
              type: "Resource",
              resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
            },
          ],
        },
      },
    ],
    [
      "a Role",
      (place) => pathsIn(place).roles,
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "Role",
        metadata: { name: "some" },
        rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
      },
    ],
    [
      "a RoleBinding",
      (place) => pathsIn(place).bindings,
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata: { name: "some" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "some" },
        subjects: [
          { kind: "ServiceAccount", name: "robot", namespace: "default" },
          { kind: "User", name: "jane" },
        ],
      },
    ],
  ];

const kindScripts: readonly (readonly [string, Steps])[] = kinds.flatMap(
  ([title, path, body]): readonly (readonly [string, Steps])[] => {
    const name = textAt(body, "metadata", "name");
    return [
      [
        `${title}, applied`,
        (place) => {
          const one = `${path(place)}/${name}`;
          return [
            apply("a", one, body, { dryRun: "All" }),
            apply("a", one, body),
            apply("a", one, body),
            apply("b", one, body),
            patch("merge", one, { metadata: { labels: { l: "1" } } }),
            update(one, (was) => withMetadata(was, { annotations: { a: "1" } })),
            apply("a", one, body, { force: "true", dryRun: "All" }),
            get(one),
            remove(one),
            get(one),
          ];
        },
      ],
      [
        `${title}, created`,
        (place) => {
          const one = `${path(place)}/${name}`;
          return [
            create(path(place), body, { dryRun: "All" }),
            create(path(place), body),
            create(path(place), body),
            update(one, (was) => was),
            apply("a", one, body),
            patch("strategic", one, { metadata: { labels: { l: "1" } } }),
            patch("json", one, [{ op: "remove", path: "/metadata/labels" }]),
            get(path(place)),
            remove(one, { propagationPolicy: "Background" }),
          ];
        },
      ],
    ];
  },
);

const stories: readonly (readonly [string, Steps])[] = [
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
    "status of a Deployment",
    (place) => {
      const { web } = pathsIn(place);
      const time = "2020-01-01T00:00:00Z";
      const condition = {
        type: "Custom",
        status: "True",
        reason: "Here",
        message: "",
        lastUpdateTime: time,
        lastTransitionTime: time,
      };
      return [
        apply("a", web, deployment("web", { replicas: 0 })),
        patch("strategic", `${web}/status`, { status: { conditions: [condition] } }),
        patch("merge", `${web}/status`, {
          status: { observedGeneration: 1, replicas: 2 },
          spec: { replicas: 5 },
          metadata: { labels: { x: "1" }, annotations: { y: "1" } },
        }),
        patch("merge", `${web}/status`, { status: { surprise: 1 } }),
        apply("reporter", `${web}/status`, {
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name: "web" },
          status: { replicas: 3 },
        }),
        apply(
          "reporter",
          `${web}/status`,
          {
            apiVersion: "apps/v1",
            kind: "Deployment",
            metadata: { name: "web" },
            status: { replicas: 3 },
          },
          { force: "true" },
        ),
        patch("merge", web, { status: { replicas: 9 } }),
        get(`${web}/status`),
      ];
    },
  ],
  [
    "generation of a Deployment",
    (place) => {
      const { web } = pathsIn(place);
      return [
        apply("a", web, deployment("web", { replicas: 0 })),
        patch("merge", web, { metadata: { labels: { x: "1" } } }),
        patch("merge", web, { metadata: { annotations: { x: "1" } } }),
        patch("merge", web, { spec: { replicas: 1 } }),
        patch("merge", web, { spec: { replicas: 1 } }),
        patch("merge", web, { spec: { paused: true } }),
        patch("merge", web, { spec: { paused: false } }),
        patch("merge", web, { metadata: { finalizers: ["example.com/hold"] } }),
        remove(web),
        remove(web),
        patch("merge", web, { metadata: { finalizers: null } }),
      ];
    },
  ],
  [
    "scale",
    (place) => {
      const { web } = pathsIn(place);
      return [
        apply("a", web, deployment("web", { replicas: 0, paused: true })),
        get(`${web}/scale`),
        update(`${web}/scale`, (was) => ({ ...was, spec: { replicas: 2 } })),
        get(web),
        patch("merge", `${web}/scale`, { spec: { replicas: 3 } }),
        patch("json", `${web}/scale`, [{ op: "replace", path: "/spec/replicas", value: 4 }]),
        patch("merge", `${web}/scale`, { spec: { replicas: -1 } }),
        apply(
          "scaler",
          `${web}/scale`,
          {
            apiVersion: "autoscaling/v1",
            kind: "Scale",
            metadata: { name: "web" },
            spec: { replicas: 7 },
          },
          { force: "true" },
        ),
        apply("a", web, deployment("web", { replicas: 0, paused: true })),
        get(web),
      ];
    },
  ],
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

export const writtenScripts: readonly (readonly [name: string, steps: Steps])[] = [
  ...stories,
  ...kindScripts,
];
