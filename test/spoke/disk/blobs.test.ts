import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { suite } from "node:test";
import { silentLog } from "../../../proto/kit/log.ts";
import { blobOf } from "../../../proto/words/bundle.ts";
import { digestOfText } from "../../../proto/words/digest.ts";
import { openBlobs } from "../../../spoke/disk/blobs.ts";

const { signal } = new AbortController();

suite("blobs on disk", () => {
  const a = blobOf({ name: "a" });
  const b = blobOf({ name: "b" });

  test("a blob written is there for the next process", async () => {
    await inFolder(async (folder) => {
      const blobs = openBlobs(folder, silentLog);
      assert.equal(await blobs.has(a.digest, signal), false);
      assert.equal(await blobs.read(a.digest, signal), undefined);
      await blobs.write(a, signal);
      const later = openBlobs(folder, silentLog);
      assert.equal(await later.has(a.digest, signal), true);
      assert.deepEqual(new Uint8Array((await later.read(a.digest, signal)) ?? []), a.bytes);
    });
  });

  test("bytes that are not those of the digest are a bug and are not written", async () => {
    await inFolder(async (folder) => {
      const lie = { digest: a.digest, bytes: b.bytes };
      await assert.rejects(openBlobs(folder, silentLog).write(lie, signal), TypeError);
      assert.deepEqual(await readdir(folder), []);
    });
  });

  const damages = [
    { name: "cut short", damage: async (path: string) => await truncate(path, 3) },
    { name: "with other bytes", damage: async (path: string) => await writeFile(path, b.bytes) },
  ];
  for (const { name, damage } of damages) {
    test(`a blob ${name} is removed and reads as none, so that it is fetched again`, async () => {
      await inFolder(async (folder) => {
        const blobs = openBlobs(folder, silentLog);
        await blobs.write(a, signal);
        await damage(join(folder, a.digest));
        assert.equal(await blobs.has(a.digest, signal), false);
        assert.deepEqual(await readdir(folder), []);
        await blobs.write(a, signal);
        assert.equal(await blobs.has(a.digest, signal), true);
      });
    });
  }

  test("many written at once are all there", async () => {
    await inFolder(async (folder) => {
      const blobs = openBlobs(folder, silentLog);
      const many = Array.from({ length: 40 }, (_, number) => blobOf({ number }));
      await Promise.all(many.map(async (blob) => await blobs.write(blob, signal)));
      assert.deepEqual(
        (await readdir(folder)).toSorted(),
        many.map(({ digest }) => digest).toSorted(),
      );
    });
  });

  test("keeping some removes the others and what is no blob stays", async () => {
    await inFolder(async (folder) => {
      const blobs = openBlobs(folder, silentLog);
      await blobs.write(a, signal);
      await blobs.write(b, signal);
      await writeFile(join(folder, "README"), "not ours");
      await blobs.keepOnly(new Set([b.digest, digestOfText("absent")]), signal);
      assert.deepEqual((await readdir(folder)).toSorted(), [b.digest, "README"].toSorted());
    });
  });

  test("a process killed while writing leaves no blob, and its rubbish is cleared away", async () => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, ".writing-999-1"), a.bytes);
      const blobs = openBlobs(folder, silentLog);
      assert.equal(await blobs.has(a.digest, signal), false);
      assert.deepEqual(await readdir(folder), []);
    });
  });
});

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "wheelhouse-blobs-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
