/** The objects of one cluster, their one growing resource version, and the recent past for those who watch. */
import { namespaceOf, uidOf, withMeta, type KubeObject } from "./object.ts";

/** One step of history: `was` is missing for a creation, `is` for a removal. */
export type Change = {
  readonly version: number;
  /** `group/plural` */
  readonly kind: string;
  readonly was: KubeObject | undefined;
  /** After a removal: the object as it last was, at the version of its removal. */
  readonly is: KubeObject | undefined;
  readonly last: KubeObject;
};

type Bucket = Map<string, Map<string, KubeObject>>;

export type StoredObject = { readonly kind: string; readonly object: KubeObject };

/**
 * Keeps at most `historyMost` changes: a reader that is further behind must list again.
 *
 * Objects are never changed in place; two versions of one share what did not change.
 */
export class Store {
  readonly #objects = new Map<string, Bucket>();
  readonly #dependents = new Map<string, Map<string, StoredObject>>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #historyMost: number;
  #history: Change[] = [];
  #version = 1;
  #oldest = 1;

  constructor(historyMost: number) {
    this.#historyMost = historyMost;
  }

  /** The resource version of the newest change. */
  get version(): number {
    return this.#version;
  }

  /** History is complete after this version. */
  get oldest(): number {
    return this.#oldest;
  }

  get(kind: string, namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(kind)?.get(namespace)?.get(name);
  }

  /** In the order of their keys, as the API lists them. Without a namespace: those of all. */
  list(kind: string, namespace?: string): readonly KubeObject[] {
    const bucket = this.#objects.get(kind);
    if (bucket === undefined) return [];
    const namespaces = namespace === undefined ? [...bucket.keys()].toSorted() : [namespace];
    return namespaces.flatMap((space) => {
      const objects = bucket.get(space);
      return objects === undefined ? [] : [...objects.values()].toSorted(byName);
    });
  }

  count(kind: string, namespace: string): number {
    return this.#objects.get(kind)?.get(namespace)?.size ?? 0;
  }

  size(): number {
    let size = 0;
    for (const bucket of this.#objects.values())
      for (const objects of bucket.values()) size += objects.size;
    return size;
  }

  /** Everything that names `uid` as an owner. */
  dependentsOf(uid: string): readonly StoredObject[] {
    return [...(this.#dependents.get(uid)?.values() ?? [])];
  }

  /** Objects of a kind as they were at a version that history still covers. */
  listAt(kind: string, version: number, namespace?: string): readonly KubeObject[] {
    const inScope = (object: KubeObject): boolean =>
      namespace === undefined || namespaceOf(object) === namespace;
    const key = (object: KubeObject): string => `${namespaceOf(object)}/${object.metadata.name}`;
    const state = new Map(this.list(kind, namespace).map((object) => [key(object), object]));
    for (const change of this.#history.toReversed()) {
      if (change.version <= version) break;
      if (change.kind !== kind || !inScope(change.last)) continue;
      if (change.was === undefined) state.delete(key(change.last));
      else state.set(key(change.was), change.was);
    }
    return [...state.values()].toSorted(byNamespaceAndName);
  }

  /** Keeps an object as its newest version and returns it with that version. */
  put(kind: string, object: KubeObject): KubeObject {
    const version = this.#next();
    const kept = withMeta(object, { resourceVersion: String(version) });
    const was = this.get(kind, namespaceOf(kept), kept.metadata.name);
    this.#bucket(kind, namespaceOf(kept)).set(kept.metadata.name, kept);
    this.#linkOwners(kind, was, kept);
    this.#record({ version, kind, was, is: kept, last: kept });
    return kept;
  }

  /** Removes an object and returns it as watchers see it go. */
  remove(kind: string, object: KubeObject): KubeObject {
    const was = this.get(kind, namespaceOf(object), object.metadata.name);
    if (was === undefined) return object;
    const version = this.#next();
    const last = withMeta(object, { resourceVersion: String(version) });
    const bucket = this.#objects.get(kind);
    const objects = bucket?.get(namespaceOf(object));
    objects?.delete(object.metadata.name);
    if (objects?.size === 0) bucket?.delete(namespaceOf(object));
    this.#linkOwners(kind, was, undefined);
    this.#record({ version, kind, was, is: undefined, last });
    return last;
  }

  /** Calls `listener` for each change, in order, before the writer goes on. Returns how to stop. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Changes after `version`, oldest first; `undefined` when history no longer reaches back that far. */
  changesAfter(version: number): readonly Change[] | undefined {
    if (version < this.#oldest) return undefined;
    let start = this.#history.length;
    while (start > 0 && (this.#history[start - 1]?.version ?? 0) > version) start -= 1;
    return this.#history.slice(start);
  }

  /** Forgets all history, as compaction does: older resource versions are gone. */
  compact(): void {
    this.#history = [];
    // A version of its own, so that even the newest list is now too old to watch from.
    this.#oldest = this.#next();
  }

  #next(): number {
    this.#version += 1;
    return this.#version;
  }

  #bucket(kind: string, namespace: string): Map<string, KubeObject> {
    let bucket = this.#objects.get(kind);
    if (bucket === undefined) this.#objects.set(kind, (bucket = new Map()));
    let objects = bucket.get(namespace);
    if (objects === undefined) bucket.set(namespace, (objects = new Map()));
    return objects;
  }

  #linkOwners(kind: string, was: KubeObject | undefined, is: KubeObject | undefined): void {
    const before = was?.metadata.ownerReferences;
    const after = is?.metadata.ownerReferences;
    const key = `${kind}/${uidOf(is ?? was ?? unknown)}`;
    if (before !== after) {
      for (const { uid } of before ?? []) {
        const dependents = this.#dependents.get(uid);
        dependents?.delete(key);
        if (dependents?.size === 0) this.#dependents.delete(uid);
      }
    }
    if (is === undefined) return;
    for (const { uid } of after ?? []) {
      let dependents = this.#dependents.get(uid);
      if (dependents === undefined) this.#dependents.set(uid, (dependents = new Map()));
      dependents.set(key, { kind, object: is });
    }
  }

  #record(change: Change): void {
    this.#history.push(change);
    // Trimmed in bulk, so that a write does not move the whole array.
    if (this.#history.length > this.#historyMost * 1.5) {
      const dropped = this.#history.splice(0, this.#history.length - this.#historyMost);
      this.#oldest = dropped.at(-1)?.version ?? this.#oldest;
    }
    for (const listener of this.#listeners) listener(change);
  }
}

const unknown: KubeObject = { apiVersion: "", kind: "", metadata: { name: "" } };

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const byName = (a: KubeObject, b: KubeObject): number => byText(a.metadata.name, b.metadata.name);

const byNamespaceAndName = (a: KubeObject, b: KubeObject): number =>
  byText(namespaceOf(a), namespaceOf(b)) || byName(a, b);
