import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { hash } from "node:crypto";
import {
  mkdtemp,
  open as openFile,
  readdir,
  readFile,
  rm,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, afterEach, before, beforeEach, suite } from "node:test";
import { credentialReader, type RepositoryCredential } from "../../../hub/git/credentials.ts";
import { fetchAside } from "../../../hub/git/fetch-pack.ts";
import { openConnections } from "../../../hub/git/http.ts";
import {
  mirrorLimits,
  openMirrors,
  type Mirror,
  type MirrorLimits,
  type Mirrors,
} from "../../../hub/git/mirror.ts";
import { RepositoryUnavailable } from "../../../hub/git/repository-unavailable.ts";
import { describeError } from "../../../proto/kit/trouble.ts";
import { eventually } from "../../support/eventually.ts";
import { fleetRepository, runGit, type FleetRepository } from "../../support/fleet-repository.ts";
import { startGitServer, type GitServer } from "../../support/git-server.ts";

const signal = new AbortController().signal;
const connections = openConnections(undefined);
after(() => connections.close());

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

async function readAt(mirror: Mirror, commit: string, path: string): Promise<string> {
  const tree = await mirror.open(commit, signal);
  const file = tree?.readFile(path, 1_000_000);
  assert.ok(file?.ok, `${path} at ${commit}`);
  return textOf(file.value);
}

/** Bytes that do not compress, the same ones for the same seed. */
const noise = (seed: number, bytes: number): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(bytes / 32) }, (_, at) =>
      hash("sha256", `${seed} ${at}`, "buffer"),
    ),
  ).subarray(0, bytes);

