import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { Access } from "../../../spoke/kube/credential.ts";
import { agentPool, startExchange, type Sending } from "../../../spoke/kube/exchange.ts";
import { scriptedApiServer } from "../../support/scripted-api-server.ts";
import { accessOf } from "./open-scripted.ts";

const { signal } = new AbortController();
const sending: Sending = {
  method: "GET",
  path: "/x",
  headers: {},
  body: undefined,
  limitMs: 5_000,
};

suite("one exchange over TLS", () => {
  test("a client certificate says who we are, and a path prefix goes before the path", async () => {
    await using server = await scriptedApiServer(() => ({ status: 200, body: {} }), {
      askForClientCertificate: true,
    });
    const client = await server.authority.issue({ commonName: "spoke-1", use: "client" });
    const access = accessOf(server, "unused");
    await run({
      ...access,
      pathPrefix: "/clusters/one",
      bearer: undefined,
      tls: { ...access.tls, certificate: client.certificatePem, key: client.keyPem },
    });
    const [request] = server.requests;
    assert.equal(request?.client, "spoke-1");
    assert.equal(request.path, "/clusters/one/x");
    assert.equal(request.headers.authorization, undefined);
  });

  test("the server's name is verified, and may be given", async () => {
    await using server = await scriptedApiServer(() => ({ status: 200, body: {} }));
    const access = accessOf(server, "good");
    const named = (serverName: string): Access => ({
      ...access,
      tls: { ...access.tls, serverName, version: serverName },
    });
    assert.equal(await run(named("kubernetes")), 200);
    await assert.rejects(run(named("other.example.dev")), /connection .* broke/);
  });

  test("new TLS material gets connections of its own, and what is under way goes on", async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await scriptedApiServer(async ({ path }) => {
      if (path === "/slow") await gate.promise;
      return { status: 200, body: {} };
    });
    const pool = agentPool(4);
    const before = accessOf(server, "good");
    const after = { ...before, tls: { ...before.tls, version: "2" } };
    const slow = startExchange(before, pool.calls(before), { ...sending, path: "/slow" }, signal);
    await run(before, pool);
    assert.equal(server.connections(), 2);
    await run(after, pool);
    await run(after, pool);
    assert.equal(server.connections(), 3);
    gate.resolve();
    const exchange = await slow;
    assert.equal(exchange.status, 200);
    exchange.close();
    pool.close();
  });
});

async function run(access: Access, pool = agentPool(1)): Promise<number> {
  const exchange = await startExchange(access, pool.calls(access), sending, signal);
  for await (const chunk of exchange.chunks()) assert.ok(chunk.length > 0);
  return exchange.status;
}
