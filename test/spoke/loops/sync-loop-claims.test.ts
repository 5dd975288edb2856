import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { silentLog, type Log } from "../../../proto/kit/log.ts";
import type { KubeObject } from "../../../spoke/domain/kube-object.ts";
import { fakeCluster, keyOf } from "../../support/fake-cluster.ts";
import {
  application,
  heldSet,
  newDisk,
  spokeBench,
  summary,
  tombstone,
  type SpokeBench,
} from "../../support/spoke-bench.ts";
import { configMap } from "./manifests.ts";

const settings = keyOf("v1", "ConfigMap", "shop", "settings");
const extra = keyOf("v1", "ConfigMap", "shop", "extra");

const ofShop = configMap("settings", { color: "blue" });
const ofRival = configMap("settings", { color: "red" });

const benches: SpokeBench[] = [];

/** Two applications on one cluster, and what became of the object that both declare. */
function world() {
  const cluster = fakeCluster({ namespaces: ["shop"] });
  const disk = newDisk();
  const log: Log = {
    ...silentLog,
    error: (event, fields) => assert.fail(`${event} ${JSON.stringify(fields)}`),
  };
  const spoke = spokeBench({ cluster, disk, log: { ...log, with: () => log } });
  benches.push(spoke);
  const one = (name: string, generation: number, manifests: readonly KubeObject[], policy = {}) =>
    application({ name, generation, manifests, policy }, disk);
  const conditions = (name: string) =>
    (spoke.reports.get(name)?.conditions ?? []).map(({ code, message }) => `${code} ${message}`);
  const color = () =>
    (cluster.object(settings)?.["data"] as { readonly color?: string } | undefined)?.color;
  return { cluster, disk, spoke, one, conditions, color };
}

const refused =
  'WH-APP-1026 ConfigMap shop/settings: application "shop" declares it too and has it; it stays as it is there';
const warned =
  'WH-APP-1026 ConfigMap shop/settings: application "rival" declares it too and is refused it';
const well = (generation: number): string =>
  `Synced Healthy stored=${generation} applied=${generation} healthy=${generation} Succeeded`;

suite("two applications that declare one object", () => {
  test.afterEach(async () => {
    await Promise.all(benches.splice(0).map((made) => made.stop()));
  });

  /** `shop` has the object, `rival` came later. */
  async function contested() {
    const made = world();
    const shop = made.one("shop", 1, [ofShop, configMap("extra")]);
    const rival = made.one("rival", 1, [ofRival]);
    made.spoke.loop.setHeld(heldSet([shop]));
    await made.spoke.settle();
    made.spoke.loop.setHeld(heldSet([shop, rival]));
    await made.spoke.settle();
    const { uid } = made.cluster.object(settings)?.metadata ?? {};
    return { ...made, shop, rival, uid };
  }

  test("is an error on both, each naming the other, and the first one's object stays", async () => {
    const { conditions, color, spoke, cluster } = await contested();
    assert.deepEqual(conditions("shop"), [warned]);
    assert.deepEqual(conditions("rival"), [refused]);
    assert.equal(color(), "blue");
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
    assert.equal(spoke.reports.get("rival")?.operation?.phase, "Failed");
    cluster.forgetRequests();
    await spoke.settle(3_600_000);
    assert.deepEqual(cluster.writes(), [], "nobody fights over it");
  });

  test("the same after a restart", async () => {
    const { cluster, disk, shop, rival, spoke } = await contested();
    await spoke.stop();
    const again = spokeBench({ cluster, disk, held: heldSet([rival, shop]) });
    benches.push(again);
    await again.settle();
    assert.match(again.reports.get("shop")?.conditions[0]?.message ?? "", /"rival"/);
    assert.match(again.reports.get("rival")?.conditions[0]?.message ?? "", /"shop"/);
  });

  test("is over when the one that is refused gives it up", async () => {
    const { spoke, shop, one, conditions, color, cluster, uid } = await contested();
    spoke.loop.setHeld(heldSet([shop, one("rival", 2, [configMap("other")])]));
    await spoke.settle();
    assert.deepEqual([conditions("shop"), conditions("rival")], [[], []]);
    assert.equal(summary(spoke.reports.get("rival")), well(2));
    assert.deepEqual([color(), cluster.object(settings)?.metadata.uid], ["blue", uid]);
  });

  const ways: readonly (readonly [
    how: string,
    giveUp: (made: Awaited<ReturnType<typeof contested>>) => ReturnType<typeof heldSet>,
  ])[] = [
    [
      "takes it out of its bundle",
      ({ rival, one }) => heldSet([one("shop", 2, [configMap("extra")]), rival]),
    ],
    [
      "takes it out of its bundle and is not synced automatically",
      ({ rival, one }) =>
        heldSet([one("shop", 2, [configMap("extra")], { automated: false }), rival]),
    ],
    ["is removed with all it has", ({ rival }) => heldSet([rival], [tombstone("shop", 2)])],
    [
      "is removed and leaves all it has",
      ({ rival }) => heldSet([rival], [tombstone("shop", 2, true)]),
    ],
  ];
  for (const [how, giveUp] of ways)
    test(`passes to the other, in place and at once, when the one that has it ${how}`, async () => {
      const made = await contested();
      made.cluster.forgetRequests();
      made.spoke.loop.setHeld(giveUp(made));
      await made.spoke.settle();
      assert.equal(made.color(), "red");
      assert.equal(made.cluster.object(settings)?.metadata.uid, made.uid, "nothing was deleted");
      assert.ok(!made.cluster.requests.includes(`delete ${settings}`));
      assert.deepEqual(made.conditions("rival"), []);
      assert.equal(summary(made.spoke.reports.get("rival")), well(1));
      await made.spoke.settle(600_000);
      assert.equal(made.color(), "red", "and it stays there");
    });

  test("what nobody else declares is pruned as ever", async () => {
    const { spoke, rival, one, cluster } = await contested();
    spoke.loop.setHeld(heldSet([one("shop", 2, [ofShop]), rival]));
    await spoke.settle();
    assert.equal(cluster.object(extra), undefined);
  });

  test("of two that come at once exactly one has it", async () => {
    const { spoke, one, conditions, color } = world();
    spoke.loop.setHeld(heldSet([one("shop", 1, [ofShop]), one("rival", 1, [ofRival])]));
    await spoke.settle(600_000);
    const first = color();
    assert.ok(first === "blue" || first === "red", first);
    const messages = [...conditions("shop"), ...conditions("rival")];
    assert.equal(messages.filter((text) => text.includes("is refused it")).length, 1);
    assert.equal(messages.filter((text) => text.includes("and has it")).length, 1);
  });
});

