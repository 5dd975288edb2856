import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { FleetEventDraft } from "../../../hub/domain/records.ts";
import type { RepositoryRecord } from "../../../hub/domain/repository-record.ts";
import { createRepositories, type Repositories } from "../../../hub/loops/repositories.ts";
import { soonerPollMs, type RepositoryUpdate } from "../../../hub/loops/repository-loop.ts";
import type { Clock } from "../../../proto/kit/clock.ts";
import { silentLog, type Log } from "../../../proto/kit/log.ts";
import { runTogether } from "../../../proto/kit/run-together.ts";
import { Trouble } from "../../../proto/kit/trouble.ts";
import { unlessAborted } from "../../../proto/kit/unless-aborted.ts";
import { eventually } from "../../support/eventually.ts";
import { fakeClock } from "../../support/fake-clock.ts";

const url = "https://git.example.org/fleet.git";

class Unreachable extends Trouble {
  readonly code = "WH-GIT-3001";
}

/** A repository that answers what it is told to, and a store that remembers. */
class World {
  heads = new Map<string, string>();
  rewritten: RepositoryUpdate["rewritten"] = [];
  fault: Error | undefined;
  storeFault: Error | undefined;
  recordFault: Error | undefined;
  looks: string[] = [];
  finds = 0;
  moves = 0;
  firstLooks = 0;
  nowMs = 1_000;
  readonly sleeps: number[] = [];
  readonly records = new Map<string, RepositoryRecord>();
  readonly events: FleetEventDraft[] = [];
  writes = 0;
  /** Sleepers wait until the test says so: time moves by waking only. */
  clock: Clock = {
    nowMs: () => this.nowMs,
    sleep: (delayMs, signal) => {
      this.sleeps.push(delayMs);
      return unlessAborted(new Promise<void>(() => {}), signal);
    },
  };

  readonly logged: string[] = [];
  readonly log: Log = {
    ...silentLog,
    warn: (event, fields) => this.logged.push(`warn: ${event}: ${fields?.["problem"]}`),
    error: (event, fields) => this.logged.push(`error: ${event}: ${fields?.["problem"]}`),
    with: () => silentLog,
  };

  repositories(clock: Clock = this.clock): Repositories {
    return createRepositories(
      {
        open: (address) =>
          address.startsWith("https://")
            ? {
                ok: true,
                value: {
                  heads: async () => new Map(),
                  update: async (revisions) => {
                    this.looks.push(`${address} ${revisions.join(",")}`);
                    if (this.fault !== undefined) throw this.fault;
                    const found = revisions.filter((revision) => this.heads.has(revision));
                    return {
                      heads: new Map(found.map((name) => [name, this.heads.get(name) ?? ""])),
                      missing: new Map(
                        revisions
                          .filter((revision) => !this.heads.has(revision))
                          .map((revision) => [revision, `there is no ${revision}`]),
                      ),
                      rewritten: this.rewritten,
                    };
                  },
                },
              }
            : { ok: false, problem: "not an address" },
        find: async (address) => {
          this.finds += 1;
          if (this.storeFault !== undefined) throw this.storeFault;
          return this.records.get(address);
        },
        record: async (record, events) => {
          if (this.recordFault !== undefined) throw this.recordFault;
          this.writes += 1;
          this.records.set(record.url, record);
          this.events.push(...events);
        },
        onMoved: () => {
          this.moves += 1;
        },
        onFirstLook: () => {
          this.firstLooks += 1;
        },
        clock,
        random: () => 0.5,
        log: this.log,
      },
      {
        pollMs: 10_000,
        askedPollMsLeast: 1_000,
        retry: { firstMs: 100, factor: 2, mostMs: 1_000 },
        recordEveryMs: 60_000,
        atOnceMost: 2,
      },
    );
  }
}

async function running(
  world: World,
  story: (repositories: Repositories) => Promise<void>,
  clock?: Clock,
): Promise<void> {
  const stopping = new AbortController();
  const repositories = world.repositories(clock);
  const run = runTogether([repositories.run], stopping.signal);
  try {
    await story(repositories);
  } finally {
    stopping.abort(new Error("over"));
    await run;
  }
}

/** Wakes the loop and waits for the look that follows to be written down. */
async function look(world: World, repositories: Repositories): Promise<void> {
  const before = world.sleeps.length;
  repositories.wake(url);
  await eventually(() => assert.ok(world.sleeps.length > before));
}

