import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { watchLines } from "../../../spoke/kube/watch-lines.ts";

suite("watchLines", () => {
  test("lines come whole, however the bytes were cut", async () => {
    const law = fc.asyncProperty(
      fc.array(fc.record({ a: fc.string({ unit: "grapheme" }) }, { noNullPrototype: true })),
      fc.integer({ min: 1, max: 7 }),
      async (values, step) => {
        const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(""));
        assert.deepEqual(await collect(cut(bytes, step), 10_000), values);
      },
    );
    await fc.assert(law, { numRuns: 100 });
  });

  test("a last line without an end is dropped", async () => {
    assert.deepEqual(await collect(cut(Buffer.from('1\n2\n{"half'), 3), 100), [1, 2]);
  });

  test("empty lines mean nothing", async () => {
    assert.deepEqual(await collect(cut(Buffer.from("1\n\n\r\n2\r\n"), 3), 100), [1, 2]);
  });

  test("a line that is not JSON ends it", async () => {
    await assert.rejects(collect(cut(Buffer.from("1\n<html>\n2\n"), 4), 100), SyntaxError);
  });

  test("a line without bounds ends it, in one piece or in many", async () => {
    await assert.rejects(collect(cut(Buffer.from("x".repeat(500)), 10), 100), RangeError);
    await assert.rejects(collect(cut(Buffer.from(`${"1".repeat(500)}\n`), 600), 100), RangeError);
  });

  test("stopping the iteration stops the stream", async () => {
    let stopped = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.from("1\n");
      } finally {
        stopped = true;
      }
    }
    for await (const value of watchLines(endless(), 100)) {
      assert.equal(value, 1);
      break;
    }
    assert.equal(stopped, true);
  });
});

async function* cut(bytes: Uint8Array, step: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

async function collect(chunks: AsyncIterable<Uint8Array>, most: number): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of watchLines(chunks, most)) values.push(value);
  return values;
}
