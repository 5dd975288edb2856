import type { Json } from "../../../proto/words/digest.ts";
import type { ClusterName } from "../../../proto/words/ids.ts";
import { imageText, readImageReference } from "./image-reference.ts";
import { clusterRules, namespacedRules, ownRules, type SpokeRole } from "./spoke-role.ts";

/** What a spoke must be told to join, and how it runs in a cluster. */
export type JoinInvitation = {
  readonly cluster: ClusterName;
  /** `host:port` of the hub's link. */
  readonly hubAddress: string;
  /** `sha256:<hex>` of the hub CA's public key. */
  readonly hubFingerprint: string;
  /** Good for one cluster, once, for a short time. */
  readonly token: string;
  readonly image: string;
  readonly role: SpokeRole;
};

type KubeObject = { readonly [key: string]: Json };

/** Where the spoke lives in its cluster: its Deployment, its identity and its inventory. */
export const spokeNamespace = "wheelhouse";

/** Of the spoke's objects, and of the Helm release that makes the same ones. */
export const spokeName = "wheelhouse-spoke";

const name = spokeName;
const joinSecretName = `${name}-join`;
const tokenFolder = "/var/run/wheelhouse/join";
const stateFolder = "/var/lib/wheelhouse";
const probePort = 8081;
const apiServerPorts = [443, 6443];
const rbacGroup = "rbac.authorization.k8s.io";

/**
 * The objects to apply in a cluster so that its spoke starts and joins: what `kubectl apply -f -` is fed.
 *
 * They are the objects of the chart `wheelhouse-spoke` with its usual values, and the namespace, which Helm
 * makes itself.
 */
export function joinManifest(invitation: JoinInvitation): readonly KubeObject[] {
  const { role } = invitation;
  return [
    namespace(),
    networkPolicy(invitation),
    serviceAccount(),
    joinSecret(invitation),
    ...boundRole("Role", name, spokeNamespace, ownRules(role)),
    ...applicationRoles(role),
    deployment(invitation),
  ];
}

const selector = { "app.kubernetes.io/name": name };
const labels = { ...selector, "app.kubernetes.io/part-of": "wheelhouse" };

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
  // The Deployment asks for the token itself.
  automountServiceAccountToken: false,
});

/** What the spoke may do to applications' objects. */
function applicationRoles(role: SpokeRole): readonly KubeObject[] {
  if (role.namespaces.length === 0)
    return boundRole("ClusterRole", name, undefined, [...namespacedRules(role), ...clusterRules]);
  return role.namespaces.flatMap((managed) =>
    // Not the name of the spoke's own role: its own namespace may be one of these.
    boundRole("Role", `${name}-applications`, managed, namespacedRules(role)),
  );
}

function boundRole(
  kind: "Role" | "ClusterRole",
  roleName: string,
  within: string | undefined,
  rules: readonly Json[],
): readonly KubeObject[] {
  const place = within === undefined ? {} : { namespace: within };
  const metadata = { name: roleName, ...place, labels };
  return [
    { apiVersion: `${rbacGroup}/v1`, kind, metadata, rules },
    {
      apiVersion: `${rbacGroup}/v1`,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: rbacGroup, kind, name: roleName },
      subjects: [{ kind: "ServiceAccount", name, namespace: spokeNamespace }],
    },
  ];
}

const joinSecret = ({ token }: JoinInvitation): KubeObject => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: meta(joinSecretName),
  type: "Opaque",
  stringData: { token },
});

/** Out to DNS, the API server and the hub; in for nobody. The kubelet's probes pass anyway. */
function networkPolicy({ hubAddress }: JoinInvitation): KubeObject {
  const hubPort = Number(/\d+$/.exec(hubAddress)?.[0] ?? 0);
  const ports = [...new Set([...apiServerPorts, hubPort])];
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: meta(name),
    spec: {
      podSelector: { matchLabels: selector },
      policyTypes: ["Ingress", "Egress"],
      ingress: [],
      egress: [
        {
          ports: [
            { port: 53, protocol: "UDP" },
            { port: 53, protocol: "TCP" },
          ],
        },
        { ports: ports.map((port) => ({ port, protocol: "TCP" })) },
      ],
    },
  };
}

const deployment = (invitation: JoinInvitation): KubeObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: meta(name),
  spec: {
    replicas: 1,
    // Two spokes of one cluster would only replace each other's session.
    strategy: { type: "Recreate" },
    selector: { matchLabels: selector },
    template: {
      metadata: { labels },
      spec: {
        serviceAccountName: name,
        automountServiceAccountToken: true,
        enableServiceLinks: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65532,
          runAsGroup: 65532,
          fsGroup: 65532,
          seccompProfile: { type: "RuntimeDefault" },
        },
        containers: [container(invitation)],
        volumes: [
          // The identity is a Secret and the inventory ConfigMaps, so a lost disk costs a download.
          { name: "state", emptyDir: { sizeLimit: "1Gi" } },
          { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
          // Optional: the token is spent once the spoke has joined, and may be deleted then.
          { name: "join", secret: { secretName: joinSecretName, optional: true } },
        ],
      },
    },
  },
});

const container = ({ hubAddress, hubFingerprint, image, role }: JoinInvitation): KubeObject => ({
  name: "spoke",
  image: imageText(readImageReference(image)),
  imagePullPolicy: "IfNotPresent",
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
    ...(role.namespaces.length === 0 ? [] : ["--namespaces", role.namespaces.join(",")]),
    "--syncs-at-once",
    "4",
    "--log-level",
    "info",
    "--probe-port",
    String(probePort),
  ],
  // Small young generations keep the spoke small.
  env: [{ name: "NODE_OPTIONS", value: "--max-semi-space-size=1" }],
  ports: [{ name: "probes", containerPort: probePort, protocol: "TCP" }],
  startupProbe: {
    httpGet: { path: "/livez", port: "probes" },
    periodSeconds: 2,
    failureThreshold: 60,
  },
  livenessProbe: {
    httpGet: { path: "/livez", port: "probes" },
    periodSeconds: 20,
    timeoutSeconds: 5,
    failureThreshold: 6,
  },
  readinessProbe: {
    httpGet: { path: "/readyz", port: "probes" },
    periodSeconds: 10,
    timeoutSeconds: 5,
  },
  resources: { requests: { cpu: "20m", memory: "96Mi" }, limits: { memory: "384Mi" } },
  securityContext: {
    allowPrivilegeEscalation: false,
    privileged: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    capabilities: { drop: ["ALL"] },
  },
  volumeMounts: [
    { name: "state", mountPath: stateFolder },
    { name: "tmp", mountPath: "/tmp" },
    { name: "join", mountPath: tokenFolder, readOnly: true },
  ],
});
