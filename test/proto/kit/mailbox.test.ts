import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { Mailbox } from "../../../proto/kit/mailbox.ts";

const never = new AbortController().signal;

suite("Mailbox", () => {
  test("keeps the newest value of a key, in the order keys first arrived", async () => {
    const box = new Mailbox<string, number>();
    box.put("a", 1);
    box.put("b", 2);
    box.put("a", 3);
    assert.deepEqual(await box.take(never), ["a", 3]);
    assert.deepEqual(await box.take(never), ["b", 2]);
    assert.equal(box.size, 0);
  });

  test("a waiting taker gets the next value, and only one taker gets it", async () => {
    const box = new Mailbox<string, number>();
    const first = box.take(never);
    const second = box.take(never);
    box.put("a", 1);
    box.put("b", 2);
    assert.deepEqual(
      new Map(await Promise.all([first, second])),
      new Map([
        ["a", 1],
        ["b", 2],
      ]),
    );
  });

  test("takes many at once up to the limit", async () => {
    const box = new Mailbox<number, number>();
    for (let index = 0; index < 5; index += 1) box.put(index, index);
    assert.equal((await box.takeMany(3, never)).length, 3);
    assert.equal((await box.takeMany(3, never)).length, 2);
  });

  test("what is put back never overrides something newer", async () => {
    const box = new Mailbox<string, number>();
    box.put("a", 2);
    box.putBack("a", 1);
    box.putBack("b", 1);
    assert.deepEqual(await box.takeMany(9, never), [
      ["a", 2],
      ["b", 1],
    ]);
  });

  test("throws the abort reason to a waiting taker, and loses nothing by it", async () => {
    const box = new Mailbox<string, number>();
    const stop = new AbortController();
    const taking = box.take(stop.signal);
    const reason = new Error("enough");
    stop.abort(reason);
    await assert.rejects(taking, (error) => error === reason);
    box.put("a", 1);
    assert.deepEqual(await box.take(never), ["a", 1]);
  });
});
