/** What controllers share: a queue of objects to look at again, and writing as the control plane does. */
import { mapAt, type JsonMap } from "../json.ts";
import { builtIn, type Kind, type Kinds } from "../kinds.ts";
import {
  controllerOf,
  namespaceOf,
  uidOf,
  withMeta,
  type KubeObject,
  type Meta,
} from "../object.ts";
import type { Resources } from "../resources.ts";
import { plainDelete, type DeleteOptions, type Target } from "../verbs.ts";
import type { SimulatedTime } from "../simulated-time.ts";
import { ApiError } from "../status.ts";
import type { Change, Store } from "../store.ts";
import type { Watches } from "../watch.ts";

export type Failure = "image-pull" | "crash-loop" | "never-ready" | "job-fail";

export type World = {
  readonly store: Store;
  readonly kinds: Kinds;
  readonly resources: Resources;
  readonly watches: Watches;
  readonly time: SimulatedTime;
  readonly random: () => number;
  readonly caPem: string;
  readonly failureOf: (pod: KubeObject) => Failure | undefined;
};

export type ObjectName = { readonly namespace: string; readonly name: string };

export type Controller = {
  readonly name: string;
  /** The objects that this change may be news for. */
  readonly concerns: (change: Change) => readonly ObjectName[];
  /** Looks at an object as it is now, which may be gone, and does the next thing. */
  readonly reconcile: (name: ObjectName) => void;
};

export const managerName = "kube-controller-manager";

export const nameOf = (object: KubeObject): ObjectName => ({
  namespace: namespaceOf(object),
  name: object.metadata.name,
});

/** An object of one kind changed: look at it. */
export const itself =
  (kind: string) =>
  (change: Change): readonly ObjectName[] =>
    change.kind === kind ? [nameOf(change.last)] : [];

/** Something changed that an object of this kind controls, or used to. */
export function controllerOfChange(change: Change, ownerKind: string): readonly ObjectName[] {
  const owners = [change.was, change.last].flatMap((object) => {
    const owner = object === undefined ? undefined : controllerOf(object);
    return owner !== undefined && owner.kind === ownerKind
      ? [{ namespace: namespaceOf(change.last), name: owner.name }]
      : [];
  });
  return owners.length === 2 && owners[0]?.name === owners[1]?.name ? owners.slice(1) : owners;
}

const firstRetryMs = 1000;
const lastRetryMs = 300_000;

/** Runs controllers whenever what concerns them changes; idle, it costs nothing. */
export class Host {
  readonly world: World;
  readonly #controllers = new Map<string, Controller>();
  readonly #stopListening: () => void;
  readonly #failures = new Map<string, number>();
  #queue = new Map<string, () => void>();
  #scheduled: NodeJS.Immediate | undefined;
  #stopped = false;

