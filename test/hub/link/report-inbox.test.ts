import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { ApplicationName, ClusterId } from "../../../proto/words/ids.ts";
import { createReportInbox, type ReportBatch } from "../../../hub/link/report-inbox.ts";
import { fakeClock } from "../../support/fake-clock.ts";

const report = (cluster: string, rows = 1): ReportBatch => ({
  cluster: cluster as ClusterId,
  applications: [],
  gone: Array.from({ length: rows }, () => "web" as ApplicationName),
});

function running(record: (batch: readonly ReportBatch[]) => Promise<void>) {
  const clock = fakeClock();
  const stopping = new AbortController();
  const inbox = createReportInbox({ record, clock }, { rowsEnough: 10, waitMs: 20 });
  const done = inbox.run(stopping.signal).catch(() => {});
  const stop = async () => {
    stopping.abort(new Error("the test is over"));
    await done;
  };
  return { clock, add: (one: ReportBatch) => inbox.add(one, stopping.signal), stop };
}

suite("report inbox", () => {
  test("writes what came within the wait in one commit, and only then resolves", async () => {
    const commits: string[][] = [];
    const written = Promise.withResolvers<void>();
    const { clock, add, stop } = running(async (batch) => {
      commits.push(batch.map(({ cluster }) => cluster));
      await written.promise;
    });
    let resolved = 0;
    const all = ["a", "b", "c"].map((cluster) => add(report(cluster)).then(() => (resolved += 1)));
    await clock.advance(19);
    assert.deepEqual(commits, []);
    await clock.advance(1);
    assert.deepEqual(commits, [["a", "b", "c"]]);
    assert.equal(resolved, 0);
    written.resolve();
    await Promise.all(all);
    assert.equal(resolved, 3);
    await stop();
  });

  test("does not wait once there are rows enough", async () => {
    let commits = 0;
    const { clock, add, stop } = running(async () => {
      commits += 1;
    });
    await Promise.all([add(report("a", 5)), add(report("b", 5))]);
    assert.equal(commits, 1);
    assert.equal(clock.sleepers(), 0);
    await stop();
  });

  test("gathers what comes during a commit for the next one", async () => {
    const commits: number[] = [];
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { clock, add, stop } = running(async (batch) => {
      commits.push(batch.length);
      await gates[commits.length - 1]?.promise;
    });
    const first = add(report("a"));
    await clock.advance(20);
    const rest = ["b", "c", "d"].map((cluster) => add(report(cluster)));
    await clock.advance(100);
    assert.deepEqual(commits, [1]);
    gates[0]?.resolve();
    await first;
    await clock.advance(20);
    assert.deepEqual(commits, [1, 3]);
    gates[1]?.resolve();
    await Promise.all(rest);
    await stop();
  });

  test("a report that cannot be written fails alone", async () => {
    const { clock, add, stop } = running(async (batch) => {
      if (batch.some(({ cluster }) => cluster === "bad")) throw new Error("no such cluster");
    });
    const all = Promise.allSettled(["a", "bad", "b"].map((cluster) => add(report(cluster))));
    await clock.advance(20);
    assert.deepEqual(
      (await all).map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    await stop();
  });

  test("nobody waits for ever when the hub stops", async () => {
    const { add, stop } = running(async () => {});
    const waiting = assert.rejects(add(report("a")), /the test is over/);
    await stop();
    await waiting;
  });
});
