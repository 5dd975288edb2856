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
  /** How many orders had not ended when they were last checked. */
  readonly waiting: () => number;
  /** How many acknowledgements are held against the hub. */
  readonly acknowledged: () => number;
};

export type HubAddress = { readonly url: string; readonly adminToken: string };

type Token = { readonly id: string; readonly token: string };
type Labels = Readonly<Record<string, string>>;

/** An order as the API tells it. `finishedAtMs` with what became of it: neither changes any more. */
type Order = {
  readonly id: string;
  readonly application: string;
  readonly state: "waiting" | "succeeded" | "failed" | "expired";
  readonly finishedAtMs?: number;
};

/** What it orders is for `application`; nobody else may order anything for it. */
export function clientLedger(application: string): ClientLedger {
  const clusters = new Map<string, { labels: Labels; asked: Labels[] }>();
  const removed = new Set<string>();
  const tokens = new Map<string, Token>();
  const revoked = new Map<string, Token>();
  /** By id, as they were when they were last looked at. */
  const orders = new Map<string, Order>();
  let turn = 0;
  let acknowledged = 0;
  let last: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };

  /** Whether there was anything to ask for; what was asked is acknowledged when it resolves. */
  type Act = (hub: HubAddress, number: number, lap: number) => Promise<"asked" | "nothing to ask">;
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
    async (hub, _number, lap) => {
      const [id, token] = [...tokens].at(-1) ?? [];
      if (id === undefined || token === undefined || lap % 2 === 0) return "nothing to ask";
      // Once asked, it is no longer known to be good.
      tokens.delete(id);
      await hubClient(hub).send("DELETE", `/v1/tokens/${id}`);
      revoked.set(id, token);
      return "asked";
    },
    async (hub, _number, lap) => {
      const [name] = [...clusters].at(0) ?? [];
      if (name === undefined || lap % 3 !== 0) return "nothing to ask";
      clusters.delete(name);
      await hubClient(hub).send("DELETE", `/v1/clusters/${name}`);
      removed.add(name);
      return "asked";
    },
    async (hub) => {
      const { command } = await hubClient(hub).send<{ readonly command: Order }>(
        "POST",
        `/v1/applications/${application}/refresh`,
        {},
      );
      orders.set(command.id, command);
      return "asked";
    },
  ];

  return {
    waiting: () => [...orders.values()].filter(({ state }) => state === "waiting").length,
    acknowledged: () => acknowledged,
    act: (hub) => inTurn(() => actOnce(hub)),
    check: (hub) => inTurn(() => checkAll(hub)),
  };

  async function actOnce(hub: HubAddress): Promise<void> {
    turn += 1;
    const act = acts[turn % acts.length];
    try {
      if ((await act?.(hub, turn, Math.floor(turn / acts.length))) === "asked") acknowledged += 1;
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
    await checkOrders(hub);
    await checkClusterEvents(hub, [...clusters.keys()], [...removed]);
    const { total } = await api.get<{
      readonly total: { readonly clusters: { readonly total: number } };
    }>("/v1/fleet/summary");
    assert.equal(total.clusters.total, found.length, "kept counts agree with the list");
  }

  /** Every order is known, what became of it stays so, and no end is told of twice. */
  async function checkOrders(hub: HubAddress): Promise<void> {
    const endedBefore = endedOf(orders);
    const told = (await eventsOf(hub, ["command-created", "command-finished"])).filter(
      ({ subject }) => subject === application,
    );
    for (const before of orders.values()) {
      const now = await hubClient(hub).get<Order>(`/v1/commands/${before.id}`);
      if (before.finishedAtMs !== undefined) assert.deepEqual(now, before, "an order ends once");
      orders.set(now.id, now);
    }
    const taken = told.filter(({ kind }) => kind === "command-created").length;
    // Of an order whose answer was lost nobody knows the id: it may have ended too.
    const unanswered = taken - orders.size;
    assert.ok(unanswered >= 0, `${orders.size} orders were acknowledged, ${taken} are told of`);
    const ends = told.length - taken;
    // Orders end meanwhile: those told of lie between those known before and after.
    assert.ok(ends >= endedBefore, `${endedBefore} orders have ended, ${ends} are told of`);
    const endsMost = endedOf(orders) + unanswered;
    assert.ok(ends <= endsMost, `${endsMost} orders have ended at most, ${ends} ends are told of`);
  }
}

const endedOf = (orders: ReadonlyMap<string, Order>): number =>
  [...orders.values()].filter(({ finishedAtMs }) => finishedAtMs !== undefined).length;

type Event = { readonly sequence: number; readonly kind: string; readonly subject: string };

/** Every event of these kinds, oldest first. */
async function eventsOf(hub: HubAddress, kinds: readonly string[]): Promise<readonly Event[]> {
  const events: Event[] = [];
  for (;;) {
    const last = events.at(-1)?.sequence ?? 0;
    const answer = await fetch(
      `${hub.url}/v1/events?after=${last}&limit=500&kind=${kinds.join(",")}`,
      { headers: { authorization: `Bearer ${hub.adminToken}`, accept: "application/json" } },
    );
    const { items } = (await answer.json()) as { readonly items: readonly Event[] };
    if (items.length === 0) return events;
    for (const event of items) {
      assert.ok(event.sequence > (events.at(-1)?.sequence ?? 0), "sequences of events grow");
      events.push(event);
    }
  }
}

/** What happened is told of once: not lost with a crash, and not told again after it. */
async function checkClusterEvents(
  hub: HubAddress,
  added: readonly string[],
  removed: readonly string[],
): Promise<void> {
  const times = new Map<string, number>();
  for (const { kind, subject } of await eventsOf(hub, ["cluster-added", "cluster-removed"]))
    times.set(`${kind} ${subject}`, (times.get(`${kind} ${subject}`) ?? 0) + 1);
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