suite("repositories", () => {
  test("a revision is unknown until somebody looked, then at a commit", () =>
    running(new World(), async () => {}).then(async () => {
      const world = new World();
      world.heads.set("main", "c1");
      await running(world, async (repositories) => {
        assert.deepEqual(repositories.revision(url, "main"), { kind: "unknown" });
        await eventually(() =>
          assert.deepEqual(repositories.revision(url, "main"), { kind: "at", commit: "c1" }),
        );
        assert.equal(world.moves, 1);
        assert.deepEqual(world.records.get(url), {
          url,
          heads: { main: "c1" },
          fetchedAtMs: 1_000,
          checkedAtMs: 1_000,
          problem: undefined,
        });
        assert.deepEqual(
          world.events.map(({ kind, message }) => `${kind}: ${message}`),
          ["repository-fetched: main is at c1"],
        );
      });
    }));

  test("a quiet look moves nobody and writes nothing", async () => {
    const world = new World();
    world.heads.set("main", "c1");
    await running(world, async (repositories) => {
      repositories.revision(url, "main");
      await eventually(() => assert.equal(world.moves, 1));
      await look(world, repositories);
      assert.deepEqual([world.looks.length, world.writes, world.moves], [2, 1, 1]);
      assert.deepEqual([world.firstLooks, repositories.isCurrent(url)], [1, true]);
      world.nowMs += 60_000;
      await look(world, repositories);
      assert.deepEqual([world.writes, world.records.get(url)?.checkedAtMs], [2, 61_000]);
    });
  });

  test("trouble keeps the last good commit, is told once, and slows the loop down", async () => {
    const world = new World();
    world.heads.set("main", "c1");
    await running(world, async (repositories) => {
      repositories.revision(url, "main");
      await eventually(() => assert.equal(world.moves, 1));
      world.fault = new Unreachable("the host is away");
      world.nowMs = 2_000;
      await look(world, repositories);
      world.nowMs = 3_000;
      await look(world, repositories);
      await look(world, repositories);
      assert.deepEqual(repositories.revision(url, "main"), { kind: "at", commit: "c1" });
      assert.deepEqual(world.records.get(url)?.problem, {
        code: "WH-GIT-3001",
        message: "the host is away",
        sinceMs: 2_000,
      });
      assert.deepEqual(world.sleeps.slice(-3), [75, 150, 300]);
      assert.equal(world.events.filter(({ kind }) => kind === "repository-problem").length, 1);
      world.fault = undefined;
      await look(world, repositories);
      assert.equal(world.records.get(url)?.problem, undefined);
      assert.equal(world.events.at(-1)?.message, "it can be read again");
    });
  });

  test("what was never reached is unavailable, with the reason", async () => {
    const world = new World();
    world.fault = new Unreachable("the host is away");
    await running(world, async (repositories) => {
      repositories.revision(url, "main");
      await eventually(() =>
        assert.deepEqual(repositories.revision(url, "main"), {
          kind: "unavailable",
          problem: { code: "WH-GIT-3001", message: "the host is away" },
        }),
      );
    });
  });

  test("a branch that is gone is unavailable and stays on the record", async () => {
    const world = new World();
    world.heads.set("main", "c1").set("next", "c2");
    await running(world, async (repositories) => {
      repositories.revision(url, "main");
      repositories.revision(url, "next");
      await eventually(() =>
        assert.deepEqual(repositories.revision(url, "next"), { kind: "at", commit: "c2" }),
      );
      world.heads.delete("next");
      await look(world, repositories);
      assert.equal(repositories.revision(url, "next").kind, "unavailable");
      assert.deepEqual(world.records.get(url)?.heads, { main: "c1", next: "c2" });
      assert.equal(world.records.get(url)?.problem?.code, "WH-GIT-3004");
    });
  });

  for (const { name, fault, line } of [
    {
      name: "trouble with the store",
      fault: new Trouble("the store cannot be used", { cause: new Error("disk full") }),
      line: "warn: repository loop failed: the store cannot be used: disk full",
    },
    {
      name: "a bug",
      fault: new TypeError("a record is none", { cause: new Error("it has no url") }),
      line: "error: repository loop failed: a record is none: it has no url",
    },
  ])
    test(`a loop that falls over ${name} says why and begins again, slower each time`, async () => {
      const world = new World();
      const clock = fakeClock();
      world.clock = clock;
      world.storeFault = fault;
      await running(world, async (repositories) => {
        repositories.revision(url, "main");
        const finds: number[] = [];
        for (const forMs of [0, 74, 1, 149, 1, 299, 1]) {
          await clock.advance(forMs);
          finds.push(world.finds);
        }
        assert.deepEqual(finds, [1, 1, 2, 2, 3, 3, 4]);
        assert.deepEqual(world.logged, Array(4).fill(line));
        // Once it has run for long, the next fall is a first one.
        world.storeFault = undefined;
        world.heads.set("main", "c1");
        await clock.advance(20_000);
        assert.equal(repositories.revision(url, "main").kind, "at");
        world.finds = 0;
        world.recordFault = fault;
        repositories.complain(url, { code: "WH-YAML-3301", message: "a.yaml: line 1" });
        await clock.advance(0);
        world.recordFault = undefined;
        await clock.advance(75);
        assert.equal(world.finds, 1);
      });
    });

  test("an address that is none is told", async () => {
    const world = new World();
    await running(world, async (repositories) => {
      repositories.revision("file:///etc", "main");
      await eventually(() =>
        assert.deepEqual(repositories.revision("file:///etc", "main"), {
          kind: "unavailable",
          problem: { code: "WH-GIT-3005", message: "not an address" },
        }),
      );
    });
  });

  test("what is not needed any more is not watched any more", async () => {
    const world = new World();
    world.heads.set("main", "c1").set("next", "c2");
    await running(world, async (repositories) => {
      const other = "https://git.example.org/other";
      repositories.revision(url, "main");
      repositories.revision(url, "next");
      repositories.revision(other, "main");
      await eventually(() => assert.equal(repositories.revision(other, "main").kind, "at"));
      repositories.setNeeded(new Map([[url, { revisions: new Set(["main"]), pollMs: undefined }]]));
      world.looks = [];
      repositories.wake();
      await eventually(() => assert.ok(world.looks.length > 0));
      await look(world, repositories);
      assert.deepEqual(new Set(world.looks), new Set([`${url} main`]));
      assert.deepEqual(repositories.revision(other, "main"), { kind: "unknown" });
    });
  });

  test("a webhook finds its repository however the address is spelt", async () => {
    const world = new World();
    world.heads.set("main", "c1");
    await running(world, async (repositories) => {
      repositories.revision(url, "main");
      await eventually(() => assert.equal(world.moves, 1));
      repositories.wake("https://somebody@git.example.org/Fleet");
      await eventually(() => assert.equal(world.looks.length, 2));
      repositories.wake("https://git.example.org/another");
      await look(world, repositories);
      assert.equal(world.looks.length, 3);
    });
  });

  test("a fault in what it holds shows on its record until it is taken back", async () => {
    const world = new World();
    world.heads.set("main", "c1");
    await running(world, async (repositories) => {
      repositories.revision(url, "main");
      await eventually(() => assert.equal(world.moves, 1));
      repositories.complain(url, { code: "WH-YAML-3301", message: "a.yaml: line 1" });
      await eventually(() =>
        assert.equal(world.records.get(url)?.problem?.message, "a.yaml: line 1"),
      );
      repositories.complain(url, undefined);
      await eventually(() => assert.equal(world.records.get(url)?.problem, undefined));
    });
  });

  test("a rewritten history is an event", async () => {
    const world = new World();
    world.heads.set("main", "c1");
    await running(world, async (repositories) => {
      repositories.revision(url, "main");
      await eventually(() => assert.equal(world.moves, 1));
      world.heads.set("main", "c2");
      world.rewritten = [{ revision: "main", from: "c1", to: "c2" }];
      await look(world, repositories);
      assert.match(world.events.at(-1)?.message ?? "", /history of main was rewritten/);
    });
  });

  test("polls are spread over the interval", async () => {
    const world = new World();
    world.heads.set("main", "c1");
    await running(world, async (repositories) => {
      repositories.revision(url, "main");
      await eventually(() => assert.equal(world.sleeps.length, 1));
      await look(world, repositories);
      assert.deepEqual(world.sleeps, [5_500, 10_000]);
    });
  });
});

