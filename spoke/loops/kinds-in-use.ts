import type { ApplicationName } from "../../proto/words/ids.ts";
import { objectKeyParts } from "../../proto/words/object-key.ts";
import { managedLabel, type ClusterApi } from "../domain/cluster.ts";
import type { ResourceType } from "../domain/kube-object.ts";
import type { Reach } from "../domain/reach.ts";
import type { ApplicationWork } from "./application-work.ts";
import type { Inventories } from "./inventories.ts";
import { typeIdOf, type TypeId } from "./live-objects.ts";
import type { WatchLoop } from "./watch-loop.ts";

export type KindsNeeds = {
  readonly cluster: Pick<ClusterApi, "resourceType" | "forgetDiscovery">;
  readonly inventories: Inventories;
  readonly works: ReadonlyMap<ApplicationName, ApplicationWork>;
  readonly hubId: () => string;
  readonly reach: Reach;
  readonly want: WatchLoop["want"];
  readonly stateOf: WatchLoop["stateOf"];
};

export type KindsInUse = {
  /** Asks discovery once and remembers the answer, but for "no such kind", which may change any time. */
  readonly find: (
    group: string,
    kind: string,
    signal: AbortSignal,
  ) => Promise<ResourceType | undefined>;
  /**
   * Sees to it that every kind an application wants or owns is watched. True: the watches have listed, or are
   * known to be broken. Otherwise the application is woken up when they have.
   */
  readonly watch: (work: ApplicationWork, signal: AbortSignal) => Promise<boolean>;
  readonly areListed: (work: ApplicationWork) => boolean;
  /** Since when the youngest of its broken watches is broken; `undefined`: none is. */
  readonly brokenSinceMs: (work: ApplicationWork) => number | undefined;
  /** Ends watches that nobody needs any more. */
  readonly rewatch: () => void;
  /** A watch broke: its kind may be gone, or served in another version, and is looked for anew. */
  readonly onBroken: (type: TypeId) => void;
  readonly usersOf: (type: TypeId) => Iterable<ApplicationName>;
};

/** Of a kind that may well be served, which cannot be found out now. Never watched, so never current. */
const unknownVersion = "";

/** Which kinds the applications of this cluster want or own, and where they are served. */
export function createKindsInUse(needs: KindsNeeds): KindsInUse {
  const { cluster, inventories, works, stateOf } = needs;
  const known = new Map<string, ResourceType>();
  const users = new Map<TypeId, Set<ApplicationName>>();

  async function find(
    group: string,
    kind: string,
    signal: AbortSignal,
  ): Promise<ResourceType | undefined> {
    const remembered = known.get(`${group}/${kind}`);
    if (remembered !== undefined) return remembered;
    const type = await cluster.resourceType(group, kind, signal);
    if (type !== undefined) known.set(`${group}/${kind}`, type);
    return type;
  }

  async function watch(work: ApplicationWork, signal: AbortSignal): Promise<boolean> {
    const types = new Map<TypeId, ResourceType>();
    const servedVersions = new Map<string, string>();
    // An application that is ordered away wants nothing; what it owns is all that counts.
    const bundle = work.tombstone === undefined ? work.bundle : undefined;
    for (const type of bundle?.types.values() ?? []) {
      if (isWatchable(type)) types.set(typeIdOf(type), type);
      servedVersions.set(`${type.group}/${type.kind}`, type.version);
    }
    for (const key of inventories.of(work.application).keys()) {
      const { group, kind } = objectKeyParts(key);
      const name = `${group}/${kind}`;
      if (servedVersions.has(name)) continue;
      if (bundle?.unreadable.has(name) === true) {
        servedVersions.set(name, unknownVersion);
        continue;
      }
      const type = await find(group, kind, signal);
      if (type === undefined) continue;
      if (isWatchable(type)) types.set(typeIdOf(type), type);
      servedVersions.set(name, type.version);
    }
    work.servedVersions = servedVersions;
    const isSame =
      types.size === work.types.size && [...types.keys()].every((id) => work.types.has(id));
    work.types = types;
    if (!isSame) rewatch();
    return areListed(work);
  }

  /** Kept to namespaces, a spoke has no right to look at what lives in none. */
  const isWatchable = (type: ResourceType): boolean =>
    needs.reach.kind === "cluster" || type.namespaced;

  /** A broken watch keeps nobody waiting: its objects are unknown, the others go on. */
  function areListed(work: ApplicationWork): boolean {
    return [...work.types.keys()].every((type) => {
      const state = stateOf(type);
      return state?.kind === "current" || state?.kind === "broken";
    });
  }

  function brokenSinceMs(work: ApplicationWork): number | undefined {
    const since = [...work.types.keys()].flatMap((type) => {
      const state = stateOf(type);
      return state?.kind === "broken" ? [state.sinceMs] : [];
    });
    return since.length === 0 ? undefined : Math.max(...since);
  }

  function rewatch(): void {
    const wanted = new Map<TypeId, ResourceType>();
    users.clear();
    for (const work of works.values()) {
      for (const [id, type] of work.types) {
        wanted.set(id, type);
        users.set(id, (users.get(id) ?? new Set()).add(work.application));
      }
    }
    needs.want(wanted, `${managedLabel}=${needs.hubId()}`);
  }

  function onBroken(id: TypeId): void {
    for (const [name, type] of known) {
      if (!id.startsWith(`${type.group}/`) || !id.endsWith(`/${type.kind}`)) continue;
      known.delete(name);
      cluster.forgetDiscovery(type.group);
    }
    for (const application of usersOf(id)) {
      const work = works.get(application);
      if (work !== undefined) work.isStale = true;
    }
  }

  const usersOf = (type: TypeId): Iterable<ApplicationName> => users.get(type) ?? [];

  return { find, watch, areListed, brokenSinceMs, rewatch, onBroken, usersOf };
}
