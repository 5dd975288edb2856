import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import test, { after, suite } from "node:test";
import { isSignedBy } from "../../../../hub/http/authenticate.ts";
import { assertProblem, openFixture, webhookSecret } from "../fixture.ts";

const sign = (text: string, secret = webhookSecret): string =>
  `sha256=${createHmac("sha256", secret).update(text).digest("hex")}`;

suite("webhooks", async () => {
  const fixture = await openFixture();
  after(() => fixture.close());
  const { ask, woken } = fixture;

  const send = (text: string, headers: Readonly<Record<string, string>>) =>
    ask("POST", "/v1/webhooks/git", { as: "nobody", text, headers });

  const url = "https://git.example/fleet.git";
  const bodies = [
    ["our own form", { repositories: [url] }],
    ["one repository by its URL", { repository: url }],
    ["a clone URL without .git", { repository: { clone_url: "https://git.example/fleet" } }],
    ["an SSH URL of the same place", { repository: { ssh_url: "git@git.example:fleet.git" } }],
    ["a project with its HTTP URL", { project: { git_http_url: url } }],
    [
      "several spellings of one",
      { repository: { clone_url: url, html_url: "https://git.example/fleet" } },
    ],
  ] as const;
  for (const [name, body] of bodies)
    test(`${name} wakes the repository once`, async () => {
      woken.length = 0;
      const text = JSON.stringify(body);
      const answer = await send(text, { "x-wheelhouse-signature-256": sign(text) });
      assert.deepEqual([answer.status, answer.json], [202, { woken: [url], unknown: 0 }]);
      assert.deepEqual(woken, [url]);
    });

  test("the header of Git hosts is taken too, whatever the content type", async () => {
    const text = JSON.stringify({ repository: url });
    const headers = { "x-hub-signature-256": sign(text), "content-type": "text/plain" };
    assert.equal((await send(text, headers)).status, 202);
  });

  test("a repository nobody reads wakes nothing", async () => {
    woken.length = 0;
    const text = JSON.stringify({ repository: "https://git.example/strange.git" });
    const answer = await send(text, { "x-wheelhouse-signature-256": sign(text) });
    assert.deepEqual(answer.json, { woken: [], unknown: 1 });
    assert.deepEqual(woken, []);
  });

  const text = JSON.stringify({ repository: url });
  const forged = [
    ["no signature", {}],
    ["an empty signature", { "x-wheelhouse-signature-256": "" }],
    ["half a signature", { "x-wheelhouse-signature-256": sign(text).slice(0, 40) }],
    ["another secret", { "x-wheelhouse-signature-256": sign(text, "another") }],
    ["another body", { "x-wheelhouse-signature-256": sign(`${text} `) }],
    ["another hash", { "x-wheelhouse-signature-256": sign(text).replace("sha256", "sha1") }],
  ] as const;
  for (const [name, headers] of forged)
    test(`${name} is refused and wakes nothing`, async () => {
      woken.length = 0;
      assertProblem(await send(text, headers), 401, "WH-API-4012");
      assert.deepEqual(woken, []);
    });

  test("signed nonsense is still nonsense", async () => {
    const nonsense = "not json";
    const headers = { "x-wheelhouse-signature-256": sign(nonsense) };
    assertProblem(await send(nonsense, headers), 400, "WH-API-4001");
    const nothing = "{}";
    const signed = { "x-wheelhouse-signature-256": sign(nothing) };
    assertProblem(await send(nothing, signed), 422, "WH-API-4002");
  });

  for (const secret of [undefined, ""])
    test(`with the secret ${JSON.stringify(secret)} every webhook is refused`, async () => {
      const closed = await openFixture({ settings: { webhookSecret: secret } });
      const headers = { "x-wheelhouse-signature-256": sign(text, "") };
      const answer = await closed.ask("POST", "/v1/webhooks/git", { as: "nobody", text, headers });
      assertProblem(answer, 403, "WH-API-4031");
      closed.close();
    });

  test("signatures of any length are compared without throwing", () => {
    const body = new TextEncoder().encode("x");
    for (const given of ["", "sha256=", "sha256=zz", `sha256=${"0".repeat(200)}`])
      assert.equal(isSignedBy("s", body, given), false);
    assert.equal(
      isSignedBy("s", body, sign("x", "s").toUpperCase().replace("SHA256", "sha256")),
      true,
    );
  });
});
