import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { unlessAborted } from "../../../proto/kit/unless-aborted.ts";
import type { WatchEvent } from "../../../spoke/domain/cluster.ts";
import type { KubeObject } from "../../../spoke/domain/kube-object.ts";
import { watchNamespaces, type OpenWatch } from "../../../spoke/kube/watch-namespaces.ts";

const object = (name: string): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
});

const listed = (...names: readonly string[]): WatchEvent => ({
  kind: "listed",
  objects: names.map(object),
});
const present = (name: string): WatchEvent => ({ kind: "present", object: object(name) });

const asText = (event: WatchEvent): string =>
  event.kind === "listed"
    ? `listed ${event.objects.map(({ metadata }) => metadata.name).join()}`
    : `${event.kind} ${event.object.metadata.name}`;

/** Watches that say what they are given, turn by turn, and then wait until they are stopped. */
function scripted(turns: readonly Readonly<Record<string, readonly (WatchEvent | Error)[]>>[]) {
  const opened: string[] = [];
  const closed: string[] = [];
  const open: OpenWatch = async function* (namespace, signal) {
    const turn = opened.filter((one) => one === namespace).length;
    opened.push(namespace);
    try {
      for (const said of turns[turn]?.[namespace] ?? []) {
        if (said instanceof Error) throw said;
        yield said;
      }
      await unlessAborted(new Promise<never>(() => undefined), signal);
    } finally {
      closed.push(namespace);
    }
  };
  return { open, opened, closed };
}

async function take(
  open: OpenWatch,
  count: number,
  stop = new AbortController(),
): Promise<readonly string[]> {
  const told: string[] = [];
  for await (const event of watchNamespaces(open, ["a", "b"], stop.signal)) {
    told.push(asText(event));
    if (told.length >= count) break;
  }
  return told;
}

suite("watchNamespaces", () => {
  test("lists once for all namespaces, then tells what changes in any of them", async () => {
    const { open, closed } = scripted([
      { a: [listed("a1", "a2"), present("a3")], b: [listed("b1"), present("b2")] },
    ]);
    const [first, ...rest] = await take(open, 3);
    assert.equal(first, "listed a1,a2,b1");
    assert.deepEqual(rest.toSorted(), ["present a3", "present b2"]);
    assert.deepEqual(closed.toSorted(), ["a", "b"]);
  });

  test("begins anew with all of them when one lists again", async () => {
    const { open, opened, closed } = scripted([
      { a: [listed("a1"), listed("a1", "a2")], b: [listed("b1")] },
      { a: [listed("a1", "a2")], b: [listed("b1", "b2")] },
    ]);
    assert.deepEqual(await take(open, 2), ["listed a1,b1", "listed a1,a2,b1,b2"]);
    assert.deepEqual(opened, ["a", "b", "a", "b"]);
    assert.equal(closed.length, 4);
  });

  test("ends with the trouble of any of them, and stops the others", async () => {
    const { open, closed } = scripted([
      { a: [listed("a1")], b: [listed("b1"), new Error("b is forbidden")] },
    ]);
    await assert.rejects(take(open, 9), /b is forbidden/);
    assert.deepEqual(closed.toSorted(), ["a", "b"]);
  });

  test("ends with the trouble of a list, and stops the others", async () => {
    const { open, closed } = scripted([{ a: [listed("a1")], b: [new Error("b is forbidden")] }]);
    await assert.rejects(take(open, 9), /b is forbidden/);
    assert.deepEqual(closed.toSorted(), ["a", "b"]);
  });

  test("stops when it is told to, with the reason it was given", async () => {
    const { open, closed } = scripted([{ a: [listed("a1")], b: [listed("b1")] }]);
    const stop = new AbortController();
    const watching = watchNamespaces(open, ["a", "b"], stop.signal);
    assert.equal((await watching.next()).done, false);
    const next = watching.next();
    stop.abort(new Error("enough"));
    await assert.rejects(next, /enough/);
    assert.deepEqual(closed.toSorted(), ["a", "b"]);
  });
});
