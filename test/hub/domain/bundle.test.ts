import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { parseBundle } from "../../../proto/words/bundle.ts";
import { digestOfBytes } from "../../../proto/words/digest.ts";
import { makeBundle } from "../../../hub/domain/bundle.ts";
import { readManifests, type Manifest, type SourceDocument } from "../../../hub/domain/manifest.ts";

const configMap = (name: string, extra: Readonly<Record<string, unknown>> = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  ...extra,
});

const inFile = (file: string, ...values: readonly unknown[]): readonly SourceDocument[] =>
  values.map((value, index) => ({ file, number: index + 1, value }));

function read(documents: readonly SourceDocument[]): readonly Manifest[] {
  const manifests = readManifests(documents);
  assert.ok(manifests.ok, manifests.ok ? "" : manifests.problem.message);
  return manifests.value;
}

suite("makeBundle", () => {
  test("numbers that a double cannot hold reach the cluster as they were written", () => {
    const [manifest] = read(
      inFile("a.yaml", configMap("a", { data: 9007199254740993n, half: 0.5 })),
    );
    assert.ok(manifest);
    assert.match(
      new TextDecoder().decode(manifest.blob.bytes),
      /"data":9007199254740993,"half":0\.5/,
    );
  });

  test("the order of documents does not matter", () => {
    const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { minLength: 1 });
    fc.assert(
      fc.property(names, fc.infiniteStream(fc.nat()), (list, chance) => {
        const shuffled = list
          .map((name) => ({ name, place: chance.next().value }))
          .toSorted((a, b) => a.place - b.place)
          .map(({ name }) => name);
        const digest = (order: readonly string[]) =>
          makeBundle(read(inFile("a.yaml", ...order.map((name) => configMap(name))))).digest;
        assert.equal(digest(shuffled), digest(list));
      }),
    );
  });

  test("lists its blobs, and ends with the list", () => {
    const made = makeBundle(read(inFile("a.yaml", configMap("b"), configMap("a"))));
    assert.equal(made.blobs.length, 3);
    const list = made.blobs.at(-1);
    assert.ok(list);
    assert.equal(list.digest, made.digest);
    for (const blob of made.blobs) assert.equal(digestOfBytes(blob.bytes), blob.digest);
    const parsed = parseBundle(list.bytes);
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.value, made.bundle);
    assert.deepEqual(
      made.bundle.entries.map(({ key }) => key),
      ["/ConfigMap//a", "/ConfigMap//b"],
    );
  });

  test("an application without objects has a bundle too", () => {
    const made = makeBundle([]);
    assert.deepEqual(made.bundle.entries, []);
    assert.equal(made.blobs.length, 1);
  });
});