suite("a mirror", () => {
  let folder = "";
  let server: GitServer;
  let repository: FleetRepository;
  let bare = "";
  let opened: Mirrors[] = [];
  let count = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wheelhouse-mirror-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    count += 1;
    server = await startGitServer({ folder: join(folder, `git-${count}`) }, signal);
    bare = await server.addRepository("fleet", signal);
    repository = fleetRepository(bare);
  });
  afterEach(async () => {
    for (const mirrors of opened) mirrors.close();
    opened = [];
    await server.stop();
  });

  const open = (
    limits: Partial<MirrorLimits> = {},
    credentials: readonly RepositoryCredential[] = [],
    url = server.urlOf("fleet"),
  ): Mirror => {
    const mirrors = openMirrors({
      folder: join(folder, `mirrors-${count}`),
      limits: { ...mirrorLimits, ...limits },
      connections,
      authorization: credentialReader(credentials),
    });
    opened.push(mirrors);
    const mirror = mirrors.of(url);
    assert.ok(mirror.ok);
    return mirror.value;
  };

  const mirrorFolder = async (): Promise<string> => {
    const parent = join(folder, `mirrors-${count}`);
    const [name = ""] = await readdir(parent);
    return join(parent, name);
  };

  const codeOf = async (work: Promise<unknown>): Promise<string> => {
    const error: unknown = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof RepositoryUnavailable, describeError(error));
    return `${error.code} ${describeError(error)}`;
  };

  test("follows a branch, and asks only for the listing when nothing moved", async () => {
    const first = await repository.commit({ files: { "a.txt": "one" } }, signal);
    const mirror = open();
    assert.deepEqual(await mirror.update(["main"], signal), {
      heads: new Map([["main", first]]),
      missing: new Map(),
      rewritten: [],
      fetched: true,
    });
    assert.equal(await readAt(mirror, first, "a.txt"), "one");

    server.resetCounts();
    assert.equal((await mirror.update(["main"], signal)).fetched, false);
    assert.deepEqual(server.counts(), {
      advertisements: 1,
      uploads: 1,
      receives: 0,
      refused: 0,
    });

    const second = await repository.commit({ files: { "b.txt": "two" } }, signal);
    const update = await mirror.update(["main"], signal);
    assert.deepEqual([update.heads.get("main"), update.rewritten], [second, []]);
    assert.equal(await readAt(mirror, second, "a.txt"), "one");
    assert.equal(await readAt(mirror, second, "b.txt"), "two");
    assert.equal(await readAt(mirror, first, "a.txt"), "one");
  });

  test("resolves HEAD, branches, tags of both kinds, whole and shortened commits", async () => {
    const first = await repository.commit({ files: { "a.txt": "1" } }, signal);
    const second = await repository.commit({ files: { "a.txt": "2" } }, signal);
    const third = await repository.commit({ files: { "a.txt": "3" }, branch: "next" }, signal);
    await repository.tag("light", first, "light", signal);
    await repository.tag("noted", first, "annotated", signal);
    const mirror = open();
    const asked = ["HEAD", "main", "next", "refs/heads/next", "light", "noted", first];
    const update = await mirror.update([...asked, first.slice(0, 9), "nowhere"], signal);
    assert.deepEqual(
      update.heads,
      new Map([
        ["HEAD", second],
        ["main", second],
        ["next", third],
        ["refs/heads/next", third],
        ["light", first],
        ["noted", first],
        [first, first],
        [first.slice(0, 9), first],
      ]),
    );
    assert.deepEqual(
      [...update.missing],
      [["nowhere", 'there is no branch, tag or commit "nowhere" (the repository has 2 branches)']],
    );
  });

  test("finds a commit that only an old branch position names, alone", async () => {
    const first = await repository.commit({ files: { "a.txt": "1" } }, signal);
    const second = await repository.commit({ files: { "a.txt": "2" } }, signal);
    await repository.commit({ files: { "a.txt": "3" } }, signal);
    const mirror = open();
    const update = await mirror.update([first, second.slice(0, 8)], signal);
    assert.deepEqual([...update.heads.values()], [first, second]);
    const missing = await mirror.update(["0123456789".repeat(4)], signal);
    assert.match([...missing.missing.values()].join(), /there is no commit 0123/);
  });

  test("a rewritten history wins and is told", async () => {
    const first = await repository.commit({ files: { "a.txt": "1" } }, signal);
    const mirror = open();
    await mirror.update(["main"], signal);
    const second = await repository.commit({ files: { "b.txt": "2" }, rewrite: true }, signal);
    const update = await mirror.update(["main"], signal);
    assert.deepEqual(update.heads, new Map([["main", second]]));
    assert.deepEqual(update.rewritten, [{ revision: "main", from: first, to: second }]);
    assert.equal(await readAt(mirror, second, "b.txt"), "2");
  });

  test("a branch moved back is a rewrite too", async () => {
    const first = await repository.commit({ files: { "a.txt": "1" } }, signal);
    const second = await repository.commit({ files: { "a.txt": "2" } }, signal);
    const mirror = open();
    await mirror.update(["main"], signal);
    await repository.moveBranch("main", first, signal);
    const update = await mirror.update(["main"], signal);
    assert.deepEqual(update.rewritten, [{ revision: "main", from: second, to: first }]);
  });

  test("a branch that is gone keeps its last commit on record", async () => {
    await repository.commit({ files: { "a.txt": "1" } }, signal);
    const next = await repository.commit({ files: { "a.txt": "2" }, branch: "next" }, signal);
    const mirror = open();
    await mirror.update(["main", "next"], signal);
    await repository.removeBranch("next", signal);
    const update = await mirror.update(["main", "next"], signal);
    assert.deepEqual([...update.missing.keys()], ["next"]);
    assert.equal((await mirror.heads(signal)).get("next"), next);
    assert.equal(await readAt(mirror, next, "a.txt"), "2");
  });

  test("an empty repository has no revisions", async () => {
    const update = await open().update(["main"], signal);
    assert.deepEqual(
      [...update.missing],
      [["main", 'the repository is empty, so there is no revision "main"']],
    );
  });

  test("survives a restart without the network", async () => {
    const first = await repository.commit({ files: { "a.txt": "1" } }, signal);
    await open().update(["main"], signal);
    server.setFault({ kind: "down" });
    const again = open();
    assert.deepEqual(await again.heads(signal), new Map([["main", first]]));
    assert.equal(await readAt(again, first, "a.txt"), "1");
    assert.match(await codeOf(again.update(["main"], signal)), /^WH-GIT-3001 repository .*fleet/);
  });

  const faults = [
    {
      name: "a server error",
      fault: { kind: "status", status: 500 },
      expect: /^WH-GIT-3001 .*500/,
    },
    { name: "no such repository", fault: { kind: "status", status: 404 }, expect: /^WH-GIT-3003/ },
    { name: "a refusal", fault: { kind: "status", status: 403 }, expect: /^WH-GIT-3002/ },
    {
      name: "a page that is not Git",
      fault: { kind: "status", status: 200 },
      expect: /^WH-GIT-3001/,
    },
    { name: "a closed door", fault: { kind: "down" }, expect: /^WH-GIT-3001/ },
    { name: "a broken answer", fault: { kind: "cut", afterBytes: 20 }, expect: /^WH-GIT-3001/ },
  ] as const;
  for (const { name, fault, expect } of faults)
    test(`${name} is told and leaves what was here`, async () => {
      const first = await repository.commit({ files: { "a.txt": "1" } }, signal);
      const mirror = open();
      await mirror.update(["main"], signal);
      server.setFault(fault);
      assert.match(await codeOf(mirror.update(["main"], signal)), expect);
      assert.equal(await readAt(mirror, first, "a.txt"), "1");
      server.setFault({ kind: "none" });
      assert.deepEqual((await mirror.update(["main"], signal)).missing, new Map());
    });

  test("a pack cut short is not kept, and the next try is whole", async () => {
    const first = await repository.commit({ files: { "noise.bin": noise(1, 60_000) } }, signal);
    const mirror = open();
    server.setFault({ kind: "cut", afterBytes: 3_000 });
    await assert.rejects(mirror.update(["main"], signal), RepositoryUnavailable);
    assert.equal(await mirror.open(first, signal), undefined);
    server.setFault({ kind: "none" });
    assert.deepEqual((await mirror.update(["main"], signal)).heads, new Map([["main", first]]));
  });

  test("a slow answer is given up, and so is one the caller no longer wants", async () => {
    await repository.commit({ files: { "a.txt": "1" } }, signal);
    server.setFault({ kind: "slow", delayMs: 60_000 });
    assert.match(
      await codeOf(open({ listingMs: 50 }).update(["main"], signal)),
      /^WH-GIT-3006 .*longer than 50 ms/,
    );
    const gone = new AbortController();
    const pending = open().update(["main"], gone.signal);
    gone.abort(new Error("not wanted any more"));
    await assert.rejects(pending, /not wanted any more/);
  });

  test("an unreachable host is told", async () => {
    const { url } = server;
    await server.stop();
    assert.match(
      await codeOf(open({}, [], `${url}/fleet.git`).update(["main"], signal)),
      /^WH-GIT-3001 .*ECONNREFUSED/,
    );
  });

  test("a repository over the limit is kept as snapshots, one over that is refused", async () => {
    for (const seed of [3, 5, 7, 11])
      await repository.commit({ files: { "n.bin": noise(seed, 40_000) } }, signal);
    const mirror = open({ historyBytesMost: 20_000, packsMost: 2 });
    await mirror.update(["main"], signal);
    let last = "";
    for (const seed of [13, 17, 19, 23]) {
      last = await repository.commit(
        { files: { "n.bin": noise(seed, 40_000), [`${seed}`]: "x" } },
        signal,
      );
      const update = await mirror.update(["main"], signal);
      assert.deepEqual([update.heads.get("main"), update.rewritten], [last, []]);
    }
    assert.equal(await readAt(mirror, last, "13"), "x");
    const packs = await readdir(join(await mirrorFolder(), "objects", "pack"));
    assert.ok(packs.length <= 2 * 3, packs.join());

    await rm(join(folder, `mirrors-${count}`), { recursive: true, force: true });
    const strict = open({ historyBytesMost: 1_000, snapshotBytesMost: 1_000 });
    assert.match(
      await codeOf(strict.update(["main"], signal)),
      /^WH-GIT-3006 .*more than 1000 bytes/,
    );
  });

  test("packs that pile up become one", async () => {
    const mirror = open({ packsMost: 4 });
    let last = "";
    for (let commit = 0; commit < 12; commit += 1) {
      last = await repository.commit({ files: { [`f-${commit}`]: `${commit}` } }, signal);
      await mirror.update(["main"], signal);
    }
    const packs = (await readdir(join(await mirrorFolder(), "objects", "pack"))).filter((name) =>
      name.endsWith(".pack"),
    );
    assert.ok(packs.length <= 5, packs.join());
    assert.equal(await readAt(mirror, last, "f-0"), "0");
    assert.equal(await readAt(mirror, last, "f-11"), "11");
    await runGit(await mirrorFolder(), ["fsck", "--full", "--no-dangling", last], "", signal);
  });

  test("what a kill leaves is swept away and fetched again", async () => {
    const first = await repository.commit({ files: { "a.txt": "1" } }, signal);
    await open().update(["main"], signal);
    const packFolder = join(await mirrorFolder(), "objects", "pack");
    const [pack = ""] = (await readdir(packFolder)).filter((name) => name.endsWith(".pack"));
    await truncate(join(packFolder, pack), 30);
    await writeFile(join(packFolder, "pack-half.pack"), "PACK");
    const again = open();
    assert.equal(await again.open(first, signal), undefined);
    assert.deepEqual((await again.update(["main"], signal)).heads, new Map([["main", first]]));
    assert.equal(await readAt(again, first, "a.txt"), "1");
  });

  test("a mirror whose notes or packs are broken is made again", async () => {
    const first = await repository.commit({ files: { "a.txt": "1".repeat(5_000) } }, signal);
    await open().update(["main"], signal);
    await writeFile(join(await mirrorFolder(), "wheelhouse.json"), "{");
    const again = open();
    assert.deepEqual(await again.heads(signal), new Map());
    await again.update(["main"], signal);
    assert.equal((await readAt(again, first, "a.txt")).length, 5_000);
  });

  test("a configuration that was changed under it leads no fetch astray", async () => {
    await repository.commit({ files: { "a.txt": "one" } }, signal);
    const mirror = open();
    await mirror.update(["main"], signal);
    await writeFile(
      join(await mirrorFolder(), "config"),
      '[core]\n\tbare = true\n[remote "origin"]\n\tfetch = +refs/heads/*:refs/elsewhere/*\n',
    );
    const second = await repository.commit({ files: { "a.txt": "two" } }, signal);
    const update = await mirror.update(["main"], signal);
    assert.equal(update.heads.get("main"), second);
    assert.equal(await readAt(mirror, second, "a.txt"), "two");
  });

  test("killed in the middle of fetching, twenty times, it ends at the last commit", async () => {
    const program = `
      import { openMirrors, mirrorLimits } from "${new URL("../../../hub/git/mirror.ts", import.meta.url).href}";
      import { openConnections } from "${new URL("../../../hub/git/http.ts", import.meta.url).href}";
      const mirrors = openMirrors({
        folder: process.argv[1], limits: { ...mirrorLimits, packsMost: 3 },
        connections: openConnections(undefined), authorization: async () => undefined,
      });
      const signal = new AbortController().signal;
      for (;;) {
        const update = await mirrors.of(process.argv[2]).value.update(["main"], signal);
        console.log(update.heads.get("main"));
      }`;
    let last = "";
    for (let round = 0; round < 20; round += 1) {
      last = await repository.commit(
        { files: { "a.txt": `${round}`, [`f-${round}`]: "x".repeat(round * 1_000) } },
        signal,
      );
      const child = spawn(
        process.execPath,
        [
          "--input-type=module",
          "-e",
          program,
          join(folder, `mirrors-${count}`),
          server.urlOf("fleet"),
        ],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
      // Killed at a different moment each time: from before the first request to after the first commit.
      if (round % 4 === 3) await eventually(() => assert.match(said, /\w/));
      else
        await eventually(() =>
          assert.ok(server.counts().uploads + server.counts().advertisements > round % 4),
        );
      child.kill("SIGKILL");
      await exited;
      server.resetCounts();
    }
    const mirror = open();
    const update = await mirror.update(["main"], signal);
    assert.deepEqual(update.heads, new Map([["main", last]]));
    assert.equal(await readAt(mirror, last, "a.txt"), "19");
    assert.equal(await readAt(mirror, last, "f-3"), "x".repeat(3_000));
  });

  test("what git pushes arrives", async () => {
    await repository.commit({ files: { "a.txt": "1" } }, signal);
    const clone = join(folder, `clone-${count}`);
    await runGit(folder, ["clone", "-q", server.urlOf("fleet"), clone], "", signal);
    await writeFile(join(clone, "b.txt"), "pushed");
    await runGit(clone, ["add", "."], "", signal);
    await runGit(clone, ["commit", "-qm", "push"], "", signal);
    await runGit(clone, ["push", "-q"], "", signal);
    const mirror = open();
    const { heads } = await mirror.update(["HEAD"], signal);
    assert.equal(await readAt(mirror, heads.get("HEAD") ?? "", "b.txt"), "pushed");
  });

  suite("with credentials", () => {
    let guarded: GitServer;
    before(async () => {
      guarded = await startGitServer(
        {
          folder: join(folder, "guarded"),
          basicAuth: { username: "hub", password: "correct horse" },
          bearerToken: "t0ken",
        },
        signal,
      );
      await fleetRepository(await guarded.addRepository("secret", signal)).commit(
        { files: { "a.txt": "1" } },
        signal,
      );
      await writeFile(join(folder, "right"), "correct horse\n");
      await writeFile(join(folder, "wrong"), "hunter2-wrong");
      await writeFile(join(folder, "token"), "t0ken");
    });
    after(() => guarded.stop());
    const basic = (file: string): RepositoryCredential => ({
      kind: "basic",
      urlPrefix: guarded.url,
      username: "hub",
      passwordFile: join(folder, file),
    });

    test("signs in with a password or a token from a file", async () => {
      const bearer: RepositoryCredential = {
        kind: "bearer",
        urlPrefix: `${guarded.url}/secret.git`,
        tokenFile: join(folder, "token"),
      };
      for (const credentials of [[basic("right")], [basic("wrong"), bearer]]) {
        const update = await open({}, credentials, guarded.urlOf("secret")).update(
          ["main"],
          signal,
        );
        assert.equal(update.heads.size, 1);
      }
    });

    test("says which credential is refused, not what it is", async () => {
      const refused = await codeOf(
        open({}, [basic("wrong")], guarded.urlOf("secret")).update(["main"], signal),
      );
      assert.match(refused, /^WH-GIT-3002 .*401/);
      assert.doesNotMatch(refused, /hunter2|horse/);
      assert.match(
        await codeOf(open({}, [], guarded.urlOf("secret")).update(["main"], signal)),
        /^WH-GIT-3002/,
      );
      assert.match(
        await codeOf(open({}, [basic("absent")], guarded.urlOf("secret")).update(["main"], signal)),
        /^WH-GIT-3009 .*absent/,
      );
    });

    test("a prefix ends at a slash", async () => {
      const other: RepositoryCredential = { ...basic("right"), urlPrefix: `${guarded.url}/sec` };
      await codeOf(open({}, [other], guarded.urlOf("secret")).update(["main"], signal));
      assert.equal(guarded.lastAuthorization(), undefined);
    });

    test("credentials do not follow a redirect to another origin", async () => {
      server.setFault({ kind: "redirect", to: guarded.url });
      const here: RepositoryCredential = { ...basic("right"), urlPrefix: server.url };
      guarded.resetCounts();
      assert.match(
        await codeOf(open({}, [here], `${server.url}/secret.git`).update(["main"], signal)),
        /^WH-GIT-3007 .*credentials are not sent/,
      );
      assert.deepEqual(guarded.counts().refused, 0);
    });
  });

  test("follows a redirect when there is nothing to give away", async () => {
    const first = await repository.commit({ files: { "a.txt": "1" } }, signal);
    const front = await startGitServer({ folder: join(folder, `front-${count}`) }, signal);
    front.setFault({ kind: "redirect", to: server.url });
    const update = await open({}, [], front.urlOf("fleet")).update(["main"], signal);
    assert.deepEqual(update.heads, new Map([["main", first]]));
    await front.stop();
  });

  test("first fetches may be done aside, and fail there as they do here", async () => {
    const first = await repository.commit({ files: { "a.txt": "1" } }, signal);
    const aside = fetchAside({ certificateAuthority: undefined });
    assert.ok(aside);
    let orders = 0;
    const openAside = (limits: Partial<MirrorLimits> = {}): Mirror => {
      const mirrors = openMirrors({
        folder: join(folder, `aside-${count}-${orders}`),
        limits: { ...mirrorLimits, ...limits },
        connections,
        authorization: credentialReader([]),
        fetchAside: (order, fetchSignal) => {
          orders += 1;
          return aside(order, fetchSignal);
        },
      });
      opened.push(mirrors);
      const mirror = mirrors.of(server.urlOf("fleet"));
      assert.ok(mirror.ok);
      return mirror.value;
    };
    const mirror = openAside();
    assert.deepEqual((await mirror.update(["main"], signal)).heads, new Map([["main", first]]));
    assert.equal(orders, 1);
    const second = await repository.commit({ files: { "a.txt": "2" } }, signal);
    assert.deepEqual((await mirror.update(["main"], signal)).heads, new Map([["main", second]]));
    assert.equal(orders, 1, "what follows is fetched here");

    const strict = openAside({ historyBytesMost: 100, snapshotBytesMost: 100 });
    assert.match(
      await codeOf(strict.update(["main"], signal)),
      /^WH-GIT-3006 .*more than 100 bytes/,
    );

    const gone = new AbortController();
    server.setFault({ kind: "none" });
    const stopped = openAside();
    const pending = stopped.update(["main"], gone.signal);
    gone.abort(new Error("not wanted any more"));
    await assert.rejects(pending, /not wanted any more/);
  });

  test("a commit named whole is asked for once", async () => {
    const first = await repository.commit({ files: { "a.txt": "1" } }, signal);
    const mirror = open();
    await mirror.update([first], signal);
    server.resetCounts();
    server.setFault({ kind: "down" });
    assert.deepEqual((await mirror.update([first], signal)).heads, new Map([[first, first]]));
  });

  test("a copy that a reader finds broken is made again at the next look", async () => {
    const first = await repository.commit({ files: { "a.bin": noise(9, 50_000) } }, signal);
    const mirror = open();
    await mirror.update(["main"], signal);
    const packFolder = join(await mirrorFolder(), "objects", "pack");
    const [pack = ""] = (await readdir(packFolder)).filter((name) => name.endsWith(".pack"));
    const file = await openFile(join(packFolder, pack), "r+");
    const { size } = await file.stat();
    await file.write(Buffer.alloc(20_000, 7), 0, 20_000, Math.floor(size / 3));
    await file.close();
    const tree = await mirror.open(first, signal);
    assert.throws(() => tree?.readFile("a.bin", 100_000), /cannot be inflated|wrong size|broken/);
    await mirror.update(["main"], signal);
    const again = await mirror.open(first, signal);
    const read = again?.readFile("a.bin", 100_000);
    assert.ok(read?.ok);
    assert.deepEqual(Buffer.from(read.value), noise(9, 50_000));
  });

  test("the mirror's folder does not show the address", async () => {
    await repository.commit({ files: { "a.txt": "1" } }, signal);
    await open().update(["main"], signal);
    const path = await mirrorFolder();
    assert.match(path, /\/[0-9a-f]{32}$/);
    assert.match(await readFile(join(path, "wheelhouse.json"), "utf8"), /fleet\.git/);
  });
});
