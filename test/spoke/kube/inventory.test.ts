import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { silentLog, type Log } from "../../../proto/kit/log.ts";
import { Turns } from "../../../proto/kit/turns.ts";
import type { ApplicationName } from "../../../proto/words/ids.ts";
import { makeObjectKey } from "../../../proto/words/object-key.ts";
import type { InventoryStore } from "../../../spoke/domain/cluster.ts";
import type { InventoryEntry } from "../../../spoke/domain/inventory.ts";
import { openInventory } from "../../../spoke/kube/inventory.ts";
import { shardName } from "../../../spoke/kube/inventory-shards.ts";
import { recordOf } from "../../../spoke/kube/json.ts";
import { ApiServerUnavailable } from "../../../spoke/kube/trouble.ts";
import type { ScriptedReply, ScriptedRequest } from "../../support/scripted-api-server.ts";
import { openScripted, statusBody, type ScriptedApi } from "./open-scripted.ts";

const { signal } = new AbortController();
const web = "web" as ApplicationName;

suite("inventories in ConfigMaps", () => {
  test("an inventory has a name, a label and an annotation to be found by", async () => {
    await inCluster(async ({ inventory, maps }) => {
      await inventory.write(web, [entry("a")], signal);
      const name = shardName("web", 0);
      assert.partialDeepStrictEqual(maps.get(name), {
        metadata: {
          name,
          namespace: "wheelhouse",
          labels: { "wheelhouse.dev/inventory": "true" },
          annotations: { "wheelhouse.dev/application": "web" },
        },
        data: { entries: '["/ConfigMap/shop/a","v1","","",""]' },
      });
    });
  });

  test("only shards that change are written, and nothing when nothing does", async () => {
    await inCluster(async ({ inventory, writes }) => {
      const many = Array.from({ length: 2_500 }, (_, number) => entry(`object-${number}`));
      await inventory.write(web, many, signal);
      assert.equal(writes().length, 3);
      await inventory.write(web, many.toReversed(), signal);
      assert.equal(writes().length, 3);
      await inventory.write(
        web,
        many.map((old, index) => (index === 0 ? { ...old, uid: "u" } : old)),
        signal,
      );
      assert.deepEqual(writes().slice(3), [`PATCH ${shardName("web", 0)}`]);
    });
  });

  test("after readAll a new process writes only what changes", async () => {
    await inCluster(async ({ inventory, another, writes }) => {
      await inventory.write(web, [entry("a")], signal);
      const later = another();
      assert.deepEqual(await later.readAll(signal), new Map([[web, [entry("a")]]]));
      await later.write(web, [entry("a")], signal);
      assert.equal(writes().length, 1);
    });
  });

  test("without readAll a new process looks before it writes, so that no shard is left behind", async () => {
    await inCluster(async ({ inventory, another, maps }) => {
      const many = Array.from({ length: 1_600 }, (_, number) => entry(`object-${number}`));
      await inventory.write(web, many, signal);
      assert.equal(maps.size, 2);
      await another().write(web, [entry("a")], signal);
      assert.deepEqual(await another().readAll(signal), new Map([[web, [entry("a")]]]));
      await another().forget(web, signal);
      assert.equal(maps.size, 0);
    });
  });

  test("a missing namespace is created", async () => {
    await inCluster(
      async ({ inventory, maps, server }) => {
        await inventory.write(web, [entry("a")], signal);
        assert.equal(maps.size, 1);
        assert.ok(
          server.server.requests.some(({ path }) => path === "/api/v1/namespaces/wheelhouse"),
        );
      },
      { namespaceExists: false },
    );
  });

  test("a write that failed leaves nobody guessing: the next one looks first", async () => {
    await inCluster(async ({ inventory, fail, maps, another }) => {
      await inventory.readAll(signal);
      await inventory.write(web, [entry("a")], signal);
      // The server does it, and its answer is lost.
      fail("after");
      await assert.rejects(
        inventory.write(web, [entry("a"), entry("b")], signal),
        ApiServerUnavailable,
      );
      fail(undefined);
      await inventory.write(web, [entry("a")], signal);
      assert.deepEqual(await another().readAll(signal), new Map([[web, [entry("a")]]]));
      assert.equal(maps.size, 1);
    });
  });

  test("a list that fails is trouble, never an empty inventory", async () => {
    await using scripted = await openScripted(() => ({ status: 404 }));
    const inventory = openInventory(scripted.api, "wheelhouse", new Turns<object>(1), silentLog);
    await assert.rejects(inventory.readAll(signal), ApiServerUnavailable);
  });

  test("an inventory of a newer format is trouble, never less than it says", async () => {
    await inCluster(async ({ inventory, another, maps }) => {
      await inventory.write(web, [entry("a")], signal);
      const [name, map] = [...maps][0] ?? [];
      maps.set(name ?? "", { ...map, data: { format: "2", entries: "?" } });
      await assert.rejects(another().readAll(signal), /has format "2", expected "1"/);
    });
  });

  test("a ConfigMap that is no inventory of ours is passed over, and said so", async () => {
    const warned: string[] = [];
    await inCluster(
      async ({ inventory, another, maps }) => {
        await inventory.write(web, [entry("a")], signal);
        const map = maps.get(shardName("web", 0)) ?? {};
        const metadata = recordOf(map["metadata"]);
        maps.set("copy", { ...map, metadata: { ...metadata, name: "copy" } });
        maps.set(shardName("web", 0), { ...map, data: { entries: "broken line" } });
        assert.deepEqual(await another().readAll(signal), new Map([[web, []]]));
        assert.deepEqual(warned.toSorted(), ["inventory ignored", "inventory lines ignored"]);
      },
      { log: { ...silentLog, warn: (event) => void warned.push(event) } },
    );
  });

  test("an inventory of what can be no application is passed over, and said so", async () => {
    const warned: string[] = [];
    await inCluster(
      async ({ inventory, another, maps }) => {
        await inventory.write(web, [entry("a")], signal);
        const map = maps.get(shardName(web, 0)) ?? {};
        const metadata = recordOf(map["metadata"]);
        const name = shardName("Web_EU", 0);
        const annotations = { "wheelhouse.dev/application": "Web_EU" };
        maps.set(name, { ...map, metadata: { ...metadata, name, annotations } });
        assert.deepEqual(await another().readAll(signal), new Map([[web, [entry("a")]]]));
        assert.deepEqual(warned, ["inventory ignored"]);
      },
      { log: { ...silentLog, warn: (event) => void warned.push(event) } },
    );
  });

  test("writes of one application happen in the order they were asked for", async () => {
    await inCluster(async ({ inventory, another }) => {
      await Promise.all(
        ["a", "b", "c"].map(async (name) => await inventory.write(web, [entry(name)], signal)),
      );
      assert.deepEqual(await another().readAll(signal), new Map([[web, [entry("c")]]]));
    });
  });
});

