import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import test, { suite } from "node:test";
import { apiClient, type ApiClient } from "../../../hub/cli/client.ts";
import type { StreamEvent } from "../../../hub/cli/event-stream.ts";
import { CliFailure, exitCodes } from "../../../hub/cli/exit-codes.ts";
import { systemClock } from "../../../proto/kit/clock.ts";

/** A server that answers as told, and a client of it. */
async function served(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  run: (client: ApiClient, url: string) => Promise<void>,
  prefix = "",
): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const url = `http://127.0.0.1:${port}${prefix}`;
  const clock = {
    nowMs: Date.now,
    sleep: (_: number, signal: AbortSignal) => systemClock.sleep(1, signal),
  };
  const client = apiClient(
    { server: url, token: "t", caFile: "" },
    { requestMs: 5_000, clock, random: () => 0.5, userAgent: "test" },
    new AbortController().signal,
  );
  try {
    await run(client, url);
  } finally {
    client.close();
    server.closeAllConnections();
    server.close();
  }
}

suite("the client", () => {
  test("takes a broken event stream up where it broke", async () => {
    const asked: string[] = [];
    const troubles: [problem: string, waitMs: number][] = [];
    const streams = [
      'retry: 2000\nid: 4\n\nid: 5\ndata: {"subject":"a"}\n\nid: 6\nda',
      "HTTP 503",
      'retry: 2000\nid: 5\n\nid: 6\ndata: {"subject":"b"}\n\n',
    ];
    await served(
      (request, response) => {
        asked.push(request.url ?? "");
        const stream = streams.shift();
        if (stream === "HTTP 503") response.writeHead(503).end('{"detail":"starting"}');
        else response.end(stream);
      },
      async (client) => {
        const leave = new AbortController();
        const seen: StreamEvent[] = [];
        const events = client.events(
          4,
          { cluster: "x" },
          (problem, waitMs) => troubles.push([problem, waitMs]),
          leave.signal,
        );
        await assert.rejects(async () => {
          for await (const event of events) {
            if (event.kind === "change") seen.push(event);
            if (seen.length === 2) leave.abort(new Error("enough"));
          }
        }, /enough/);
        assert.deepEqual(
          seen.map((event) => event.position),
          [5, 6],
        );
      },
    );
    assert.deepEqual(asked, [
      "/v1/events?cluster=x&after=4",
      "/v1/events?cluster=x&after=5",
      "/v1/events?cluster=x&after=5",
    ]);
    assert.deepEqual(troubles, [
      ["the hub ended the stream", 375],
      ["starting", 750],
    ]);
  });

  test("a refusal ends an event stream: asking again would not help", async () => {
    await served(
      (_, response) => response.writeHead(401).end('{"detail":"no","code":"WH-API-4011"}'),
      async (client) => {
        const events = client.events(undefined, {}, () => {}, new AbortController().signal);
        await assert.rejects(
          events.next(),
          (error) => error instanceof CliFailure && error.exitCode === exitCodes.forbidden,
        );
      },
    );
  });

  test("walks pages until it has enough, and asks for no more than it needs", async () => {
    const asked: string[] = [];
    await served(
      (request, response) => {
        asked.push(request.url ?? "");
        const page = asked.length;
        const items = Array.from({ length: 2 }, (_, index) => ({ name: `${page}-${index}` }));
        response.end(JSON.stringify({ items, next: `cursor ${page}` }));
      },
      async (client) => {
        const list = await client.list("/v1/clusters", { text: "a b" }, 4);
        assert.deepEqual([list.items.length, list.more], [4, true]);
      },
    );
    assert.deepEqual(asked, [
      "/v1/clusters?text=a+b&limit=4",
      "/v1/clusters?text=a+b&limit=2&after=cursor+1",
    ]);
  });

  test("a hub behind a path prefix is reached there", async () => {
    const asked: string[] = [];
    await served(
      (request, response) => {
        asked.push(request.url ?? "");
        response.end("{}");
      },
      async (client) => {
        await client.get("/v1/version");
      },
      "/wheelhouse",
    );
    assert.deepEqual(asked, ["/wheelhouse/v1/version"]);
  });

  const statuses = [
    [400, exitCodes.usage],
    [401, exitCodes.forbidden],
    [403, exitCodes.forbidden],
    [404, exitCodes.notFound],
    [409, exitCodes.conflict],
    [422, exitCodes.usage],
    [429, exitCodes.unreachable],
    [500, exitCodes.bug],
    [502, exitCodes.unreachable],
    [503, exitCodes.unreachable],
    [504, exitCodes.timeout],
  ] as const;
  for (const [status, exitCode] of statuses)
    test(`the answer ${status} becomes exit code ${exitCode}, whoever gave it`, async () => {
      await served(
        (_, response) => response.writeHead(status).end("<h1>a proxy</h1>"),
        (client) =>
          assert.rejects(
            client.get("/v1/version"),
            (error) => error instanceof CliFailure && error.exitCode === exitCode,
          ),
      );
    });

  for (const server of [
    "hub.example",
    "ftp://hub.example",
    "http://user@hub.example",
    "http://h/?x=1",
  ])
    test(`${server} is no hub's address`, () => {
      const make = () =>
        apiClient(
          { server, token: "", caFile: "" },
          { requestMs: 1, clock: systemClock, random: () => 1, userAgent: "" },
          new AbortController().signal,
        );
      assert.throws(
        make,
        (error) => error instanceof CliFailure && error.exitCode === exitCodes.usage,
      );
    });
});
