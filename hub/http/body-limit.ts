import type { MiddlewareHandler } from "hono";
import { Refused } from "./problems.ts";
import type { ApiEnv } from "./route.ts";

/**
 * Reads the body of a request, at most so many bytes of it, before anything else does.
 *
 * Counts what arrives, whatever length was told, and stops taking more once it is too much. (hono's own
 * limit copies the request in a way that node-server's requests are not made for.)
 */
export function limitBody(bytesMost: number): MiddlewareHandler<ApiEnv> {
  const tooLarge = () => new Refused("WH-API-4130", `a body may have ${bytesMost} bytes at most`);
  return async (c, next) => {
    if (Number(c.req.header("content-length") ?? "0") > bytesMost) throw tooLarge();
    const { body } = c.req.raw;
    if (body !== null) {
      const bytes = await readMost(body, bytesMost);
      if (bytes === undefined) throw tooLarge();
      const { method, headers, signal } = c.req.raw;
      c.req.raw = new Request(c.req.url, {
        method,
        headers,
        signal,
        ...(bytes.byteLength === 0 ? {} : { body: bytes }),
      });
    }
    await next();
  };
}

/** All bytes in one buffer that grows by doubling, so that many tiny chunks cost no more than their bytes. */
async function readMost(
  body: ReadableStream<Uint8Array>,
  bytesMost: number,
): Promise<ArrayBuffer | undefined> {
  let held = new Uint8Array(0);
  let size = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return held.buffer.slice(0, size);
    const offset = size;
    size += value.length;
    if (size > bytesMost) {
      await reader.cancel();
      return undefined;
    }
    if (size > held.length) {
      const grown = new Uint8Array(Math.min(bytesMost, Math.max(size, held.length * 2)));
      grown.set(held.subarray(0, offset));
      held = grown;
    }
    held.set(value, offset);
  }
}
