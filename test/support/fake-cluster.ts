import { randomUUID } from "node:crypto";
import { NotPermitted } from "../../proto/kit/trouble.ts";
import { unlessAborted } from "../../proto/kit/unless-aborted.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import {
  makeObjectKey,
  objectKeyParts,
  splitApiVersion,
  type ObjectKey,
} from "../../proto/words/object-key.ts";
import type {
  ApplyOutcome,
  ClusterApi,
  InventoryStore,
  RemoveOutcome,
  WatchEvent,
} from "../../spoke/domain/cluster.ts";
import type { InventoryEntry } from "../../spoke/domain/inventory.ts";
import { keyOfObject, type KubeObject, type ResourceType } from "../../spoke/domain/kube-object.ts";
import { trimManagedFields } from "../../spoke/kube/trim.ts";
import { ApiServerUnavailable, KindGone } from "../../spoke/kube/trouble.ts";
import { finishedStatus } from "./fake-cluster/finished-status.ts";
import { allVerbs, builtInTypes, typeKey } from "./fake-cluster/kinds.ts";
import { selectorOf } from "./fake-cluster/label-selector.ts";
import { mergeApply, mergeUpdate } from "./fake-cluster/merges.ts";
import { sameBut, sameSpec } from "./fake-cluster/sameness.ts";
import { asObject, asTree, textOf } from "./fake-cluster/trees.ts";
import { newWatcher, type Watcher } from "./fake-cluster/watcher.ts";
import { isTree, type Tree } from "./field-sets.ts";

export type FakeClusterOptions = {
  /** Exist from the start, beside `default`, `kube-system` and `wheelhouse`. */
  readonly namespaces?: readonly string[];
  /**
   * `instant` gives Deployments, StatefulSets, DaemonSets and Jobs the status of a finished rollout as soon
   * as they change; `none` leaves status to `setStatus`.
   */
  readonly controllers?: "instant" | "none";
  readonly nowMs?: () => number;
};

export type FakeCluster = {
  readonly api: ClusterApi;
  readonly inventory: InventoryStore;
  /** What is there now, as the API would give it; `undefined` for none. */
  readonly object: (key: ObjectKey) => KubeObject | undefined;
  /** Everything but the namespaces it began with, in order of creation. */
  readonly objects: () => readonly KubeObject[];
  /** Creates or replaces as `manager` would with an update: what it changed is its own from then on. */
  readonly put: (object: KubeObject, manager?: string) => KubeObject;
  /** Changes an existing object by hand; `change` edits a copy in place. */
  readonly edit: (key: ObjectKey, change: (object: Tree) => void, manager?: string) => KubeObject;
  /** Replaces the status, as a controller would. */
  readonly setStatus: (key: ObjectKey, status: Tree) => KubeObject;
  /** Deletes by hand, with dependents, honouring finalizers. */
  readonly delete: (key: ObjectKey) => void;
  readonly defineKind: (type: ResourceType) => void;
  /** The kind stops being served and its objects are gone, as when a CRD is deleted. */
  readonly undefineKind: (group: string, kind: string) => void;
  /** While true every call throws Trouble, and watches end with it. */
  readonly setAway: (away: boolean) => void;
  /** Whatever needs discovery of these groups throws Trouble. */
  readonly brokenGroups: Set<string>;
  /** Consulted before every apply that is not a dry run; what it returns is the outcome. Throw Trouble to be overloaded. */
  readonly setApplyHook: (
    hook: ((object: KubeObject) => ApplyOutcome | undefined) | undefined,
  ) => void;
  /** Every running watch lists again, as after 410. */
  readonly relistWatches: () => void;
  /** Every running watch throws Trouble. */
  readonly breakWatches: () => void;
  /** Requests so far, in order: `apply apps/Deployment/shop/web`, `dry-run …`, `no-create …` (it had to be new and was not), `get …`, `delete …`, `watch apps/Deployment`. */
  readonly requests: readonly string[];
  /** `apply` and `delete` requests only. */
  readonly writes: () => readonly string[];
  /** Inventory writes so far, in order: `write shop`, `forget shop`. */
  readonly inventoryWrites: readonly string[];
  readonly inventoryContent: ReadonlyMap<string, readonly InventoryEntry[]>;
  readonly forgetRequests: () => void;
  readonly watchesOpen: () => number;
  /** Whose rights the requests about objects were made with, in order; those with the spoke's own are not here. */
  readonly actors: readonly string[];
  /** Service accounts that may do nothing, and what is said to them. */
  readonly denied: Map<string, string>;
};

