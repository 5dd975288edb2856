import type { Json } from "../../proto/words/digest.ts";
import type { ClusterName } from "../../proto/words/ids.ts";

/** What a spoke must be told to join, and with which image it runs in a cluster. */
export type JoinInvitation = {
  readonly cluster: ClusterName;
  /** `host:port` of the hub's link. */
  readonly hubAddress: string;
  /** `sha256:<hex>` of the hub CA's public key. */
  readonly hubFingerprint: string;
  /** Good for one cluster, once, for a short time. */
  readonly token: string;
  readonly image: string;
};

type KubeObject = { readonly [key: string]: Json };

/** Where the spoke lives in its cluster: its Deployment, its identity and its inventory. */
export const spokeNamespace = "wheelhouse";

const name = "wheelhouse-spoke";
const tokenFolder = "/var/run/wheelhouse/join";
const stateFolder = "/var/lib/wheelhouse";
const probePort = 8081;

/** The objects to apply in a cluster so that its spoke starts and joins: what `kubectl apply -f -` is fed. */
export function joinManifest(invitation: JoinInvitation): readonly KubeObject[] {
  return [
    namespace(),
    serviceAccount(),
    ownRole(),
    ownRoleBinding(),
    clusterRole(),
    clusterRoleBinding(),
    joinSecret(invitation),
    deployment(invitation),
  ];
}

/** The words after `wheelhouse spoke` for a spoke that runs beside its cluster, with a kubeconfig. */
export function spokeFlags(invitation: JoinInvitation): readonly (readonly [string, string])[] {
  return [
    ["--hub-address", invitation.hubAddress],
    ["--hub-fingerprint", invitation.hubFingerprint],
    ["--join-token", invitation.token],
    ["--state-folder", `./wheelhouse-${invitation.cluster}`],
  ];
}

/** A POSIX shell command, a flag a line, that can be pasted. */
export function spokeCommand(invitation: JoinInvitation): string {
  const lines = [
    "wheelhouse spoke",
    ...spokeFlags(invitation).map(([flag, value]) => `  ${flag} ${shellWord(value)}`),
    // Beside other programs, perhaps other spokes: no fixed port, and nothing for other machines.
    "  --probe-host 127.0.0.1 --probe-port 0",
    // Left to the shell of whoever pastes it: the hub cannot know where the kubeconfig is.
    '  --kubeconfig "${KUBECONFIG:-$HOME/.kube/config}"',
  ];
  return lines.join(" \\\n");
}

/** Quotes a word for a POSIX shell when it needs quoting. */
export const shellWord = (word: string): string =>
  /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

const labels = { "app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "wheelhouse" };

const meta = (objectName: string): KubeObject => ({
  name: objectName,
  namespace: spokeNamespace,
  labels,
});

const namespace = (): KubeObject => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: spokeNamespace, labels: { "app.kubernetes.io/part-of": "wheelhouse" } },
});

const serviceAccount = (): KubeObject => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: meta(name),
});

/** Its identity (a Secret) and its inventories (ConfigMaps). Kept apart so that the wide role can be narrowed. */
const ownRole = (): KubeObject => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "Role",
  metadata: meta(name),
  rules: [
    {
      apiGroups: [""],
      resources: ["configmaps", "secrets"],
      verbs: ["get", "list", "watch", "create", "update", "patch", "delete"],
    },
  ],
});

const ownRoleBinding = (): KubeObject => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "RoleBinding",
  metadata: meta(name),
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
  subjects: [{ kind: "ServiceAccount", name, namespace: spokeNamespace }],
});

/**
 * What the spoke may do to applications' objects: everything, since Git may hold any kind. `escalate` and
 * `bind` let it apply Roles and bindings that grant more than it uses itself. Narrow it to what the
 * cluster's applications hold.
 */
const clusterRole = (): KubeObject => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata: { name, labels },
  rules: [
    {
      apiGroups: ["*"],
      resources: ["*"],
      verbs: ["get", "list", "watch", "create", "update", "patch", "delete"],
    },
    {
      apiGroups: ["rbac.authorization.k8s.io"],
      resources: ["roles", "clusterroles"],
      verbs: ["escalate", "bind"],
    },
    { nonResourceURLs: ["/api", "/api/*", "/apis", "/apis/*", "/version"], verbs: ["get"] },
  ],
});

const clusterRoleBinding = (): KubeObject => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name, labels },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
  subjects: [{ kind: "ServiceAccount", name, namespace: spokeNamespace }],
});

const joinSecret = ({ token }: JoinInvitation): KubeObject => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: meta("wheelhouse-join"),
  type: "Opaque",
  stringData: { token },
});

const deployment = ({ hubAddress, hubFingerprint, image }: JoinInvitation): KubeObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: meta(name),
  spec: {
    replicas: 1,
    // Two spokes of one cluster would only replace each other's session.
    strategy: { type: "Recreate" },
    selector: { matchLabels: { "app.kubernetes.io/name": name } },
    template: {
      metadata: { labels },
      spec: {
        serviceAccountName: name,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65532,
          fsGroup: 65532,
          seccompProfile: { type: "RuntimeDefault" },
        },
        containers: [
          {
            name: "spoke",
            image,
            args: [
              "spoke",
              "--hub-address",
              hubAddress,
              "--hub-fingerprint",
              hubFingerprint,
              "--join-token-file",
              `${tokenFolder}/token`,
              "--state-folder",
              stateFolder,
              "--namespace",
              spokeNamespace,
              "--probe-port",
              String(probePort),
            ],
            ports: [{ name: "probes", containerPort: probePort }],
            livenessProbe: {
              httpGet: { path: "/livez", port: "probes" },
              initialDelaySeconds: 10,
              periodSeconds: 20,
              failureThreshold: 6,
            },
            readinessProbe: { httpGet: { path: "/readyz", port: "probes" }, periodSeconds: 10 },
            resources: {
              requests: { cpu: "20m", memory: "96Mi" },
              limits: { memory: "384Mi" },
            },
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ["ALL"] },
            },
            volumeMounts: [
              { name: "state", mountPath: stateFolder },
              { name: "tmp", mountPath: "/tmp" },
              { name: "join", mountPath: tokenFolder, readOnly: true },
            ],
          },
        ],
        volumes: [
          // The identity is a Secret and the inventory ConfigMaps, so a lost disk costs a download.
          { name: "state", emptyDir: {} },
          { name: "tmp", emptyDir: {} },
          // Optional: the token is spent once the spoke has joined, and may be deleted then.
          { name: "join", secret: { secretName: "wheelhouse-join", optional: true } },
        ],
      },
    },
  },
});
