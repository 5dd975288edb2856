import { objectKeyParts, type ObjectKey } from "../../proto/words/object-key.ts";

/** What the order of a sync depends on. */
export type Orderable = {
  readonly key: ObjectKey;
  /** Sync wave as the object asks for it. */
  readonly syncWave: number;
  /** The kind this object brings to the cluster, when it is a CustomResourceDefinition. */
  readonly defines: { readonly group: string; readonly kind: string } | undefined;
};

/** Objects of one kind; they may be applied side by side. */
export type KindGroup<T> = { readonly kind: string; readonly objects: readonly T[] };

export type SyncWave<T> = { readonly syncWave: number; readonly groups: readonly KindGroup<T>[] };

// Definitions and namespaces first; what grants and configures before what runs; a Service before the
// pods that get its address in their environment. Kinds are named with their groups, so that a custom
// resource which borrows the name of a built-in kind does not borrow its place.
const early = [
  "apiextensions.k8s.io/CustomResourceDefinition",
  "/Namespace",
  "rbac.authorization.k8s.io/ClusterRole",
  "cluster.x-k8s.io/ClusterClass",
  "node.k8s.io/RuntimeClass",
  "scheduling.k8s.io/PriorityClass",
  "storage.k8s.io/StorageClass",
  "snapshot.storage.k8s.io/VolumeSnapshotClass",
  "networking.k8s.io/IngressClass",
  "gateway.networking.k8s.io/GatewayClass",
  "*Class",
  "rbac.authorization.k8s.io/ClusterRoleBinding",
  "/ResourceQuota",
  "networking.k8s.io/NetworkPolicy",
  "/ServiceAccount",
  "rbac.authorization.k8s.io/Role",
  "rbac.authorization.k8s.io/RoleBinding",
  "/ConfigMap",
  "/Secret",
  "/PersistentVolume",
  "/PersistentVolumeClaim",
  "/Service",
  "/LimitRange",
  "apps/Deployment",
  "apps/DaemonSet",
  "/Pod",
  "/ReplicationController",
  "apps/ReplicaSet",
  "autoscaling/HorizontalPodAutoscaler",
  "apps/StatefulSet",
  "batch/Job",
  "batch/CronJob",
  "networking.k8s.io/Ingress",
  "extensions/Ingress",
  "policy/PodDisruptionBudget",
  "*",
  // These can stop everything behind them, so they come when everything else is there.
  "apiregistration.k8s.io/APIService",
  "admissionregistration.k8s.io/MutatingWebhookConfiguration",
  "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
];

const ranks: ReadonlyMap<string, number> = new Map(early.map((kind, index) => [kind, index]));

const rankOf = (group: string, kind: string): number =>
  ranks.get(`${group}/${kind}`) ??
  (kind.endsWith("Class") ? ranks.get("*Class") : undefined) ??
  ranks.get("*") ??
  ranks.size;

/**
 * Sync waves in order, in each the kinds in order, in each kind the objects by namespace and name.
 *
 * A Namespace or CustomResourceDefinition that an object of an earlier sync wave needs moves to that one.
 * Kinds are never ordered across sync waves.
 */
export function applyOrder<T extends Orderable>(objects: readonly T[]): readonly SyncWave<T>[] {
  const syncWaveOf = effectiveSyncWaves(objects);
  const sorted = objects
    .map((object) => place(object, syncWaveOf.get(object.key) ?? object.syncWave))
    .toSorted(comparePlaces);
  const syncWaves: { syncWave: number; groups: { kind: string; objects: T[] }[] }[] = [];
  for (const { object, syncWave, groupKind } of sorted) {
    let current = syncWaves.at(-1);
    if (current?.syncWave !== syncWave) syncWaves.push((current = { syncWave, groups: [] }));
    let group = current.groups.at(-1);
    if (group?.kind !== groupKind) current.groups.push((group = { kind: groupKind, objects: [] }));
    group.objects.push(object);
  }
  return syncWaves;
}

/** The exact reverse of the order in which the same objects would be applied. */
export const pruneOrder = <T extends Orderable>(objects: readonly T[]): readonly SyncWave<T>[] =>
  applyOrder(objects)
    .toReversed()
    .map(({ syncWave, groups }) => ({
      syncWave,
      groups: groups.toReversed().map(({ kind, objects: same }) => ({
        kind,
        objects: same.toReversed(),
      })),
    }));

function effectiveSyncWaves(objects: readonly Orderable[]): ReadonlyMap<ObjectKey, number> {
  const earliestIn = new Map<string, number>();
  const earliestOf = new Map<string, number>();
  for (const { key, syncWave } of objects) {
    const { group, kind, namespace } = objectKeyParts(key);
    lower(earliestIn, namespace, syncWave);
    lower(earliestOf, `${group}/${kind}`, syncWave);
  }
  const syncWaves = new Map<ObjectKey, number>();
  for (const { key, syncWave, defines } of objects) {
    const { group, kind, name } = objectKeyParts(key);
    if (group === "" && kind === "Namespace")
      syncWaves.set(key, Math.min(syncWave, earliestIn.get(name) ?? syncWave));
    if (defines !== undefined)
      syncWaves.set(
        key,
        Math.min(syncWave, earliestOf.get(`${defines.group}/${defines.kind}`) ?? syncWave),
      );
  }
  return syncWaves;
}

function lower(least: Map<string, number>, key: string, value: number): void {
  const known = least.get(key);
  if (known === undefined || value < known) least.set(key, value);
}

type Place<T> = {
  readonly object: T;
  readonly syncWave: number;
  readonly rank: number;
  readonly groupKind: string;
  readonly namespace: string;
  readonly name: string;
};

function place<T extends Orderable>(object: T, syncWave: number): Place<T> {
  const { group, kind, namespace, name } = objectKeyParts(object.key);
  const groupKind = `${group}/${kind}`;
  return { object, syncWave, rank: rankOf(group, kind), groupKind, namespace, name };
}

function comparePlaces(a: Place<unknown>, b: Place<unknown>): number {
  return (
    a.syncWave - b.syncWave ||
    a.rank - b.rank ||
    compareText(a.groupKind, b.groupKind) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name)
  );
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * In which steps objects are removed: each step waits until the one before is gone. Sync waves from the highest
 * to the lowest, kinds and objects in reverse; namespaces last of all, since they take with them what is in them.
 */
export function removalSteps<T extends Orderable>(
  objects: readonly T[],
): readonly (readonly T[])[] {
  const isNamespace = ({ key }: T): boolean => key.startsWith("/Namespace/");
  const steps = pruneOrder(objects.filter((object) => !isNamespace(object))).map(({ groups }) =>
    groups.flatMap((group) => group.objects),
  );
  const namespaces = objects.filter(isNamespace);
  return namespaces.length === 0 ? steps : [...steps, namespaces];
}