/**
 * A cluster in memory, with the parts of a real one the spoke leans on: discovery, server-side apply with
 * field ownership, uids, generations, owner references, finalizers, namespaces and watches.
 *
 * Serves the usual built-in kinds; a CustomResourceDefinition that is put or applied defines its own.
 */
export function fakeCluster(options: FakeClusterOptions = {}): FakeCluster {
  const nowMs = options.nowMs ?? Date.now;
  const controllers = options.controllers ?? "instant";
  const types = new Map<string, ResourceType>(
    builtInTypes.map((type) => [typeKey(type.group, type.kind), type]),
  );
  const live = new Map<ObjectKey, KubeObject>();
  const watchers = new Set<Watcher>();
  const inventory = new Map<ApplicationName, readonly InventoryEntry[]>();
  const requests: string[] = [];
  const inventoryWrites: string[] = [];
  const actors: string[] = [];
  const denied = new Map<string, string>();
  const brokenGroups = new Set<string>();
  let revision = 0;
  let away = false;
  let applyHook: ((object: KubeObject) => ApplyOutcome | undefined) | undefined;

  const stamp = (): string => new Date(Math.floor(nowMs() / 1000) * 1000).toISOString();

  async function arrive(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    // Real calls never answer in the same turn of the event loop.
    await unlessAborted(new Promise<void>((resolve) => setImmediate(resolve)), signal);
    if (away) throw new ApiServerUnavailable("fake cluster is away");
  }

  function discover(group: string): void {
    if (brokenGroups.has(group))
      throw new ApiServerUnavailable(`discovery of group ${JSON.stringify(group)} failed`);
  }

  function tell(event: "present" | "gone", object: KubeObject): void {
    for (const watcher of watchers) watcher.offer(event, object);
  }

  /** Stores the next state of an object and says so; does nothing when only bookkeeping would change. */
  function store(key: ObjectKey, next: Tree, before: KubeObject | undefined): KubeObject {
    if (before !== undefined && sameBut(before, next)) return before;
    revision += 1;
    const metadata = isTree(next["metadata"]) ? next["metadata"] : {};
    const specChanged = before !== undefined && !sameSpec(before, next);
    const object = asObject({
      ...next,
      metadata: {
        ...metadata,
        uid: before?.metadata.uid ?? randomUUID(),
        creationTimestamp: before?.metadata.creationTimestamp ?? stamp(),
        generation: (before?.metadata.generation ?? 1) + (specChanged ? 1 : 0),
        resourceVersion: String(revision),
      },
    });
    if (object.metadata.deletionTimestamp !== undefined && noFinalizers(object)) {
      live.delete(key);
      tell("gone", object);
      return object;
    }
    live.set(key, object);
    tell("present", object);
    if (object.kind === "CustomResourceDefinition") defineFrom(object);
    return object;
  }

  function defineFrom(definition: KubeObject): void {
    const spec = isTree(definition["spec"]) ? definition["spec"] : {};
    const names = isTree(spec["names"]) ? spec["names"] : {};
    const versions: readonly unknown[] = Array.isArray(spec["versions"]) ? spec["versions"] : [];
    const first = versions.find(isTree);
    const type: ResourceType = {
      group: textOf(spec["group"]),
      version: textOf(first?.["name"]),
      kind: textOf(names["kind"]),
      plural: textOf(names["plural"]),
      namespaced: spec["scope"] === "Namespaced",
      verbs: allVerbs,
    };
    types.set(typeKey(type.group, type.kind), type);
  }

  function settle(key: ObjectKey): void {
    const object = live.get(key);
    const status =
      object === undefined || controllers === "none" ? undefined : finishedStatus(object);
    if (object === undefined || status === undefined) return;
    store(key, { ...structuredClone(object), status }, object);
  }

  function remove(key: ObjectKey, propagation: "Foreground" | "Background" | "Orphan"): void {
    const object = live.get(key);
    if (object === undefined) return;
    const dependents = [...live].filter(([, other]) =>
      (other.metadata.ownerReferences ?? []).some(({ uid }) => uid === object.metadata.uid),
    );
    if (propagation !== "Orphan")
      for (const [dependent] of dependents) remove(dependent, propagation);
    if (object.kind === "Namespace") {
      for (const [inside, other] of live)
        if (other.metadata.namespace === object.metadata.name) remove(inside, propagation);
    }
    if (!noFinalizers(object)) {
      const next = structuredClone(object);
      store(key, { ...next, metadata: { ...next.metadata, deletionTimestamp: stamp() } }, object);
      return;
    }
    live.delete(key);
    revision += 1;
    tell("gone", {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(revision) },
    });
    if (object.kind === "CustomResourceDefinition") {
      const spec = isTree(object["spec"]) ? object["spec"] : {};
      const names = isTree(spec["names"]) ? spec["names"] : {};
      undefineKind(textOf(spec["group"]), textOf(names["kind"]));
    }
  }

  function undefineKind(group: string, kind: string): void {
    types.delete(typeKey(group, kind));
    for (const [key, object] of live)
      if (splitApiVersion(object.apiVersion).group === group && object.kind === kind)
        live.delete(key);
    for (const watcher of watchers)
      if (watcher.type.group === group && watcher.type.kind === kind) watcher.kindGone();
  }

  function place(
    object: KubeObject,
  ): { readonly key: ObjectKey; readonly type: ResourceType } | ApplyOutcome {
    const { group, version } = splitApiVersion(object.apiVersion);
    const type = types.get(typeKey(group, object.kind));
    if (type === undefined || type.version !== version)
      return {
        kind: "unknown-kind",
        message: `no kind ${object.kind} is served in ${object.apiVersion}`,
      };
    const namespace = object.metadata.namespace ?? "";
    if (type.namespaced === (namespace === ""))
      return rejected(
        400,
        "BadRequest",
        type.namespaced ? "an object of this kind needs a namespace" : "this kind has no namespace",
      );
    const home = live.get(namespaceKey(namespace));
    if (type.namespaced && home === undefined)
      return rejected(404, "NotFound", `namespaces "${namespace}" not found`);
    const key = keyOfObject(object);
    if (home?.metadata.deletionTimestamp !== undefined && !live.has(key))
      return rejected(
        403,
        "Forbidden",
        `unable to create new content in namespace ${namespace} because it is being terminated`,
      );
    return { key, type };
  }

  function update(
    key: ObjectKey,
    wanted: Tree,
    manager: string,
    subresource: string | undefined,
  ): KubeObject {
    const before = live.get(key);
    return store(key, mergeUpdate(before, wanted, { manager, subresource, time: stamp() }), before);
  }

  function applyNow(
    object: KubeObject,
    key: ObjectKey,
    force: boolean,
    dryRun: boolean,
  ): ApplyOutcome {
    const before = live.get(key);
    const merged = mergeApply(before, object, { force, time: stamp() });
    if (merged.kind === "conflict") return merged;
    const { next } = merged;
    if (dryRun) {
      // What would be stored: bookkeeping as it is, fields as they would be.
      const preview = asObject(next);
      return { kind: "applied", object: trimManagedFields(preview), created: before === undefined };
    }
    const stored = store(key, next, before);
    settle(key);
    return {
      kind: "applied",
      object: trimManagedFields(live.get(key) ?? stored),
      created: before === undefined,
    };
  }

  const api: ClusterApi = {
    resourceType: async (group, kind, signal) => {
      await arrive(signal);
      discover(group);
      return types.get(typeKey(group, kind));
    },
    forgetDiscovery: () => {},
    get: async (key, signal) => {
      requests.push(`get ${key}`);
      await arrive(signal);
      discover(objectKeyParts(key).group);
      const object = live.get(key);
      return object === undefined ? undefined : trimManagedFields(object);
    },
    list: async (type, { namespace, labelSelector }, signal) => {
      requests.push(`list ${typeKey(type.group, type.kind)} ${namespace} ${labelSelector}`);
      await arrive(signal);
      const selected = selectorOf(labelSelector);
      return [...live.values()].filter(
        (object) =>
          object.kind === type.kind &&
          splitApiVersion(object.apiVersion).group === type.group &&
          object.metadata.namespace === namespace &&
          selected(object),
      );
    },
    apply: async (object, { force, dryRun, mustBeNew = false }, signal) => {
      const isTaken = mustBeNew && live.has(keyOfObject(object));
      const word = isTaken ? "no-create" : "apply";
      requests.push(`${dryRun ? "dry-run" : word} ${keyOfObject(object)}`);
      await arrive(signal);
      discover(splitApiVersion(object.apiVersion).group);
      const hooked = dryRun ? undefined : applyHook?.(object);
      if (hooked !== undefined) return hooked;
      const placed = place(object);
      if ("kind" in placed) return placed;
      if (isTaken) return { kind: "exists", message: `${placed.key} is there already` };
      return applyNow(object, placed.key, force, dryRun);
    },
    remove: async (key, { uid, propagation }, signal): Promise<RemoveOutcome> => {
      requests.push(`delete ${key}`);
      await arrive(signal);
      discover(objectKeyParts(key).group);
      const object = live.get(key);
      if (object === undefined) return { kind: "absent" };
      if (object.metadata.uid !== uid) return { kind: "not-ours" };
      remove(key, propagation);
      return { kind: "removing" };
    },
    watch: (type, labelSelector, signal) => watch(type, labelSelector, signal),
    serverVersion: async (signal) => {
      await arrive(signal);
      return "v1.34.0-fake";
    },
    as: (account) => actingAs(account),
  };

  function actingAs(account: string): ClusterApi {
    const check = (): void => {
      actors.push(account);
      const denial = denied.get(account);
      if (denial !== undefined) throw new NotPermitted(denial);
    };
    return {
      ...api,
      get: async (...given) => {
        check();
        return await api.get(...given);
      },
      list: async (...given) => {
        check();
        return await api.list(...given);
      },
      apply: async (...given) => {
        check();
        return await api.apply(...given);
      },
      remove: async (...given) => {
        check();
        return await api.remove(...given);
      },
    };
  }

  async function* watch(
    type: ResourceType,
    labelSelector: string,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    requests.push(`watch ${typeKey(type.group, type.kind)}`);
    await arrive(signal);
    const selected = selectorOf(labelSelector);
    const ofType = (object: KubeObject): boolean =>
      object.kind === type.kind && splitApiVersion(object.apiVersion).group === type.group;
    const list = (): WatchEvent => ({
      kind: "listed",
      objects: [...live.values()].filter((o) => ofType(o) && selected(o)).map(trimManagedFields),
    });
    if (!types.has(typeKey(type.group, type.kind))) {
      yield { kind: "listed", objects: [] };
      throw new KindGone(type.group, type.kind);
    }
    const known = new Set<string>();
    const watcher = newWatcher(type, (event, object) => {
      if (!ofType(object)) return undefined;
      const uid = object.metadata.uid ?? "";
      if (event === "present" && selected(object)) {
        known.add(uid);
        return { kind: "present", object: trimManagedFields(object) };
      }
      return known.delete(uid) ? { kind: "gone", object: trimManagedFields(object) } : undefined;
    });
    watchers.add(watcher);
    try {
      for (;;) {
        watcher.clear();
        const listed = list();
        if (listed.kind === "listed")
          for (const object of listed.objects) known.add(object.metadata.uid ?? "");
        yield listed;
        for (;;) {
          const next = await watcher.next(signal);
          if (next === "relist") break;
          if (next === "broken") throw new ApiServerUnavailable("fake watch broke");
          if (next === "kind-gone") {
            yield { kind: "listed", objects: [] };
            throw new KindGone(type.group, type.kind);
          }
          yield next;
        }
      }
    } finally {
      watchers.delete(watcher);
    }
  }

  const inventoryStore: InventoryStore = {
    readAll: async (signal) => {
      await arrive(signal);
      return new Map(inventory);
    },
    write: async (application, entries, signal) => {
      await arrive(signal);
      inventoryWrites.push(`write ${application}`);
      inventory.set(application, structuredClone(entries));
    },
    forget: async (application, signal) => {
      await arrive(signal);
      inventoryWrites.push(`forget ${application}`);
      inventory.delete(application);
    },
  };

  function mustHave(key: ObjectKey): KubeObject {
    const object = live.get(key);
    if (object === undefined) throw new Error(`fake cluster has no ${key}`);
    return object;
  }

  for (const name of ["default", "kube-system", "wheelhouse", ...(options.namespaces ?? [])]) {
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
    store(namespaceKey(name), namespace, undefined);
  }
  const firstKeys = new Set(live.keys());

  return {
    api,
    inventory: inventoryStore,
    object: (key) => live.get(key),
    objects: () => [...live].filter(([key]) => !firstKeys.has(key)).map(([, object]) => object),
    put: (object, manager = "kubectl-create") => {
      const placed = place(object);
      if ("kind" in placed) throw new Error(`fake cluster refuses: ${JSON.stringify(placed)}`);
      const stored = update(placed.key, asTree(object), manager, undefined);
      settle(placed.key);
      return live.get(placed.key) ?? stored;
    },
    edit: (key, change, manager = "kubectl-edit") => {
      const copy = asTree(structuredClone(mustHave(key)));
      change(copy);
      const edited = update(key, copy, manager, undefined);
      settle(key);
      return live.get(key) ?? edited;
    },
    setStatus: (key, status) =>
      update(key, { ...structuredClone(mustHave(key)), status }, "controller", "status"),
    delete: (key) => remove(key, "Background"),
    defineKind: (type) => void types.set(typeKey(type.group, type.kind), type),
    undefineKind,
    setAway: (isAway) => {
      away = isAway;
      if (isAway) for (const watcher of watchers) watcher.end();
    },
    brokenGroups,
    setApplyHook: (hook) => {
      applyHook = hook;
    },
    relistWatches: () => {
      for (const watcher of watchers) watcher.relist();
    },
    breakWatches: () => {
      for (const watcher of watchers) watcher.end();
    },
    requests,
    writes: () => requests.filter((request) => /^(apply|delete) /.test(request)),
    inventoryWrites,
    inventoryContent: inventory,
    forgetRequests: () => {
      requests.length = 0;
      inventoryWrites.length = 0;
      actors.length = 0;
    },
    watchesOpen: () => watchers.size,
    actors,
    denied,
  };
}

function rejected(status: number, reason: string, message: string): ApplyOutcome {
  return { kind: "rejected", status, reason, message };
}

const noFinalizers = (object: KubeObject): boolean =>
  (object.metadata.finalizers ?? []).length === 0;

const namespaceKey = (name: string): ObjectKey =>
  makeObjectKey({ group: "", kind: "Namespace", namespace: "", name });

/** The key of an object by its parts, for tests: `keyOf("apps/v1", "Deployment", "shop", "web")`. */
export const keyOf = (
  apiVersion: string,
  kind: string,
  namespace: string,
  name: string,
): ObjectKey => makeObjectKey({ group: splitApiVersion(apiVersion).group, kind, namespace, name });
