import assert from "node:assert/strict";
import test, { after, suite } from "node:test";
import { signal } from "../../../contract/store/builders.ts";
import { eventually } from "../../../support/eventually.ts";
import { assertProblem, openFixture, type Fixture } from "../fixture.ts";

const json = { accept: "application/json" };

/** The response of a stream, and its text as it grows. */
async function openStream(
  { app, tokens }: Fixture,
  query: string,
  headers: Readonly<Record<string, string>> = {},
) {
  const leave = new AbortController();
  const response = await app.fetch(
    new Request(`http://hub.example/v1/events${query}`, {
      headers: { authorization: `Bearer ${tokens.read}`, ...headers },
      signal: leave.signal,
    }),
  );
  assert.equal(response.status, 200);
  assert.ok(response.body);
  let text = "";
  const done = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
  })();
  return { response, text: () => text, done, leave };
}

suite("events", async () => {
  const fixture = await openFixture();
  after(() => fixture.close());
  const { ask, store } = fixture;
  const latest = await store.events.latest(signal);

  test("a page holds the newest, and goes on where it ended", async () => {
    const page = (await ask("GET", "/v1/events?limit=2", { headers: json })).json;
    assert.deepEqual(
      page.items.map((item: { sequence: number }) => item.sequence),
      [latest - 1, latest],
    );
    assert.deepEqual([page.next, page.resync], [latest, false]);
    const next = (await ask("GET", `/v1/events?after=${page.next}`, { headers: json })).json;
    assert.deepEqual(next, { items: [], next: latest, resync: false });
  });

  test("a page can be narrowed to kinds, a subject or a cluster", async () => {
    const kinds = async (query: string) =>
      (await ask("GET", `/v1/events?after=0&${query}`, { headers: json })).json.items.map(
        (item: { kind: string; subject: string }) => `${item.kind} ${item.subject}`,
      );
    assert.deepEqual(await kinds("kind=cluster-added&cluster=dev-1"), ["cluster-added dev-1"]);
    const detached = await kinds("kind=cluster-attached,cluster-detached&subject=prod-2");
    assert.deepEqual(detached, ["cluster-attached prod-2", "cluster-detached prod-2"]);
    assertProblem(
      await ask("GET", "/v1/events?kind=nothing", { headers: json }),
      422,
      "WH-API-4002",
    );
  });

  test("a page after a place that never was says so", async () => {
    const page = (await ask("GET", "/v1/events?after=9999&limit=1", { headers: json })).json;
    assert.equal(page.resync, true);
    assert.equal(page.items.length, 1);
  });

  test("a stream tells what happens while it is open", async () => {
    const stream = await openStream(fixture, "");
    assert.match(stream.response.headers.get("content-type") ?? "", /^text\/event-stream/);
    await eventually(() => assert.match(stream.text(), /^retry: 2000\nid: \d+\n\n$/));
    await ask("PATCH", "/v1/clusters/dev-1", { body: { labels: { seen: "yes" } } });
    await eventually(() =>
      assert.match(stream.text(), /"kind":"cluster-changed","subject":"dev-1"/),
    );
    stream.leave.abort();
    await stream.done.catch(() => {});
  });

  test("a stream resumes by Last-Event-ID, which wins over ?after=", async () => {
    const id = String((await store.events.latest(signal)) - 1);
    const stream = await openStream(fixture, "?after=0", { "last-event-id": id });
    await eventually(() => assert.match(stream.text(), new RegExp(`id: ${Number(id) + 1}\\ndata`)));
    assert.ok(!stream.text().includes('"sequence":1,'));
    stream.leave.abort();
    await stream.done.catch(() => {});
  });

  test("only so many streams are open at once, and a closed one makes room", async () => {
    const small = await openFixture({
      settings: { events: { heartbeatMs: 15_000, stallMsMost: 30_000, streamsMost: 1 } },
    });
    const first = await openStream(small, "");
    assertProblem(await small.ask("GET", "/v1/events"), 429, "WH-API-4290");
    first.leave.abort();
    await first.done.catch(() => {});
    const second = await openStream(small, "");
    small.life.abort();
    await second.done;
    small.close();
  });

  test("a stream ends when its token is revoked", async () => {
    const made = await openFixture();
    const stream = await openStream(made, "");
    await eventually(() => assert.match(stream.text(), /retry/));
    await made.ask("DELETE", `/v1/tokens/${made.tokens.read.slice(0, 12)}`);
    await made.clock.advance(15_000);
    await stream.done;
    made.close();
  });
});
