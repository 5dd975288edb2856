import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { sideBySide } from "../../../spoke/loops/side-by-side.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

suite("sideBySide", () => {
  test("does everything, in order, with no more than so many at once", async () => {
    const begun: number[] = [];
    const running = { now: 0, most: 0 };
    const work = async (item: number): Promise<void> => {
      begun.push(item);
      running.now += 1;
      running.most = Math.max(running.most, running.now);
      await turn();
      running.now -= 1;
    };
    await sideBySide([1, 2, 3, 4, 5], 2, work, new AbortController().signal);
    assert.deepEqual(begun, [1, 2, 3, 4, 5]);
    assert.equal(running.most, 2);
  });

  test("tries everything before it throws the first failure", async () => {
    const begun: number[] = [];
    const work = async (item: number): Promise<void> => {
      begun.push(item);
      await turn();
      if (item > 1) throw new Error(`item ${item}`);
    };
    await assert.rejects(sideBySide([1, 2, 3], 1, work, new AbortController().signal), /item 2/);
    assert.deepEqual(begun, [1, 2, 3]);
  });

  test("begins nothing new after the abort, whose reason it throws", async () => {
    const stopping = new AbortController();
    const begun: number[] = [];
    const work = async (item: number): Promise<void> => {
      begun.push(item);
      stopping.abort(new Error("enough"));
    };
    await assert.rejects(sideBySide([1, 2, 3], 1, work, stopping.signal), /enough/);
    assert.deepEqual(begun, [1]);
  });
});
