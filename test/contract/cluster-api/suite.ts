import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { ApplicationName } from "../../../proto/words/ids.ts";
import { makeObjectKey, objectKeyParts, type ObjectKey } from "../../../proto/words/object-key.ts";
import {
  fieldManager,
  type ApplyOutcome,
  type ClusterApi,
  type InventoryStore,
  type WatchEvent,
} from "../../../spoke/domain/cluster.ts";
import type { InventoryEntry } from "../../../spoke/domain/inventory.ts";
import { keyOfObject, type KubeObject } from "../../../spoke/domain/kube-object.ts";
import { listOf, recordOf } from "../../../spoke/kube/json.ts";
import { eventually } from "../../support/eventually.ts";

/** A cluster to hold against the contract: empty but for the namespaces it needs, `shop` among them. */
export type ContractCluster = {
  readonly api: ClusterApi;
  readonly inventory: InventoryStore;
  /** A second process with the same cluster: nothing remembered. */
  readonly anotherInventory: () => InventoryStore;
  /** Somebody else, who does not go through the API under test. The manager is `visitor`. */
  readonly hand: {
    readonly create: (object: KubeObject) => Promise<void>;
    /** A merge patch: `null` removes. */
    readonly edit: (key: ObjectKey, patch: { readonly [field: string]: unknown }) => Promise<void>;
    readonly remove: (key: ObjectKey) => Promise<void>;
  };
  /** Makes running watches lose their place, as compaction does. */
  readonly loseWatchPlaces: () => Promise<void>;
} & AsyncDisposable;

