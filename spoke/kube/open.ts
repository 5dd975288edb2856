import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import type { Counter } from "../../proto/kit/metrics.ts";
import { Turns } from "../../proto/kit/turns.ts";
import { objectKeyParts } from "../../proto/words/object-key.ts";
import {
  objectsListedMost,
  type ClusterApi,
  type InventoryStore,
  type WatchEvent,
} from "../domain/cluster.ts";
import type { ClusterAccess } from "../domain/cluster-access.ts";
import { actingAs, apiDefaults, openApi, unexpectedAnswer, type Api } from "./api.ts";
import { applyObject, getObject, removeObject } from "./apply.ts";
import { openCredential } from "./credential.ts";
import { openDiscovery } from "./discovery.ts";
import { openIdentity, type IdentityStore } from "./identity.ts";
import { openInventory } from "./inventory.ts";
import { recordOf, textOf } from "./json.ts";
import { listFirst } from "./list.ts";
import { watchNamespaces } from "./watch-namespaces.ts";
import { watchDefaults, watchObjects, type WatchSettings } from "./watch.ts";

export type ClusterSettings = {
  /** The spoke's own namespace: its identity and its inventories. */
  readonly namespace: string;
  /** The only namespaces that are watched; none for all of them at once. */
  readonly namespaces?: readonly string[];
  /** Of this program, for the user agent. */
  readonly version: string;
  /** Other than usual, for tests. */
  readonly watch?: Partial<WatchSettings>;
};

export type ClusterHooks = {
  /** Told of each request sent, with the label `verb`. */
  readonly requests: Counter;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

export type OpenCluster = {
  readonly api: ClusterApi;
  readonly inventory: InventoryStore;
  readonly identity: IdentityStore;
  /** Ends all connections; calls under way throw. */
  readonly close: () => void;
};

/** List pages held in memory at once, over all watches. */
const listPagesMost = 4;

/** The API of the spoke's own cluster. Nothing is sent before the first call. */
export function openCluster(
  access: ClusterAccess,
  settings: ClusterSettings,
  hooks: ClusterHooks,
): OpenCluster {
  const { clock, random, log } = hooks;
  const credential = openCredential(access, clock, log);
  const api = openApi(credential, { ...apiDefaults, version: settings.version }, hooks);
  const discovery = openDiscovery(api, clock);
  const turns = new Turns<object>(listPagesMost);
  const watchSettings = { ...watchDefaults, ...settings.watch };
  const watchNeeds = { api, clock, random, turns };

  const clusterAs = (objects: Api): ClusterApi => ({
    resourceType: async (group, kind, signal) => await discovery.find(group, kind, "", signal),
    forgetDiscovery: discovery.forget,
    get: async (key, signal) => {
      const { group, kind } = objectKeyParts(key);
      return await getObject(objects, await discovery.find(group, kind, "", signal), key, signal);
    },
    list: async (type, query, signal) =>
      await listFirst(objects, type, query, objectsListedMost, signal),
    apply: async (object, options, signal) =>
      await applyObject(objects, discovery, object, options, signal),
    remove: async (key, options, signal) =>
      await removeObject(objects, discovery, key, options, signal),
    watch: (type, labelSelector, signal) => {
      const watchIn = (namespace: string, stop: AbortSignal): AsyncGenerator<WatchEvent> =>
        watchObjects(watchNeeds, type, { namespace, labelSelector }, watchSettings, stop);
      const { namespaces = [] } = settings;
      return namespaces.length === 0
        ? watchIn("", signal)
        : watchNamespaces(watchIn, namespaces, signal);
    },
    serverVersion: async (signal) => {
      const answer = await api.call({ verb: "get", method: "GET", path: "/version" }, signal);
      const version = textOf(recordOf(answer.body)["gitVersion"]);
      if (answer.status !== 200 || version === "")
        throw unexpectedAnswer(answer, "get of /version");
      return version;
    },
    as: (account) => clusterAs(actingAs(api, account)),
  });
  return {
    api: clusterAs(api),
    inventory: openInventory(api, settings.namespace, turns, log),
    identity: openIdentity(api, settings.namespace),
    close: () => {
      credential.close();
      api.close();
    },
  };
}
