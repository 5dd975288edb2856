import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { CallLimit, type Place } from "../../../spoke/kube/call-limit.ts";

const { signal } = new AbortController();
type How = Parameters<Place["leave"]>[0];

/** Enters and leaves at once, so many times. */
async function pass(limit: CallLimit, how: How, times = 1): Promise<void> {
  for (let count = 0; count < times; count += 1) (await limit.enter(signal)).leave(how);
}

suite("how many calls may be under way", () => {
  test("a server that pushes back halves it, down to one", async () => {
    const limit = new CallLimit(16);
    const seen: number[] = [];
    for (let count = 0; count < 6; count += 1) {
      await pass(limit, "pushed-back");
      seen.push(limit.limit);
    }
    assert.deepEqual(seen, [8, 4, 2, 1, 1, 1]);
  });

  test("calls that were all under way are one push-back", async () => {
    const limit = new CallLimit(16);
    const places = await Promise.all(Array.from({ length: 16 }, () => limit.enter(signal)));
    for (const place of places) place.leave("pushed-back");
    assert.equal(limit.limit, 8);
    await pass(limit, "pushed-back");
    assert.equal(limit.limit, 4);
  });

  test("ten rounds of calls served raise it by one, up to the most", async () => {
    const limit = new CallLimit(4);
    await pass(limit, "pushed-back", 3);
    assert.equal(limit.limit, 1);
    await pass(limit, "served", 9);
    assert.equal(limit.limit, 1);
    await pass(limit, "served", 2);
    assert.equal(limit.limit, 2);
    await pass(limit, "served", 21);
    assert.equal(limit.limit, 3);
    await pass(limit, "served", 100);
    assert.equal(limit.limit, 4);
  });

  test("a failure that says nothing about the load changes nothing", async () => {
    const limit = new CallLimit(4);
    await pass(limit, "other", 10);
    assert.equal(limit.limit, 4);
  });

  test("who waits is let in in order, and one who leaves is not waited for", async () => {
    const limit = new CallLimit(1);
    const first = await limit.enter(signal);
    const told: string[] = [];
    const leaving = new AbortController();
    const left = limit.enter(leaving.signal);
    const second = limit.enter(signal).then((place) => {
      told.push("second");
      return place;
    });
    const third = limit.enter(signal).then((place) => {
      told.push("third");
      return place;
    });
    leaving.abort(new Error("left"));
    await assert.rejects(left, /left/);
    first.leave("served");
    (await second).leave("served");
    (await third).leave("served");
    assert.deepEqual(told, ["second", "third"]);
  });

  test("one who leaves as the turn comes hands it on", async () => {
    const limit = new CallLimit(1);
    const first = await limit.enter(signal);
    const leaving = new AbortController();
    const left = limit.enter(leaving.signal);
    const next = limit.enter(signal);
    leaving.abort(new Error("left"));
    first.leave("served");
    await assert.rejects(left, /left/);
    (await next).leave("served");
    await pass(limit, "served");
  });

  test("never more are under way than the limit was when they were let in, and none is lost", async () => {
    const hows = fc.array(fc.constantFrom<How>("served", "pushed-back", "other"), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(hows, fc.integer({ min: 1, max: 8 }), async (calls, most) => {
        const limit = new CallLimit(most);
        let underWay = 0;
        await Promise.all(
          calls.map(async (how, index) => {
            const place = await limit.enter(signal);
            underWay += 1;
            assert.ok(underWay <= most);
            for (let ticks = index % 3; ticks >= 0; ticks -= 1) await Promise.resolve();
            underWay -= 1;
            place.leave(how);
          }),
        );
        assert.equal(underWay, 0);
        assert.ok(limit.limit >= 1 && limit.limit <= most);
      }),
      { numRuns: 200 },
    );
  });
});
