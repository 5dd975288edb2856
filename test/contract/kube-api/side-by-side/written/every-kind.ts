import { textAt, type JsonMap } from "../../../../support/cluster/json.ts";
import { container, deployment, service } from "../../bench.ts";
import type { Place } from "../pair.ts";
import { cronJob, job } from "./objects.ts";
import {
  apply,
  create,
  get,
  patch,
  pathsIn,
  remove,
  update,
  withMetadata,
  type NamedSteps,
} from "./steps.ts";

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

/** One object of each built-in kind. */
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

/** Each kind with what people do to one of its objects, by apply and without. */
export const kindScripts: readonly NamedSteps[] = kinds.flatMap(
  ([title, path, body]): readonly NamedSteps[] => {
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
