import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import test, { suite } from "node:test";
import { eventually } from "../support/eventually.ts";
import { settled, startFleet, type Fleet } from "../support/fleet.ts";
import { startSpoke } from "../support/processes.ts";
import { paths, settings, webFolder, webSet } from "../support/story-files.ts";

type ClusterView = {
  readonly connection: { readonly kind: string };
  readonly locked?: { readonly why: string };
};

/** One stolen identity, cut off with real processes while what runs goes on. */
suite("cut off", () => {
  test("a locked cluster is out within five seconds and keeps itself; joined anew it comes back, and the old identity does not", async () => {
    const fleet = await startFleet({
      clusters: { "dev-1": { env: "dev", web: "yes" } },
      files: { "fleet/web.yaml": webSet(), ...webFolder("dev") },
    });
    try {
      const head = () => fleet.repository.head("main", AbortSignal.timeout(10_000));
      await settled(fleet, ["web-dev-1"], await head());
      const { kube } = fleet.member("dev-1");
      const uidOf = async (path: string) => (await kube.get(path))?.metadata.uid;
      const before = await Promise.all(Object.values(paths).map(uidOf));
      const cluster = () => fleet.api.get<ClusterView>("/v1/clusters/dev-1");

      await fleet.api.send("POST", "/v1/clusters/dev-1/lock", { reason: "a laptop was lost" });
      await eventually(
        async () => {
          const view = await cluster();
          assert.equal(view.connection.kind, "detached");
          assert.match(view.locked?.why ?? "", /a laptop was lost/);
        },
        { withinMs: 5_000, isPromise: true, what: "a locked cluster without a session" },
      );
      // The hub publishes on; nothing of it gets in, nothing in the cluster is lost, and drift is mended.
      const commit = await fleet.push({ "apps/web/dev/settings.yaml": settings("after the lock") });
      await eventually(async () => {
        const summary = await fleet.api.get<{ readonly published?: { readonly commit: string } }>(
          "/v1/fleet/summary",
        );
        assert.equal(summary.published?.commit, commit);
      });
      await kube.edit(paths.settings, { data: { greeting: "by hand" } });
      await eventually(async () => {
        const greeting = (await kube.get(paths.settings))?.["data"];
        assert.deepEqual(greeting, { greeting: "hello" });
      });
      assert.deepEqual(await Promise.all(Object.values(paths).map(uidOf)), before);
      assert.match(fleet.member("dev-1").spoke.log(), /WH-ID-2106/);

      // A token that was made before is worth nothing; the new one lets the owner's spoke back in.
      const early = await fleet.api.send<{ readonly token: string }>(
        "POST",
        "/v1/clusters/dev-1/join-token",
        {},
      );
      const { token } = await fleet.api.send<{ readonly token: string }>(
        "POST",
        "/v1/clusters/dev-1/rejoin",
        {},
      );
      await fleet.member("dev-1").spoke.stop();
      await refusedWith(fleet, early.token, /WH-JOIN-2005/);
      const member = fleet.member("dev-1");
      member.spoke = startSpoke({
        folder: member.folder,
        kubeconfig: member.kubeconfig,
        hub: fleet.hub,
        joinToken: token,
      });
      await settled(fleet, ["web-dev-1"], commit);
      const back = await cluster();
      assert.deepEqual([back.connection.kind, back.locked], ["attached", undefined]);
      assert.deepEqual(await Promise.all(Object.values(paths).map(uidOf)), before);
      const { items } = await fleet.api.get<{
        readonly items: readonly { readonly kind: string }[];
      }>("/v1/events?after=0&limit=500&subject=dev-1");
      const kinds = items.map(({ kind }) => kind);
      for (const kind of ["cluster-locked", "cluster-cut-off"])
        assert.ok(kinds.includes(kind), kind);
    } finally {
      await fleet.stop();
    }
  });
});

/** A spoke of nobody tries a token, and says what it was told. */
async function refusedWith(fleet: Fleet, joinToken: string, expected: RegExp): Promise<void> {
  const folder = join(fleet.folder, "stranger");
  mkdirSync(folder, { recursive: true });
  const spoke = startSpoke({
    folder,
    kubeconfig: fleet.member("dev-1").kubeconfig,
    hub: fleet.hub,
    joinToken,
    settings: { namespace: "stranger" },
  });
  try {
    await eventually(() => assert.match(spoke.log(), expected));
  } finally {
    await spoke.stop();
  }
}
