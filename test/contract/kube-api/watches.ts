import assert from "node:assert/strict";
import { at, textAt, type JsonMap } from "../../support/cluster/json.ts";
import { accepted, configMap, configMapsPath, versionOf, type Bench, type Cases } from "./bench.ts";
import type { OpenWatch, WatchEvent } from "./client.ts";

const inShort = (event: WatchEvent | undefined): string =>
  event === undefined ? "end" : `${event.type} ${textAt(event.object, "metadata", "name")}`;

/** Events up to a number of them, passing over what the cluster itself puts into every namespace. */
async function take(watch: OpenWatch, count: number): Promise<readonly string[]> {
  const seen: string[] = [];
  while (seen.length < count) {
    const text = inShort(await watch.next());
    if (!text.endsWith("kube-root-ca.crt")) seen.push(text);
    if (text === "end") break;
  }
  return seen;
}

async function listedVersion(bench: Bench, path: string): Promise<string> {
  return textAt(accepted(await bench.api.get(path), 200), "metadata", "resourceVersion");
}

const labelled = (name: string, labels: JsonMap): JsonMap => configMap(name, {}, { labels });

export function watchCases({ proves }: Cases): void {
  proves("a watch tells what is created, changed and deleted", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    const watch = await bench.api.watch(path, {
      resourceVersion: await listedVersion(bench, path),
    });
    assert.equal(watch.code, 200);
    await bench.api.create(path, configMap("one"));
    await bench.api.patch("merge", `${path}/one`, { data: { a: "1" } });
    await bench.api.delete(`${path}/one`);
    assert.deepEqual(await take(watch, 3), ["ADDED one", "MODIFIED one", "DELETED one"]);
    watch.close();
  });

  proves("events carry whole objects with kind and version", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    const watch = await bench.api.watch(path, {
      resourceVersion: await listedVersion(bench, path),
      fieldSelector: "metadata.name=one",
    });
    const made = await bench.api.create(path, configMap("one", { a: "1" }));
    const event = await watch.next();
    assert.deepEqual(event, { type: "ADDED", object: made.body });
    watch.close();
  });

  proves("a deletion's event carries the object at the version of its removal", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    const made = await bench.api.create(path, configMap("one", { a: "1" }));
    const watch = await bench.api.watch(path, { resourceVersion: versionOf(made) });
    await bench.api.delete(`${path}/one`);
    const [event] = [await nextNamed(watch, "one")];
    assert.equal(event.type, "DELETED");
    assert.deepEqual(event.object["data"], { a: "1" });
    const version = Number(textAt(event.object, "metadata", "resourceVersion"));
    assert.ok(version > Number(versionOf(made)));
    watch.close();
  });

  proves("a watch from a version in the past tells everything since", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    const version = await listedVersion(bench, path);
    await bench.api.create(path, configMap("one"));
    await bench.api.create(path, configMap("two"));
    await bench.api.delete(`${path}/one`);
    const watch = await bench.api.watch(path, { resourceVersion: version });
    assert.deepEqual(await take(watch, 3), ["ADDED one", "ADDED two", "DELETED one"]);
    watch.close();
  });

  for (const query of [{}, { resourceVersion: "0" }] as const) {
    proves(`a watch ${JSON.stringify(query)} begins with what there is`, async (bench) => {
      const namespace = await bench.namespace();
      const path = configMapsPath(namespace);
      await bench.api.create(path, configMap("one"));
      await bench.api.create(path, configMap("two"));
      const watch = await bench.api.watch(path, query);
      const first = await take(watch, 2);
      assert.deepEqual(first.toSorted(), ["ADDED one", "ADDED two"]);
      await bench.api.delete(`${path}/two`);
      assert.deepEqual(await take(watch, 1), ["DELETED two"]);
      watch.close();
    });
  }

  proves("an object that gains the label is added, one that loses it is deleted", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    await bench.api.create(path, labelled("one", { on: "no" }));
    const watch = await bench.api.watch(path, {
      resourceVersion: await listedVersion(bench, path),
      labelSelector: "on=yes",
    });
    await bench.api.patch("merge", `${path}/one`, { metadata: { labels: { on: "yes" } } });
    await bench.api.patch("merge", `${path}/one`, { data: { a: "1" } });
    await bench.api.patch("merge", `${path}/one`, { metadata: { labels: { on: null } } });
    await bench.api.patch("merge", `${path}/one`, { data: { a: "2" } });
    await bench.api.create(path, labelled("two", { on: "yes" }));
    assert.deepEqual(await take(watch, 4), [
      "ADDED one",
      "MODIFIED one",
      "DELETED one",
      "ADDED two",
    ]);
    watch.close();
  });

  proves("a watch of one object by name", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    const watch = await bench.api.watch(path, {
      resourceVersion: await listedVersion(bench, path),
      fieldSelector: "metadata.name=two",
    });
    await bench.api.create(path, configMap("one"));
    await bench.api.create(path, configMap("two"));
    assert.deepEqual(inShort(await watch.next()), "ADDED two");
    watch.close();
  });

  proves("a watch of one namespace hears nothing of another", async (bench) => {
    const here = configMapsPath(await bench.namespace());
    const there = configMapsPath(await bench.namespace());
    const watch = await bench.api.watch(here, {
      resourceVersion: await listedVersion(bench, here),
      labelSelector: "case=apart",
    });
    await bench.api.create(there, labelled("far", { case: "apart" }));
    await bench.api.create(here, labelled("near", { case: "apart" }));
    assert.deepEqual(inShort(await watch.next()), "ADDED near");
    watch.close();
  });

  proves("a watch over all namespaces hears of each", async (bench) => {
    const one = configMapsPath(await bench.namespace());
    const other = configMapsPath(await bench.namespace());
    const watch = await bench.api.watch("/api/v1/configmaps", {
      resourceVersion: await listedVersion(bench, "/api/v1/configmaps"),
      labelSelector: "case=everywhere",
    });
    await bench.api.create(one, labelled("one", { case: "everywhere" }));
    await bench.api.create(other, labelled("other", { case: "everywhere" }));
    assert.deepEqual(await take(watch, 2), ["ADDED one", "ADDED other"]);
    watch.close();
  });

  proves("timeoutSeconds ends a watch, with a bookmark before the end", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    const watch = await bench.api.watch(path, {
      resourceVersion: await listedVersion(bench, path),
      allowWatchBookmarks: "true",
      timeoutSeconds: "4",
      labelSelector: "case=bookmark",
    });
    // It tells how far the watch has come past what its selector leaves out.
    const passed = await bench.api.create(path, labelled("passed", { case: "other" }));
    const bookmark = await watch.next();
    assert.equal(bookmark?.type, "BOOKMARK");
    assert.deepEqual(
      [at(bookmark?.object, "kind"), at(bookmark?.object, "apiVersion")],
      ["ConfigMap", "v1"],
    );
    const version = textAt(bookmark?.object, "metadata", "resourceVersion");
    assert.ok(Number(version) >= Number(versionOf(passed)), version);
    assert.equal(at(bookmark?.object, "metadata", "name"), undefined);
    let last = await watch.next();
    while (last?.type === "BOOKMARK") last = await watch.next();
    assert.equal(last, undefined);
  });

  proves("without allowWatchBookmarks there are none", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    const watch = await bench.api.watch(path, {
      resourceVersion: await listedVersion(bench, path),
      timeoutSeconds: "1",
      labelSelector: "case=none",
    });
    assert.equal(await watch.next(), undefined);
  });

  proves("sendInitialEvents marks the end of what there was", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    await bench.api.create(path, labelled("one", { case: "initial" }));
    const watch = await bench.api.watch(path, {
      sendInitialEvents: "true",
      resourceVersionMatch: "NotOlderThan",
      allowWatchBookmarks: "true",
      labelSelector: "case=initial",
    });
    assert.equal(inShort(await watch.next()), "ADDED one");
    const end = await watch.next();
    assert.equal(end?.type, "BOOKMARK");
    assert.equal(at(end?.object, "metadata", "annotations", "k8s.io/initial-events-end"), "true");
    watch.close();
  });

  proves("a version from before a kind existed has expired: an ERROR of 410", async (bench) => {
    const custom = await bench.sharedKind();
    const watch = await bench.api.watch(custom.path("default"), { resourceVersion: "1" });
    const event = await watch.next();
    assert.equal(event?.type, "ERROR");
    assert.deepEqual(
      [at(event?.object, "kind"), at(event?.object, "code"), at(event?.object, "reason")],
      ["Status", 410, "Expired"],
    );
    assert.match(textAt(event?.object, "message"), /too old resource version/);
    assert.equal(await watch.next(), undefined);
  });

  proves("a change of nothing makes no event", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    await bench.api.create(path, configMap("one", { a: "1" }));
    const watch = await bench.api.watch(path, {
      resourceVersion: await listedVersion(bench, path),
      fieldSelector: "metadata.name=one",
    });
    await bench.api.patch("merge", `${path}/one`, { data: { a: "1" } });
    await bench.api.patch("merge", `${path}/one`, { data: { a: "2" } });
    const event = await watch.next();
    assert.deepEqual(event?.object["data"], { a: "2" });
    watch.close();
  });

  proves("a dry run makes no event", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    const watch = await bench.api.watch(path, {
      resourceVersion: await listedVersion(bench, path),
      labelSelector: "case=dry",
    });
    await bench.api.create(path, labelled("tried", { case: "dry" }), { dryRun: "All" });
    await bench.api.create(path, labelled("made", { case: "dry" }));
    assert.deepEqual(inShort(await watch.next()), "ADDED made");
    watch.close();
  });

  proves("metadata of events alone", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    await bench.api.create(path, configMap("one", { a: "1" }));
    const accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    const reply = await bench.api.send("GET", path, undefined, {
      headers: { accept },
      query: { watch: "1", timeoutSeconds: "1", fieldSelector: "metadata.name=one" },
    });
    const event: unknown = JSON.parse(reply.text.split("\n")[0] ?? "");
    assert.equal(at(event as JsonMap, "object", "kind"), "PartialObjectMetadata");
    assert.equal(at(event as JsonMap, "object", "data"), undefined);
  });
}

async function nextNamed(watch: OpenWatch, name: string): Promise<WatchEvent> {
  for (;;) {
    const event = await watch.next();
    if (event === undefined) throw new Error(`the watch ended before ${name} was seen`);
    if (textAt(event.object, "metadata", "name") === name) return event;
  }
}
