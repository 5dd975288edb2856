import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { createCatchUp } from "../../../hub/loops/catch-up.ts";
import type { Overtaking } from "../../../hub/domain/overtaking.ts";
import { silentLog } from "../../../proto/kit/log.ts";
import { Trouble } from "../../../proto/kit/trouble.ts";
import type { ApplicationName, ClusterId } from "../../../proto/words/ids.ts";
import { eventually } from "../../support/eventually.ts";
import { fakeClock } from "../../support/fake-clock.ts";

const fleetRepository = "https://git.example/fleet.git";
const one = "one" as ClusterId;

const offer = (application: string, repository = fleetRepository, hasProblem = false) => ({
  what: "offer" as const,
  cluster: one,
  application: application as ApplicationName,
  generation: 7,
  origin: { kind: "application", name: application } as const,
  repository,
  hasProblem,
});
const removal = (application: string): Overtaking => ({
  what: "removal",
  cluster: one,
  application: application as ApplicationName,
  generation: 7,
});

function world(offers: readonly ReturnType<typeof offer>[] = []) {
  const here = {
    offers,
    current: new Set<string>(),
    tried: false,
    outnumbered: [] as string[][],
    woken: 0,
    looks: 0,
    /** Thrown by the next tries, one each. */
    faults: [] as Error[],
    logged: [] as string[],
  };
  const clock = fakeClock();
  const stop = new AbortController();
  const catchUp = createCatchUp(fleetRepository, {
    allTried: () => here.tried,
    isCurrent: (repository) => here.current.has(repository),
    overtaken: async () => {
      const fault = here.faults.shift();
      if (fault !== undefined) throw fault;
      return here.offers;
    },
    outnumber: (overtakings) => {
      here.outnumbered.push(overtakings.map(({ what, application }) => `${what} ${application}`));
      return Promise.resolve({ changedClusters: [one] });
    },
    clusters: () => Promise.resolve([one]),
    onClustersChanged: () => {
      here.woken += 1;
    },
    lookAgain: () => {
      here.looks += 1;
    },
    clock,
    random: () => 1,
    log: {
      ...silentLog,
      warn: (event, fields) => here.logged.push(`warn: ${event}: ${fields?.["problem"]}`),
      error: (event, fields) => here.logged.push(`error: ${event}: ${fields?.["problem"]}`),
    },
  });
  const running = catchUp.run(stop.signal).catch(() => {});
  const end = async (): Promise<void> => {
    stop.abort(new Error("over"));
    await running;
  };
  return { here, catchUp, clock, end };
}

suite("catching up with what spokes have seen", () => {
  test("waits for a whole pass that began after Git was read", async () => {
    const { here, catchUp, end } = world([offer("web")]);
    catchUp.onPass(true, []);
    assert.equal(
      catchUp.vouchedFor(),
      "nothing",
      "what was published may be from before the restart",
    );
    here.tried = true;
    here.current.add(fleetRepository);
    catchUp.onPass(true, []);
    assert.deepEqual([catchUp.vouchedFor(), here.looks], ["nothing", 1]);
    catchUp.onPass(false, []);
    assert.equal(catchUp.vouchedFor(), "nothing", "something is still missing");
    catchUp.onPass(true, []);
    assert.equal(catchUp.vouchedFor(), "all");
    await eventually(() => assert.deepEqual(here.outnumbered, [["offer web"]]));
    await eventually(() => assert.equal(here.woken, 2));
    await end();
  });

  test("leaves alone what Git does not vouch for, until it does", async () => {
    const other = "https://git.example/other.git";
    const { here, catchUp, end } = world([
      offer("web"),
      offer("stale", other),
      offer("broken", fleetRepository, true),
    ]);
    here.tried = true;
    here.current.add(fleetRepository);
    catchUp.onPass(true, []);
    catchUp.onPass(true, []);
    await eventually(() => assert.deepEqual(here.outnumbered, [["offer web"]]));
    here.current.add(other);
    here.offers = [offer("stale", other)];
    catchUp.onPass(true, []);
    await eventually(() => assert.deepEqual(here.outnumbered, [["offer web"], ["offer stale"]]));
    await end();
  });

  test("does not wait for what falls over, and orders nothing that it may want", async () => {
    const { here, catchUp, end } = world([offer("web"), offer("odd")]);
    const odd = { kind: "application", name: "odd" } as const;
    catchUp.onOvertaken([removal("old")]);
    here.tried = true;
    here.current.add(fleetRepository);
    catchUp.onPass(true, [odd]);
    catchUp.onPass(true, [odd]);
    assert.equal(catchUp.vouchedFor(), "most");
    await eventually(() => assert.deepEqual(here.outnumbered, [["offer web"]]));
    here.offers = [offer("odd")];
    catchUp.onPass(true, []);
    await eventually(() =>
      assert.deepEqual(here.outnumbered, [["offer web"], ["offer odd", "removal old"]]),
    );
    assert.equal(catchUp.vouchedFor(), "all");
    catchUp.onPass(false, [odd]);
    assert.equal(catchUp.vouchedFor(), "all", "what was read once is no backup's memory any more");
    await end();
  });

  test("remembers overtaken removals until it may order them anew", async () => {
    const { here, catchUp, end } = world();
    catchUp.onOvertaken([removal("old")]);
    here.tried = true;
    here.current.add(fleetRepository);
    catchUp.onPass(true, []);
    assert.deepEqual(here.outnumbered, []);
    catchUp.onPass(true, []);
    await eventually(() => assert.deepEqual(here.outnumbered, [["removal old"]]));
    catchUp.onOvertaken([removal("older")]);
    await eventually(() =>
      assert.deepEqual(here.outnumbered, [["removal old"], ["removal older"]]),
    );
    await end();
  });

  for (const { name, fault, level } of [
    { name: "trouble", fault: new Trouble("disk full"), level: "warn" },
    { name: "a bug", fault: new TypeError("a map is none"), level: "error" },
  ])
    test(`a try that meets ${name} is told as ${level} and made again`, async () => {
      const { here, catchUp, clock, end } = world([offer("web")]);
      here.faults = [fault];
      here.tried = true;
      here.current.add(fleetRepository);
      catchUp.onPass(true, []);
      catchUp.onPass(true, []);
      await clock.advance(0);
      assert.deepEqual(here.logged, [`${level}: catching up failed: ${fault.message}`]);
      assert.deepEqual(here.outnumbered, []);
      await clock.advance(1_000);
      assert.deepEqual(here.outnumbered, [["offer web"]]);
      await end();
    });

  test("pauses between tries grow, and begin anew after one that went well", async () => {
    const { here, catchUp, clock, end } = world();
    const left = async (forMs: number): Promise<number> => {
      await clock.advance(forMs);
      return here.faults.length;
    };
    const faults = [1, 2, 3].map(() => new Trouble("disk full"));
    here.faults = [...faults];
    here.tried = true;
    here.current.add(fleetRepository);
    catchUp.onPass(true, []);
    catchUp.onPass(true, []);
    assert.deepEqual(
      [await left(0), await left(1_000), await left(1_999), await left(1), await left(4_000)],
      [2, 1, 1, 0, 0],
    );
    assert.equal(here.woken, 1, "the fourth try went well");
    here.faults = [...faults];
    catchUp.onOvertaken([removal("old")]);
    assert.deepEqual([await left(0), await left(1_000)], [2, 1]);
    await end();
  });
});
