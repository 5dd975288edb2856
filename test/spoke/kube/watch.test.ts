import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { systemClock } from "../../../proto/kit/clock.ts";
import { Turns } from "../../../proto/kit/turns.ts";
import type { WatchEvent } from "../../../spoke/domain/cluster.ts";
import type { ResourceType } from "../../../spoke/domain/kube-object.ts";
import { ApiServerUnavailable, KindGone } from "../../../spoke/kube/trouble.ts";
import { watchDefaults, watchObjects } from "../../../spoke/kube/watch.ts";
import type { ScriptedReply, ScriptedRequest } from "../../support/scripted-api-server.ts";
import { openScripted, statusBody } from "./open-scripted.ts";

const never = new AbortController().signal;

suite("list, then watch", () => {
  test("a list is read page by page, of what is selected, with the kind its items lack", async () => {
    const story = await follow(
      (request) => {
        switch (request.query["continue"]) {
          case undefined:
            return list("10", ["a", "b"], "next-1");
          case "next-1":
            return list("10", ["c"], "next-2");
          default:
            return list("11", ["d"]);
        }
      },
      { take: 1 },
    );
    assert.deepEqual(story.told, ["listed a b c d"]);
    assert.deepEqual(
      story.requests.map(({ query }) => query),
      [
        { limit: "500", labelSelector: "app=web" },
        { limit: "500", labelSelector: "app=web", continue: "next-1" },
        { limit: "500", labelSelector: "app=web", continue: "next-2" },
      ],
    );
    const [first] = story.events;
    assert.partialDeepStrictEqual(first?.kind === "listed" ? first.objects[0] : undefined, {
      apiVersion: "v1",
      kind: "ConfigMap",
    });
  });

  test("a list whose place expired starts again", async () => {
    let starts = 0;
    const story = await follow(
      ({ query }) => {
        if (query["continue"] === undefined) {
          starts += 1;
          return list("10", ["a"], `next-${starts}`);
        }
        return query["continue"] === "next-1"
          ? { status: 410, body: statusBody(410, "Expired", "too old") }
          : list("10", ["b"]);
      },
      { take: 1 },
    );
    assert.deepEqual(story.told, ["listed a b"]);
  });

  test("a list that expires every time is trouble", async () => {
    const story = await follow(
      ({ query }) =>
        query["continue"] === undefined
          ? list("10", ["a"], "next")
          : { status: 410, body: statusBody(410, "Expired", "too old") },
      { take: 1 },
    );
    assert.ok(story.error instanceof ApiServerUnavailable);
    assert.equal(story.requests.length, 6);
  });

  test("changes follow from where the list was, and from the last bookmark after a break", async () => {
    const story = await follow(
      (request) => {
        if (request.query["watch"] === undefined) return list("10", ["a"]);
        return request.query["resourceVersion"] === "10"
          ? lines(change("ADDED", "b", "11"), bookmark("20"))
          : lines(change("MODIFIED", "b", "21"), change("DELETED", "a", "22"), "hang");
      },
      { take: 4 },
    );
    assert.deepEqual(story.told, ["listed a", "present b", "present b", "gone a"]);
    assert.deepEqual(
      story.requests.map(({ query }) => query["resourceVersion"]),
      [undefined, "10", "20"],
    );
    assert.partialDeepStrictEqual(story.requests[1]?.query, {
      watch: "true",
      allowWatchBookmarks: "true",
      labelSelector: "app=web",
      timeoutSeconds: "450",
    });
  });

  const expiries: readonly { readonly name: string; readonly reply: () => ScriptedReply }[] = [
    {
      name: "an error event",
      reply: () => lines({ type: "ERROR", object: statusBody(410, "Expired", "too old") }),
    },
    {
      name: "an answer",
      reply: () => ({ status: 410, body: statusBody(410, "Expired", "too old") }),
    },
  ];
  for (const { name, reply } of expiries) {
    test(`a place too old, told by ${name}, is listed again`, async () => {
      let lists = 0;
      const story = await follow(
        ({ query }) => {
          if (query["watch"] !== undefined)
            return query["resourceVersion"] === "1" ? reply() : lines("hang");
          lists += 1;
          return list(String(lists), lists === 1 ? ["a"] : ["b"]);
        },
        { take: 2 },
      );
      assert.deepEqual(story.told, ["listed a", "listed b"]);
    });
  }

  const lies: readonly { readonly name: string; readonly reply: () => ScriptedReply }[] = [
    { name: "that breaks", reply: () => "reset" },
    { name: "that is not JSON", reply: () => rawLines("<html>\n") },
    { name: "whose line never ends", reply: () => rawLines("x".repeat(5_000)) },
    {
      name: "of events nobody knows",
      reply: () => lines({ type: "EXPLODED", object: configMap("a", "1") }),
    },
    {
      name: "that says the server failed",
      reply: () => lines({ type: "ERROR", object: statusBody(500, "InternalError", "sad") }),
    },
    { name: "that is refused for now", reply: () => ({ status: 500 }) },
  ];
  for (const { name, reply } of lies) {
    test(`a watch ${name} is opened again where it was, after a pause that grows`, async () => {
      let watches = 0;
      const story = await follow(
        ({ query }) => {
          if (query["watch"] === undefined) return list("10", ["a"]);
          watches += 1;
          return watches <= 3 ? reply() : lines(change("ADDED", "b", "11"), "hang");
        },
        // A connection that breaks before an answer is tried once more on its own.
        { take: 2, lineBytesMost: 1_000 },
      );
      assert.deepEqual(story.told, ["listed a", "present b"]);
      const places = story.requests.slice(1).map(({ query }) => query["resourceVersion"]);
      assert.deepEqual([...new Set(places)], ["10"]);
      const pauses = story.slept.filter((pauseMs) => pauseMs > 0);
      assert.ok(pauses.length > 0);
      assert.deepEqual(
        pauses,
        pauses.toSorted((a, b) => a - b),
      );
    });
  }

  test("a server that ends every watch at once is not asked without pause", async () => {
    let watches = 0;
    const story = await follow(
      ({ query }) => {
        if (query["watch"] === undefined) return list("10", ["a"]);
        watches += 1;
        return watches < 4 ? lines() : lines(change("ADDED", "b", "11"), "hang");
      },
      { take: 2 },
    );
    assert.deepEqual(story.told, ["listed a", "present b"]);
    assert.deepEqual(story.slept, [250, 500, 1000]);
  });

  test("a watch that cannot be reopened is trouble in the end", async () => {
    const story = await follow(
      ({ query }) => (query["watch"] === undefined ? list("10", ["a"]) : { status: 500 }),
      { take: 2 },
    );
    assert.deepEqual(story.told, ["listed a"]);
    assert.ok(story.error instanceof ApiServerUnavailable);
    assert.equal(story.requests.length, 1 + watchDefaults.failuresMost);
  });

  test("what is forbidden is trouble at once", async () => {
    const story = await follow(
      ({ query }) =>
        query["watch"] === undefined
          ? list("10", ["a"])
          : { status: 403, body: statusBody(403, "Forbidden", "no") },
      { take: 2 },
    );
    assert.ok(story.error instanceof ApiServerUnavailable);
    assert.equal(story.error.status, 403);
    assert.equal(story.requests.length, 2);
  });

  test("a kind that is not served any more is an empty list, and gone", async () => {
    const whileListing = await follow(() => ({ status: 404 }), { take: 2 });
    assert.deepEqual(whileListing.told, ["listed"]);
    assert.ok(whileListing.error instanceof KindGone);
    const whileWatching = await follow(
      ({ query }) => (query["watch"] === undefined ? list("10", ["a"]) : { status: 404 }),
      { take: 3 },
    );
    assert.deepEqual(whileWatching.told, ["listed a", "listed"]);
    assert.ok(whileWatching.error instanceof KindGone);
  });

  test("a reader who stops ends the connection", async () => {
    const ended = Promise.withResolvers<void>();
    async function* parts(): AsyncGenerator<string> {
      try {
        for (let version = 11; ; version += 1) {
          yield `${JSON.stringify(change("MODIFIED", "a", String(version)))}\n`;
          await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        ended.resolve();
      }
    }
    const story = await follow(
      ({ query }) => (query["watch"] === undefined ? list("10", ["a"]) : { parts: parts() }),
      { take: 3 },
    );
    assert.deepEqual(story.told, ["listed a", "present a", "present a"]);
    await ended.promise;
  });
});

type Story = {
  readonly told: readonly string[];
  readonly events: readonly WatchEvent[];
  readonly error: unknown;
  readonly requests: readonly ScriptedRequest[];
  readonly slept: readonly number[];
};

/** Watches until `take` events came or it ended by itself. */
async function follow(
  reply: (request: ScriptedRequest) => ScriptedReply,
  { take, lineBytesMost = 100_000 }: { readonly take: number; readonly lineBytesMost?: number },
): Promise<Story> {
  await using scripted = await openScripted(reply);
  const slept: number[] = [];
  const clock = {
    nowMs: systemClock.nowMs,
    sleep: async (delayMs: number, signal: AbortSignal) => {
      slept.push(delayMs);
      await systemClock.sleep(0, signal);
    },
  };
  const needs = { api: scripted.api, clock, random: () => 0, turns: new Turns<object>(1) };
  const settings = { ...watchDefaults, openMsLeast: 450_000, lineBytesMost };
  const where = { namespace: "", labelSelector: "app=web" };
  const events: WatchEvent[] = [];
  let error: unknown;
  try {
    for await (const event of watchObjects(needs, configMaps, where, settings, never)) {
      events.push(event);
      if (events.length >= take) break;
    }
  } catch (thrown) {
    error = thrown;
  }
  return { told: events.map(asText), events, error, requests: scripted.server.requests, slept };
}

const configMaps: ResourceType = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  namespaced: true,
  verbs: [],
};

