import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { suite } from "node:test";
import fc from "fast-check";
import { silentLog, type Fields, type Log } from "../../../proto/kit/log.ts";
import type { DesiredApplication, Tombstone } from "../../../proto/words/desired.ts";
import { digestOfText } from "../../../proto/words/digest.ts";
import type { ApplicationName } from "../../../proto/words/ids.ts";
import type { ServiceAccount } from "../../../proto/words/service-account.ts";
import { openDesiredSet } from "../../../spoke/disk/desired-set.ts";
import { DiskUnavailable } from "../../../spoke/disk/disk-unavailable.ts";
import { emptyHeldSet, type HeldSet } from "../../../spoke/domain/held-set.ts";

const { signal } = new AbortController();

suite("desired set on disk", () => {
  test("nothing written reads as the empty set", async () => {
    await inFolder(async (folder) => {
      assert.deepEqual(await openDesiredSet(folder, silentLog).read(signal), emptyHeldSet);
    });
  });

  test("what was written is read by the next process", async () => {
    await inFolder(async (folder) => {
      await openDesiredSet(folder, silentLog).write(someSet, signal);
      assert.deepEqual(await openDesiredSet(folder, silentLog).read(signal), someSet);
    });
  });

  test("reading gives what was written, whatever it was", async () => {
    await inFolder(async (folder) => {
      const file = openDesiredSet(folder, silentLog);
      const law = fc.asyncProperty(heldSets, async (held) => {
        await file.write(held, signal);
        assert.deepEqual(await file.read(signal), held);
      });
      await fc.assert(law, { numRuns: 25 });
    });
  });

  const damages: readonly {
    readonly name: string;
    readonly damage: (path: string) => Promise<void>;
  }[] = [
    { name: "cut in the middle", damage: async (path) => await truncate(path, 200) },
    { name: "emptied", damage: async (path) => await truncate(path, 0) },
    {
      name: "with one bit flipped",
      damage: async (path) => {
        const bytes = await readFile(path);
        bytes[150] = (bytes[150] ?? 0) ^ 1;
        await writeFile(path, bytes);
      },
    },
    {
      name: "of a format from the future",
      damage: async (path) =>
        await writeFile(path, `wheelhouse-desired-set 2 ${digestOfText("{}")}\n{}`),
    },
    {
      name: "with a right checksum over the wrong things",
      damage: async (path) =>
        await writeFile(path, `wheelhouse-desired-set 1 ${digestOfText("{}")}\n{}`),
    },
  ];
  for (const { name, damage } of damages) {
    test(`a file ${name} is set aside, said to be so, and read as none`, async () => {
      await inFolder(async (folder) => {
        const lines: string[] = [];
        await openDesiredSet(folder, silentLog).write(someSet, signal);
        await damage(join(folder, "desired-set"));
        const file = openDesiredSet(folder, recordingLog(lines));
        assert.deepEqual(await file.read(signal), emptyHeldSet);
        assert.deepEqual(await readdir(folder), ["desired-set.damaged"]);
        assert.deepEqual(lines, ["error damaged desired set set aside"]);
        await file.write(someSet, signal);
        assert.deepEqual(await file.read(signal), someSet);
      });
    });
  }

  test("a process killed between writing and renaming leaves the set before, and no rubbish for long", async () => {
    await inFolder(async (folder) => {
      await openDesiredSet(folder, silentLog).write(someSet, signal);
      await writeFile(join(folder, ".writing-999-1"), "wheelhouse-desired-set 1 half of");
      assert.deepEqual(await openDesiredSet(folder, silentLog).read(signal), someSet);
      assert.deepEqual(await readdir(folder), ["desired-set"]);
    });
  });

  test("a folder that cannot be written to is trouble, and heals when it can", async () => {
    await inFolder(async (folder) => {
      const state = join(folder, "state");
      await writeFile(state, "a file where the folder should be");
      const file = openDesiredSet(state, silentLog);
      await assert.rejects(file.write(someSet, signal), DiskUnavailable);
      await rm(state);
      await file.write(someSet, signal);
      assert.deepEqual(await file.read(signal), someSet);
    });
  });

  test("a set that cannot be replaced stays as it was", async () => {
    await inFolder(async (folder) => {
      const file = openDesiredSet(folder, silentLog);
      await file.write(someSet, signal);
      const held = await file.read(signal);
      // A directory under the name of the next unfinished file stands in for a disk that refuses to write.
      await mkdir(join(folder, `.writing-${process.pid}-2`));
      await assert.rejects(file.write(emptyHeldSet, signal), DiskUnavailable);
      assert.deepEqual(await file.read(signal), held);
    });
  });

  test("a folder taken away under a running process is made again", async () => {
    await inFolder(async (folder) => {
      const file = openDesiredSet(join(folder, "state"), silentLog);
      await file.write(someSet, signal);
      await rm(join(folder, "state"), { recursive: true });
      assert.deepEqual(await file.read(signal), emptyHeldSet);
      await file.write(someSet, signal);
      assert.deepEqual(await file.read(signal), someSet);
    });
  });

  test("an aborted signal is obeyed before anything is written", async () => {
    await inFolder(async (folder) => {
      const aborted = AbortSignal.abort(new Error("stop"));
      await assert.rejects(openDesiredSet(folder, silentLog).write(someSet, aborted), /stop/);
      assert.deepEqual(await readdir(folder), []);
    });
  });
});