suite("an object that somebody else made", () => {
  test.afterEach(async () => {
    await Promise.all(benches.splice(0).map((made) => made.stop()));
  });

  const theirs = {
    ...configMap("settings", { color: "green", size: "l" }),
    metadata: { name: "settings", namespace: "shop" },
  };
  const told = (word: string, data = { color: "blue" }): KubeObject =>
    configMap("settings", data, { "wheelhouse.dev/adopt": word });

  test("is taken over in place once its manifest says so, and keeps what nobody declares", async () => {
    const { cluster, spoke, one, conditions } = world();
    const { uid } = cluster.put(theirs, "team-b").metadata;
    spoke.loop.setHeld(heldSet([one("shop", 1, [ofShop])]));
    await spoke.settle(60_000);
    assert.match(conditions("shop")[0] ?? "", /^WH-APP-1017 .*field managers are team-b/);
    assert.deepEqual(cluster.object(settings)?.["data"], { color: "green", size: "l" });
    spoke.loop.setHeld(heldSet([one("shop", 2, [told("always")])]));
    await spoke.settle();
    assert.deepEqual(cluster.object(settings)?.["data"], { color: "blue", size: "l" });
    assert.equal(cluster.object(settings)?.metadata.uid, uid);
    assert.equal(summary(spoke.reports.get("shop")), well(2));
    assert.deepEqual(conditions("shop"), []);
  });

  for (const word of ["never", "yes"])
    test(`stays theirs while the manifest says ${word}, even if nothing would change`, async () => {
      const { cluster, spoke, one, conditions } = world();
      cluster.put(theirs, "team-b");
      spoke.loop.setHeld(heldSet([one("shop", 1, [told(word, { color: "green" })])]));
      await spoke.settle(60_000);
      assert.match(conditions("shop")[0] ?? "", /^WH-APP-1017 .*team-b/);
      assert.deepEqual(cluster.writes(), []);
    });
});

suite("an object that moves from one application to another", () => {
  test.afterEach(async () => {
    await Promise.all(benches.splice(0).map((made) => made.stop()));
  });

  for (const [from, to] of [
    ["a-shop", "b-shop"],
    ["b-shop", "a-shop"],
  ] as const)
    for (const isRemoved of [false, true])
      test(`from ${from}${isRemoved ? ", which is removed," : ""} to ${to} in one step stays what it is, and nobody is told of trouble`, async () => {
        const { cluster, spoke, one, color } = world();
        const other = one(to, 1, [configMap("other")]);
        spoke.loop.setHeld(heldSet([one(from, 1, [ofShop, configMap("extra")]), other]));
        await spoke.settle();
        const { uid } = cluster.object(settings)?.metadata ?? {};
        const reportsBefore = spoke.history.length;
        const heir = one(to, 2, [configMap("other"), ofRival]);
        const rest = one(from, 2, [configMap("extra")]);
        const applications = (isRemoved ? [heir] : [rest, heir]).toSorted((a, b) =>
          a.application < b.application ? -1 : 1,
        );
        spoke.loop.setHeld(heldSet(applications, isRemoved ? [tombstone(from, 2)] : []));
        await spoke.settle(5_000);
        assert.equal(color(), "red");
        assert.equal(cluster.object(settings)?.metadata.uid, uid);
        assert.ok(!cluster.requests.includes(`delete ${settings}`));
        assert.equal(summary(spoke.reports.get(to)), well(2));
        const told = spoke.history.slice(reportsBefore).flatMap(({ conditions }) => conditions);
        assert.deepEqual(told, []);
        if (isRemoved) assert.deepEqual(spoke.removed, [`${from} 2`]);
      });

  test("waits for no application whose bundle cannot be read", async () => {
    const { cluster, disk, spoke, one } = world();
    const shop = one("shop", 1, [ofShop, configMap("extra")]);
    spoke.loop.setHeld(heldSet([shop]));
    await spoke.settle();
    const broken = one("broken", 1, [configMap("other")]);
    disk.blobs.delete(broken.bundle);
    spoke.loop.setHeld(heldSet([one("shop", 2, [ofShop]), broken]));
    await spoke.settle(5_000);
    assert.equal(cluster.object(extra), undefined);
  });
});
