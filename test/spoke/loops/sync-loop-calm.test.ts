import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { unreachable } from "../../../proto/kit/unreachable.ts";
import type { ObjectKey } from "../../../proto/words/object-key.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { fakeCluster, keyOf } from "../../support/fake-cluster.ts";
import { application, heldSet, newDisk, spokeBench, summary } from "../../support/spoke-bench.ts";
import { configMap, deployment } from "./manifests.ts";

/** What can happen to a spoke and its cluster, in any order. */
type Happening =
  | { readonly kind: "push"; readonly names: readonly string[]; readonly color: string }
  | { readonly kind: "edit" | "delete" | "strip label" | "finalize"; readonly name: string }
  | { readonly kind: "away" | "back" | "restart" | "break watches" | "relist" }
  | { readonly kind: "pass"; readonly ms: number };

const names = ["a", "b", "c", "d"];

const someName = fc.constantFrom(...names);

const someHappening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({
    kind: fc.constant("push" as const),
    names: fc.uniqueArray(someName, { minLength: 1, maxLength: 4 }),
    color: fc.constantFrom("red", "green", "blue"),
  }),
  fc.record({
    kind: fc.constantFrom(
      "edit" as const,
      "delete" as const,
      "strip label" as const,
      "finalize" as const,
    ),
    name: someName,
  }),
  fc.record({
    kind: fc.constantFrom(
      "away" as const,
      "back" as const,
      "restart" as const,
      "break watches" as const,
      "relist" as const,
    ),
  }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.constantFrom(0, 100, 5_000, 60_000) }),
);

const keyFor = (name: string): ObjectKey => keyOf("v1", "ConfigMap", "shop", name);

const day = 24 * 3_600_000;

suite("when faults stop and nothing more is pushed", () => {
  test("the cluster holds exactly what is wanted, and nobody writes any more", async () => {
    const law = fc.asyncProperty(fc.array(someHappening, { maxLength: 25 }), async (happenings) => {
      const clock = fakeClock();
      const cluster = fakeCluster({ namespaces: ["shop"], nowMs: clock.nowMs });
      const disk = newDisk();
      const stranger = cluster.put({
        ...configMap("stranger"),
        metadata: { name: "stranger", namespace: "shop" },
      });
      let generation = 0;
      const wanted = { names: ["a"], color: "red" };
      const held = () => {
        const manifests = [
          deployment("web"),
          ...wanted.names.map((name) => configMap(name, { color: wanted.color })),
        ];
        return heldSet([application({ manifests, generation }, disk)]);
      };
      const start = () => spokeBench({ cluster, disk, clock, held: held() });
      generation = 1;
      let spoke = start();

      const happen = async (happening: Happening): Promise<void> => {
        switch (happening.kind) {
          case "push":
            generation += 1;
            wanted.names = [...happening.names];
            wanted.color = happening.color;
            return spoke.loop.setHeld(held());
          case "edit":
          case "strip label":
          case "finalize":
            return spoil(happening.kind, keyFor(happening.name));
          case "delete":
            return cluster.delete(keyFor(happening.name));
          case "away":
          case "back":
            return cluster.setAway(happening.kind === "away");
          case "restart":
            await spoke.stop();
            spoke = start();
            return undefined;
          case "break watches":
            return cluster.breakWatches();
          case "relist":
            return cluster.relistWatches();
          case "pass":
            return await spoke.settle(happening.ms);
          default:
            return unreachable(happening, "happening");
        }
      };
      const spoil = (kind: "edit" | "strip label" | "finalize", key: ObjectKey): void => {
        if (cluster.object(key) === undefined) return;
        cluster.edit(key, (object) => {
          const metadata = object["metadata"] as object;
          if (kind === "edit") object["data"] = { color: "black" };
          else if (kind === "strip label") object["metadata"] = { ...metadata, labels: {} };
          else object["metadata"] = { ...metadata, finalizers: ["example.com/hold"] };
        });
      };

      for (const happening of happenings) await happen(happening);
      cluster.setAway(false);
      await spoke.settle(day);
      // Whoever held objects back lets go of them at last.
      for (const name of names) {
        if (cluster.object(keyFor(name)) === undefined) continue;
        cluster.edit(keyFor(name), (object) => {
          object["metadata"] = { ...(object["metadata"] as object), finalizers: [] };
        });
      }
      await spoke.settle(day);

      const context = JSON.stringify(happenings);
      const isAbandoned = happenings.some(({ kind }) => kind === "strip label");
      const live = cluster
        .objects()
        .filter(({ kind, metadata }) => kind === "ConfigMap" && metadata.name !== "stranger")
        // An object whose label was taken off, and which is no longer wanted, stays and is nobody's.
        .filter(({ metadata }) => !isAbandoned || wanted.names.includes(metadata.name))
        .map((object) => [object.metadata.name, object["data"]]);
      assert.deepEqual(
        Object.fromEntries(live),
        Object.fromEntries(wanted.names.map((name) => [name, { color: wanted.color }])),
        context,
      );
      assert.deepEqual(cluster.object(keyFor("stranger")), stranger, context);
      assert.deepEqual(
        (cluster.inventoryContent.get("shop") ?? []).map(({ key }) => key),
        [...wanted.names.map(keyFor), keyOf("apps/v1", "Deployment", "shop", "web")].toSorted(),
        context,
      );
      assert.match(
        summary(spoke.reports.get("shop")),
        new RegExp(
          `^Synced Healthy stored=${generation} applied=${generation} healthy=${generation} `,
        ),
        context,
      );
      cluster.forgetRequests();
      await spoke.settle(day);
      assert.deepEqual([cluster.requests, cluster.inventoryWrites], [[], []], context);
      await spoke.stop();
      assert.equal(cluster.watchesOpen(), 0, context);
    });
    await fc.assert(law, { numRuns: 40 });
  });
});
