import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { createCatchUp } from "../../../hub/loops/catch-up.ts";
import type { Overtaking } from "../../../hub/domain/records.ts";
import { silentLog } from "../../../proto/kit/log.ts";
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
  };
  const stop = new AbortController();
  const catchUp = createCatchUp(fleetRepository, {
    allTried: () => here.tried,
    isCurrent: (repository) => here.current.has(repository),
    overtaken: () => Promise.resolve(here.offers),
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
    clock: fakeClock(),
    log: silentLog,
  });
  const running = catchUp.run(stop.signal).catch(() => {});
  const end = async (): Promise<void> => {
    stop.abort(new Error("over"));
    await running;
  };
  return { here, catchUp, end };
}

suite("catching up with what spokes have seen", () => {
  test("waits for a whole pass that began after Git was read", async () => {
    const { here, catchUp, end } = world([offer("web")]);
    catchUp.onPass(true);
    assert.equal(catchUp.isDone(), false, "what was published may be from before the restart");
    here.tried = true;
    here.current.add(fleetRepository);
    catchUp.onPass(true);
    assert.deepEqual([catchUp.isDone(), here.looks], [false, 1]);
    catchUp.onPass(false);
    assert.equal(catchUp.isDone(), false, "something is still missing");
    catchUp.onPass(true);
    assert.equal(catchUp.isDone(), true);
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
    catchUp.onPass(true);
    catchUp.onPass(true);
    await eventually(() => assert.deepEqual(here.outnumbered, [["offer web"]]));
    here.current.add(other);
    here.offers = [offer("stale", other)];
    catchUp.onPass(true);
    await eventually(() => assert.deepEqual(here.outnumbered, [["offer web"], ["offer stale"]]));
    await end();
  });

  test("remembers overtaken removals until it may order them anew", async () => {
    const { here, catchUp, end } = world();
    catchUp.onOvertaken([removal("old")]);
    here.tried = true;
    here.current.add(fleetRepository);
    catchUp.onPass(true);
    assert.deepEqual(here.outnumbered, []);
    catchUp.onPass(true);
    await eventually(() => assert.deepEqual(here.outnumbered, [["removal old"]]));
    catchUp.onOvertaken([removal("older")]);
    await eventually(() =>
      assert.deepEqual(here.outnumbered, [["removal old"], ["removal older"]]),
    );
    await end();
  });
});
