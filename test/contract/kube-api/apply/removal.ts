import assert from "node:assert/strict";
import { at, listAt, mapsAt, type JsonMap } from "../../../support/cluster/json.ts";
import {
  accepted,
  claimOf,
  configMap,
  container,
  deployment,
  managersOf,
  metadataOf,
  type Cases,
} from "../bench.ts";
import {
  configMapPlace,
  containersOf,
  data,
  deploymentPlace,
  names,
  withContainers,
} from "./place.ts";

/** What becomes of fields that an applier no longer sends. */
export function removalCases({ proves }: Cases): void {
  proves("a field that is no longer applied goes when nobody else owns it", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", data({ k: "1", l: "1" }));
    const object = accepted(await apply("a", data({ k: "1" })), 200);
    assert.deepEqual(object["data"], { k: "1" });
  });

  proves("a field that somebody else owns as well stays", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", data({ k: "1", l: "1" }));
    await apply("b", data({ l: "1" }));
    const object = accepted(await apply("a", data({ k: "1" })), 200);
    assert.deepEqual(object["data"], { k: "1", l: "1" });
    assert.deepEqual(claimOf(object, "a"), { "f:data": { "f:k": {} } });
  });

  proves("a field that was never applied stays", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    await apply("a", data({ k: "1" }));
    await bench.api.patch("merge", path, { data: { hand: "made" } });
    const object = accepted(await apply("a", data({ k: "2" })), 200);
    assert.deepEqual(object["data"], { k: "2", hand: "made" });
  });

  proves("a manager that applies nothing any more leaves the records", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", data({ k: "1" }));
    await apply("b", data({ l: "1" }));
    const bare = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one" } };
    const object = accepted(await apply("b", bare), 200);
    assert.deepEqual(managersOf(object), ["a Apply"]);
    assert.deepEqual(object["data"], { k: "1" });
  });

  proves("a removed field with a default falls back to it", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    await apply("a", deployment("web", { replicas: 0, revisionHistoryLimit: 3 }));
    const object = accepted(await apply("a", deployment("web", { replicas: 0 })), 200);
    assert.equal(at(object, "spec", "revisionHistoryLimit"), 10);
  });

  proves("a removed container goes with its defaults", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    await apply("a", withContainers(container(), container({ name: "side" })));
    const object = accepted(await apply("a", withContainers(container())), 200);
    assert.deepEqual(names(containersOf(object)), ["app"]);
  });

  proves("a removed environment variable goes, its neighbours stay", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const env = (...variables: readonly string[]): JsonMap =>
      container({ env: variables.map((name) => ({ name, value: "1" })) });
    await apply("a", withContainers(env("A", "B", "C")));
    const object = accepted(await apply("a", withContainers(env("A", "C"))), 200);
    assert.deepEqual(names(mapsAt(containersOf(object)[0], "env")), ["A", "C"]);
  });

  proves("a list that lost its last item is gone", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    await apply("a", withContainers(container({ env: [{ name: "A", value: "1" }] })));
    const object = accepted(await apply("a", withContainers(container())), 200);
    assert.equal(containersOf(object)[0]?.["env"], undefined);
  });

  proves("a map that lost its last field is gone", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", configMap("one", {}, { labels: { l: "1" } }));
    const object = accepted(await apply("a", configMap("one")), 200);
    assert.equal(metadataOf(object)["labels"], undefined);
  });

  proves("a finalizer that is no longer applied goes, those of others stay", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    const withFinalizers = (...finalizers: readonly string[]): JsonMap =>
      configMap("one", {}, { finalizers });
    await apply("a", withFinalizers("example.com/a", "example.com/b"));
    await apply("b", withFinalizers("example.com/c"));
    const object = accepted(await apply("a", withFinalizers("example.com/a")), 200);
    assert.deepEqual(
      new Set(listAt(object, "metadata", "finalizers")),
      new Set(["example.com/a", "example.com/c"]),
    );
    await bench.api.patch("merge", path, { metadata: { finalizers: null } });
  });

  proves("annotations of others survive an apply without any", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    await apply("a", configMap("one", {}, { annotations: { mine: "1" } }));
    await bench.api.patch("merge", path, { metadata: { annotations: { theirs: "1" } } });
    const object = accepted(await apply("a", configMap("one")), 200);
    assert.deepEqual(metadataOf(object)["annotations"], { theirs: "1" });
  });
}
