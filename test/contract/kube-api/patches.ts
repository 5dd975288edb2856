import assert from "node:assert/strict";
import { at, mapsAt, textAt, type JsonMap } from "../../support/cluster/json.ts";
import {
  accepted,
  configMap,
  configMapsPath,
  container,
  deployment,
  deploymentsPath,
  messageOf,
  metadataOf,
  refusalOf,
  service,
  servicesPath,
  versionOf,
  type Bench,
  type Cases,
} from "./bench.ts";

async function madeConfigMap(bench: Bench, data: JsonMap = {}): Promise<string> {
  const path = configMapsPath(await bench.namespace());
  accepted(await bench.api.create(path, configMap("one", data)), 201);
  return `${path}/one`;
}

async function madeDeployment(bench: Bench, pod: JsonMap = {}): Promise<string> {
  const path = deploymentsPath(await bench.namespace());
  accepted(await bench.api.create(path, deployment("web", { replicas: 0 }, pod)), 201);
  return `${path}/web`;
}

const containersOf = (object: JsonMap): readonly JsonMap[] =>
  mapsAt(object, "spec", "template", "spec", "containers");

const podPatch = (pod: JsonMap): JsonMap => ({ spec: { template: { spec: pod } } });

export function patchCases({ proves }: Cases): void {
  proves("a merge patch sets, merges and removes", async (bench) => {
    const path = await madeConfigMap(bench, { a: "1", b: "1" });
    const reply = await bench.api.patch("merge", path, { data: { a: null, b: "2", c: "3" } });
    assert.deepEqual(accepted(reply, 200)["data"], { b: "2", c: "3" });
  });

  proves("a merge patch replaces lists whole", async (bench) => {
    const path = await madeDeployment(bench, {
      containers: [container(), container({ name: "side" })],
    });
    const patch = podPatch({ containers: [container({ name: "only" })] });
    const object = accepted(await bench.api.patch("merge", path, patch), 200);
    assert.deepEqual(
      containersOf(object).map((one) => textAt(one, "name")),
      ["only"],
    );
  });

  proves("a strategic merge patch merges containers by name", async (bench) => {
    const path = await madeDeployment(bench);
    const patch = podPatch({
      containers: [
        { name: "app", image: "app:2" },
        { name: "side", image: "side:1" },
      ],
    });
    const object = accepted(await bench.api.patch("strategic", path, patch), 200);
    const images = Object.fromEntries(
      containersOf(object).map((one) => [textAt(one, "name"), textAt(one, "image")]),
    );
    assert.deepEqual(images, { app: "app:2", side: "side:1" });
  });

  proves("a strategic merge patch deletes an item on demand", async (bench) => {
    const path = await madeDeployment(bench, {
      containers: [container(), container({ name: "side" })],
    });
    const patch = podPatch({ containers: [{ name: "side", $patch: "delete" }] });
    const object = accepted(await bench.api.patch("strategic", path, patch), 200);
    assert.deepEqual(
      containersOf(object).map((one) => textAt(one, "name")),
      ["app"],
    );
  });

  proves("a strategic merge patch replaces a list on demand", async (bench) => {
    const path = await madeDeployment(bench);
    const patch = podPatch({ containers: [{ $patch: "replace" }, container({ name: "new" })] });
    const object = accepted(await bench.api.patch("strategic", path, patch), 200);
    assert.deepEqual(
      containersOf(object).map((one) => textAt(one, "name")),
      ["new"],
    );
  });

  proves("a strategic merge patch replaces plain lists", async (bench) => {
    const path = await madeDeployment(bench, { containers: [container({ args: ["a", "b"] })] });
    const patch = podPatch({ containers: [{ name: "app", args: ["c"] }] });
    const object = accepted(await bench.api.patch("strategic", path, patch), 200);
    assert.deepEqual(containersOf(object)[0]?.["args"], ["c"]);
  });

  proves("a strategic merge patch adds to finalizers and takes from them", async (bench) => {
    const path = await madeConfigMap(bench);
    const add = { metadata: { finalizers: ["example.com/a", "example.com/b"] } };
    await bench.api.patch("strategic", path, add);
    const more = { metadata: { finalizers: ["example.com/c"] } };
    const object = accepted(await bench.api.patch("strategic", path, more), 200);
    assert.equal((metadataOf(object)["finalizers"] as readonly string[]).length, 3);
    const less = { metadata: { "$deleteFromPrimitiveList/finalizers": ["example.com/b"] } };
    const left = accepted(await bench.api.patch("strategic", path, less), 200);
    assert.deepEqual((metadataOf(left)["finalizers"] as readonly string[]).toSorted(), [
      "example.com/a",
      "example.com/c",
    ]);
    await bench.api.patch("merge", path, { metadata: { finalizers: null } });
  });

  proves("a strategic merge patch of a Service merges ports by port", async (bench) => {
    const path = servicesPath(await bench.namespace());
    const ports = [
      { name: "a", port: 80 },
      { name: "b", port: 81 },
    ];
    accepted(await bench.api.create(path, service("web", { ports })), 201);
    const patch = { spec: { ports: [{ port: 81, name: "c" }] } };
    const object = accepted(await bench.api.patch("strategic", `${path}/web`, patch), 200);
    const names = mapsAt(object, "spec", "ports").map((port) => textAt(port, "name"));
    assert.deepEqual(names.toSorted(), ["a", "c"]);
  });

  proves("a JSON patch adds, replaces and removes", async (bench) => {
    const path = await madeConfigMap(bench, { a: "1", b: "1" });
    const reply = await bench.api.patch("json", path, [
      { op: "replace", path: "/data/a", value: "2" },
      { op: "remove", path: "/data/b" },
      { op: "add", path: "/data/c~1d", value: "3" },
    ]);
    // A slash is no part of a key: the address is understood, the key refused.
    assert.deepEqual(refusalOf(reply).fields, ["data[c/d]"]);
    const fine = await bench.api.patch("json", path, [
      { op: "replace", path: "/data/a", value: "2" },
      { op: "remove", path: "/data/b" },
      { op: "add", path: "/data/c", value: "3" },
    ]);
    assert.deepEqual(accepted(fine, 200)["data"], { a: "2", c: "3" });
  });

  proves("a JSON patch tests before it writes", async (bench) => {
    const path = await madeConfigMap(bench, { a: "1" });
    const reply = await bench.api.patch("json", path, [
      { op: "test", path: "/data/a", value: "wrong" },
      { op: "replace", path: "/data/a", value: "2" },
    ]);
    assert.deepEqual([reply.code, refusalOf(reply).reason], [422, "Invalid"]);
    assert.deepEqual((await bench.api.get(path)).body["data"], { a: "1" });
  });

  proves("a JSON patch moves and copies", async (bench) => {
    const path = await madeConfigMap(bench, { a: "1" });
    const reply = await bench.api.patch("json", path, [
      { op: "copy", from: "/data/a", path: "/data/b" },
      { op: "move", from: "/data/a", path: "/data/c" },
    ]);
    assert.deepEqual(accepted(reply, 200)["data"], { b: "1", c: "1" });
  });

  proves("a JSON patch of what is not there: 422", async (bench) => {
    const path = await madeConfigMap(bench);
    const reply = await bench.api.patch("json", path, [{ op: "remove", path: "/data/none" }]);
    assert.equal(reply.code, 422);
  });

  proves("a JSON patch that is none: 400", async (bench) => {
    const path = await madeConfigMap(bench);
    const reply = await bench.api.patch("json", path, { data: {} });
    assert.equal(reply.code, 400);
  });

  proves("a kind of patch that nobody knows: 415", async (bench) => {
    const path = await madeConfigMap(bench);
    const reply = await bench.api.send(
      "PATCH",
      path,
      { data: {} },
      {
        headers: { "content-type": "application/json" },
      },
    );
    assert.deepEqual([reply.code, refusalOf(reply).reason], [415, "UnsupportedMediaType"]);
  });

  proves("a patch of what is not there: 404", async (bench) => {
    const path = configMapsPath(await bench.namespace());
    const reply = await bench.api.patch("merge", `${path}/none`, { data: {} });
    assert.equal(reply.code, 404);
  });

  proves("a patch with an old version: 409", async (bench) => {
    const path = await madeConfigMap(bench);
    const before = await bench.api.get(path);
    await bench.api.patch("merge", path, { data: { a: "1" } });
    const patch = { metadata: { resourceVersion: versionOf(before) }, data: { a: "2" } };
    const reply = await bench.api.patch("merge", path, patch);
    assert.deepEqual(refusalOf(reply).code, 409);
    assert.match(messageOf(reply), /the object has been modified/);
  });

  proves("a patch without a change keeps the version", async (bench) => {
    const path = await madeConfigMap(bench, { a: "1" });
    const before = await bench.api.get(path);
    const reply = await bench.api.patch("merge", path, { data: { a: "1" } });
    assert.equal(versionOf(reply), versionOf(before));
  });

  proves("a dry run of a patch changes nothing", async (bench) => {
    const path = await madeConfigMap(bench, { a: "1" });
    const reply = await bench.api.patch("merge", path, { data: { a: "2" } }, { dryRun: "All" });
    assert.deepEqual(accepted(reply, 200)["data"], { a: "2" });
    assert.deepEqual((await bench.api.get(path)).body["data"], { a: "1" });
  });

  proves("a patch cannot rename", async (bench) => {
    const path = await madeConfigMap(bench);
    const reply = await bench.api.patch("merge", path, { metadata: { name: "two" } });
    assert.ok(reply.code === 400 || reply.code === 422, reply.text);
    assert.equal(at((await bench.api.get(path)).body, "metadata", "name"), "one");
  });
}
