import assert from "node:assert/strict";
import test, { after, suite } from "node:test";
import { clusterId } from "../../../contract/store/builders.ts";
import { assertProblem, nowMs, openFixture } from "../fixture.ts";

suite("clusters", async () => {
  const fixture = await openFixture();
  after(() => fixture.close());
  const { ask, changes } = fixture;

  const names = async (query: string): Promise<readonly string[]> =>
    (await ask("GET", `/v1/clusters?${query}`)).json.items.map(
      (cluster: { name: string }) => cluster.name,
    );

  const filters = [
    ["", ["dev-1", "lab-1", "prod-1", "prod-2"]],
    ["selector=env%3Dprod", ["prod-1", "prod-2"]],
    ["selector=env%3Dprod,region+notin+(us)", ["prod-1"]],
    ["selector=!env", ["lab-1"]],
    ["connection=attached", ["dev-1", "prod-1"]],
    ["connection=never-joined", ["lab-1"]],
    ["text=PROD", ["prod-1", "prod-2"]],
    ["text=nothing", []],
  ] as const;
  for (const [query, expect] of filters)
    test(`?${query} lists ${expect.join(", ") || "none"}`, async () =>
      assert.deepEqual(await names(query), expect));

  test("pages follow one another until the list ends", async () => {
    const first = (await ask("GET", "/v1/clusters?limit=3")).json;
    assert.equal(first.items.length, 3);
    const second = (
      await ask("GET", `/v1/clusters?limit=3&after=${encodeURIComponent(first.next)}`)
    ).json;
    assert.deepEqual(
      second.items.map((cluster: { name: string }) => cluster.name),
      ["prod-2"],
    );
    assert.equal(second.next, undefined);
  });

  test("a cursor of another list is a problem", async () => {
    const { next } = (await ask("GET", "/v1/applications?limit=1")).json;
    assertProblem(
      await ask("GET", `/v1/clusters?after=${encodeURIComponent(next)}`),
      400,
      "WH-API-4004",
    );
    assertProblem(await ask("GET", "/v1/clusters?after=zzz"), 400, "WH-API-4004");
  });

  test("one cluster says since when it is attached, and one that never joined does not", async () => {
    const attached = (await ask("GET", "/v1/clusters/dev-1")).json;
    assert.deepEqual(attached.connection, { kind: "attached", sinceAtMs: nowMs - 300_000 });
    assert.equal(attached.id, clusterId("dev-1"));
    const lab = (await ask("GET", "/v1/clusters/lab-1")).json;
    assert.deepEqual(lab.connection, { kind: "never-joined" });
    assert.equal(lab.lastSeenAtMs, undefined);
    assertProblem(await ask("GET", "/v1/clusters/nowhere"), 404, "WH-API-4041");
    assertProblem(await ask("GET", "/v1/clusters/No%20Name"), 404, "WH-API-4041");
  });

  test("registering answers with all a spoke needs to join", async () => {
    const answer = await ask("POST", "/v1/clusters", {
      body: { name: "new-1", labels: { env: "dev" }, joinTokenLifeMs: 60_000 },
    });
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get("location"), "/v1/clusters/new-1");
    const { cluster, join } = answer.json;
    assert.equal(cluster.server, "https://new-1.cluster.wheelhouse");
    assert.deepEqual(cluster.labels, { env: "dev" });
    assert.equal(join.expiresAtMs, nowMs + 60_000);
    assert.match(join.spokeCommand, /--hub-address hub\.example:7443 .*--join-token whj_/s);
    assert.equal(join.manifest.kind, "List");
    assert.deepEqual(changes.splice(0), [{ kind: "added", id: clusterId("new"), name: "new-1" }]);
  });

  test("a name or server URL that is taken is a conflict", async () => {
    assertProblem(
      await ask("POST", "/v1/clusters", { body: { name: "dev-1" } }),
      409,
      "WH-API-4090",
    );
    const server = "https://prod-1.cluster.wheelhouse";
    const taken = await ask("POST", "/v1/clusters", { body: { name: "other", server } });
    assertProblem(taken, 409, "WH-API-4091");
    assert.deepEqual(changes, []);
  });

  test("labels are merged, and null removes one", async () => {
    const answer = await ask("PATCH", "/v1/clusters/prod-1", {
      body: { labels: { region: null, tier: "gold" }, annotations: { note: "any text" } },
    });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json.labels, { env: "prod", tier: "gold" });
    assert.deepEqual(answer.json.annotations, { note: "any text" });
    assert.deepEqual(changes.splice(0), [
      { kind: "relabelled", id: clusterId("prod-1"), name: "prod-1" },
    ]);
    assertProblem(await ask("PATCH", "/v1/clusters/nowhere", { body: {} }), 404, "WH-API-4041");
  });

  test("changes at once about one cluster all arrive", async () => {
    const keys = ["a", "b", "c", "d", "e", "f"];
    await Promise.all(
      keys.map((key) => ask("PATCH", "/v1/clusters/lab-1", { body: { labels: { [key]: "1" } } })),
    );
    const { labels } = (await ask("GET", "/v1/clusters/lab-1")).json;
    assert.deepEqual(Object.keys(labels).toSorted(), keys);
    changes.length = 0;
  });

  test("another join token can be had, for as long as was asked", async () => {
    const usual = await ask("POST", "/v1/clusters/dev-1/join-token");
    assert.equal(usual.status, 201);
    assert.equal(usual.json.expiresAtMs, nowMs + 3_600_000);
    const body = { lifeMs: 5_000 };
    const short = await ask("POST", "/v1/clusters/dev-1/join-token", { body });
    assert.equal(short.json.expiresAtMs, nowMs + 5_000);
    const long = await ask("POST", "/v1/clusters/dev-1/join-token", {
      body: { lifeMs: 90_000_000 },
    });
    assertProblem(long, 422, "WH-API-4002");
    assertProblem(await ask("POST", "/v1/clusters/nowhere/join-token"), 404, "WH-API-4041");
  });

  test("a locked cluster says why, is locked once, and is unlocked", async () => {
    const path = "/v1/clusters/prod-1";
    const locked = await ask("POST", `${path}/lock`, { body: { reason: "a laptop was lost" } });
    const why = "by token:admin: a laptop was lost";
    assert.deepEqual([locked.status, locked.json.locked], [200, { sinceAtMs: nowMs, why }]);
    assert.deepEqual(changes.splice(0), [
      { kind: "locked", id: clusterId("prod-1"), name: "prod-1", why },
    ]);
    const again = await ask("POST", `${path}/lock`, { body: { reason: "another reason" } });
    assert.deepEqual(again.json.locked, { sinceAtMs: nowMs, why });
    const unlocked = await ask("POST", `${path}/unlock`);
    assert.deepEqual([unlocked.status, unlocked.json.locked], [200, undefined]);
    assert.equal((await ask("POST", `${path}/lock`)).json.locked.why, "by token:admin");
    for (const reason of ["", "two\nlines", "x".repeat(501)])
      assertProblem(await ask("POST", `${path}/lock`, { body: { reason } }), 422, "WH-API-4002");
    for (const verb of ["lock", "unlock", "rejoin"])
      assertProblem(await ask("POST", `/v1/clusters/nowhere/${verb}`), 404, "WH-API-4041");
    changes.length = 0;
  });

  test("a cluster joined anew is unlocked, and gets another token", async () => {
    const anew = await ask("POST", "/v1/clusters/prod-1/rejoin", { body: { lifeMs: 5_000 } });
    assert.deepEqual([anew.status, anew.json.expiresAtMs], [201, nowMs + 5_000]);
    assert.ok(anew.json.manifest.items.length > 0);
    assert.equal((await ask("GET", "/v1/clusters/prod-1")).json.locked, undefined);
    assert.deepEqual(changes.splice(0), [
      { kind: "cut-off", id: clusterId("prod-1"), name: "prod-1" },
    ]);
  });

  test("a removed cluster is gone, and removing it again finds nothing", async () => {
    assert.equal((await ask("DELETE", "/v1/clusters/prod-2")).status, 204);
    assertProblem(await ask("GET", "/v1/clusters/prod-2"), 404, "WH-API-4041");
    assertProblem(await ask("DELETE", "/v1/clusters/prod-2"), 404, "WH-API-4041");
    assert.deepEqual(changes.splice(0), [
      { kind: "removed", id: clusterId("prod-2"), name: "prod-2" },
    ]);
  });
});
