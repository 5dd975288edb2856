import assert from "node:assert/strict";
import { blobOf } from "../../../proto/words/bundle.ts";
import {
  addCluster,
  atMs,
  bundleOf,
  digest,
  hour,
  publish,
  putBundle,
  remove,
  signal,
  write,
} from "./builders.ts";
import type { Case } from "./case.ts";

export function blobCases(it: Case): void {
  it("are stored once however many bundles list them", async (store) => {
    const one = bundleOf({ a: 1, b: 2 });
    const two = bundleOf({ b: 2, c: 3 });
    const put = ({ digest, bundle, blobs }: typeof one) =>
      store.blobs.putBundle(digest, blobs, bundle, atMs, signal);
    assert.equal(await store.blobs.hasBundle(one.digest, signal), false);
    assert.equal(await put(one), 3);
    assert.equal(await put(two), 2);
    assert.equal(await put(two), 0);
    assert.equal(await store.blobs.hasBundle(one.digest, signal), true);
    const [first] = one.blobs;
    assert.ok(first !== undefined);
    const read = await store.blobs.read(first.digest, signal);
    assert.deepEqual(Buffer.from(read ?? []), Buffer.from(first.bytes));
  });

  it("must be there or given, all that a bundle lists", async (store) => {
    const { digest, bundle, blobs } = bundleOf({ a: 1, b: 2 });
    await assert.rejects(
      store.blobs.putBundle(digest, blobs.slice(1), bundle, atMs, signal),
      /FOREIGN KEY|foreign key/,
    );
    assert.equal(await store.blobs.hasBundle(digest, signal), false);
    const [, second] = blobs;
    assert.ok(second !== undefined);
    assert.equal(await store.blobs.read(second.digest, signal), undefined);
  });

  it("are refused under another list's digest", async (store) => {
    const { bundle, blobs } = bundleOf({ a: 1 });
    await assert.rejects(
      async () => store.blobs.putBundle(digest("other"), blobs, bundle, atMs, signal),
      TypeError,
    );
  });

  it("may be empty bundles", async (store) => {
    const bundle = await putBundle(store, {});
    assert.equal(await store.blobs.hasBundle(bundle, signal), true);
  });

  it("are read by the clusters they are offered to and by no other", async (store) => {
    const [a, b] = [await addCluster(store, "a"), await addCluster(store, "b")];
    const bundle = await putBundle(store, { one: 1 });
    await publish(store, [write("web", a, bundle)]);
    const [blob] = bundleOf({ one: 1 }).blobs;
    assert.ok(blob !== undefined);
    const hasRead = async (cluster: typeof a, what: typeof bundle) =>
      (await store.blobs.readFor(cluster, what, signal)) !== undefined;
    assert.deepEqual(
      [await hasRead(a, blob.digest), await hasRead(a, bundle), await hasRead(b, blob.digest)],
      [true, true, false],
    );
    await publish(store, [remove("web", a)]);
    assert.equal(await hasRead(a, blob.digest), false);
  });

  it("are forgotten when no bundle in use needs them", async (store) => {
    const cluster = await addCluster(store, "a");
    const offered = await putBundle(store, { shared: 1, kept: 2 });
    const unused = await putBundle(store, { shared: 1, lost: 3 });
    const fresh = await putBundle(store, { fresh: 4 }, atMs + hour);
    await publish(store, [write("web", cluster, offered)]);
    assert.equal(await store.blobs.forgetUnused(atMs + 1, signal), 2);
    const there = await Promise.all(
      [offered, unused, fresh].map((bundle) => store.blobs.hasBundle(bundle, signal)),
    );
    assert.deepEqual(there, [true, false, true]);
    assert.notEqual(
      await store.blobs.read(blobOf({ kind: "ConfigMap", name: "shared", data: 1 }).digest, signal),
      undefined,
    );
  });

  it("are kept while a spoke has them on disk, and for a moment after being put again", async (store) => {
    const cluster = await addCluster(store, "a");
    const first = await putBundle(store, { one: 1 });
    await publish(store, [write("web", cluster, first)]);
    const { version, root } = await store.desiredSets.current(cluster, signal);
    await store.desiredSets.recordStored(cluster, version, root, atMs, signal);
    const second = await putBundle(store, { one: 2 });
    await publish(store, [write("web", cluster, second, { entry: { generation: 2 } })]);
    assert.equal(await store.blobs.forgetUnused(atMs + 1, signal), 0);
    assert.equal(await store.blobs.hasBundle(first, signal), true);
    const now = await store.desiredSets.current(cluster, signal);
    await store.desiredSets.recordStored(cluster, now.version, now.root, atMs, signal);
    await putBundle(store, { one: 1 }, atMs + hour);
    assert.equal(await store.blobs.forgetUnused(atMs + 1, signal), 0);
    assert.equal(await store.blobs.forgetUnused(atMs + 2 * hour, signal), 2);
    assert.equal(await store.blobs.hasBundle(first, signal), false);
  });
}