const web: DesiredApplication = {
  application: "web" as ApplicationName,
  generation: 3,
  revision: "a".repeat(40),
  bundle: digestOfText("bundle"),
  project: "default",
  destinationNamespace: "shop",
  policy: {
    automated: true,
    prune: true,
    selfHeal: false,
    allowEmpty: false,
    createNamespace: true,
    conflicts: "override",
  },
  trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  serviceAccount: "shop:deployer" as ServiceAccount,
};

const oldShop: Tombstone = {
  application: "old-shop" as ApplicationName,
  generation: 9,
  cause: "no-longer-generated",
  actor: "b".repeat(40),
  keepObjects: true,
  serviceAccount: "old-shop:deployer" as ServiceAccount,
};

const someSet: HeldSet = {
  hubId: "hub-1",
  version: 12,
  epochSeen: 7,
  applications: new Map([[web.application, web]]),
  tombstones: new Map([[oldShop.application, oldShop]]),
  strays: new Set(["stray" as ApplicationName]),
  executedCommands: ["01J00000000000000000000000"],
};

const names = fc.constantFrom("a", "b", "c-1", "d.e") as fc.Arbitrary<ApplicationName>;

const heldSets: fc.Arbitrary<HeldSet> = fc.record(
  {
    hubId: fc.string({ unit: "grapheme" }),
    version: fc.nat(),
    epochSeen: fc.nat(),
    applications: fc
      .uniqueArray(fc.tuple(names, fc.string({ unit: "grapheme" }), fc.boolean()), {
        selector: ([name]) => name,
      })
      .map(
        (entries) =>
          new Map(
            entries.map(([application, revision, prune]) => [
              application,
              { ...web, application, revision, policy: { ...web.policy, prune } },
            ]),
          ),
      ),
    tombstones: fc
      .uniqueArray(names)
      .map(
        (list) => new Map(list.map((application) => [application, { ...oldShop, application }])),
      ),
    strays: fc.uniqueArray(names).map((list) => new Set(list)),
    executedCommands: fc.array(fc.string()),
  },
  { noNullPrototype: true },
);

function recordingLog(lines: string[]): Log {
  const at =
    (level: string) =>
    (event: string, _fields?: Fields): void =>
      void lines.push(`${level} ${event}`);
  const log: Log = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: () => log,
  };
  return log;
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "wheelhouse-desired-set-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
