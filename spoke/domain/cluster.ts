import type { ApplicationName } from "../../proto/words/ids.ts";
import type { ServiceAccount } from "../../proto/words/service-account.ts";
import type { ObjectKey } from "../../proto/words/object-key.ts";
import type { InventoryEntry } from "./inventory.ts";
import type { KubeObject, ResourceType } from "./kube-object.ts";

/** The field manager of everything a spoke applies. One fixed name, never one per application. */
export const fieldManager = "wheelhouse-spoke";

/** On every object a spoke applies: `<hub id>/<application>/<group>/<Kind>/<namespace>/<name>`. */
export const trackingAnnotation = "wheelhouse.dev/tracking-id";

/** On every object a spoke applies, so that watches see only those. The value is the hub's id. */
export const managedLabel = "wheelhouse.dev/managed-by-hub";

/** What a look at some objects brings at most: they are all in memory at once. */
export const objectsListedMost = 200;

export type ApplyOptions = {
  readonly force: boolean;
  readonly dryRun: boolean;
  /** Only create: what is there already, whoever made it and when, stays as it is. */
  readonly mustBeNew?: boolean;
};

export type ApplyOutcome =
  | { readonly kind: "applied"; readonly object: KubeObject; readonly created: boolean }
  /** Other managers own fields we would change, and force was not asked for. */
  | { readonly kind: "conflict"; readonly managers: readonly string[]; readonly message: string }
  /** It had to be new, and something of its name is there, or the API server cannot tell; nothing was changed. */
  | { readonly kind: "exists"; readonly message: string }
  /** The API server does not serve this kind (now). */
  | { readonly kind: "unknown-kind"; readonly message: string }
  /** Refused; the same bytes will be refused again until something else changes. */
  | {
      readonly kind: "rejected";
      readonly status: number;
      readonly reason: string;
      readonly message: string;
    };

export type RemoveOutcome =
  /** Accepted; the object may stay while finalizers run. */
  | { readonly kind: "removing" }
  | { readonly kind: "absent" }
  /** The live object is not the one we meant: its uid differs. */
  | { readonly kind: "not-ours" }
  | {
      readonly kind: "rejected";
      readonly status: number;
      readonly reason: string;
      readonly message: string;
    };

/** What a watch says. `listed` replaces everything known of the type; the others are changes after it. */
export type WatchEvent =
  | { readonly kind: "listed"; readonly objects: readonly KubeObject[] }
  | { readonly kind: "present"; readonly object: KubeObject }
  | { readonly kind: "gone"; readonly object: KubeObject };

/**
 * A cluster's API as the spoke uses it. Every function throws `Trouble` when the API server is away or
 * overloaded, `NotPermitted` when it may not read, and the signal's reason when aborted; refusals of changes
 * are outcomes.
 */
export type ClusterApi = {
  /** `undefined`: no such kind is served. A group whose discovery failed throws Trouble instead. */
  readonly resourceType: (
    group: string,
    kind: string,
    signal: AbortSignal,
  ) => Promise<ResourceType | undefined>;
  /** Forgets what discovery said of one group, so that a kind just defined is found. */
  readonly forgetDiscovery: (group: string) => void;
  readonly get: (key: ObjectKey, signal: AbortSignal) => Promise<KubeObject | undefined>;
  /**
   * Objects of one namespace by their labels, for a look now and then. When there are very many, only some
   * of them: `objectsListedMost`.
   */
  readonly list: (
    type: ResourceType,
    query: { readonly namespace: string; readonly labelSelector: string },
    signal: AbortSignal,
  ) => Promise<readonly KubeObject[]>;
  readonly apply: (
    object: KubeObject,
    options: ApplyOptions,
    signal: AbortSignal,
  ) => Promise<ApplyOutcome>;
  readonly remove: (
    key: ObjectKey,
    options: {
      readonly uid: string;
      readonly propagation: "Foreground" | "Background" | "Orphan";
    },
    signal: AbortSignal,
  ) => Promise<RemoveOutcome>;
  /** Lists, then watches, for ever; relists by itself after 410. Throws Trouble when it cannot go on. */
  readonly watch: (
    type: ResourceType,
    labelSelector: string,
    signal: AbortSignal,
  ) => AsyncIterable<WatchEvent>;
  readonly serverVersion: (signal: AbortSignal) => Promise<string>;
  /**
   * The same cluster, where everything about objects is asked with the rights of a service account. Discovery
   * and watches, which serve all applications at once, stay the spoke's own.
   */
  readonly as: (account: ServiceAccount) => ClusterApi;
};

/** What applications own in this cluster, kept in the cluster itself and written ahead of every apply. */
export type InventoryStore = {
  readonly readAll: (
    signal: AbortSignal,
  ) => Promise<ReadonlyMap<ApplicationName, readonly InventoryEntry[]>>;
  /** Durable when it resolves. An empty list is kept as such; `forget` removes it. */
  readonly write: (
    application: ApplicationName,
    entries: readonly InventoryEntry[],
    signal: AbortSignal,
  ) => Promise<void>;
  readonly forget: (application: ApplicationName, signal: AbortSignal) => Promise<void>;
};
