import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { suite } from "node:test";
import { promisify } from "node:util";
import type { Access } from "../../../spoke/kube/credential.ts";
import { agentPool, startExchange, type Sending } from "../../../spoke/kube/exchange.ts";
import type { Proxy } from "../../../spoke/kube/proxy.ts";
import { createCertificateAuthority } from "../../support/certificates.ts";
import { connectProxy } from "../../support/connect-proxy.ts";
import { eventually } from "../../support/eventually.ts";
import { scriptedApiServer, type ScriptedApiServer } from "../../support/scripted-api-server.ts";
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

suite("through a proxy", () => {
  const proxied = (server: ScriptedApiServer, proxy: Proxy): Access => {
    const access = accessOf(server, "good");
    return { ...access, proxy, tls: { ...access.tls, serverName: "kubernetes", version: "p" } };
  };
  const plain = (port: number): Proxy => ({
    host: "127.0.0.1",
    port,
    isSecure: false,
    authorization: undefined,
  });

  test("calls go through tunnels that are kept, verified at their far end", async () => {
    await using server = await scriptedApiServer(() => ({ status: 200, body: {} }));
    await using proxy = await connectProxy();
    const access = proxied(server, { ...plain(proxy.port), authorization: "Basic abc" });
    const pool = agentPool(4);
    for (const _ of [1, 2, 3]) assert.equal(await run(access, pool), 200);
    assert.deepEqual(proxy.asked, [
      { target: `127.0.0.1:${server.port}`, authorization: "Basic abc" },
    ]);
    assert.equal(server.requests.length, 3);
    assert.equal(server.connections(), 1);
    const stranger = await createCertificateAuthority();
    const wrong = { ...access, tls: { ...access.tls, authority: stranger.certificatePem } };
    await assert.rejects(run(wrong), /one side does not trust the other's certificate/);
    assert.equal(server.requests.length, 3);
    pool.close();
  });

  test("a tunnel outlives the time there was to make it", async (context) => {
    const gate = Promise.withResolvers<void>();
    await using server = await scriptedApiServer(async () => {
      await gate.promise;
      return { status: 200, body: {} };
    });
    await using proxy = await connectProxy();
    const limits: AbortController[] = [];
    context.mock.method(AbortSignal, "timeout", () => {
      const limit = new AbortController();
      limits.push(limit);
      return limit.signal;
    });
    const answering = run(proxied(server, plain(proxy.port)));
    await eventually(() => assert.equal(server.requests.length, 1));
    assert.equal(limits.length, 1);
    for (const limit of limits) limit.abort(new Error("the time is up"));
    gate.resolve();
    assert.equal(await answering, 200);
  });

  test("the proxy itself may be spoken to over TLS", async () => {
    const authority = await createCertificateAuthority();
    const hosts = ["127.0.0.1"];
    const certificate = await authority.issue({ commonName: "proxy", use: "server", hosts });
    await using server = await scriptedApiServer(() => ({ status: 200, body: {} }));
    await using proxy = await connectProxy(certificate);
    const access = proxied(server, { ...plain(proxy.port), isSecure: true });
    // A proxy is trusted by what Node trusts, and this one is not.
    await assert.rejects(run(access), /proxy 127.0.0.1:\d+ could not be used/);
    assert.equal(proxy.asked.length, 0);
    const { NODE_EXTRA_CA_CERTS: _, ...rest } = process.env;
    const folder = await mkdtemp(join(tmpdir(), "wheelhouse-proxy-"));
    try {
      const file = join(folder, "ca.pem");
      await writeFile(file, authority.certificatePem);
      const ran = await promisify(execFile)(
        process.execPath,
        ["--input-type=module", "--eval", alone, JSON.stringify({ access, sending })],
        { env: { ...rest, NODE_EXTRA_CA_CERTS: file } },
      );
      assert.equal(ran.stdout.trim(), "200");
      assert.equal(proxy.asked.length, 1);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test("a proxy that refuses, is away, or stays silent is named, without its password", async () => {
    await using server = await scriptedApiServer(() => ({ status: 200, body: {} }));
    await using proxy = await connectProxy();
    const access = proxied(server, { ...plain(proxy.port), authorization: "Basic s3cr3t" });
    proxy.refusal = 407;
    await assert.rejects(run(access), (error: Error) => {
      assert.match(
        error.message,
        /^proxy 127.0.0.1:\d+ refused a tunnel to 127.0.0.1:\d+: 407 No$/,
      );
      assert.doesNotMatch(JSON.stringify(error), /s3cr3t/);
      return true;
    });
    await assert.rejects(run(proxied(server, plain(1))), /proxy 127.0.0.1:1 could not be used/);
    proxy.refusal = "silence";
    const leaving = new AbortController();
    const pool = agentPool(1);
    const waiting = startExchange(access, pool.calls(access), sending, leaving.signal);
    const ended = assert.rejects(waiting, /left/);
    await eventually(() => assert.equal(proxy.asked.length, 2));
    leaving.abort(new Error("left"));
    await ended;
    pool.close();
  });
});

test("a call that waits for a connection leaves when it is told to", async () => {
  await using server = await scriptedApiServer(() => "silence");
  const access = accessOf(server, "good");
  const pool = agentPool(1);
  const first = new AbortController();
  const holding = startExchange(access, pool.calls(access), sending, first.signal);
  const held = assert.rejects(holding, /over/);
  await eventually(() => assert.equal(server.requests.length, 1));
  const leaving = new AbortController();
  const waiting = startExchange(access, pool.calls(access), sending, leaving.signal);
  leaving.abort(new Error("left"));
  await assert.rejects(waiting, /left/);
  first.abort(new Error("over"));
  await held;
  pool.close();
});

/** Sends one request in a process of its own, whose trust is given by its environment. */
const alone = `
import { agentPool, startExchange } from ${JSON.stringify(join(import.meta.dirname, "../../../spoke/kube/exchange.ts"))};
const { access, sending } = JSON.parse(process.argv[1]);
const pool = agentPool(1);
const exchange = await startExchange(access, pool.calls(access), sending, new AbortController().signal);
exchange.close();
pool.close();
process.stdout.write(String(exchange.status));
`;

async function run(access: Access, pool = agentPool(1)): Promise<number> {
  const exchange = await startExchange(access, pool.calls(access), sending, signal);
  for await (const chunk of exchange.chunks()) assert.ok(chunk.length > 0);
  return exchange.status;
}
