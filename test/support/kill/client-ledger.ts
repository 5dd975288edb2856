import assert from "node:assert/strict";
import { hubClient } from "../hub-client.ts";

/**
 * Somebody at the hub's HTTP API who writes down what the hub acknowledged, and nothing else. An answer that
 * never came may or may not have happened: of such a thing only that it did not happen twice can be asked.
 */
export type ClientLedger = {
  /** One more thing asked of the hub, the next in turn. Never throws: the hub may be dying. */
  readonly act: (hub: HubAddress) => Promise<void>;
  /** Throws unless all that was ever acknowledged is so, once. */
  readonly check: (hub: HubAddress) => Promise<void>;
  /** How many acknowledgements are held against the hub. */
  readonly acknowledged: () => number;
};

export type HubAddress = { readonly url: string; readonly adminToken: string };

type Token = { readonly id: string; readonly token: string };
type Labels = Readonly<Record<string, string>>;

export function clientLedger(): ClientLedger {
  const clusters = new Map<string, { labels: Labels; asked: Labels[] }>();
  const removed = new Set<string>();
  const tokens = new Map<string, Token>();
  const revoked = new Map<string, Token>();
  let turn = 0;
  let acknowledged = 0;
  let last: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };

  /** Whether there was anything to ask for; what was asked is acknowledged when it resolves. */
  type Act = (hub: HubAddress, number: number) => Promise<"asked" | "nothing to ask">;
  const acts: readonly Act[] = [
    async (hub, number) => {
      const name = `guest-${number}`;
      const labels = { number: String(number) };
      await hubClient(hub).send("POST", "/v1/clusters", { name, labels });
      clusters.set(name, { labels, asked: [] });
      return "asked";
    },
    async (hub, number) => {
      const made = await hubClient(hub).send<Token>("POST", "/v1/tokens", {
        name: `token-${number}`,
        scope: "read",
      });
      tokens.set(made.id, made);
      return "asked";
    },
    async (hub, number) => {
      const [name, known] = [...clusters].at(-1) ?? [];
      if (name === undefined || known === undefined) return "nothing to ask";
      const labels = { number: `changed-${number}` };
      known.asked.push(labels);
      await hubClient(hub).send("PATCH", `/v1/clusters/${name}`, { labels });
      known.labels = labels;
      known.asked = [];
      return "asked";
    },
    async (hub, number) => {
      const [id, token] = [...tokens].at(-1) ?? [];
      if (id === undefined || token === undefined || number % 2 === 0) return "nothing to ask";
      // Once asked, it is no longer known to be good.
      tokens.delete(id);
      await hubClient(hub).send("DELETE", `/v1/tokens/${id}`);
      revoked.set(id, token);
      return "asked";
    },
    async (hub, number) => {
      const [name] = [...clusters].at(0) ?? [];
      if (name === undefined || number % 3 !== 0) return "nothing to ask";
      clusters.delete(name);
      await hubClient(hub).send("DELETE", `/v1/clusters/${name}`);
      removed.add(name);
      return "asked";
    },
  ];

  return {
    acknowledged: () => acknowledged,
    act: (hub) => inTurn(() => actOnce(hub)),
    check: (hub) => inTurn(() => checkAll(hub)),
  };

  async function actOnce(hub: HubAddress): Promise<void> {
    turn += 1;
    const act = acts[turn % acts.length];
    try {
      if ((await act?.(hub, turn)) === "asked") acknowledged += 1;
    } catch (error) {
      // Whatever the hub answered it meant: only silence is allowed to be ambiguous.
      if (error instanceof Error && /^\w+ \S+: [45]\d\d/.test(error.message)) throw error;
    }
  }

  async function checkAll(hub: HubAddress): Promise<void> {
    const api = hubClient(hub);
    const found = await api.all<{ readonly name: string; readonly labels: Labels }>("/v1/clusters");
    const byName = new Map(found.map((cluster) => [cluster.name, cluster.labels]));
    assert.equal(byName.size, found.length, "no cluster is listed twice");
    for (const [name, { labels, asked }] of clusters) {
      const now = byName.get(name);
      assert.ok(now !== undefined, `cluster ${name} was acknowledged and is gone`);
      assert.ok(
        [labels, ...asked].some((some) => some["number"] === now["number"]),
        `labels of ${name} are ${JSON.stringify(now)}, ${JSON.stringify(labels)} was acknowledged`,
      );
    }
    for (const name of removed)
      assert.ok(!byName.has(name), `cluster ${name} was removed and is back`);
    for (const { id, token } of tokens.values())
      assert.equal(await statusWith(hub, token), 200, `token ${id} was acknowledged`);
    const { items } = await api.get<{
      readonly items: readonly { readonly id: string; readonly revokedAtMs?: number }[];
    }>("/v1/tokens");
    const ended = new Set(
      items.filter((item) => item.revokedAtMs !== undefined).map(({ id }) => id),
    );
    for (const id of revoked.keys()) assert.ok(ended.has(id), `token ${id} was revoked`);
    // Not all of them: whoever shows many bad tokens is not listened to any more.
    for (const { id, token } of [...revoked.values()].slice(-1))
      assert.equal(await statusWith(hub, token), 401, `token ${id} was revoked`);
    await checkEvents(hub, [...clusters.keys()], [...removed]);
    const { total } = await api.get<{
      readonly total: { readonly clusters: { readonly total: number } };
    }>("/v1/fleet/summary");
    assert.equal(total.clusters.total, found.length, "kept counts agree with the list");
  }
}

type Event = { readonly sequence: number; readonly kind: string; readonly subject: string };

/** What happened is told of once: not lost with a crash, and not told again after it. */
async function checkEvents(
  hub: HubAddress,
  added: readonly string[],
  removed: readonly string[],
): Promise<void> {
  const times = new Map<string, number>();
  let last = 0;
  for (;;) {
    const answer = await fetch(
      `${hub.url}/v1/events?after=${last}&limit=500&kind=cluster-added,cluster-removed`,
      { headers: { authorization: `Bearer ${hub.adminToken}`, accept: "application/json" } },
    );
    const { items } = (await answer.json()) as { readonly items: readonly Event[] };
    for (const { sequence, kind, subject } of items) {
      assert.ok(sequence > last, "sequences of events grow");
      last = sequence;
      times.set(`${kind} ${subject}`, (times.get(`${kind} ${subject}`) ?? 0) + 1);
    }
    if (items.length === 0) break;
  }
  for (const [event, count] of times) assert.equal(count, 1, `${event} is told ${count} times`);
  for (const name of [...added, ...removed])
    assert.equal(times.get(`cluster-added ${name}`), 1, `that ${name} was added is told`);
  for (const name of removed)
    assert.equal(times.get(`cluster-removed ${name}`), 1, `that ${name} was removed is told`);
}

const statusWith = async (hub: HubAddress, token: string): Promise<number> => {
  const answer = await fetch(`${hub.url}/v1/clusters?limit=1`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await answer.body?.cancel();
  return answer.status;
};
