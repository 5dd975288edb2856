import { joinManifest, spokeName, spokeNamespace } from "../../../hub/domain/join/manifest.ts";
import type { SpokeRole } from "../../../hub/domain/join/spoke-role.ts";
import { parseClusterName } from "../../../proto/words/ids.ts";
import { kubeClient } from "../kube-client.ts";
import type { ControlPlane } from "./control-plane.ts";
import { kubeconfigFor } from "./kubeconfig.ts";

/** Where the objects that make up an account's rights are created. */
const places: Readonly<Record<string, string>> = {
  Namespace: "/api/v1/namespaces",
  ServiceAccount: `/api/v1/namespaces/${spokeNamespace}/serviceaccounts`,
  Role: `/apis/rbac.authorization.k8s.io/v1/namespaces/${spokeNamespace}/roles`,
  RoleBinding: `/apis/rbac.authorization.k8s.io/v1/namespaces/${spokeNamespace}/rolebindings`,
  ClusterRole: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
  ClusterRoleBinding: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
};

/**
 * The control plane as a spoke finds it that was installed with this role: its service account, its roles, and a
 * kubeconfig that holds the token of that account and nothing else. The administrator's token stays for visitors.
 */
export async function withSpokeAccount(
  plane: ControlPlane,
  role: SpokeRole,
): Promise<ControlPlane> {
  const cluster = parseClusterName(plane.name);
  if (!cluster.ok) throw new Error(cluster.problem);
  const admin = kubeClient({ url: plane.url, caPem: plane.caPem, token: plane.adminToken });
  try {
    const objects = joinManifest({
      cluster: cluster.value,
      hubAddress: "hub.example:7443",
      hubFingerprint: "sha256:0",
      token: "none",
      image: "wheelhouse",
      role,
    });
    for (const object of objects) {
      const { kind } = object;
      const place = typeof kind === "string" ? places[kind] : undefined;
      if (place !== undefined) await admin.create(place, object);
    }
    const token = await plane.serviceAccountToken(spokeNamespace, spokeName);
    const { name, url, caPem } = plane;
    return { ...plane, kubeconfig: () => kubeconfigFor({ name, url, caPem, user: { token } }) };
  } finally {
    admin.close();
  }
}
