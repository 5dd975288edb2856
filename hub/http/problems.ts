import type { ContentfulStatusCode } from "hono/utils/http-status";
import { redact } from "../../proto/kit/redact.ts";

/** Every way the API refuses, by stable code. `docs/troubleshooting.md` has a heading for each. */
export const apiProblems = {
  "WH-API-4000": {
    status: 400,
    title: "The request cannot be understood",
    hint: "compare it with GET /v1/openapi.json",
  },
  "WH-API-4001": {
    status: 400,
    title: "The body is not JSON",
    hint: "send one JSON value in UTF-8 with content-type application/json",
  },
  "WH-API-4002": {
    status: 422,
    title: "Some fields are not valid",
    hint: "every field at fault is listed under errors",
  },
  "WH-API-4003": {
    status: 400,
    title: "A token does not belong in a URL",
    hint: "send it in the header Authorization: Bearer …, and revoke this one: URLs end up in logs",
  },
  "WH-API-4004": {
    status: 400,
    title: "The cursor is not of this list",
    hint: "ask for the first page again, without after",
  },
  "WH-API-4010": {
    status: 401,
    title: "This needs a token",
    hint: "send Authorization: Bearer wht_…; `wheelhouse login` keeps one for you",
  },
  "WH-API-4011": {
    status: 401,
    title: "The token is not valid",
    hint: "it is unknown, expired or revoked; make a new one with `wheelhouse token create`",
  },
  "WH-API-4012": {
    status: 401,
    title: "The signature does not match",
    hint: "sign the raw body: X-Wheelhouse-Signature-256: sha256=<hex HMAC-SHA-256 with the shared secret>",
  },
  "WH-API-4030": {
    status: 403,
    title: "The token may not do this",
    hint: "use a token of scope write",
  },
  "WH-API-4031": {
    status: 403,
    title: "Webhooks are not set up",
    hint: "give the hub a webhook secret (webhook-secret-file)",
  },
  "WH-API-4040": {
    status: 404,
    title: "There is no such page",
    hint: "GET /v1/openapi.json lists them",
  },
  "WH-API-4041": {
    status: 404,
    title: "There is no such cluster",
    hint: "`wheelhouse get clusters` lists them",
  },
  "WH-API-4042": {
    status: 404,
    title: "There is no such application",
    hint: "`wheelhouse get apps` lists them",
  },
  "WH-API-4043": {
    status: 404,
    title: "There is no such application set",
    hint: "`wheelhouse get sets` lists them",
  },
  "WH-API-4044": {
    status: 404,
    title: "There is no such repository",
    hint: "`wheelhouse get repos` lists them",
  },
  "WH-API-4045": {
    status: 404,
    title: "There is no such command",
    hint: "commands are forgotten some time after they finish",
  },
  "WH-API-4046": {
    status: 404,
    title: "There is no such token",
    hint: "`wheelhouse token list` lists them",
  },
  "WH-API-4050": {
    status: 405,
    title: "The page has no such method",
    hint: "the header Allow lists those it has",
  },
  "WH-API-4090": {
    status: 409,
    title: "The cluster name is taken",
    hint: "choose another name, or make a new join token for the cluster that has it",
  },
  "WH-API-4091": {
    status: 409,
    title: "The server URL is taken",
    hint: "each cluster needs a server URL of its own, since destinations may name it",
  },
  "WH-API-4092": {
    status: 409,
    title: "The application has moved on",
    hint: "read it again and decide anew",
  },
  "WH-API-4093": {
    status: 409,
    title: "Nothing is offered to a cluster yet",
    hint: "see the application's problem: its destination or its rendering keeps it back",
  },
  "WH-API-4130": {
    status: 413,
    title: "The body is too large",
    hint: "send less at once",
  },
  "WH-API-4150": {
    status: 415,
    title: "The body is of a type this page does not take",
    hint: "send content-type application/json",
  },
  "WH-API-4290": {
    status: 429,
    title: "Too many event streams are open",
    hint: "close some, or read GET /v1/events as JSON pages",
  },
  "WH-API-4291": {
    status: 429,
    title: "Too many requests from here were refused",
    hint: "wait as long as Retry-After says, and look for what sends a wrong token or signature",
  },
  "WH-API-5000": {
    status: 500,
    title: "The hub failed at this",
    hint: "this is a bug; the hub's log has the details under the request id",
  },
  "WH-API-5030": {
    status: 503,
    title: "The hub cannot answer now",
    hint: "try again in a moment; GET /readyz says when it can",
  },
  "WH-API-5040": {
    status: 504,
    title: "The answer took too long",
    hint: "ask for less: a filter, fewer fields, a smaller limit",
  },
} as const satisfies Record<
  string,
  { readonly status: ContentfulStatusCode; readonly title: string; readonly hint: string }
>;

export type ApiProblemCode = keyof typeof apiProblems;

/** One field that is not as it should be. */
export type FieldProblem = {
  /** `body`, `query` or `path`. */
  readonly in: string;
  /** JSON pointer within it. */
  readonly pointer: string;
  readonly detail: string;
};

/** An RFC 9457 problem document. */
export type ProblemDocument = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ApiProblemCode;
  readonly detail: string;
  readonly hint: string;
  readonly requestId: string;
  readonly errors?: readonly FieldProblem[];
};

/** A refusal on its way to the one place that turns it into an answer. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly code: ApiProblemCode;
  readonly errors: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ApiProblemCode,
    detail: string,
    more: {
      readonly errors?: readonly FieldProblem[];
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(detail);
    this.code = code;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
  }
}

function problemDocument(refused: Refused, requestId: string): ProblemDocument {
  const { status, title, hint } = apiProblems[refused.code];
  return {
    type: `urn:wheelhouse:problem:${refused.code}`,
    title,
    status,
    code: refused.code,
    // It may quote what was sent, or what something outside said.
    detail: redact(refused.message),
    hint,
    requestId,
    ...(refused.errors.length === 0
      ? {}
      : { errors: refused.errors.map((error) => ({ ...error, detail: redact(error.detail) })) }),
  };
}

export function problemResponse(refused: Refused, requestId: string): Response {
  return new Response(JSON.stringify(problemDocument(refused, requestId)), {
    status: apiProblems[refused.code].status,
    headers: { ...refused.headers, "content-type": "application/problem+json" },
  });
}
