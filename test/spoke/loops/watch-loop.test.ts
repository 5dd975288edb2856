import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { silentLog } from "../../../proto/kit/log.ts";
import { Trouble } from "../../../proto/kit/trouble.ts";
import { managedLabel, type ClusterApi, type WatchEvent } from "../../../spoke/domain/cluster.ts";
import type { ResourceType } from "../../../spoke/domain/kube-object.ts";
import { LiveObjects, typeIdOf } from "../../../spoke/loops/live-objects.ts";
import { createWatchLoop, watchLoopDefaults } from "../../../spoke/loops/watch-loop.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { fakeCluster, keyOf } from "../../support/fake-cluster.ts";
import { configMap } from "./manifests.ts";

const typeOf = (kind: string): ResourceType => ({
  group: "",
  version: "v1",
  kind,
  plural: `${kind.toLowerCase()}s`,
  namespaced: true,
  verbs: ["list", "watch"],
});

const types = (...kinds: readonly string[]) =>
  new Map(kinds.map((kind) => [typeIdOf(typeOf(kind)), typeOf(kind)]));

const selector = `${managedLabel}=hub`;

function start(cluster: Pick<ClusterApi, "watch">) {
  const clock = fakeClock();
  const live = new LiveObjects();
  const heard: string[] = [];
  const loop = createWatchLoop(
    {
      cluster,
      live,
      clock,
      random: () => 1,
      log: silentLog,
      onTouched: (touched) => heard.push(...touched.map(({ key }) => `touched ${key}`)),
      onState: (type, state) => heard.push(`${state.kind} ${type}`),
    },
    watchLoopDefaults,
  );
  const stopping = new AbortController();
  const running = loop.run(stopping.signal).catch(() => undefined);
  const stop = async (): Promise<void> => {
    stopping.abort(new Error("the test ends"));
    await running;
  };
  return { clock, live, heard, loop, stop };
}

const labelled = (name: string) => ({
  ...configMap(name),
  metadata: { name, namespace: "shop", labels: { [managedLabel]: "hub" } },
});

suite("watch loop", () => {
  test("shows what is there and what changes, of our label only", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    cluster.put(labelled("a"));
    cluster.put({ ...configMap("foreign"), metadata: { name: "foreign", namespace: "shop" } });
    const { clock, live, heard, loop, stop } = start(cluster.api);
    loop.want(types("ConfigMap"), selector);
    await clock.advance(0);
    cluster.put(labelled("b"));
    cluster.delete(keyOf("v1", "ConfigMap", "shop", "a"));
    await clock.advance(0);
    assert.deepEqual(heard, [
      "touched /ConfigMap/shop/a",
      "current /v1/ConfigMap",
      "touched /ConfigMap/shop/b",
      "touched /ConfigMap/shop/a",
    ]);
    assert.equal(live.find(keyOf("v1", "ConfigMap", "shop", "foreign"), "v1"), undefined);
    await stop();
    assert.equal(cluster.watchesOpen(), 0);
  });

  test("starts and ends watches as types come and go", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    cluster.put(labelled("a"));
    const { clock, live, loop, stop } = start(cluster.api);
    loop.want(types("ConfigMap", "Secret"), selector);
    await clock.advance(0);
    assert.equal(cluster.watchesOpen(), 2);
    loop.want(types("Secret"), selector);
    await clock.advance(0);
    assert.equal(cluster.watchesOpen(), 1);
    assert.equal(loop.stateOf(typeIdOf(typeOf("ConfigMap"))), undefined);
    assert.equal(live.find(keyOf("v1", "ConfigMap", "shop", "a"), "v1"), undefined);
    await stop();
  });

  test("a type whose watch fails is broken until it lists again, with growing pauses between", async () => {
    const triesAtMs: number[] = [];
    const clocks: { nowMs?: () => number } = {};
    const isFailing = { now: true };
    const { clock, heard, loop, stop } = start({
      watch: async function* (_type, _selector, signal): AsyncGenerator<WatchEvent> {
        triesAtMs.push(clocks.nowMs?.() ?? 0);
        if (isFailing.now) throw new Trouble("forbidden");
        yield { kind: "listed", objects: [] };
        await new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
        });
      },
    });
    clocks.nowMs = clock.nowMs;
    loop.want(types("Secret"), selector);
    await clock.advance(200_000);
    const pauses = triesAtMs.slice(1).map((atMs, index) => atMs - (triesAtMs[index] ?? 0));
    assert.deepEqual(
      pauses.slice(0, 8),
      [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000],
    );
    assert.deepEqual(loop.stateOf(typeIdOf(typeOf("Secret"))), {
      kind: "broken",
      problem: "forbidden",
      sinceMs: triesAtMs[0],
    });
    isFailing.now = false;
    await clock.advance(60_000);
    assert.equal(heard.at(-1), "current /v1/Secret");
    await stop();
  });

  test("never has more than eight lists under way", async () => {
    const kinds = Array.from({ length: 30 }, (_, index) => `Kind${index}`);
    const lists = { now: 0, most: 0 };
    const { clock, heard, loop, stop } = start({
      watch: async function* (_type, _selector, signal): AsyncGenerator<WatchEvent> {
        lists.now += 1;
        lists.most = Math.max(lists.most, lists.now);
        await clock.sleep(1_000, signal);
        lists.now -= 1;
        yield { kind: "listed", objects: [] };
        await clock.sleep(Number.MAX_SAFE_INTEGER, signal);
      },
    });
    loop.want(types(...kinds), selector);
    await clock.advance(10_000);
    assert.equal(lists.most, 8);
    assert.equal(heard.length, 30, "all of them got current");
    await stop();
  });
});
