import type { V1ConfigMap } from "@kubernetes/client-node";
import type { Log } from "../../proto/kit/log.ts";
import { Turns } from "../../proto/kit/turns.ts";
import { parseApplicationName, type ApplicationName } from "../../proto/words/ids.ts";
import type { InventoryStore } from "../domain/cluster.ts";
import type { InventoryEntry } from "../domain/inventory.ts";
import type { KubeObject, ResourceType } from "../domain/kube-object.ts";
import { unexpectedAnswer, type Api } from "./api.ts";
import {
  parseShard,
  planShards,
  printShard,
  shardName,
  shortDigest,
  type Shards,
} from "./inventory-shards.ts";
import { textsOf } from "./json.ts";
import { listObjects } from "./list.ts";
import { applyOwn } from "./own-namespace.ts";
import { objectPath } from "./resource-path.ts";
import { ApiServerUnavailable, KindGone } from "./trouble.ts";

const inventoryLabel = "wheelhouse.dev/inventory";
const applicationLabel = "wheelhouse.dev/inventory-of";
const applicationAnnotation = "wheelhouse.dev/application";
const shardAnnotation = "wheelhouse.dev/inventory-shard";
const format = "1";

const configMaps: ResourceType = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  namespaced: true,
  verbs: [],
};

/**
 * Inventories in ConfigMaps of the spoke's namespace, a shard each.
 *
 * This process is their one writer; it remembers what it read and wrote, so that only shards that change
 * are written. Writes of one application happen in the order they were asked for. `readAll` is for the
 * start, before the first write.
 */
export function openInventory(
  api: Api,
  namespace: string,
  lists: Turns<object>,
  log: Log,
): InventoryStore {
  let held = new Map<ApplicationName, Shards>();
  /** Whether an application that is not held has no inventory. */
  let heldAll = false;
  /** A write of theirs failed, so nobody knows what the cluster holds. */
  const doubtful = new Set<ApplicationName>();
  const turns = new Turns<ApplicationName>(Number.POSITIVE_INFINITY);

  async function load(
    labels: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Map<ApplicationName, Shards>> {
    const labelSelector = Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(",");
    const found = new Map<ApplicationName, Map<number, readonly InventoryEntry[]>>();
    for (const object of await listMaps({ namespace, labelSelector }, signal)) {
      const shard = readShard(object, log);
      if (shard === undefined) continue;
      const shards = found.get(shard.application) ?? new Map<number, readonly InventoryEntry[]>();
      found.set(shard.application, shards.set(shard.number, shard.entries));
    }
    return found;
  }

  async function listMaps(
    query: { readonly namespace: string; readonly labelSelector: string },
    signal: AbortSignal,
  ): Promise<readonly KubeObject[]> {
    try {
      return (await listObjects(api, configMaps, query, lists, signal)).objects;
    } catch (error) {
      // Every API server serves ConfigMaps: what is missing is something else, and not an empty inventory.
      if (error instanceof KindGone)
        throw new ApiServerUnavailable("inventories cannot be listed", { cause: error });
      throw error;
    }
  }

  async function shardsOf(application: ApplicationName, signal: AbortSignal): Promise<Shards> {
    if (doubtful.has(application) || (!heldAll && !held.has(application))) {
      const found = await load(labelsOf(application), signal);
      held.set(application, found.get(application) ?? new Map());
      doubtful.delete(application);
    }
    return held.get(application) ?? new Map();
  }

  async function writeShards(
    application: ApplicationName,
    entries: readonly InventoryEntry[],
    signal: AbortSignal,
  ): Promise<void> {
    const plan = planShards(await shardsOf(application, signal), entries);
    doubtful.add(application);
    for (const number of plan.writes)
      await writeShard(application, number, plan.shards.get(number) ?? [], signal);
    for (const number of plan.deletes) await deleteShard(application, number, signal);
    held.set(application, plan.shards);
    doubtful.delete(application);
  }

  async function writeShard(
    application: ApplicationName,
    number: number,
    entries: readonly InventoryEntry[],
    signal: AbortSignal,
  ): Promise<void> {
    const name = shardName(application, number);
    const object = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name,
        namespace,
        labels: labelsOf(application),
        annotations: {
          [applicationAnnotation]: application,
          [shardAnnotation]: String(number),
        },
      },
      data: { format, entries: printShard(entries) },
    } satisfies V1ConfigMap;
    await applyOwn(api, namespace, objectPath(configMaps, namespace, name), object, signal);
  }

  async function deleteShard(
    application: ApplicationName,
    number: number,
    signal: AbortSignal,
  ): Promise<void> {
    const path = objectPath(configMaps, namespace, shardName(application, number));
    const answer = await api.call({ verb: "delete", method: "DELETE", path }, signal);
    if (answer.status !== 404 && (answer.status < 200 || answer.status > 299))
      throw unexpectedAnswer(answer, `delete of ${path}`);
  }

  return {
    readAll: async (signal) => {
      held = await load({ [inventoryLabel]: "true" }, signal);
      heldAll = true;
      doubtful.clear();
      return new Map(
        [...held].map(([application, shards]) => [application, [...shards.values()].flat()]),
      );
    },
    write: async (application, entries, signal) =>
      await turns.take(
        application,
        async () => await writeShards(application, entries, signal),
        signal,
      ),
    forget: async (application, signal) =>
      await turns.take(
        application,
        async () => {
          const shards = await shardsOf(application, signal);
          doubtful.add(application);
          for (const number of shards.keys()) await deleteShard(application, number, signal);
          held.delete(application);
          if (heldAll) doubtful.delete(application);
        },
        signal,
      ),
  };
}

const labelsOf = (application: ApplicationName): Readonly<Record<string, string>> => ({
  [inventoryLabel]: "true",
  [applicationLabel]: shortDigest(application),
});

function readShard(
  object: KubeObject,
  log: Log,
):
  | {
      readonly application: ApplicationName;
      readonly number: number;
      readonly entries: readonly InventoryEntry[];
    }
  | undefined {
  const { name, annotations } = object.metadata;
  const application = parseApplicationName(annotations?.[applicationAnnotation] ?? "");
  const number = Number(annotations?.[shardAnnotation] ?? "0");
  const data = textsOf(object["data"]);
  if (data["format"] !== undefined && data["format"] !== format)
    throw new ApiServerUnavailable(
      `inventory ${JSON.stringify(name)} has format ${JSON.stringify(data["format"])}, expected ${JSON.stringify(format)}`,
    );
  if (!application.ok) {
    log.warn("inventory ignored", { name, problem: application.problem });
    return undefined;
  }
  if (shardName(application.value, number) !== name) {
    log.warn("inventory ignored", { name, problem: "its annotations and its name do not agree" });
    return undefined;
  }
  const { entries, badLines } = parseShard(data["entries"] ?? "");
  if (badLines > 0)
    log.warn("inventory lines ignored", { name, application: application.value, badLines });
  return { application: application.value, number, entries };
}
