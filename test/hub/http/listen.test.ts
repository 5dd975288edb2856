import assert from "node:assert/strict";
import { get as plainGet, type IncomingMessage } from "node:http";
import { get as secureGet } from "node:https";
import { connect } from "node:net";
import test, { suite } from "node:test";
import {
  defaultListenLimits,
  listen,
  ListenFailed,
  type Listening,
  type ListenSettings,
} from "../../../hub/http/listen.ts";
import { systemClock } from "../../../proto/kit/clock.ts";
import { silentLog } from "../../../proto/kit/log.ts";
import { eventually } from "../../support/eventually.ts";
import { openFixture, type Fixture } from "./fixture.ts";
import { selfSigned } from "./self-signed.ts";

type Served = { readonly listening: Listening; readonly stop: () => Promise<void> };

async function serve(
  fetch: (request: Request, env?: object) => Response | Promise<Response>,
  more: Partial<ListenSettings> = {},
): Promise<Served> {
  const settings = { host: "127.0.0.1", port: 0, tls: undefined, ...defaultListenLimits, ...more };
  const ending = new AbortController();
  const needs = { clock: systemClock, log: silentLog };
  const listening = await listen(fetch, settings, needs, ending.signal);
  const running = listening.run(ending.signal);
  return {
    listening,
    stop: async () => {
      ending.abort(new Error("over"));
      await running;
    },
  };
}

const hello = () => new Response("hello");

suite("listen", () => {
  test("takes a free port, answers, and is gone when stopped", async () => {
    const { listening, stop } = await serve(hello);
    assert.match(listening.url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(await (await fetch(listening.url)).text(), "hello");
    await stop();
    await assert.rejects(fetch(listening.url));
  });

  test("an address that is taken is trouble that names it", async () => {
    const { listening, stop } = await serve(hello);
    await assert.rejects(
      serve(hello, { port: listening.port }),
      (error) => error instanceof ListenFailed && error.message.includes(String(listening.port)),
    );
    await stop();
  });

  test("TLS files that are not there are trouble", async () => {
    const tls = { certificateFile: "/nowhere/cert.pem", keyFile: "/nowhere/key.pem" };
    await assert.rejects(serve(hello, { tls }), ListenFailed);
  });

  test("serves TLS when given a certificate", async () => {
    const { certificateFile, keyFile, certificate, remove } = await selfSigned();
    const { listening, stop } = await serve(hello, { tls: { certificateFile, keyFile } });
    assert.match(listening.url, /^https:/);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      secureGet(listening.url, { ca: certificate, agent: false }, resolve).on("error", reject);
    });
    assert.equal(response.statusCode, 200);
    response.resume();
    await stop();
    remove();
  });

  test("a request in flight is answered before the end", async () => {
    const arrived = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const { listening, stop } = await serve(async () => {
      arrived.resolve();
      await go.promise;
      return new Response("done");
    });
    const answer = fetch(listening.url).then((response) => response.text());
    await arrived.promise;
    const stopped = stop();
    go.resolve();
    assert.equal(await answer, "done");
    await stopped;
  });

  test("a request that does not end is cut off after the drain", async () => {
    const arrived = Promise.withResolvers<void>();
    const { listening, stop } = await serve(
      async () => {
        arrived.resolve();
        return new Promise<Response>(() => {});
      },
      { drainMs: 50 },
    );
    const answer = assert.rejects(fetch(listening.url));
    await arrived.promise;
    await stop();
    await answer;
  });

  test("a client that dribbles its headers is cut off", async () => {
    const { listening, stop } = await serve(hello, { headersMsMost: 100 });
    const socket = connect(listening.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("GET / HTTP/1.1\r\nx: ");
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.resume();
    await closed;
    await stop();
  });

  test("more connections than allowed are turned away", async () => {
    const { listening, stop } = await serve(hello, { connectionsMost: 1 });
    const first = connect(listening.port, "127.0.0.1");
    await new Promise<void>((resolve) => first.once("connect", () => resolve()));
    await eventually(() => assert.rejects(fetch(listening.url)));
    first.destroy();
    await stop();
  });
});

