import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import test, { suite } from "node:test";
import { defaultListenLimits, listen, type ListenSettings } from "../../hub/http/listen.ts";
import { systemClock } from "../../proto/kit/clock.ts";
import { silentLog } from "../../proto/kit/log.ts";
import { eventually } from "../support/eventually.ts";
import { openFixture, type Fixture } from "../hub/http/fixture.ts";

type Served = {
  readonly fixture: Fixture;
  readonly port: number;
  readonly url: string;
  readonly stop: () => Promise<void>;
};

async function serve(
  more: Partial<ListenSettings> = {},
  settings: NonNullable<Parameters<typeof openFixture>[0]>["settings"] = {},
): Promise<Served> {
  const fixture = await openFixture({ settings });
  const ending = new AbortController();
  const listening = await listen(
    fixture.app.fetch,
    { host: "127.0.0.1", port: 0, tls: undefined, ...defaultListenLimits, ...more },
    { clock: systemClock, log: silentLog },
    ending.signal,
  );
  const running = listening.run(ending.signal);
  return {
    fixture,
    port: listening.port,
    url: listening.url,
    stop: async () => {
      ending.abort(new Error("over"));
      await running;
      fixture.close();
    },
  };
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Everything that comes back until the server closes or answered once. */
async function exchange(port: number, text: string): Promise<string> {
  const socket = await dial(port);
  const ended = new AbortController();
  let heard = "";
  socket.on("data", (bytes: Buffer) => {
    heard += bytes.toString("latin1");
    if (/\r\n\r\n/.test(heard)) ended.abort();
  });
  socket.once("close", () => ended.abort());
  socket.write(text, "latin1");
  if (!ended.signal.aborted) await once(ended.signal, "abort");
  socket.destroy();
  return heard;
}

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);

