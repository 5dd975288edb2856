/** The garbage collector: what lost its owners goes, and owners wait for what they must outlive. */
import { splitApiVersion } from "../../../../proto/words/object-key.ts";
import type { Kind } from "../kinds.ts";
import {
  isTerminating,
  namespaceOf,
  uidOf,
  type KubeObject,
  type OwnerReference,
} from "../object.ts";
import type { Change } from "../store.ts";
import type { Controller, Host, ObjectName } from "./host.ts";

const foreground = "foregroundDeletion";
const orphan = "orphan";

/** Names in the queue carry the kind too: `group/plural` and the object's name, with a space between. */
const queued = (kind: string, object: KubeObject): ObjectName => ({
  namespace: namespaceOf(object),
  name: `${kind} ${object.metadata.name}`,
});

export function createGarbageCollector(host: Host): Controller {
  const { store, kinds } = host.world;

  const kindOfOwner = (reference: OwnerReference): Kind | undefined => {
    const { group } = splitApiVersion(reference.apiVersion);
    return kinds.all().find((kind) => kind.group === group && kind.kind === reference.kind);
  };

  const ownerOf = (object: KubeObject, reference: OwnerReference): KubeObject | undefined => {
    const kind = kindOfOwner(reference);
    if (kind === undefined) return undefined;
    const namespace = kind.namespaced ? namespaceOf(object) : "";
    const found = store.get(kind.key, namespace, reference.name);
    return found !== undefined && uidOf(found) === reference.uid ? found : undefined;
  };

  const isWaiting = (owner: KubeObject): boolean =>
    isTerminating(owner) && (owner.metadata.finalizers ?? []).includes(foreground);

  const withoutFinalizer = (kind: Kind, owner: KubeObject, finalizer: string): void => {
    const finalizers = (owner.metadata.finalizers ?? []).filter((one) => one !== finalizer);
    host.setMeta(kind, owner, { finalizers: finalizers.length === 0 ? undefined : finalizers });
  };

  const release = (kind: Kind, object: KubeObject, uids: ReadonlySet<string>): void => {
    const kept = (object.metadata.ownerReferences ?? []).filter(({ uid }) => !uids.has(uid));
    host.setMeta(kind, object, { ownerReferences: kept.length === 0 ? undefined : kept });
  };

  const orphanDependents = (kind: Kind, owner: KubeObject): void => {
    for (const dependent of store.dependentsOf(uidOf(owner))) {
      const dependentKind = kinds.byKey(dependent.kind);
      if (dependentKind !== undefined)
        release(dependentKind, dependent.object, new Set([uidOf(owner)]));
    }
    withoutFinalizer(kind, owner, orphan);
  };

  const waitForDependents = (kind: Kind, owner: KubeObject): void => {
    const dependents = store.dependentsOf(uidOf(owner));
    const blocking = dependents.filter(({ object }) =>
      object.metadata.ownerReferences?.some(
        (reference) => reference.uid === uidOf(owner) && reference.blockOwnerDeletion === true,
      ),
    );
    if (blocking.length === 0) {
      withoutFinalizer(kind, owner, foreground);
      return;
    }
    for (const { kind: key, object } of dependents) collect(key, object);
  };

  const collect = (key: string, object: KubeObject): void => {
    const references = object.metadata.ownerReferences ?? [];
    const kind = kinds.byKey(key);
    if (kind === undefined || references.length === 0 || isTerminating(object)) return;
    const owners = references.map((reference) => ({
      uid: reference.uid,
      owner: ownerOf(object, reference),
    }));
    const lost = owners.filter(({ owner }) => owner === undefined || isWaiting(owner));
    if (lost.length === 0) return;
    if (lost.length < owners.length) {
      release(kind, object, new Set(lost.map(({ uid }) => uid)));
      return;
    }
    const isAwaited = lost.some(({ owner }) => owner !== undefined);
    const hasDependents = store.dependentsOf(uidOf(object)).length > 0;
    host.remove(kind, object, {
      propagation: isAwaited && hasDependents ? "Foreground" : "Background",
    });
  };

  return {
    name: "garbage",
    concerns: (change) => affected(change),
    reconcile: ({ namespace, name }) => {
      const [key = "", objectName = ""] = name.split(" ");
      const object = store.get(key, namespace, objectName);
      const kind = kinds.byKey(key);
      if (object === undefined || kind === undefined) return;
      const finalizers = object.metadata.finalizers ?? [];
      if (isTerminating(object) && finalizers.includes(orphan)) orphanDependents(kind, object);
      else if (isTerminating(object) && finalizers.includes(foreground))
        waitForDependents(kind, object);
      else collect(key, object);
    },
  };

  function affected(change: Change): readonly ObjectName[] {
    const { was, is, last } = change;
    if (is === undefined) {
      const orphans = store
        .dependentsOf(uidOf(last))
        .map(({ kind, object }) => queued(kind, object));
      const owners = (last.metadata.ownerReferences ?? []).flatMap((reference) => {
        const owner = ownerOf(last, reference);
        const kind = owner === undefined ? undefined : kindOfOwner(reference);
        return owner !== undefined && kind !== undefined && isTerminating(owner)
          ? [queued(kind.key, owner)]
          : [];
      });
      return [...orphans, ...owners];
    }
    const isMarked =
      isTerminating(is) &&
      (is.metadata.finalizers ?? []).some((one) => one === foreground || one === orphan);
    const isNewlyOwned =
      is.metadata.ownerReferences !== undefined &&
      is.metadata.ownerReferences !== was?.metadata.ownerReferences;
    return isMarked || isNewlyOwned ? [queued(change.kind, is)] : [];
  }
}
