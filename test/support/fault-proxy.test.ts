import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import test, { afterEach, beforeEach, suite } from "node:test";
import { eventually } from "./eventually.ts";
import { startFaultProxy, type FaultProxy } from "./fault-proxy.ts";

suite("the fault proxy", () => {
  let server: Server;
  let proxy: FaultProxy;
  let atServer: Socket[];
  let clients: Socket[];
  beforeEach(async () => {
    atServer = [];
    clients = [];
    server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      atServer.push(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    proxy = await startFaultProxy(address.port);
  });
  afterEach(async () => {
    for (const socket of [...clients, ...atServer]) socket.destroy();
    await proxy.stop();
    server.close();
  });

  /** A connection through the proxy, with what each end has heard so far. */
  async function join() {
    const client = connect(proxy.port, "127.0.0.1");
    clients.push(client);
    client.on("error", () => {});
    const here = heardBy(client);
    const place = atServer.length;
    const far = await eventually(() => atServer[place] ?? assert.fail("nobody has come"));
    return { client, far, here, there: heardBy(far) };
  }

  function heardBy(socket: Socket) {
    const heard = { text: "", ended: false, closed: false };
    socket.on("data", (bytes: Buffer) => {
      heard.text += bytes.toString();
    });
    socket.on("end", () => {
      heard.ended = true;
    });
    socket.on("close", () => {
      heard.closed = true;
    });
    return heard;
  }

  test("passes both ways, ends included, and counts", async () => {
    const { client, far, here, there } = await join();
    client.write("ping");
    await eventually(() => assert.equal(there.text, "ping"));
    far.end("pong!");
    await eventually(() => assert.deepEqual([here.text, here.ended], ["pong!", true]));
    assert.deepEqual(proxy.delivered(), { "to-server": 4, "to-client": 5 });
    client.end();
    await eventually(() => assert.equal(proxy.open(), 0));
  });

  test("stalled, it takes what is sent and delivers it in order once it is clear", async () => {
    const { client, far, here, there } = await join();
    client.write("a");
    await eventually(() => assert.equal(there.text, "a"));
    proxy.set({ kind: "stalled" });
    client.write("b");
    far.write("x");
    const other = await join();
    other.client.write("c");
    other.client.destroy();
    // A line that passes in both directions beside this one shows that time enough has gone by.
    await untilBytesWouldHavePassed();
    assert.deepEqual([there.text, here.text, other.there.text], ["a", "", ""]);
    assert.equal(other.there.ended, false);
    proxy.set({ kind: "clear" });
    await eventually(() => assert.deepEqual([there.text, here.text], ["ab", "x"]));
    await eventually(() => assert.equal(other.there.ended, true));
  });

  test("half-open, one direction is dead and does not even tell that the sender is gone", async () => {
    const { client, far, here, there } = await join();
    proxy.set({ kind: "half-open", dead: "to-server" });
    far.write("x");
    await eventually(() => assert.equal(here.text, "x"));
    client.write("lost?");
    client.destroy();
    await untilBytesWouldHavePassed();
    assert.deepEqual(there, { text: "", ended: false, closed: false });
    proxy.set({ kind: "clear" });
    await eventually(() => assert.deepEqual([there.text, there.ended], ["lost?", true]));
  });

  test("slow, it is as slow as it says", async () => {
    const { client, there } = await join();
    proxy.set({ kind: "slow", bytesPerSecond: 10_000, latencyMs: 50 });
    const fromMs = performance.now();
    client.write("z".repeat(2_000));
    await eventually(() => assert.equal(there.text.length, 2_000));
    const tookMs = performance.now() - fromMs;
    assert.ok(tookMs > 190, `2,000 bytes took ${tookMs} ms`);
  });

  test("cut, what stands breaks off and what comes breaks off at once, until it is clear", async () => {
    const { here, there } = await join();
    proxy.set({ kind: "cut" });
    await eventually(() => assert.deepEqual([here.closed, there.closed], [true, true]));
    const late = connect(proxy.port, "127.0.0.1");
    clients.push(late);
    late.on("error", () => {});
    const heardLate = heardBy(late);
    await eventually(() => assert.equal(heardLate.closed, true));
    proxy.set({ kind: "clear" });
    const { client, there: again } = await join();
    client.write("back");
    await eventually(() => assert.equal(again.text, "back"));
    proxy.reset();
    await eventually(() => assert.equal(again.closed, true));
  });

  /** Bytes sent over a clear proxy to the same server after others were sent have arrived. */
  async function untilBytesWouldHavePassed(): Promise<void> {
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    const witness = await startFaultProxy(address.port);
    const place = atServer.length;
    const client = connect(witness.port, "127.0.0.1");
    clients.push(client);
    client.on("error", () => {});
    const far = await eventually(() => atServer[place] ?? assert.fail("nobody has come"));
    const heard = heardBy(far);
    client.write("w");
    await eventually(() => assert.equal(heard.text, "w"));
    await witness.stop();
  }
});