function configMap(name: string, resourceVersion: string) {
  return { metadata: { name, namespace: "shop", resourceVersion } };
}

function list(resourceVersion: string, names: readonly string[], next?: string): ScriptedReply {
  const metadata = { resourceVersion, ...(next === undefined ? {} : { continue: next }) };
  const items = names.map((name) => configMap(name, resourceVersion));
  return { status: 200, body: { kind: "ConfigMapList", metadata, items } };
}

function change(type: string, name: string, resourceVersion: string) {
  return {
    type,
    object: { apiVersion: "v1", kind: "ConfigMap", ...configMap(name, resourceVersion) },
  };
}

function bookmark(resourceVersion: string) {
  return {
    type: "BOOKMARK",
    object: { apiVersion: "v1", kind: "ConfigMap", metadata: { resourceVersion } },
  };
}

function rawLines(text: string): ScriptedReply {
  async function* parts(): AsyncGenerator<string> {
    yield text;
  }
  return { parts: parts() };
}

/** One line each, all of it in two cuts; `hang` keeps the watch open. */
function lines(...values: readonly unknown[]): ScriptedReply {
  async function* parts(): AsyncGenerator<string> {
    const text = values
      .filter((value) => value !== "hang")
      .map((value) => `${JSON.stringify(value)}\n`)
      .join("");
    yield text.slice(0, 20);
    yield text.slice(20);
    if (values.includes("hang")) await new Promise(() => {});
  }
  return { parts: parts() };
}

const asText = (event: WatchEvent): string =>
  event.kind === "listed"
    ? ["listed", ...event.objects.map(({ metadata }) => metadata.name)].join(" ")
    : `${event.kind} ${event.object.metadata.name}`;
