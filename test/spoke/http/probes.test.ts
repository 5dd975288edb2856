import assert from "node:assert/strict";
import { request } from "node:http";
import { connect } from "node:net";
import test, { suite } from "node:test";
import { listenForProbes, ProbePortUnavailable } from "../../../spoke/http/probes.ts";

const { signal } = new AbortController();

suite("probes", () => {
  const rows = [
    { method: "GET", path: "/livez", expect: [200, "ok\n"] },
    { method: "HEAD", path: "/livez", expect: [200, ""] },
    { method: "GET", path: "/readyz?verbose", expect: [503, "no hub yet\nno cluster yet\n"] },
    { method: "GET", path: "/metrics", expect: [200, "a 1\n"] },
    { method: "GET", path: "/secrets", expect: [404, "there are /livez, /readyz and /metrics\n"] },
    { method: "POST", path: "/livez", expect: [405, "only GET and HEAD\n"] },
  ];
  for (const { method, path, expect } of rows) {
    test(`${method} ${path} answers ${expect[0]}`, async () => {
      await using probes = await open();
      assert.deepEqual(await ask(probes.port, method, path), expect);
    });
  }

  test("a visitor who never finishes its request is cut off", async () => {
    await using probes = await open(100);
    const socket = connect(probes.port, "127.0.0.1");
    const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => {});
    socket.resume();
    socket.write("GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: ");
    await ended;
  });

  test("headers without end are refused", async () => {
    await using probes = await open();
    const [status] = await ask(probes.port, "GET", `/livez?${"x".repeat(6_000)}`);
    assert.equal(status, 431);
  });

  test("a port in use is trouble that names it", async () => {
    await using probes = await open();
    await assert.rejects(
      listenForProbes({ host: "127.0.0.1", port: probes.port }, needs, signal),
      (error) =>
        error instanceof ProbePortUnavailable && error.message.includes(String(probes.port)),
    );
  });
});

const needs = {
  notLive: () => [],
  notReady: () => ["no hub yet", "no cluster yet"],
  metrics: () => ({ contentType: "text/plain", text: "a 1\n" }),
};

async function open(patienceMs = 5_000): Promise<{ readonly port: number } & AsyncDisposable> {
  const settings = { host: "127.0.0.1", port: 0, patienceMs };
  const probes = await listenForProbes(settings, needs, signal);
  return { port: probes.port, [Symbol.asyncDispose]: probes.close };
}

function ask(port: number, method: string, path: string): Promise<[status: number, text: string]> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: "127.0.0.1", port, method, path, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => (text += part));
        response.on("end", () => resolve([response.statusCode ?? 0, text]));
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
  });
}