  constructor(world: World) {
    this.world = world;
    this.#stopListening = world.store.onChange((change) => {
      for (const controller of this.#controllers.values()) {
        for (const name of controller.concerns(change)) this.#enqueue(controller, name);
      }
    });
  }

  add(controller: Controller): void {
    this.#controllers.set(controller.name, controller);
  }

  enqueue(controller: string, name: ObjectName): void {
    const found = this.#controllers.get(controller);
    if (found !== undefined) this.#enqueue(found, name);
  }

  /** Looks again after a delay in simulated time. Returns how to call it off. */
  later(delayMs: number, controller: string, name: ObjectName): () => void {
    return this.world.time.after(delayMs, () => this.enqueue(controller, name));
  }

  stop(): void {
    this.#stopped = true;
    this.#stopListening();
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
  }

  get(kind: string, { namespace, name }: ObjectName): KubeObject | undefined {
    return this.world.store.get(kind, namespace, name);
  }

  /** What an object controls, of one kind. */
  controlled(owner: KubeObject, kind: string): readonly KubeObject[] {
    return this.world.store
      .dependentsOf(uidOf(owner))
      .filter(
        (dependent) =>
          dependent.kind === kind && controllerOf(dependent.object)?.uid === uidOf(owner),
      )
      .map((dependent) => dependent.object);
  }

  make(kind: string, object: KubeObject, manager = managerName): KubeObject {
    return this.world.resources.make(builtIn(kind), object, manager);
  }

  setStatus(kind: string, seen: KubeObject, status: JsonMap, manager = managerName): KubeObject {
    return this.#rewrite(builtIn(kind), seen, "status", manager, (was) => ({ ...was, status }));
  }

  /** Status and annotations in one write, as controllers keep notes beside what they report. */
  setStatusAndNotes(
    kind: string,
    seen: KubeObject,
    status: JsonMap,
    notes: { readonly [annotation: string]: string },
  ): KubeObject {
    return this.#rewrite(builtIn(kind), seen, "status", managerName, (was) => ({
      ...withMeta(was, { annotations: { ...was.metadata.annotations, ...notes } }),
      status,
    }));
  }

  /** Changes parts of the object's spec; what is not named stays. */
  setSpec(kind: string, seen: KubeObject, changes: JsonMap, manager = managerName): KubeObject {
    return this.#rewrite(builtIn(kind), seen, "", manager, (was) => ({
      ...was,
      spec: { ...mapAt(was, "spec"), ...changes },
    }));
  }

  setMeta(
    kind: Kind,
    seen: KubeObject,
    changes: { readonly [field in keyof Meta]?: Meta[field] | undefined },
  ): KubeObject {
    return this.#rewrite(kind, seen, "", managerName, (was) => withMeta(was, changes));
  }

  /** Writes on top of what is there now; what is gone, or replaced by another of its name, stays so. */
  #rewrite(
    kind: Kind,
    seen: KubeObject,
    subresource: string,
    manager: string,
    change: (was: KubeObject) => KubeObject,
  ): KubeObject {
    const was = this.get(kind.key, nameOf(seen));
    if (was === undefined || uidOf(was) !== uidOf(seen)) return seen;
    const target = targetOf(kind, was, subresource);
    return this.world.resources.replace(target, was, change(was), manager);
  }

  /** Deletes an object if it is still the one that was seen. */
  remove(kind: Kind, object: KubeObject, options: Partial<DeleteOptions> = {}): void {
    try {
      this.world.resources.delete(targetOf(kind, object), {
        ...plainDelete,
        uid: uidOf(object),
        propagation: "Background",
        ...options,
      });
    } catch (error) {
      // Somebody was faster, or put another object in its place.
      if (!(error instanceof ApiError) || (error.code !== 404 && error.code !== 409)) throw error;
    }
  }

  #enqueue(controller: Controller, name: ObjectName): void {
    if (this.#stopped) return;
    const key = `${controller.name} ${name.namespace}/${name.name}`;
    this.#queue.set(key, () => this.#reconcile(key, controller, name));
    if (this.#scheduled !== undefined) return;
    // Controllers take no simulated time, so the clock stands until they have nothing left to do.
    this.world.time.hold();
    this.#scheduled = setImmediate(() => this.#drain());
  }

  /** What the API refuses (a quota, a name that is taken) is tried again, less and less often. */
  #reconcile(key: string, controller: Controller, name: ObjectName): void {
    try {
      controller.reconcile(name);
      this.#failures.delete(key);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      const delayMs = Math.min(firstRetryMs * 2 ** (failures - 1), lastRetryMs);
      this.world.time.after(delayMs, () => this.#enqueue(controller, name));
    }
  }

  #drain(): void {
    this.#scheduled = undefined;
    const due = this.#queue;
    this.#queue = new Map();
    for (const run of due.values()) {
      if (!this.#stopped) run();
    }
    this.world.time.release();
  }
}

export const targetOf = (kind: Kind, object: KubeObject, subresource = ""): Target => ({
  kind,
  namespace: namespaceOf(object),
  name: object.metadata.name,
  subresource,
});

export const controllerReference = (owner: KubeObject): NonNullable<Meta["ownerReferences"]> => [
  {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: uidOf(owner),
    controller: true,
    blockOwnerDeletion: true,
  },
];
