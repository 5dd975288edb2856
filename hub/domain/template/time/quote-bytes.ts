import { bytesOf } from "../bytes.ts";
import { hex } from "../print.ts";

/** How Go's package time quotes what it could not read: everything beyond ASCII as bytes. */
export function quoteBytes(text: string): string {
  let quoted = '"';
  for (const byte of bytesOf(text)) {
    const code = byte.charCodeAt(0);
    if (code >= 0x80 || code < 0x20) quoted += `\\x${hex(code, 2)}`;
    else quoted += byte === '"' || byte === "\\" ? `\\${byte}` : byte;
  }
  return `${quoted}"`;
}
