import assert from "node:assert/strict";
import test, { after, suite } from "node:test";
import { assertProblem, openFixture } from "../fixture.ts";

suite("application sets", async () => {
  const fixture = await openFixture();
  after(() => fixture.close());
  const { ask } = fixture;

  const rows = [
    ["", ["broken", "web"]],
    ["troubled=true", ["broken"]],
    ["text=WE", ["web"]],
    ["project=none", []],
  ] as const;
  for (const [query, expect] of rows)
    test(`?${query} lists ${expect.join(", ") || "none"}`, async () => {
      const { items } = (await ask("GET", `/v1/applicationsets?${query}`)).json;
      assert.deepEqual(
        items.map((set: { name: string }) => set.name),
        expect,
      );
    });

  test("one set comes with its document and a page of what it generates", async () => {
    const set = (await ask("GET", "/v1/applicationsets/web?limit=2")).json;
    assert.deepEqual(set.document, { metadata: { name: "web" } });
    assert.deepEqual(
      set.generated.items.map((item: { name: string }) => item.name),
      ["web-dev-1", "web-prod-1"],
    );
    const next = encodeURIComponent(set.generated.next);
    const rest = (await ask("GET", `/v1/applicationsets/web?limit=2&after=${next}`)).json;
    assert.deepEqual(
      rest.generated.items.map((item: { name: string }) => item.name),
      ["web-prod-2"],
    );
  });

  const states = [
    [
      "web",
      "Healthy",
      [
        "ErrorOccurred False ApplicationSetUpToDate 2025-06-15T15:06:40.000Z",
        "ParametersGenerated True ParametersGenerated 2025-06-15T15:06:40.000Z",
        "ResourcesUpToDate True ApplicationSetUpToDate 2025-06-15T15:06:40.000Z",
      ],
    ],
    [
      "broken",
      "Degraded",
      [
        "ErrorOccurred True RenderTemplateParamsError 2025-06-15T15:09:40.000Z",
        "ParametersGenerated False ErrorOccurred 2025-06-15T15:09:40.000Z",
        "ResourcesUpToDate False ErrorOccurred 2025-06-15T15:09:40.000Z",
      ],
    ],
  ] as const;
  for (const [name, health, conditions] of states)
    test(`${name} is ${health} and says why and since when`, async () => {
      const { status } = (await ask("GET", `/v1/applicationsets/${name}`)).json;
      assert.equal(status.health, health);
      assert.deepEqual(
        status.conditions.map((one: Readonly<Record<string, string>>) =>
          [one["type"], one["status"], one["reason"], one["lastTransitionTime"]].join(" "),
        ),
        conditions,
      );
    });

  test("a set that does not generate says why and since when", async () => {
    const { problem } = (await ask("GET", "/v1/applicationsets/broken")).json;
    assert.equal(problem.code, "WH-TPL-3205");
    assert.match(problem.message, /region/);
    assert.equal(typeof problem.sinceAtMs, "number");
    assertProblem(await ask("GET", "/v1/applicationsets/none"), 404, "WH-API-4043");
  });
});
