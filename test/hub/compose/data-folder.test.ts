import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, suite } from "node:test";
import { refuseLostAuthority, refuseLostDatabase } from "../../../hub/compose/data-folder.ts";
import { openStore } from "../../../hub/store/store.ts";
import { describeError, Trouble } from "../../../proto/kit/trouble.ts";
import { addCluster, signal } from "../../contract/store/builders.ts";

const base = await mkdtemp(join(tmpdir(), "wheelhouse-data-folder-"));
after(() => rm(base, { recursive: true, force: true }));

let folders = 0;
async function newFolder(authority: boolean): Promise<string> {
  folders += 1;
  const folder = join(base, String(folders));
  await mkdir(join(folder, "authority"), { recursive: true });
  if (authority) await writeFile(join(folder, "authority", "authority.pem"), "a key");
  return folder;
}

suite("a data folder", () => {
  test("of a first start, also one that was cut short, is taken", async () => {
    const folder = await newFolder(false);
    await refuseLostDatabase(folder);
    await writeFile(join(folder, "hub.sqlite"), "");
    await refuseLostDatabase(folder);
    const store = await openStore({ folder });
    await refuseLostAuthority(folder, store, signal);
    store.close();
  });

  for (const { name, content } of [
    { name: "gone", content: undefined },
    { name: "emptied", content: "" },
  ])
    test(`whose database is ${name} beside an authority is refused, with what to do`, async () => {
      const folder = await newFolder(true);
      if (content !== undefined) await writeFile(join(folder, "hub.sqlite"), content);
      await assert.rejects(refuseLostDatabase(folder), /is empty or gone.*restore a backup/);
    });

  for (const { name, file, look } of [
    { name: "database", file: "hub.sqlite", look: refuseLostDatabase },
    { name: "authority", file: "authority/authority.pem", look: refuseLostDatabase },
    {
      name: "authority beside clusters",
      file: "authority/authority.pem",
      look: async (folder: string) => {
        const store = await openStore({ folder });
        await addCluster(store, "a", {});
        await refuseLostAuthority(folder, store, signal).finally(store.close);
      },
    },
  ])
    test(`whose ${name} cannot be looked at is not taken for one that lost it`, async () => {
      const folder = await newFolder(name === "database");
      // A link to itself is opened by nobody, not even by root.
      await symlink(join(folder, file), join(folder, file));
      await assert.rejects(
        look(folder),
        (error) =>
          error instanceof Trouble && /cannot be looked at: ELOOP/.test(describeError(error)),
      );
    });

  test("whose authority is gone beside clusters is refused, with what to do", async () => {
    const folder = await newFolder(false);
    const store = await openStore({ folder });
    await addCluster(store, "a", {});
    await assert.rejects(
      refuseLostAuthority(folder, store, signal),
      /is gone, and 1 clusters are registered; restore a backup/,
    );
    await writeFile(join(folder, "authority", "authority.pem"), "a key");
    await refuseLostAuthority(folder, store, signal);
    store.close();
  });
});
