import assert from "node:assert/strict";
import test, { after, before, suite } from "node:test";
import { seeded } from "../support/seeded.ts";
import { settled, startFleet, type Fleet } from "../support/fleet.ts";
import { paths, settings, webFolder, webSet } from "../support/story-files.ts";

const kills = 20;

suite("the hub killed under a stream of pushes", () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await startFleet({
      clusters: { "dev-1": { env: "dev", web: "yes" }, "dev-2": { env: "dev", web: "yes" } },
      files: { "fleet/web.yaml": webSet(), ...webFolder("dev", { replicas: 1 }) },
    });
  });
  after(() => fleet.stop());

  test(`after ${kills} kills every cluster runs the last commit, and nothing was deleted and made again`, async (t) => {
    const names = ["web-dev-1", "web-dev-2"];
    const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
    t.diagnostic(`SEED=${seed} repeats this run`);
    const random = seeded(seed);
    await settled(fleet, names, await fleet.repository.head("main", AbortSignal.timeout(10_000)));
    const uids = async (): Promise<readonly (string | undefined)[]> =>
      Promise.all(
        [...fleet.members.values()].flatMap(({ kube }) =>
          Object.values(paths).map(async (path) => (await kube.get(path))?.metadata.uid),
        ),
      );
    const before = await uids();
    assert.ok(before.every((uid) => uid !== undefined));
    let commit = "";
    for (let kill = 1; kill <= kills; kill += 1) {
      for (let pushes = 1 + Math.floor(random() * 3); pushes > 0; pushes -= 1)
        commit = await fleet.push({
          "apps/web/dev/settings.yaml": settings(`kill ${kill}, push ${pushes}`),
        });
      // Anywhere between the push and well after the next poll has found it.
      await new Promise((resolve) => setTimeout(resolve, random() * 1_500));
      await fleet.restartHub("kill");
    }
    await settled(fleet, names, commit, 90_000);
    for (const { kube, name } of fleet.members.values()) {
      const found = await kube.get(paths.settings);
      assert.deepEqual(found?.["data"], { greeting: `kill ${kills}, push 1` }, name);
    }
    assert.deepEqual(await uids(), before);
  });
});
