import assert from "node:assert/strict";
import test, { after, suite } from "node:test";
import { assertProblem, openFixture } from "../fixture.ts";

suite("repositories", async () => {
  const fixture = await openFixture();
  after(() => fixture.close());
  const { ask, woken } = fixture;
  const url = "https://git.example/other.git";

  test("all are listed, with what keeps them from being read", async () => {
    const { items } = (await ask("GET", "/v1/repositories")).json;
    assert.deepEqual(
      items.map((item: { url: string; problem?: { code: string } }) => [
        item.url,
        item.problem?.code,
      ]),
      [
        ["https://git.example/fleet.git", undefined],
        [url, "WH-GIT-3001"],
      ],
    );
  });

  test("one is found by its URL", async () => {
    const answer = await ask("GET", `/v1/repositories/by-url?url=${encodeURIComponent(url)}`);
    assert.equal(answer.json.url, url);
    assertProblem(await ask("GET", "/v1/repositories/by-url?url=x"), 404, "WH-API-4044");
    assertProblem(await ask("GET", "/v1/repositories/by-url"), 422, "WH-API-4002");
  });

  test("a refresh wakes it, and only one that is known", async () => {
    assert.equal((await ask("POST", "/v1/repositories/refresh", { body: { url } })).status, 202);
    const unknown = await ask("POST", "/v1/repositories/refresh", { body: { url: `${url}x` } });
    assertProblem(unknown, 404, "WH-API-4044");
    assert.deepEqual(woken, [url]);
  });
});
