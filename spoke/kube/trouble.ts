import { Trouble } from "../../proto/kit/trouble.ts";

/** The API server did not answer as it should, and waiting may help; `cause` says why when there is one. */
export class ApiServerUnavailable extends Trouble {
  override readonly name: string = "ApiServerUnavailable";
  /** HTTP status of the answer; `undefined` when there was none. */
  readonly status: number | undefined;
  /** What the server asked us to wait; `undefined` when it did not say. */
  readonly retryAfterMs: number | undefined;
  /** The server's own words; empty when there was no answer. */
  readonly said: string;

  constructor(
    message: string,
    facts: {
      readonly status?: number | undefined;
      readonly retryAfterMs?: number | undefined;
      readonly said?: string;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.status = facts.status;
    this.retryAfterMs = facts.retryAfterMs;
    this.said = facts.said ?? "";
  }
}

/** A watched kind is no longer served: its CRD was deleted or its version removed. */
export class KindGone extends Trouble {
  override readonly name = "KindGone";
  readonly group: string;
  readonly kind: string;

  constructor(group: string, kind: string) {
    super(`kind ${kind} of group ${JSON.stringify(group)} is no longer served`);
    this.group = group;
    this.kind = kind;
  }
}

/** Credentials for the API server could not be read, or are of a sort the spoke does not speak. */
export class CredentialUnusable extends Trouble {
  override readonly name = "CredentialUnusable";
}
