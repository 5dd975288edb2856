import { randomBytes } from "node:crypto";
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { matchedRoutes } from "hono/route";
import { describeError, Trouble } from "../../proto/kit/trouble.ts";
import { BadCursor } from "../domain/queries.ts";
import { guards, refuseSecretsInUrl } from "./authenticate.ts";
import { limitBody } from "./body-limit.ts";
import type { HttpNeeds, HttpSettings } from "./needs.ts";
import { apiDocument } from "./openapi.ts";
import { problemResponse, Refused, type FieldProblem } from "./problems.ts";
import { createRefusals } from "./refusals.ts";
import {
  refuseUndeclared,
  routeTable,
  type Api,
  type ApiEnv,
  type RouteTable,
  type TableRow,
} from "./route.ts";
import { addApplicationRoutes } from "./routes/applications.ts";
import { addApplicationSetRoutes } from "./routes/application-sets.ts";
import { addClusterIdentityRoutes } from "./routes/cluster-identities.ts";
import { addClusterRoutes } from "./routes/clusters.ts";
import { addCommandRoutes } from "./routes/commands.ts";
import { addEventRoutes } from "./routes/events.ts";
import { addFleetRoutes } from "./routes/fleet.ts";
import { addProbeRoutes } from "./routes/probes.ts";
import { addRepositoryRoutes } from "./routes/repositories.ts";
import { addTokenRoutes } from "./routes/tokens.ts";
import { addWebhookRoutes } from "./routes/webhooks.ts";

export type HttpApp = {
  /** A request in, an answer out; `env` carries node's own request and response when there is a server. */
  readonly fetch: (request: Request, env?: object) => Response | Promise<Response>;
  /** Every route with who may use it. */
  readonly table: readonly TableRow[];
  /** The OpenAPI 3.1 document, as served. */
  readonly document: object;
};

/**
 * The HTTP API: routes, authorisation, problems, request log.
 *
 * `life` ends the event streams; other requests in flight are left to finish.
 */
export function createApp(needs: HttpNeeds, settings: HttpSettings, life: AbortSignal): HttpApp {
  const api: Api = new OpenAPIHono<ApiEnv>({ defaultHook: refuseInvalid });
  const refusals = createRefusals(settings.refusals, needs.clock);
  const table = routeTable(
    guards(needs, settings, refusals),
    limitBody(settings.bodyBytesMost),
    refusals.throttle,
  );

  api.use(accompany(needs, settings));
  api.use(refuseSecretsInUrl);

  addProbeRoutes(api, needs, settings, table);
  addFleetRoutes(api, needs, table);
  addClusterRoutes(api, needs, settings, table);
  addClusterIdentityRoutes(api, needs, settings, table);
  addRepositoryRoutes(api, needs, table);
  addApplicationSetRoutes(api, needs, table);
  addApplicationRoutes(api, needs, table);
  addCommandRoutes(api, needs, table);
  addEventRoutes(api, needs, settings, table, life);
  addTokenRoutes(api, needs, table);
  addWebhookRoutes(api, needs, table);
  const document = addDocumentRoute(api, table);

  refuseUndeclared(api.routes, table.rows);
  api.notFound((c) => answer(c, whyNotFound(c, table.rows)));
  api.onError((error, c) => answer(c, refusalFor(error, c, needs)));
  return { fetch: (request, env) => api.fetch(request, env ?? {}), table: table.rows, document };
}

class LateAnswer extends Error {
  override readonly name = "LateAnswer";
}

const securityHeaders = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
} as const;

/** Request id, deadline, security headers, metrics, and one debug line, around every request. */
function accompany(needs: HttpNeeds, settings: HttpSettings): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const startedMs = performance.now();
    const requestId = randomBytes(8).toString("hex");
    c.set("requestId", requestId);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(new LateAnswer()), settings.requestMsMost);
    c.set("signal", AbortSignal.any([c.req.raw.signal, deadline.signal]));
    try {
      await next();
    } finally {
      clearTimeout(timer);
    }
    for (const [name, value] of Object.entries(securityHeaders)) c.res.headers.set(name, value);
    c.res.headers.set("x-request-id", requestId);
    const durationMs = performance.now() - startedMs;
    const route = matchedRoutes(c).findLast(({ method }) => method !== "ALL")?.path ?? "none";
    const status = String(c.res.status);
    // Methods come from outside; only those that reached a route are a closed set.
    const method = route === "none" ? "OTHER" : c.req.method;
    needs.requestSeconds.observe(durationMs / 1000, { route, method, status });
    needs.log.debug("request answered", {
      request: requestId,
      method: c.req.method,
      // Without the query: filters may name what should not be in logs.
      path: c.req.path,
      status: c.res.status,
      token: c.get("token")?.id,
      durationMs: Math.round(durationMs * 10) / 10,
    });
  };
}

