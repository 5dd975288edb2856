import assert from "node:assert/strict";
import test, { after, suite } from "node:test";
import { assertProblem, openFixture } from "../fixture.ts";

suite("applications", async () => {
  const fixture = await openFixture();
  after(() => fixture.close());
  const { ask, woken } = fixture;
  const commit = "9f3c1a7be0d2446f8a5b7c6d1e2f3a4b5c6d7e8f";

  const names = async (query: string): Promise<readonly string[]> =>
    (await ask("GET", `/v1/applications?${query}`)).json.items.map(
      (application: { name: string }) => application.name,
    );

  const filters = [
    ["", ["lost", "tools", "web-dev-1", "web-prod-1", "web-prod-2"]],
    ["cluster=dev-1", ["tools", "web-dev-1"]],
    ["selector=app%3Dweb", ["web-dev-1", "web-prod-1", "web-prod-2"]],
    ["clusterSelector=env%3Dprod", ["web-prod-1", "web-prod-2"]],
    ["set=web", ["web-dev-1", "web-prod-1", "web-prod-2"]],
    ["project=platform", ["tools"]],
    ["sync=OutOfSync", ["tools"]],
    ["sync=OutOfSync,Unknown", ["lost", "tools", "web-prod-2"]],
    ["health=Degraded", ["web-prod-1"]],
    [`revision=${commit}`, ["web-dev-1", "web-prod-1"]],
    ["text=PROD", ["web-prod-1", "web-prod-2"]],
    ["troubled=true", ["lost"]],
    ["set=web&health=Healthy&cluster=dev-1", ["web-dev-1"]],
    ["set=web&health=Missing", []],
    ["sort=-name&limit=2", ["web-prod-2", "web-prod-1"]],
  ] as const;
  for (const [query, expect] of filters)
    test(`?${query} lists ${expect.join(", ") || "none"}`, async () =>
      assert.deepEqual(await names(query), expect));

  test("every sort order pages through all of them, without repeating one", async () => {
    for (const sort of ["name", "-name", "cluster", "health", "-sync", "changed"]) {
      const seen: string[] = [];
      let after = "";
      do {
        const cursor = after === "" ? "" : `&after=${encodeURIComponent(after)}`;
        const page = (await ask("GET", `/v1/applications?sort=${sort}&limit=2${cursor}`)).json;
        seen.push(...page.items.map((application: { name: string }) => application.name));
        after = page.next ?? "";
      } while (after !== "");
      assert.equal(seen.length, 5, sort);
      assert.equal(new Set(seen).size, 5, sort);
    }
  });

  test("rows have the fields that were asked for", async () => {
    const [first] = (await ask("GET", "/v1/applications?fields=name,cluster&text=dev")).json.items;
    assert.deepEqual(first, { name: "web-dev-1", cluster: "dev-1" });
    const [whole] = (await ask("GET", "/v1/applications?fields=*&text=dev")).json.items;
    assert.equal(whole.source.path, "apps/web");
    assert.equal(whole.policy.selfHeal, true);
    assertProblem(await ask("GET", "/v1/applications?fields=name,secret"), 422, "WH-API-4002");
  });

  const bad = [
    "health=Sick",
    "sync=Synced,",
    "limit=501",
    "sort=age",
    "selector=a%20b",
    "troubled=yes",
  ];
  for (const query of bad)
    test(`?${query} is a problem`, async () =>
      assertProblem(await ask("GET", `/v1/applications?${query}`), 422, "WH-API-4002"));

  test("one application shows its problem, or what its cluster reported", async () => {
    const lost = (await ask("GET", "/v1/applications/lost")).json;
    assert.equal(lost.problem.code, "WH-DST-3501");
    assert.equal(lost.cluster, undefined);
    const web = (await ask("GET", "/v1/applications/web-dev-1")).json;
    assert.equal(web.status.operation.phase, "Succeeded");
    assert.deepEqual(web.document, { metadata: { name: "web-dev-1" } });
    assertProblem(await ask("GET", "/v1/applications/none"), 404, "WH-API-4042");
    assertProblem(await ask("GET", "/v1/applications/No%20Name"), 404, "WH-API-4042");
  });

  test("its resources come with health, message and images", async () => {
    const { items } = (await ask("GET", "/v1/applications/web-dev-1/resources")).json;
    assert.deepEqual(
      items.map((item: { kind: string; health?: string; images: string[] }) => [
        item.kind,
        item.health,
        item.images,
      ]),
      [
        ["ConfigMap", undefined, []],
        ["Deployment", "Healthy", ["registry.example/shop/web:2"]],
      ],
    );
    assertProblem(await ask("GET", "/v1/applications/none/resources"), 404, "WH-API-4042");
  });

  test("its manifests come in pages, without any value of a Secret", async () => {
    const first = (await ask("GET", "/v1/applications/web-dev-1/manifests?limit=1")).json;
    assert.equal(first.items[0].key, "/Secret/web/key");
    assert.deepEqual(first.items[0].manifest.stringData, { password: "(hidden)" });
    const next = encodeURIComponent(first.next);
    const second = (await ask("GET", `/v1/applications/web-dev-1/manifests?limit=1&after=${next}`))
      .json;
    assert.equal(second.items[0].manifest.kind, "Deployment");
    assert.equal(second.next, undefined);
    assert.ok(!JSON.stringify([first, second]).includes("sesame"));
    assert.deepEqual((await ask("GET", "/v1/applications/lost/manifests")).json.items, []);
  });

  test("a sync order becomes a command that can be looked at", async () => {
    const answer = await ask("POST", "/v1/applications/web-dev-1/sync", {
      body: { prune: true, expectGeneration: 1 },
    });
    assert.equal(answer.status, 202);
    const { id, order, prune, actor, generation, state } = answer.json;
    assert.deepEqual(
      [order, prune, actor, generation, state],
      ["sync", true, "token:admin", 1, "waiting"],
    );
    assert.equal(answer.headers.get("location"), `/v1/commands/${id}`);
    assert.deepEqual((await ask("GET", `/v1/commands/${id}`)).json, answer.json);
    assertProblem(await ask("GET", "/v1/commands/none"), 404, "WH-API-4045");
  });

  test("a sync order needs no body", async () => {
    const answer = await ask("POST", "/v1/applications/web-dev-1/sync");
    assert.deepEqual([answer.status, answer.json.prune], [202, false]);
  });

  test("a sync order for what has moved on, or is nowhere, is a conflict", async () => {
    const moved = await ask("POST", "/v1/applications/web-dev-1/sync", {
      body: { expectGeneration: 9 },
    });
    assertProblem(moved, 409, "WH-API-4092");
    const nowhere = await ask("POST", "/v1/applications/lost/sync");
    assertProblem(nowhere, 409, "WH-API-4093");
    assert.match(nowhere.json.detail, /nowhere/);
    assertProblem(await ask("POST", "/v1/applications/none/sync"), 404, "WH-API-4042");
  });

  test("a refresh wakes the repository, and the spoke when there is one", async () => {
    woken.length = 0;
    const answer = await ask("POST", "/v1/applications/web-dev-1/refresh");
    assert.equal(answer.status, 202);
    assert.equal(answer.json.command.order, "refresh");
    const lost = await ask("POST", "/v1/applications/lost/refresh");
    assert.deepEqual([lost.status, lost.json.command], [202, undefined]);
    assert.deepEqual(woken, ["https://git.example/fleet.git", "https://git.example/fleet.git"]);
  });
});
