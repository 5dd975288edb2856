import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { suite } from "node:test";
import { eventually } from "../support/eventually.ts";
import { settled, startFleet } from "../support/fleet.ts";
import { webFolder, webSet } from "../support/story-files.ts";

/** Values planted where they belong, then looked for everywhere they do not. */
suite("sealed", () => {
  test("no token, key or Secret value of a cluster reaches the hub, a log, a metric, an event or an answer", async () => {
    const canary = "canary-5e1f0c7a2b";
    const fleet = await startFleet({
      clusters: { "dev-1": { env: "dev", web: "yes" } },
      files: { "fleet/web.yaml": webSet(), ...webFolder("dev") },
      hubSettings: { "log-level": "debug" },
    });
    try {
      const commit = await fleet.repository.head("main", AbortSignal.timeout(10_000));
      await settled(fleet, ["web-dev-1"], commit);
      const { kube, cluster, spoke, kubeconfig } = fleet.member("dev-1");
      const identity = (await kube.list("/api/v1/namespaces/wheelhouse/secrets")).at(0);
      const privateKey = Object.values(
        (identity?.["data"] ?? {}) as Readonly<Record<string, string>>,
      )
        .map((value) => Buffer.from(value, "base64").toString("utf8"))
        .find((text) => text.includes("PRIVATE KEY"));
      assert.ok(privateKey, "the spoke keeps its key in its own namespace");
      const keyBody = privateKey.match(/[A-Za-z0-9+/=]{40,}/)?.[0] ?? "";
      // A Secret that only this cluster holds, next to the application, and one that it owns and somebody edits.
      await kube.create("/api/v1/namespaces/web/secrets", {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "local" },
        stringData: { password: canary },
      });
      await fleet.push({
        "apps/web/dev/secret.yaml":
          "apiVersion: v1\nkind: Secret\nmetadata: {name: owned}\nstringData: {user: app}\n",
      });
      await settled(
        fleet,
        ["web-dev-1"],
        await fleet.repository.head("main", AbortSignal.timeout(10_000)),
      );
      const owned = "/api/v1/namespaces/web/secrets/owned";
      await kube.edit(owned, { data: { user: Buffer.from(canary).toString("base64") } });
      await eventually(
        async () =>
          assert.deepEqual((await kube.get(owned))?.["data"], {
            user: Buffer.from("app").toString("base64"),
          }),
        { what: "the edited Secret repaired" },
      );
      await settled(
        fleet,
        ["web-dev-1"],
        await fleet.repository.head("main", AbortSignal.timeout(10_000)),
      );

      const secrets: Readonly<Record<string, string>> = {
        "a value of a Secret": canary,
        "a value of a Secret, encoded": Buffer.from(canary).toString("base64"),
        "the spoke's private key": keyBody,
        "the cluster's own token": cluster.adminToken,
      };
      const answers = await Promise.all(
        [
          "/v1/clusters/dev-1",
          "/v1/applications/web-dev-1",
          "/v1/applications/web-dev-1/resources",
          "/v1/events?after=0&limit=500",
          "/v1/resources?kind=Secret",
        ].map(async (path) => JSON.stringify(await fleet.api.get(path))),
      );
      const metrics = await fetch(`${fleet.hub.url}/metrics`, {
        headers: { authorization: `Bearer ${fleet.hub.adminToken}` },
      });
      const places = new Map<string, string>([
        ["the hub's answers", answers.join("\n")],
        ["the hub's metrics", await metrics.text()],
        ["the hub's log", fleet.hub.process.log()],
        ["the spoke's log", spoke.log()],
        ...filesBelow(join(fleet.folder, "hub")).map((file): [string, string] => [
          file,
          readFileSync(file, "latin1"),
        ]),
      ]);
      assert.ok(places.size > 5);
      for (const [what, secret] of Object.entries(secrets))
        for (const [place, text] of places)
          assert.ok(!text.includes(secret), `${what} is in ${place}`);
      assert.ok(
        !fleet.hub.process.log().includes(fleet.hub.adminToken),
        "the log holds the admin token",
      );
      assert.ok(
        readFileSync(kubeconfig, "utf8").includes(cluster.adminToken),
        "the search would find it",
      );
    } finally {
      await fleet.stop();
    }
  });
});

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
