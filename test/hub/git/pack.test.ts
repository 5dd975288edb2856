import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before, suite } from "node:test";
import { MirrorDamaged } from "../../../hub/git/mirror-damaged.ts";
import { openObjects, type ObjectStore } from "../../../hub/git/objects.ts";
import { checkPack, joinPacks, sweepPacks } from "../../../hub/git/pack-files.ts";
import { fleetRepository, runGit } from "../../support/fleet-repository.ts";

const signal = new AbortController().signal;

type Listed = { readonly oid: string; readonly type: string; readonly size: number };

/** What git itself says is in a repository. */
async function listed(folder: string): Promise<readonly Listed[]> {
  const text = await runGit(
    folder,
    ["cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype) %(objectsize)"],
    "",
    signal,
  );
  return text
    .toString()
    .trim()
    .split("\n")
    .map((line) => {
      const [oid = "", type = "", size = ""] = line.split(" ");
      return { oid, type, size: Number(size) };
    });
}

async function assertSameAsGit(folder: string, objects: ObjectStore): Promise<void> {
  const rows = await listed(folder);
  assert.ok(rows.length > 100);
  for (const { oid, type, size } of rows) {
    const object = objects.read(oid);
    assert.equal(object?.type, type);
    assert.equal(object?.bytes.length, size);
    assert.equal(objects.size(oid), size);
    const header = Buffer.from(`${type} ${size}\0`);
    assert.equal(
      (await import("node:crypto")).hash("sha1", Buffer.concat([header, object?.bytes ?? header])),
      oid,
    );
  }
}