suite("the API behind a real socket", () => {
  const authorization = ({ tokens }: Fixture) => ({ authorization: `Bearer ${tokens.read}` });

  test("a client that leaves aborts what is done for it", async () => {
    const inner = await openFixture();
    const asked = Promise.withResolvers<AbortSignal>();
    const fixture = await openFixture({
      needs: {
        store: {
          ...inner.store,
          fleet: {
            ...inner.store.fleet,
            summary: (_, signal) => {
              asked.resolve(signal);
              return new Promise((_resolve, reject) => {
                signal.addEventListener("abort", () => reject(signal.reason));
              });
            },
          },
        },
      },
    });
    const { listening, stop } = await serve(fixture.app.fetch);
    const request = plainGet(`${listening.url}/v1/fleet/summary`, {
      headers: authorization(fixture),
      agent: false,
    });
    request.on("error", () => {});
    const signal = await asked.promise;
    assert.equal(signal.aborted, false);
    request.destroy();
    await eventually(() => assert.equal(signal.aborted, true));
    await stop();
    fixture.close();
    inner.close();
  });

  test("bodies arrive whole, with their length told or in chunks, and are limited both ways", async () => {
    const fixture = await openFixture();
    const { listening, stop } = await serve(fixture.app.fetch);
    const send = async (name: string, chunked: boolean): Promise<number> => {
      const text = JSON.stringify({ name });
      const response = await fetch(`${listening.url}/v1/clusters`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${fixture.tokens.write}`,
          "content-type": "application/json",
        },
        ...(chunked ? { body: new Blob([text]).stream(), duplex: "half" } : { body: text }),
      });
      await response.body?.cancel();
      return response.status;
    };
    assert.equal(await send("one", false), 201);
    assert.equal(await send("Not A Name", true), 422);
    const large = "x".repeat(2 * 1024 * 1024);
    for (const chunked of [false, true]) {
      // A hub that hangs up on a body it does not want may be noticed before its answer is.
      assert.equal(await send(large, chunked).catch(() => 413), 413);
    }
    const removed = await fetch(`${listening.url}/v1/clusters/prod-2`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${fixture.tokens.write}` },
    });
    assert.equal(removed.status, 204);
    await stop();
    fixture.close();
  });

  test("an event stream arrives at once and ends with the hub", async () => {
    const fixture = await openFixture();
    const { listening, stop } = await serve(fixture.app.fetch);
    const response = await fetch(`${listening.url}/v1/events`, { headers: authorization(fixture) });
    assert.ok(response.body);
    const reader = response.body.getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    assert.match(first, /^retry: 2000\nid: \d+\n\n$/);
    fixture.life.abort();
    assert.equal((await reader.read()).done, true);
    await stop();
    fixture.close();
  });

  test("a reader of events that stops reading is dropped, and makes room for another", async () => {
    const flood = {
      sequence: 0,
      atMs: 0,
      kind: "application-status" as const,
      subject: "web",
      cluster: "dev-1",
      message: "x".repeat(4_000),
    };
    const inner = await openFixture();
    const fixture = await openFixture({
      settings: { events: { heartbeatMs: 15_000, stallMsMost: 200, streamsMost: 1 } },
      needs: {
        store: {
          ...inner.store,
          events: {
            ...inner.store.events,
            latest: async () => Number.MAX_SAFE_INTEGER,
            oldest: async () => 0,
            since: async (after, most) =>
              Array.from({ length: most }, (_, index) => ({
                ...flood,
                sequence: after + index + 1,
              })),
          },
        },
      },
    });
    const { listening, stop } = await serve(fixture.app.fetch);
    const socket = connect(listening.port, "127.0.0.1");
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => {});
    socket.pause();
    socket.write(
      `GET /v1/events?after=0 HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer ${inner.tokens.read}\r\n\r\n`,
    );
    // The hub hangs up, which a socket that is not read from notices only once it is.
    await eventually(async () => {
      const answer = await fetch(`${listening.url}/v1/events?after=0`, {
        headers: { authorization: `Bearer ${inner.tokens.read}` },
      });
      await answer.body?.cancel();
      assert.equal(answer.status, 200);
    });
    socket.resume();
    await closed;
    fixture.life.abort();
    await stop();
    fixture.close();
    inner.close();
  });
});