type Stage = {
  readonly inventory: InventoryStore;
  readonly another: () => InventoryStore;
  readonly maps: Map<string, { readonly [field: string]: unknown }>;
  /** Writing requests so far: `PATCH name`. */
  readonly writes: () => readonly string[];
  /** `after` carries requests out and then breaks the connection. */
  readonly fail: (manner: "after" | undefined) => void;
  readonly server: ScriptedApi;
};

async function inCluster(
  story: (stage: Stage) => Promise<void>,
  options: { readonly namespaceExists?: boolean; readonly log?: Log } = {},
): Promise<void> {
  const maps = new Map<string, { readonly [field: string]: unknown }>();
  let exists = options.namespaceExists ?? true;
  let failing: "after" | undefined;

  function reply(request: ScriptedRequest): ScriptedReply {
    const name = request.path.split("/").at(-1) ?? "";
    if (request.path === "/api/v1/namespaces/wheelhouse") {
      exists = true;
      return { status: 201, body: request.body };
    }
    if (request.method === "GET") {
      const [key, value] =
        (request.query["labelSelector"] ?? "").split(",").at(-1)?.split("=") ?? [];
      const items = [...maps.values()].filter(
        ({ metadata }) => recordOf(recordOf(metadata)["labels"])[key ?? ""] === value,
      );
      return { status: 200, body: { metadata: { resourceVersion: "1" }, items } };
    }
    if (!exists)
      return {
        status: 404,
        body: statusBody(404, "NotFound", 'namespaces "wheelhouse" not found', {
          name: "wheelhouse",
        }),
      };
    if (request.method === "DELETE") maps.delete(name);
    else maps.set(name, recordOf(request.body));
    return failing === "after" ? "reset" : { status: 200, body: request.body };
  }

  await using scripted = await openScripted(reply);
  const open = (): InventoryStore =>
    openInventory(scripted.api, "wheelhouse", new Turns<object>(1), options.log ?? silentLog);
  await story({
    inventory: open(),
    another: open,
    maps,
    writes: () =>
      scripted.server.requests
        .filter(({ method }) => method !== "GET")
        .map(({ method, path }) => `${method} ${path.split("/").at(-1) ?? ""}`),
    fail: (manner) => {
      failing = manner;
    },
    server: scripted,
  });
}

const entry = (name: string): InventoryEntry => ({
  key: makeObjectKey({ group: "", kind: "ConfigMap", namespace: "shop", name }),
  version: "v1",
  uid: "",
  applied: "",
  fingerprint: "",
});