suite("how often a repository is looked at", () => {
  const policy = { pollMs: 30_000, askedPollMsLeast: 10_000 };
  const rows: readonly (readonly [name: string, askedMs: number | undefined, expect: number])[] = [
    ["as often as ever when nobody asks", undefined, 30_000],
    ["as soon as it is asked for", 20_000, 20_000],
    ["not sooner than the least", 1, 10_000],
    ["not later than ever", 600_000, 30_000],
  ];
  for (const [name, askedMs, expect] of rows)
    test(name, () => assert.equal(soonerPollMs(policy, askedMs), expect));

  test("not later than ever, however short that is", () =>
    assert.equal(soonerPollMs({ ...policy, pollMs: 2_000 }, 1), 2_000));

  test("Git is asked as soon as a set wants it, and no sooner once none does", async () => {
    const clock = fakeClock();
    const world = new World();
    world.heads.set("main", "c1");
    await running(
      world,
      async (repositories) => {
        const need = (pollMs: number | undefined): void =>
          repositories.setNeeded(new Map([[url, { revisions: new Set(["main"]), pollMs }]]));
        const looksWithin = async (forMs: number): Promise<number> => {
          const before = world.looks.length;
          await clock.advance(forMs);
          return world.looks.length - before;
        };
        need(undefined);
        assert.equal(await looksWithin(5_500), 2, "the first pause is short");
        assert.equal(await looksWithin(100_000), 10);
        need(2_000);
        assert.equal(await looksWithin(100_000), 51, "at once, and then as asked");
        need(2_000);
        assert.equal(await looksWithin(100_000), 50, "asking again is nothing new");
        need(undefined);
        assert.equal(await looksWithin(2_000), 1, "the pause that had begun ends");
        assert.equal(await looksWithin(100_000), 10);
      },
      clock,
    );
  });
});