suite("requests as they travel", () => {
  test("bodies whose length is told wrongly, twice, or in two ways are refused, and smuggle nothing", async () => {
    const { fixture, port, stop } = await serve({ headersMsMost: 500, requestMsMost: 500 });
    try {
      const head = (headers: readonly string[]) =>
        [
          "POST /v1/clusters HTTP/1.1",
          "host: hub.example",
          `authorization: Bearer ${fixture.tokens.write}`,
          "content-type: application/json",
          ...headers,
        ].join("\r\n") + "\r\n\r\n";
      const inner = "POST /v1/tokens HTTP/1.1\r\nhost: x\r\n\r\n";
      const rows: readonly (readonly [name: string, text: string, statuses: readonly number[]])[] =
        [
          [
            "both a length and chunks",
            head(["content-length: 4", "transfer-encoding: chunked"]) + `0\r\n\r\n${inner}`,
            [400],
          ],
          ["two lengths", head(["content-length: 2", "content-length: 40"]) + `{}${inner}`, [400]],
          ["a length below zero", head(["content-length: -1"]), [400]],
          ["a length that is none", head(["content-length: 0x10"]), [400]],
          ["chunks of another coding", head(["transfer-encoding: gzip, chunked, x"]), [400, 501]],
          [
            "a chunk whose size is none",
            head(["transfer-encoding: chunked"]) + "zz\r\n{}\r\n",
            [400],
          ],
          ["a length that is a lie, far over the limit", head(["content-length: 99999999"]), [413]],
          ["less than was told", head(["content-length: 100"]) + "{}", [0, 400, 408]],
          ["a header folded over two lines", head(["x: a\r\n b"]), [400]],
          ["a bare line feed in the head", "GET /healthz HTTP/1.1\nhost: x\n\n", [400]],
          ["a name with a space before its colon", head(["content-length : 2"]) + "{}", [400]],
          [
            "a thousand headers",
            head(Array.from({ length: 1_000 }, (_, n) => `x-${n}: ${"y".repeat(20)}`)),
            [431],
          ],
          [
            "credentials before the host of the line",
            `GET http://admin:secret@hub.example/v1/clusters HTTP/1.1\r\nhost: hub.example\r\nauthorization: Bearer ${fixture.tokens.read}\r\n\r\n`,
            [400],
          ],
          ["another protocol", "SSH-2.0-x\r\n\r\n", [400]],
        ];
      for (const [name, text, statuses] of rows) {
        const answer = await exchange(port, text);
        assert.ok(statuses.includes(statusOf(answer)), `${name}: ${answer.slice(0, 300)}`);
        assert.ok(!answer.includes("secret"), name);
      }
      const { json } = await fixture.ask("GET", "/v1/clusters");
      assert.equal(json.items.length, 4, "nothing was registered");
      assert.equal((await fixture.ask("GET", "/v1/tokens")).json.items.length, 2);
    } finally {
      await stop();
    }
  });

  test("a body of a million tiny chunks costs its bytes and is refused at its limit", async () => {
    const { fixture, port, stop } = await serve({}, { bodyBytesMost: 10_000 });
    try {
      const socket = await dial(port);
      let heard = "";
      socket.on("data", (bytes: Buffer) => (heard += bytes.toString("latin1")));
      socket.write(
        `POST /v1/clusters HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${fixture.tokens.write}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
      );
      const tiny = "1\r\n \r\n".repeat(1_000);
      for (let thousands = 0; thousands < 1_000 && statusOf(heard) === 0; thousands += 1)
        if (!socket.write(tiny))
          await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => {});
      await eventually(() => assert.equal(statusOf(heard), 413));
      socket.destroy();
    } finally {
      await stop();
    }
  });
});

suite("slow and many", () => {
  test("connections that dribble do not keep others waiting: of 200 requests, 200 are answered among 400 slow ones", async () => {
    const { fixture, port, url, stop } = await serve({
      headersMsMost: 60_000,
      requestMsMost: 120_000,
    });
    const slow: Socket[] = [];
    try {
      for (let index = 0; index < 400; index += 1) {
        const socket = await dial(port);
        socket.write(
          index % 2 === 0 ? "GET / HTTP/1.1\r\nx" : "POST /v1/clusters HTTP/1.1\r\nhost: x\r\n",
        );
        slow.push(socket);
      }
      const headers = { authorization: `Bearer ${fixture.tokens.read}` };
      let answered = 0;
      for (let index = 0; index < 200; index += 1)
        if ((await fetch(`${url}/v1/clusters`, { headers })).status === 200) answered += 1;
      assert.equal(answered, 200);
      assert.equal(
        slow.filter((socket) => !socket.destroyed).length,
        400,
        "and they were there all the time",
      );
    } finally {
      for (const socket of slow) socket.destroy();
      await stop();
    }
  });

  test("a head and a body that dribble are cut off", async () => {
    const { fixture, port, stop } = await serve({ headersMsMost: 200, requestMsMost: 400 });
    try {
      for (const text of [
        "GET / HTTP/1.1\r\nx: ",
        `POST /v1/clusters HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${fixture.tokens.write}\r\ncontent-length: 100\r\n\r\n{`,
        "",
      ]) {
        const socket = await dial(port);
        const closed = once(socket, "close");
        socket.resume();
        socket.write(text);
        await closed;
      }
    } finally {
      await stop();
    }
  });

  test("one network has its share of connections and no more; closing one makes room", async () => {
    const { url, port, stop } = await serve({ connectionsPerNetworkMost: 10 });
    const open: Socket[] = [];
    try {
      for (let index = 0; index < 10; index += 1) open.push(await dial(port));
      const eleventh = await dial(port);
      eleventh.resume();
      await eventually(() => assert.ok(eleventh.destroyed));
      assert.equal(open.filter((socket) => !socket.destroyed).length, 10);
      open.pop()?.destroy();
      await eventually(async () => assert.equal((await fetch(`${url}/healthz`)).status, 200));
    } finally {
      for (const socket of open) socket.destroy();
      await stop();
    }
  });

  test("guesses at tokens and signatures are refused unlooked-at after some, and right ones are not held back", async () => {
    const { fixture, url, stop } = await serve({}, { refusals: { burst: 10, perSecond: 0.01 } });
    try {
      const get = (token: string) =>
        fetch(`${url}/v1/clusters`, { headers: { authorization: `Bearer ${token}` } });
      assert.equal((await get(fixture.tokens.read)).status, 200);
      const statuses: number[] = [];
      for (let guess = 0; guess < 15; guess += 1)
        statuses.push(
          (await get(`wht_aaaaaaaa_${"a".repeat(51)}${"abcdefghijklmno"[guess]}`)).status,
        );
      assert.deepEqual(statuses, [
        ...Array.from({ length: 10 }, () => 401),
        ...Array.from({ length: 5 }, () => 429),
      ]);
      const limited = await get(`wht_gggggggg_${"g".repeat(52)}`);
      assert.ok(
        Number(limited.headers.get("retry-after")) > 0,
        `${limited.status} ${JSON.stringify([...limited.headers])}`,
      );
      assert.equal(((await limited.json()) as { code: string }).code, "WH-API-4291");
      const signed = await fetch(`${url}/v1/webhooks/git`, {
        method: "POST",
        body: "{}",
        headers: { "x-hub-signature-256": `sha256=${"0".repeat(64)}` },
      });
      assert.equal(signed.status, 429);
      // Whoever was let in lately is let in, and the probes are open to all.
      for (let round = 0; round < 20; round += 1)
        assert.equal((await get(fixture.tokens.read)).status, 200);
      assert.equal((await fetch(`${url}/healthz`)).status, 200);
      // One that was not seen before waits with the rest.
      assert.equal((await get(fixture.tokens.write)).status, 429);
      await fixture.clock.advance(200_000);
      assert.equal((await get(fixture.tokens.write)).status, 200);
    } finally {
      await stop();
    }
  });
});
