import { parseExactJson } from "../domain/exact-json.ts";

/**
 * Splits a byte stream into JSON values, one per line.
 *
 * Throws RangeError when a line grows past `lineBytesMost`, SyntaxError when a line is not JSON: a watch
 * that lies is a watch to reopen. A last line without an end is dropped, since the connection broke inside
 * it. Stopping the iteration stops the stream.
 */
export async function* watchLines(
  chunks: AsyncIterable<Uint8Array>,
  lineBytesMost: number,
): AsyncGenerator<unknown> {
  let parts: Uint8Array[] = [];
  let partBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(lineFeed, start);
      const piece = chunk.subarray(start, end === -1 ? chunk.length : end);
      partBytes += piece.length;
      if (partBytes > lineBytesMost)
        throw new RangeError(`watch line longer than ${lineBytesMost} bytes`);
      if (piece.length > 0) parts.push(piece);
      if (end === -1) break;
      // Only whole lines are decoded, so a character cut by a chunk's end is never seen in halves.
      const line = Buffer.concat(parts, partBytes).toString("utf8").trim();
      parts = [];
      partBytes = 0;
      start = end + 1;
      if (line !== "") yield parseExactJson(line);
    }
  }
}

const lineFeed = 0x0a;