/** What the sync loop may rely on, of a fake and of a real client alike. */
export function clusterApiContract(
  name: string,
  open: () => Promise<ContractCluster>,
  options: { readonly skip?: string | undefined } = {},
): void {
  const skip = options.skip ?? false;
  suite(`the contract of ClusterApi holds for ${name}`, { skip }, () => {
    const check = (title: string, story: (cluster: ContractCluster) => Promise<void>): void =>
      void test(title, { timeout: 30_000 }, async () => {
        await using cluster = await open();
        await story(cluster);
      });

    check(
      "a kind is found with its path and scope, and one nobody serves is not",
      async ({ api }) => {
        const deployment = await api.resourceType("apps", "Deployment", signal);
        assert.partialDeepStrictEqual(deployment, {
          group: "apps",
          version: "v1",
          kind: "Deployment",
          plural: "deployments",
          namespaced: true,
        });
        const namespace = await api.resourceType("", "Namespace", signal);
        assert.partialDeepStrictEqual(namespace, { plural: "namespaces", namespaced: false });
        assert.equal(await api.resourceType("apps", "Deploymint", signal), undefined);
        assert.equal(await api.resourceType("no.such.group", "Deployment", signal), undefined);
      },
    );

    check("an apply creates, and says what is there now", async ({ api }) => {
      const outcome = applied(await api.apply(configMap({ a: "1" }), plain, signal));
      assert.equal(outcome.created, true);
      assert.deepEqual(outcome.object["data"], { a: "1" });
      assert.match(outcome.object.metadata.uid ?? "", /./);
      const ours = outcome.object.metadata.managedFields?.find(
        ({ manager, operation }) => manager === fieldManager && operation === "Apply",
      );
      assert.deepEqual(Object.keys(ours?.fieldsV1 ?? {}).toSorted(), ["f:data", "f:metadata"]);
      assert.deepEqual(await api.get(keyOfObject(outcome.object), signal), outcome.object);
    });

    check("applying the same again changes nothing", async ({ api }) => {
      const first = applied(await api.apply(configMap({ a: "1" }), forced, signal));
      const second = applied(await api.apply(configMap({ a: "1" }), forced, signal));
      assert.equal(second.created, false);
      assert.equal(second.object.metadata.resourceVersion, first.object.metadata.resourceVersion);
    });

    check("a field no longer applied is removed, one of somebody else stays", async (cluster) => {
      const { api, hand } = cluster;
      await api.apply(configMap({ a: "1", b: "2" }), forced, signal);
      await hand.edit(configMapKey, { data: { c: "3" } });
      const outcome = applied(await api.apply(configMap({ a: "1" }), forced, signal));
      assert.deepEqual(outcome.object["data"], { a: "1", c: "3" });
    });

    check(
      "a field somebody else took is a conflict that names them, and force takes it back",
      async (cluster) => {
        const { api, hand } = cluster;
        await api.apply(configMap({ a: "1" }), plain, signal);
        await hand.edit(configMapKey, { data: { a: "changed" } });
        const refused = await api.apply(configMap({ a: "1" }), plain, signal);
        assert.equal(refused.kind, "conflict");
        assert.deepEqual(refused.kind === "conflict" ? refused.managers : [], ["visitor"]);
        assert.deepEqual((await api.get(configMapKey, signal))?.["data"], { a: "changed" });
        const taken = applied(await api.apply(configMap({ a: "1" }), forced, signal));
        assert.deepEqual(taken.object["data"], { a: "1" });
      },
    );

    check("of another manager's claim only who, what and when is kept", async ({ api, hand }) => {
      await api.apply(configMap({ a: "1" }), plain, signal);
      await hand.edit(configMapKey, { data: { b: "2" } });
      const object = await api.get(configMapKey, signal);
      const theirs = object?.metadata.managedFields?.find(({ manager }) => manager === "visitor");
      assert.equal(theirs?.operation, "Update");
      assert.equal(theirs.fieldsV1, undefined);
    });

    check(
      "an apply that must be new creates, and leaves what is there as it is",
      async (cluster) => {
        const { api, hand } = cluster;
        const mustBeNew = { force: true, dryRun: false, mustBeNew: true };
        const made = applied(await api.apply(configMap({ a: "1" }), mustBeNew, signal));
        assert.equal(made.created, true);
        const again = await api.apply(configMap({ a: "2" }), mustBeNew, signal);
        assert.equal(again.kind, "exists");
        assert.deepEqual(await api.get(configMapKey, signal), made.object);
        const theirs = {
          ...configMap({ a: "1" }),
          metadata: { name: "theirs", namespace: "shop" },
        };
        await hand.create(theirs);
        assert.equal((await api.apply(theirs, mustBeNew, signal)).kind, "exists");
        const managers = (await api.get(keyOfObject(theirs), signal))?.metadata.managedFields;
        assert.deepEqual(
          managers?.map(({ manager }) => manager),
          ["visitor"],
        );
      },
    );

    check("a dry run tells and changes nothing", async ({ api }) => {
      const before = applied(await api.apply(configMap({ a: "1" }), forced, signal));
      const tried = applied(
        await api.apply(configMap({ a: "2" }), { force: true, dryRun: true }, signal),
      );
      assert.deepEqual(tried.object["data"], { a: "2" });
      assert.equal(tried.created, false);
      assert.deepEqual(await api.get(configMapKey, signal), before.object);
      const absent = { ...configMap({ a: "1" }), metadata: { name: "absent", namespace: "shop" } };
      const wouldCreate = await api.apply(absent, { force: true, dryRun: true }, signal);
      assert.equal(applied(wouldCreate).created, true);
      assert.equal(await api.get(keyOfObject(absent), signal), undefined);
    });

    check(
      "an object in a namespace that does not exist is refused, naming the namespace",
      async ({ api }) => {
        const object = {
          ...configMap({ a: "1" }),
          metadata: { name: "settings", namespace: "nowhere" },
        };
        assert.deepEqual(await api.apply(object, forced, signal), {
          kind: "rejected",
          status: 404,
          reason: "NotFound",
          message: 'namespaces "nowhere" not found',
        });
      },
    );

    check(
      "an object of a kind nobody serves is an unknown kind, also at a wrong version",
      async ({ api }) => {
        for (const [apiVersion, kind] of [
          ["example.dev/v1", "Widget"],
          ["apps/v1beta1", "Deployment"],
        ] as const) {
          const outcome = await api.apply(
            { apiVersion, kind, metadata: { name: "x", namespace: "shop" } },
            forced,
            signal,
          );
          assert.equal(outcome.kind, "unknown-kind");
        }
        const key = makeObjectKey({
          group: "example.dev",
          kind: "Widget",
          namespace: "",
          name: "x",
        });
        assert.equal(await api.get(key, signal), undefined);
        assert.deepEqual(await api.remove(key, background("1"), signal), { kind: "absent" });
      },
    );

    check(
      "a Secret's plain text becomes data, and goes with the next apply without it",
      async ({ api }) => {
        const secret = (texts: Readonly<Record<string, string>>): KubeObject => ({
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "keys", namespace: "shop" },
          stringData: texts,
        });
        await api.apply(secret({ a: "alpha", b: "beta" }), forced, signal);
        const outcome = applied(await api.apply(secret({ a: "alpha" }), forced, signal));
        assert.deepEqual(outcome.object["data"], { a: "YWxwaGE=" });
        assert.equal(outcome.object["stringData"], undefined);
      },
    );

    check("a container without its own claim leaves with ours", async ({ api }) => {
      const first = applied(await api.apply(deployment(["web", "sidecar"]), forced, signal));
      const second = applied(await api.apply(deployment(["web"]), forced, signal));
      assert.deepEqual(containerNames(first.object), ["web", "sidecar"]);
      assert.deepEqual(containerNames(second.object), ["web"]);
      assert.equal(second.object.metadata.generation, (first.object.metadata.generation ?? 0) + 1);
    });

    check("only the object with the right uid is removed", async ({ api }) => {
      const { object } = applied(await api.apply(configMap({ a: "1" }), forced, signal));
      const uid = object.metadata.uid ?? "";
      const wrong = background("11111111-2222-3333-4444-555555555555");
      assert.deepEqual(await api.remove(configMapKey, wrong, signal), { kind: "not-ours" });
      assert.notEqual(await api.get(configMapKey, signal), undefined);
      assert.deepEqual(await api.remove(configMapKey, background(uid), signal), {
        kind: "removing",
      });
      await eventually(async () => {
        assert.equal(await api.get(configMapKey, signal), undefined);
      });
      assert.deepEqual(await api.remove(configMapKey, background(uid), signal), {
        kind: "absent",
      });
    });

    check("an object with finalizers stays, marked, until they are gone", async ({ api, hand }) => {
      const held = {
        ...configMap({ a: "1" }),
        metadata: { name: "settings", namespace: "shop", finalizers: ["example.dev/hold"] },
      };
      const { object } = applied(await api.apply(held, forced, signal));
      const uid = object.metadata.uid ?? "";
      assert.deepEqual(await api.remove(configMapKey, background(uid), signal), {
        kind: "removing",
      });
      const marked = await api.get(configMapKey, signal);
      assert.equal(marked?.metadata.uid, uid);
      assert.match(marked.metadata.deletionTimestamp ?? "", /^\d{4}-/);
      await hand.edit(configMapKey, { metadata: { finalizers: null } });
      await eventually(async () => {
        assert.equal(await api.get(configMapKey, signal), undefined);
      });
    });

    check(
      "a watch lists, then tells what comes, changes and goes, of what is selected",
      async (cluster) => {
        const { api, hand } = cluster;
        await hand.create(labelled("one", "yes"));
        await hand.create(labelled("two", "no"));
        await using watch = await watchOf(api, "ConfigMap", "watched=yes");
        assert.deepEqual(await watch.next(), "listed one");
        await hand.create(labelled("three", "yes"));
        assert.deepEqual(await watch.next(), "present three");
        await hand.edit(keyOfObject(labelled("two", "no")), {
          metadata: { labels: { watched: "yes" } },
        });
        assert.deepEqual(await watch.next(), "present two");
        await hand.edit(keyOfObject(labelled("one", "yes")), { data: { a: "2" } });
        assert.deepEqual(await watch.next(), "present one");
        await hand.edit(keyOfObject(labelled("one", "yes")), {
          metadata: { labels: { watched: "no" } },
        });
        assert.deepEqual(await watch.next(), "gone one");
        await hand.remove(keyOfObject(labelled("three", "yes")));
        assert.deepEqual(await watch.next(), "gone three");
      },
    );

    check("a look at some objects shows those selected, and nothing of others", async (cluster) => {
      const { api, hand } = cluster;
      for (const [name, watched] of [
        ["one", "yes"],
        ["two", "no"],
        ["three", "yes"],
      ] as const)
        await hand.create(labelled(name, watched));
      const type = await api.resourceType("", "ConfigMap", signal);
      assert.ok(type !== undefined);
      const { namespace = "" } = labelled("one", "yes").metadata;
      const look = async (query: { readonly namespace: string; readonly labelSelector: string }) =>
        (await api.list(type, query, signal))
          .map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`)
          .toSorted();
      assert.deepEqual(await look({ namespace, labelSelector: "watched=yes" }), [
        "v1 ConfigMap one",
        "v1 ConfigMap three",
      ]);
      assert.deepEqual(await look({ namespace: "kube-system", labelSelector: "watched=yes" }), []);
    });

    check("a watch that lost its place lists again", async (cluster) => {
      const { api, hand } = cluster;
      await hand.create(labelled("one", "yes"));
      await using watch = await watchOf(api, "ConfigMap", "watched=yes");
      assert.deepEqual(await watch.next(), "listed one");
      await hand.create(labelled("two", "yes"));
      assert.deepEqual(await watch.next(), "present two");
      await cluster.loseWatchPlaces();
      await hand.create(labelled("three", "yes"));
      // The new list may come just before the new object.
      const listed = await watch.next();
      assert.match(listed, /^listed one/);
      if (!listed.includes("three")) assert.equal(await watch.next(), "present three");
      await hand.remove(keyOfObject(labelled("two", "yes")));
      assert.deepEqual(await watch.next(), "gone two");
    });

    check("an aborted watch ends with the reason, and so does a call", async ({ api }) => {
      const controller = new AbortController();
      const type = await mustFind(api, "", "ConfigMap");
      const events = api.watch(type, "", controller.signal)[Symbol.asyncIterator]();
      await events.next();
      const waiting = events.next();
      controller.abort(new Error("enough"));
      await assert.rejects(waiting, /enough/);
      await assert.rejects(api.get(configMapKey, controller.signal), /enough/);
    });

    check(
      "a kind defined by a CRD can be used, and watches tell when it is gone",
      async (cluster) => {
        const { api, hand } = cluster;
        assert.equal(await api.resourceType("example.dev", "Widget", signal), undefined);
        applied(await api.apply(widgetDefinition, forced, signal));
        const type = await eventually(async () => {
          api.forgetDiscovery("example.dev");
          return await mustFind(api, "example.dev", "Widget");
        });
        assert.partialDeepStrictEqual(type, { plural: "widgets", version: "v1", namespaced: true });
        const { object } = applied(await api.apply(widget, forced, signal));
        assert.deepEqual(object["spec"], { size: 3 });
        const events = api.watch(type, "", signal)[Symbol.asyncIterator]();
        assert.equal(asText((await events.next()).value as WatchEvent), "listed w");
        await hand.remove(keyOfObject(widgetDefinition));
        const told: string[] = [];
        await assert.rejects(
          async () => {
            for (;;) {
              const next = await events.next();
              if (next.done === true) return;
              told.push(asText(next.value));
            }
          },
          (error) => error instanceof Error && error.name === "KindGone",
        );
        assert.equal(told.at(-1), "listed ");
      },
    );

    check("an inventory is read as it was written, by another process too", async (cluster) => {
      const { inventory } = cluster;
      const application = (text: string) => text as ApplicationName;
      const web = application("web");
      assert.deepEqual(await inventory.readAll(signal), new Map());
      await inventory.write(web, [entry("a"), entry("b")], signal);
      await inventory.write(application("empty"), [], signal);
      await inventory.write(web, [entry("b"), { ...entry("c"), uid: "u" }], signal);
      assert.deepEqual(await sortedInventory(cluster.anotherInventory()), {
        empty: [],
        web: [entry("b"), { ...entry("c"), uid: "u" }],
      });
      await inventory.forget(web, signal);
      await inventory.forget(application("never-written"), signal);
      assert.deepEqual(await sortedInventory(cluster.anotherInventory()), { empty: [] });
    });

    check("the version of the API server is known", async ({ api }) => {
      assert.match(await api.serverVersion(signal), /^v\d+\.\d+\.\d+/);
    });
  });
}

const { signal } = new AbortController();
const plain = { force: false, dryRun: false };
const forced = { force: true, dryRun: false };
const background = (uid: string) => ({ uid, propagation: "Background" as const });

const configMap = (data: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "settings", namespace: "shop", labels: { app: "web" } },
  data,
});

const configMapKey = keyOfObject(configMap({}));

const labelled = (name: string, watched: string): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "shop", labels: { watched } },
});

const deployment = (containers: readonly string[]): KubeObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "shop" },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: {
        containers: containers.map((name) => ({
          name,
          image: "example.dev/web:1",
          ports: [{ containerPort: 8080 }],
        })),
      },
    },
  },
});

function containerNames(object: KubeObject): readonly unknown[] {
  const podSpec = recordOf(recordOf(recordOf(object["spec"])["template"])["spec"]);
  return listOf(podSpec["containers"]).map((container) => recordOf(container)["name"]);
}

const widgetDefinition: KubeObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.example.dev" },
  spec: {
    group: "example.dev",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: { type: "object", properties: { size: { type: "integer" } } },
            },
          },
        },
      },
    ],
  },
};

const widget: KubeObject = {
  apiVersion: "example.dev/v1",
  kind: "Widget",
  metadata: { name: "w", namespace: "shop" },
  spec: { size: 3 },
};

const entry = (name: string): InventoryEntry => ({
  key: makeObjectKey({ group: "", kind: "ConfigMap", namespace: "shop", name }),
  version: "v1",
  uid: "",
  applied: "",
  fingerprint: "",
});

function applied(outcome: ApplyOutcome): Extract<ApplyOutcome, { kind: "applied" }> {
  if (outcome.kind !== "applied") throw new Error(`not applied: ${JSON.stringify(outcome)}`);
  return outcome;
}

async function mustFind(api: ClusterApi, group: string, kind: string) {
  const type = await api.resourceType(group, kind, signal);
  if (type === undefined) throw new Error(`kind ${kind} is not served`);
  return type;
}

async function sortedInventory(inventory: InventoryStore): Promise<unknown> {
  const all = [...(await inventory.readAll(signal))].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    all.map(([name, entries]) => [name, entries.toSorted((a, b) => (a.key < b.key ? -1 : 1))]),
  );
}

async function watchOf(
  api: ClusterApi,
  kind: string,
  labelSelector: string,
): Promise<{ readonly next: () => Promise<string> } & AsyncDisposable> {
  const controller = new AbortController();
  const type = await mustFind(api, "", kind);
  const events = api.watch(type, labelSelector, controller.signal)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await events.next();
    if (done === true) throw new Error("the watch ended");
    return asText(value);
  };
  return {
    next,
    [Symbol.asyncDispose]: async () => {
      controller.abort(new Error("the story is over"));
      await events.return?.();
    },
  };
}

function asText(event: WatchEvent): string {
  if (event.kind === "listed") {
    const names = event.objects.map(({ metadata }) => metadata.name).toSorted();
    return `listed ${names.join(", ")}`;
  }
  return `${event.kind} ${objectKeyParts(keyOfObject(event.object)).name}`;
}
