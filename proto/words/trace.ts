import { randomBytes } from "node:crypto";

declare const traceParent: unique symbol;

/** A W3C `traceparent`: `00-<32 hex trace id>-<16 hex span id>-01`. */
export type TraceParent = string & { readonly [traceParent]: true };

const form = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

export const newTrace = (random: (bytes: number) => Buffer = randomBytes): TraceParent =>
  `00-${random(16).toString("hex")}-${random(8).toString("hex")}-01` as TraceParent;

/** `undefined` when the text is not a traceparent. */
export const parseTrace = (text: string): TraceParent | undefined =>
  form.test(text) ? (text as TraceParent) : undefined;

/** The id to search logs for. */
export const traceId = (trace: TraceParent): string => form.exec(trace)?.[1] ?? "";
