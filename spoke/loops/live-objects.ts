import type { ApplicationName } from "../../proto/words/ids.ts";
import { objectKeyParts, splitApiVersion, type ObjectKey } from "../../proto/words/object-key.ts";
import { keyOfObject, type KubeObject, type ResourceType } from "../domain/kube-object.ts";
import { liveFrom, type LiveObject } from "../domain/live.ts";
import { markerOf } from "../domain/marker.ts";

/** Answers are seconds on their way; this many deletions take longer. */
const goneMost = 1_000;

declare const typeId: unique symbol;

/** A kind in one of its versions: `apps/v1/Deployment`. What is watched, since a fingerprint is of one version. */
export type TypeId = string & { readonly [typeId]: true };

export const typeIdOf = (type: Pick<ResourceType, "group" | "version" | "kind">): TypeId =>
  `${type.group}/${type.version}/${type.kind}` as TypeId;

const typeIdFor = (key: ObjectKey, version: string): TypeId => {
  const { group, kind } = objectKeyParts(key);
  return typeIdOf({ group, version, kind });
};

/** An object that changed, and whose it says it is. */
export type Touched = {
  readonly key: ObjectKey;
  readonly application: ApplicationName | undefined;
};

/**
 * The newest known state of every watched object.
 *
 * Written by the watch loop and by whoever has an answer of the API server in hand. A watch may have yet to
 * catch up with such an answer; until it has, what it says of that object is dropped when it is older.
 */
export class LiveObjects {
  readonly #types = new Map<TypeId, Map<ObjectKey, LiveObject>>();
  readonly #byApplication = new Map<ApplicationName, Map<string, LiveObject>>();
  /** Where an answer was taken in that the watch has not shown yet. */
  readonly #ahead = new Set<string>();
  /** Uids the watch has seen go, newest last: an answer that was on its way meanwhile must not bring them back. */
  readonly #gone = new Set<string>();

  find(key: ObjectKey, version: string): LiveObject | undefined {
    return this.#types.get(typeIdFor(key, version))?.get(key);
  }

  /** Objects whose own marker names this application, one for each key. */
  marked(application: ApplicationName): readonly LiveObject[] {
    const found = new Map<ObjectKey, LiveObject>();
    for (const live of this.#byApplication.get(application)?.values() ?? [])
      found.set(keyOfObject(live.object), live);
    return [...found.values()];
  }

  /** Takes in one state of an object from its watch; `undefined` when it is no news. */
  put(object: KubeObject): Touched | undefined {
    const type = typeOfObject(object);
    const key = keyOfObject(object);
    const known = this.#types.get(type)?.get(key);
    if (known !== undefined && this.#ahead.has(placeOf(type, key)) && isOlder(object, known.object))
      return undefined;
    this.#ahead.delete(placeOf(type, key));
    this.#gone.delete(object.metadata.uid ?? "");
    if (known !== undefined && isSame(object, known.object)) return undefined;
    return this.#set(type, key, liveFrom(object));
  }

  /** Takes in an answer of the API server, which may be ahead of the watch. */
  putAnswer(object: KubeObject): LiveObject {
    const type = typeOfObject(object);
    const key = keyOfObject(object);
    const known = this.#types.get(type)?.get(key);
    const live = liveFrom(object);
    if (this.#gone.has(live.uid)) return live;
    if (known !== undefined && (isOlder(object, known.object) || isSame(object, known.object)))
      return live;
    this.#set(type, key, live);
    this.#ahead.add(placeOf(type, key));
    return live;
  }

  /** Takes in that an object is gone; `undefined` when it is no news, or another object has its name now. */
  remove(object: KubeObject): Touched | undefined {
    const type = typeOfObject(object);
    const key = keyOfObject(object);
    const known = this.#types.get(type)?.get(key);
    const uid = object.metadata.uid ?? "";
    this.#rememberGone(uid);
    if (known === undefined || known.uid !== uid) return undefined;
    return this.#delete(type, key, known);
  }

  /** Takes in a complete list of one type. What is not in it is gone. */
  replace(type: TypeId, objects: readonly KubeObject[]): readonly Touched[] {
    const listed = new Set(objects.map(keyOfObject));
    const touched: Touched[] = [];
    for (const [key, known] of this.#types.get(type) ?? [])
      if (!listed.has(key)) touched.push(this.#delete(type, key, known));
    for (const object of objects) {
      const news = this.put(object);
      if (news !== undefined) touched.push(news);
    }
    return touched;
  }

  forgetType(type: TypeId): void {
    for (const [key, known] of this.#types.get(type) ?? []) this.#delete(type, key, known);
    this.#types.delete(type);
  }

  #rememberGone(uid: string): void {
    this.#gone.delete(uid);
    this.#gone.add(uid);
    const oldest = this.#gone.values().next();
    if (this.#gone.size > goneMost && oldest.done !== true) this.#gone.delete(oldest.value);
  }

  #set(type: TypeId, key: ObjectKey, live: LiveObject): Touched {
    const known = this.#types.get(type)?.get(key);
    if (known !== undefined) this.#delete(type, key, known);
    const application = markerOf(live.object)?.application;
    const ofType = this.#types.get(type) ?? new Map<ObjectKey, LiveObject>();
    this.#types.set(type, ofType.set(key, live));
    if (application !== undefined) {
      const own = this.#byApplication.get(application) ?? new Map<string, LiveObject>();
      this.#byApplication.set(application, own.set(placeOf(type, key), live));
    }
    return { key, application };
  }

  #delete(type: TypeId, key: ObjectKey, known: LiveObject): Touched {
    const application = markerOf(known.object)?.application;
    this.#types.get(type)?.delete(key);
    this.#ahead.delete(placeOf(type, key));
    if (application !== undefined) {
      const own = this.#byApplication.get(application);
      own?.delete(placeOf(type, key));
      if (own?.size === 0) this.#byApplication.delete(application);
    }
    return { key, application };
  }
}

const typeOfObject = (object: KubeObject): TypeId =>
  typeIdOf({ ...splitApiVersion(object.apiVersion), kind: object.kind });

const placeOf = (type: TypeId, key: ObjectKey): string => `${type} ${key}`;

const isSame = (a: KubeObject, b: KubeObject): boolean =>
  a.metadata.uid === b.metadata.uid &&
  a.metadata.resourceVersion !== undefined &&
  a.metadata.resourceVersion === b.metadata.resourceVersion;

/** Resource versions are numbers that grow on every API server we know; where one is not, nothing is older. */
function isOlder(object: KubeObject, known: KubeObject): boolean {
  const next = object.metadata.resourceVersion ?? "";
  const last = known.metadata.resourceVersion ?? "";
  return /^\d+$/.test(next) && /^\d+$/.test(last) && BigInt(next) < BigInt(last);
}
