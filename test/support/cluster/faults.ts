/** Trouble on purpose: requests that are refused, slowed down or cut off. */
import type { RequestRecord } from "./counters.ts";
import { ApiError } from "./status.ts";

/** Which requests a fault meets; what is left out meets all. */
export type FaultMatch =
  | ((request: RequestRecord) => boolean)
  | { readonly [field in "verb" | "resource" | "namespace" | "name"]?: string };

export type Rejection = {
  readonly match?: FaultMatch;
  /** How many matching requests; Infinity until cleared. Default 1. */
  readonly times?: number;
  readonly status: number;
  readonly reason?: string;
  readonly message?: string;
  /** Sent as `Retry-After`, as 429 and 503 do. */
  readonly retryAfterSeconds?: number;
};

type Rule = {
  readonly matches: (request: RequestRecord) => boolean;
  left: number;
  readonly meet: (request: RequestRecord) => Met;
};

/** What becomes of a request: an answer instead of the real one, a cut connection, or a pause before it goes on. */
export type Met =
  | { readonly kind: "refuse"; readonly error: ApiError }
  | { readonly kind: "drop" }
  | { readonly kind: "delay"; readonly delayMs: number };

const reasons: { readonly [code: number]: string } = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  409: "Conflict",
  410: "Expired",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};

const messages: { readonly [code: number]: string } = {
  429: "Too many requests, please try again later.",
  500: "Internal error occurred: simulated",
  503: "the server is currently unable to handle the request",
};

export class Faults {
  #rules: Rule[] = [];

  reject(rejection: Rejection): void {
    const { match, times, status, reason, message, retryAfterSeconds } = rejection;
    this.#add(match, times, () => ({
      kind: "refuse",
      error: new ApiError(
        status,
        reason ?? reasons[status] ?? "",
        message ?? messages[status] ?? "simulated fault",
        retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
      ),
    }));
  }

  /** Cuts the connection instead of answering. */
  drop(options: { readonly match?: FaultMatch; readonly times?: number } = {}): void {
    this.#add(options.match, options.times, () => ({ kind: "drop" }));
  }

  /** Holds matching requests back, in real milliseconds. */
  delay(options: {
    readonly match?: FaultMatch;
    readonly times?: number;
    readonly delayMs: number;
  }): void {
    this.#add(options.match, options.times, () => ({ kind: "delay", delayMs: options.delayMs }));
  }

  clear(): void {
    this.#rules = [];
  }

  /** What meets this request, if anything; each call uses up one of the rule's times. */
  meet(request: RequestRecord): Met | undefined {
    const rule = this.#rules.find((one) => one.left > 0 && one.matches(request));
    if (rule === undefined) return undefined;
    rule.left -= 1;
    if (rule.left === 0) this.#rules = this.#rules.filter((one) => one !== rule);
    return rule.meet(request);
  }

  #add(match: FaultMatch | undefined, times: number | undefined, meet: Rule["meet"]): void {
    this.#rules.push({ matches: matcher(match), left: times ?? 1, meet });
  }
}

function matcher(match: FaultMatch | undefined): Rule["matches"] {
  if (match === undefined) return () => true;
  if (typeof match === "function") return match;
  return (request) =>
    (match.verb === undefined || match.verb === request.verb) &&
    (match.resource === undefined || match.resource === request.resource) &&
    (match.namespace === undefined || match.namespace === request.namespace) &&
    (match.name === undefined || match.name === request.name);
}
