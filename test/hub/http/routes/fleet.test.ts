import assert from "node:assert/strict";
import test, { after, suite } from "node:test";
import { assertProblem, nowMs, openFixture } from "../fixture.ts";

suite("the fleet", async () => {
  const fixture = await openFixture();
  after(() => fixture.close());
  const { ask } = fixture;

  test("the summary counts everything once, grouped or not", async () => {
    const plain = (await ask("GET", "/v1/fleet/summary")).json;
    assert.equal(plain.readAtMs, nowMs);
    assert.deepEqual(plain.total.clusters, { total: 4, attached: 2 });
    assert.equal(plain.total.applications.total, 5);
    assert.equal(plain.total.applications.health.Degraded, 1);
    assert.deepEqual(plain.groups, []);
    const grouped = (await ask("GET", "/v1/fleet/summary?groupBy=env")).json;
    assert.deepEqual(grouped.total, plain.total);
    assert.deepEqual(
      grouped.groups.map((group: { value: string; clusters: { total: number } }) => [
        group.value,
        group.clusters.total,
      ]),
      [
        ["", 1],
        ["dev", 1],
        ["prod", 2],
      ],
    );
    assertProblem(await ask("GET", "/v1/fleet/summary?groupBy=a+b"), 422, "WH-API-4002");
  });

  const found = async (query: string): Promise<readonly string[]> =>
    (await ask("GET", `/v1/resources?${query}`)).json.items.map(
      (item: { cluster: string; kind: string; name: string }) =>
        `${item.cluster} ${item.kind}/${item.name}`,
    );

  const rows = [
    ["image=registry.example/shop/web:2", ["dev-1 Deployment/web"]],
    ["image=registry.example/shop/*", ["dev-1 Deployment/web", "prod-1 Deployment/web"]],
    ["image=registry.example/shop", []],
    ["kind=ConfigMap", ["dev-1 ConfigMap/tools", "dev-1 ConfigMap/settings"]],
    ["group=apps&kind=Deployment&cluster=prod-1", ["prod-1 Deployment/web"]],
    ["name=settings&namespace=web", ["dev-1 ConfigMap/settings"]],
    ["application=tools", ["dev-1 ConfigMap/tools"]],
    ["health=Degraded", ["prod-1 Deployment/web"]],
  ] as const;
  for (const [query, expect] of rows)
    test(`resources ?${query} finds ${expect.join(", ") || "nothing"}`, async () =>
      assert.deepEqual(await found(query), expect));

  test("resources page", async () => {
    const first = (await ask("GET", "/v1/resources?limit=2")).json;
    const next = encodeURIComponent(first.next);
    const second = (await ask("GET", `/v1/resources?limit=2&after=${next}`)).json;
    assert.deepEqual([first.items.length, second.items.length, second.next], [2, 2, undefined]);
  });
});