suite("openObjects", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wheelhouse-pack-"));
    await runGit(folder, ["init", "--quiet", "--bare", "--initial-branch=main", "."], "", signal);
    await runGit(folder, ["config", "fastimport.unpackLimit", "1"], "", signal);
    const repository = fleetRepository(folder);
    const base = Array.from({ length: 400 }, (_, line) => `line ${line}: ${line * line}`);
    for (let commit = 0; commit < 40; commit += 1) {
      const lines = base.with(commit * 7, `changed ${commit}`);
      await repository.commit(
        {
          files: {
            "big.txt": lines.join("\n"),
            [`apps/app-${commit}/deployment.yaml`]: `${lines.slice(0, 50).join("\n")}\n# ${commit}`,
          },
        },
        signal,
      );
    }
    await repository.tag("v1", "main", "annotated", signal);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("reads many small packs as git does", async () => {
    const objects = openObjects(folder);
    await assertSameAsGit(folder, objects);
    objects.close();
  });

  test("reads deltas as git does, offsets and references to bases alike", async () => {
    const packed = `${folder}-packed`;
    await cp(folder, packed, { recursive: true });
    try {
      await fleetRepository(packed).collectGarbage(signal);
      const verified = await runGit(
        packed,
        ["verify-pack", "-v", join(packed, "objects/pack", await onlyIndex(packed))],
        "",
        signal,
      );
      assert.match(verified.toString(), /chain length = [2-9]/);
      const objects = openObjects(packed);
      await assertSameAsGit(packed, objects);
      assert.equal(objects.read("0".repeat(40)), undefined);
      assert.equal(objects.has("f".repeat(40)), false);
      objects.close();

      // The same objects with bases named by id.
      await runGit(packed, ["repack", "-a", "-d", "-f", "-q"], "", signal);
      await runGit(packed, ["config", "repack.useDeltaBaseOffset", "false"], "", signal);
      await runGit(packed, ["repack", "-a", "-d", "-f", "-q"], "", signal);
      const again = openObjects(packed);
      await assertSameAsGit(packed, again);
      again.close();
    } finally {
      await rm(packed, { recursive: true, force: true });
    }
  });

  test("reads loose objects", async () => {
    const loose = `${folder}-loose`;
    await cp(folder, loose, { recursive: true });
    try {
      const oid = (await runGit(loose, ["hash-object", "-w", "--stdin"], "not in any pack", signal))
        .toString()
        .trim();
      const objects = openObjects(loose);
      assert.equal(Buffer.from(objects.read(oid)?.bytes ?? []).toString(), "not in any pack");
      assert.equal(objects.size(oid), 15);
      assert.deepEqual(objects.withPrefix(oid.slice(0, 8), 10), [oid]);
      objects.close();
    } finally {
      await rm(loose, { recursive: true, force: true });
    }
  });

  test("finds ids by their beginning", async () => {
    const objects = openObjects(folder);
    const rows = await listed(folder);
    for (const { oid } of rows.slice(0, 20))
      assert.deepEqual(
        objects.withPrefix(oid.slice(0, 5), 50).toSorted(),
        rows.map((row) => row.oid).filter((other) => other.startsWith(oid.slice(0, 5))),
      );
    objects.close();
  });

  test("an object larger than the limit is named, not read", () => {
    const objects = openObjects(folder, { objectBytesMost: 50, cacheBytesMost: 1_000 });
    const big = objects.packs().length;
    assert.ok(big > 0);
    return listed(folder).then((rows) => {
      const row = rows.find(({ size, type }) => size > 1_000 && type === "blob");
      assert.throws(() => objects.read(row?.oid ?? ""), MirrorDamaged);
      objects.close();
    });
  });

  test("joining packs loses nothing, and git agrees", async () => {
    const joined = `${folder}-joined`;
    await cp(folder, joined, { recursive: true });
    try {
      const packFolder = join(joined, "objects", "pack");
      const held = openObjects(joined);
      const names = held.packs().map(({ name }) => name);
      assert.ok(names.length > 30);
      const before = await listed(joined);
      assert.equal(await joinPacks(packFolder, names, signal), true);
      assert.equal((await readdir(packFolder)).length, 2);
      held.refresh();
      await assertSameAsGit(joined, held);
      held.close();
      assert.deepEqual(await listed(joined), before);
      await runGit(joined, ["fsck", "--full", "--strict"], "", signal);
      const [name] = openObjects(joined).packs();
      await checkPack(join(packFolder, `${name?.name}.pack`), signal);
    } finally {
      await rm(joined, { recursive: true, force: true });
    }
  });

  test("a sweep removes what a kill leaves and nothing else", async () => {
    const swept = `${folder}-swept`;
    await cp(folder, swept, { recursive: true });
    try {
      await fleetRepository(swept).collectGarbage(signal);
      const packFolder = join(swept, "objects", "pack");
      const whole = (await onlyIndex(swept)).replace(/\.idx$/, "");
      for (const [copy, part] of [
        ["pack-a", "pack"],
        ["pack-b", "idx"],
        ["pack-c", "pack"],
        ["pack-c", "idx"],
        ["pack-d", "pack"],
        ["pack-d", "idx"],
      ] as const)
        await cp(join(packFolder, `${whole}.${part}`), join(packFolder, `${copy}.${part}`));
      await truncate(join(packFolder, "pack-c.pack"), 2_000);
      await truncate(join(packFolder, "pack-d.idx"), 3_000);
      await writeFile(join(packFolder, "joining.tmp"), "half");
      await sweepPacks(packFolder);
      assert.deepEqual(
        (await readdir(packFolder)).filter((name) => !name.endsWith(".rev")).toSorted(),
        [`${whole}.idx`, `${whole}.pack`],
      );
    } finally {
      await rm(swept, { recursive: true, force: true });
    }
  });

  test("broken bytes are damage, never a wrong object", async () => {
    const broken = `${folder}-broken`;
    await cp(folder, broken, { recursive: true });
    try {
      await fleetRepository(broken).collectGarbage(signal);
      const packFolder = join(broken, "objects", "pack");
      const name = (await onlyIndex(broken)).replace(/\.idx$/, ".pack");
      const { open } = await import("node:fs/promises");
      const file = await open(join(packFolder, name), "r+");
      const { size } = await file.stat();
      for (let at = 200; at < size - 20; at += 97) await file.write(Buffer.from([0xa5]), 0, 1, at);
      await file.close();
      await assert.rejects(checkPack(join(packFolder, name), signal), MirrorDamaged);
      const objects = openObjects(broken);
      let damaged = 0;
      for (const { oid } of await listed(folder)) {
        try {
          objects.read(oid);
        } catch (error) {
          assert.ok(error instanceof MirrorDamaged, String(error));
          damaged += 1;
        }
      }
      assert.ok(damaged > 10);
      objects.close();
    } finally {
      await rm(broken, { recursive: true, force: true });
    }
  });
});

async function onlyIndex(folder: string): Promise<string> {
  const names = (await readdir(join(folder, "objects", "pack"))).filter((name) =>
    name.endsWith(".idx"),
  );
  assert.equal(names.length, 1);
  return names[0] ?? "";
}