function addDocumentRoute(api: Api, table: RouteTable): object {
  const config = table.route("open", {
    method: "get",
    path: "/v1/openapi.json",
    operationId: "readDocument",
    summary: "This document",
    tags: ["hub"],
    responses: { 200: { description: "OpenAPI 3.1" } },
  });
  let document: object = {};
  api.openapi(config, (c) =>
    c.body(JSON.stringify(document), 200, { "content-type": "application/json" }),
  );
  document = apiDocument(api);
  return document;
}

type InvalidResult = {
  readonly success: boolean;
  readonly target: string;
  readonly error?: {
    readonly issues: readonly {
      readonly path: readonly PropertyKey[];
      readonly message: string;
      readonly code?: string | undefined;
      readonly keys?: readonly string[];
    }[];
  };
};

/** Every field that is not as it should be, together. */
function refuseInvalid(result: InvalidResult): void {
  if (result.success) return;
  const place = { json: "body", param: "path" }[result.target] ?? result.target;
  const errors = (result.error?.issues ?? []).flatMap((issue): FieldProblem[] => {
    if (issue.code === "unrecognized_keys")
      return (issue.keys ?? []).map((key) => ({
        in: place,
        pointer: pointer([...issue.path, key]),
        detail: "nothing is known by this name",
      }));
    return [{ in: place, pointer: pointer(issue.path), detail: issue.message }];
  });
  const [first] = errors;
  const detail =
    first === undefined
      ? `the ${place} is not valid`
      : `${first.in} ${first.pointer}: ${first.detail}${errors.length > 1 ? `, and ${errors.length - 1} more` : ""}`;
  throw new Refused("WH-API-4002", detail, { errors });
}

const pointer = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

function whyNotFound(c: Context<ApiEnv>, rows: readonly TableRow[]): Refused {
  const allowed = rows
    .filter(({ path }) => patternOf(path).test(c.req.path))
    .map(({ method }) => method);
  if (allowed.length === 0)
    return new Refused("WH-API-4040", `nothing is at ${JSON.stringify(c.req.path)}`);
  return new Refused("WH-API-4050", `${c.req.path} takes ${allowed.join(", ")}`, {
    headers: { allow: allowed.join(", ") },
  });
}

const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{[^}]+\}/g, "[^/]+")}$`);

function refusalFor(error: Error, c: Context<ApiEnv>, needs: HttpNeeds): Refused {
  if (error instanceof Refused) return error;
  if (error instanceof HTTPException) return refusalForStatus(error);
  if (error instanceof BadCursor) return new Refused("WH-API-4004", error.message);
  const log = needs.log.with({ request: c.get("requestId"), path: c.req.path });
  if (c.req.raw.signal.aborted) {
    log.debug("client left before its answer");
    return new Refused("WH-API-5030", "the client left");
  }
  if (c.get("signal").aborted) {
    log.warn("request took too long", { problem: describeError(error) });
    return new Refused("WH-API-5040", "the answer was given up");
  }
  if (error instanceof Trouble) {
    log.warn("request failed", { problem: describeError(error) });
    return new Refused("WH-API-5030", "something the hub stands on is away");
  }
  log.error("request failed", { problem: describeError(error), stack: error.stack });
  return new Refused("WH-API-5000", "an unexpected error; it was logged");
}

function refusalForStatus(error: HTTPException): Refused {
  if (error.status === 415) return new Refused("WH-API-4150", "the body must be application/json");
  if (/json/i.test(error.message))
    return new Refused("WH-API-4001", "the body does not parse as JSON");
  return new Refused("WH-API-4000", error.message === "" ? "bad request" : error.message);
}

const answer = (c: Context<ApiEnv>, refused: Refused): Response =>
  problemResponse(refused, c.get("requestId"));
