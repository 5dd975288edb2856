import { randomBytes } from "node:crypto";

/** A new W3C `traceparent`: `00-<32 hex trace id>-<16 hex span id>-01`. */
export const newTrace = (): string =>
  `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;
