/** Value sets that the tests of the charts share: from what everybody needs to everything that can be said. */

const fingerprint = `sha256:${"1f".repeat(32)}`;
const token = `whj_aaaaaaaa.${"b".repeat(32)}`;

export const gatewayKinds = [
  "gateway.networking.k8s.io/v1/HTTPRoute",
  "gateway.networking.k8s.io/v1/TLSRoute",
  "monitoring.coreos.com/v1/ServiceMonitor",
];

export const spokeValues = {
  cluster: {
    hub: { address: "hub.example:7443", fingerprint },
    join: { token },
  },
  namespaces: {
    hub: { address: "[2001:db8::7]:443", fingerprint },
    join: { existingSecret: "spoke-token" },
    role: { preset: "namespaces", namespaces: ["team-a", "team-b"] },
  },
  everything: {
    name: "spoke-2",
    hub: { address: "hub.example:7443", fingerprint },
    join: { token },
    image: {
      repository: "registry.example/wheelhouse",
      digest: `sha256:${"2e".repeat(32)}`,
      pullPolicy: "Always",
    },
    imagePullSecrets: [{ name: "registry" }],
    role: {
      secrets: true,
      customResourceGroups: ["cert-manager.io", "stable.example.com"],
      impersonate: [
        { namespace: "team-a", name: "deployer" },
        { namespace: "team-b", name: "deployer" },
        { namespace: "team-a", name: "second" },
      ],
      escalate: true,
      extraRules: [
        { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get", "list"] },
      ],
    },
    serviceAccount: { name: "spoke-account", annotations: { "example.com/role": "spoke" } },
    syncsAtOnce: 8,
    listenOn: "::",
    logLevel: "debug",
    nodeOptions: "--max-semi-space-size=1 --max-old-space-size=256",
    extraEnv: [{ name: "HTTPS_PROXY", value: "http://proxy.example:3128" }],
    state: { existingClaim: "spoke-state" },
    resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
    nodeSelector: { "kubernetes.io/os": "linux" },
    tolerations: [{ key: "infra", operator: "Exists", effect: "NoSchedule" }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "infra", operator: "In", values: ["yes"] }] },
          ],
        },
      },
    },
    priorityClassName: "system-cluster-critical",
    podAnnotations: { "example.com/owner": "platform" },
    podLabels: { team: "platform" },
    networkPolicy: {
      apiServerPorts: [6443],
      metricsFrom: [
        { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } },
      ],
      extraEgress: [{ ports: [{ port: 3128, protocol: "TCP" }] }],
    },
    serviceMonitor: { enabled: true, interval: "15s", labels: { release: "prometheus" } },
  },
} as const;

const fleet = { repository: "https://git.example/fleet.git" };

export const hubValues = {
  least: { fleet },
  public: {
    fleet: { ...fleet, revision: "main", path: "clusters" },
    link: {
      publicAddress: "hub.example:443",
      tlsRoute: { enabled: true, parentRefs: [{ name: "edge", sectionName: "tls" }] },
    },
    http: {
      httpRoute: {
        enabled: true,
        parentRefs: [{ name: "edge", sectionName: "https" }],
        hostnames: ["wheelhouse.example"],
      },
    },
    adminToken: { existingSecret: "hub-admin" },
    metrics: { open: true },
    serviceMonitor: { enabled: true },
  },
  everything: {
    name: "hub-2",
    fleet,
    repositoryCredentials: [
      {
        urlPrefix: "https://git.example/shop",
        username: "deploy",
        existingSecret: "git-shop",
        key: "password",
      },
      { urlPrefix: "https://git.example/", existingSecret: "git-all", key: "token" },
    ],
    applicationSets: { generationFailure: "set", gitFileDialect: "doublestar" },
    git: { pollEvery: "1m", timeout: "90s", repositoryLargest: "1Gi" },
    link: {
      publicAddress: "[2001:db8::7]:7443",
      extraNames: ["hub.internal", "10.0.0.7"],
      heartbeatEvery: "500ms",
      certificateLife: "7d",
      joinTokenLife: "15m",
      service: {
        type: "LoadBalancer",
        port: 443,
        nodePort: 30443,
        annotations: { "example.com/balancer": "tcp" },
        loadBalancerClass: "example.com/internal",
        loadBalancerSourceRanges: ["10.0.0.0/8"],
      },
      ingress: {
        enabled: true,
        className: "nginx",
        host: "link.example",
        annotations: { "nginx.ingress.kubernetes.io/ssl-passthrough": "true" },
      },
    },
    http: {
      service: { type: "NodePort", port: 443, nodePort: 30080, annotations: { a: "b" } },
      tls: { existingSecret: "hub-tls" },
      ingress: {
        enabled: true,
        className: "nginx",
        host: "wheelhouse.example",
        annotations: { "nginx.ingress.kubernetes.io/backend-protocol": "HTTPS" },
        tlsSecret: "wheelhouse-example",
      },
    },
    adminToken: { existingSecret: "hub-admin", key: "admin" },
    webhook: { existingSecret: "hub-webhook", key: "signature" },
    commandLife: "2h",
    spoke: { image: "registry.example/wheelhouse:1", chart: "oci://registry.example/spoke" },
    listenOn: "::",
    logLevel: "debug",
    image: {
      repository: "registry.example/wheelhouse",
      tag: "1.2.3",
      pullPolicy: "Never",
    },
    imagePullSecrets: [{ name: "registry" }],
    persistence: {
      size: "50Gi",
      storageClass: "fast",
      annotations: { "example.com/backup": "yes" },
    },
    serviceAccount: { name: "hub-account", annotations: { "example.com/role": "hub" } },
    resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { memory: "2Gi" } },
    extraEnv: [{ name: "HTTPS_PROXY", value: "http://proxy.example:3128" }],
    nodeOptions: "--max-old-space-size=1536",
    nodeSelector: { "kubernetes.io/os": "linux" },
    tolerations: [{ key: "infra", operator: "Exists", effect: "NoSchedule" }],
    affinity: {},
    priorityClassName: "system-cluster-critical",
    podAnnotations: { "example.com/owner": "platform" },
    podLabels: { team: "platform" },
    podDisruptionBudget: { maxUnavailable: 0 },
    networkPolicy: {
      linkFrom: [{ ipBlock: { cidr: "10.0.0.0/8" } }],
      httpFrom: [{ podSelector: { matchLabels: { app: "ingress" } } }],
      gitPorts: [443, 7999],
      extraEgress: [{ ports: [{ port: 3128, protocol: "TCP" }] }],
    },
    serviceMonitor: { enabled: true, tokenSecret: { name: "hub-read", key: "token" } },
  },
} as const;
