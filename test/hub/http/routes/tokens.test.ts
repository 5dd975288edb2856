import assert from "node:assert/strict";
import test, { after, suite } from "node:test";
import { digestOfText } from "../../../../proto/words/digest.ts";
import { signal } from "../../../contract/store/builders.ts";
import { assertProblem, nowMs, openFixture } from "../fixture.ts";

suite("tokens", async () => {
  const fixture = await openFixture();
  after(() => fixture.close());
  const { ask, store } = fixture;

  test("a token is shown once and works; what is kept is a hash", async () => {
    const made = await ask("POST", "/v1/tokens", { body: { name: "ci", scope: "read" } });
    assert.equal(made.status, 201);
    const { token, id } = made.json;
    assert.match(token, /^wht_[a-z2-7]{8}_[a-z2-7]{52}$/);
    assert.equal(made.json.expiresAtMs, nowMs + 90 * 86_400_000);
    const headers = { authorization: `Bearer ${token}` };
    assert.equal((await ask("GET", "/v1/version", { as: "nobody", headers })).status, 200);
    const secret = token.slice(id.length + 1);
    assert.equal((await store.tokens.findBySecret(digestOfText(secret), nowMs, signal))?.id, id);
    const listed = await ask("GET", "/v1/tokens");
    assert.ok(!JSON.stringify(listed.json).includes(secret));
    assert.ok(!JSON.stringify(listed.json).includes(digestOfText(secret)));
    assert.deepEqual(listed.json.items.map((item: { name: string }) => item.name).toSorted(), [
      "admin",
      "ci",
      "reader",
    ]);
  });

  test("a name, scope or life that will not do is a problem", async () => {
    for (const body of [
      {},
      { name: "a b", scope: "read" },
      { name: "a", scope: "all" },
      { name: "a", scope: "read", lifeMs: 1 },
    ])
      assertProblem(await ask("POST", "/v1/tokens", { body }), 422, "WH-API-4002");
  });

  test("revoking twice finds nothing the second time", async () => {
    const id = fixture.tokens.read.slice(0, 12);
    assert.equal((await ask("DELETE", `/v1/tokens/${id}`)).status, 204);
    assertProblem(await ask("DELETE", `/v1/tokens/${id}`), 404, "WH-API-4046");
  });
});
