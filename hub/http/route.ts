import type { HttpBindings } from "@hono/node-server";
import { createRoute, type OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import type { Access } from "../domain/access.ts";
import type { TokenRecord } from "../domain/token-record.ts";
import { ProblemDocumentSchema } from "./schemas.ts";

export type ApiEnv = {
  /** Absent when the app is called without a server, as tests do. */
  Bindings: Partial<HttpBindings>;
  Variables: {
    requestId: string;
    /** Aborts when the client leaves or the request has taken too long. */
    signal: AbortSignal;
    /** Who asks; unset on pages that are open to all. */
    token: TokenRecord | undefined;
  };
};

export type Api = OpenAPIHono<ApiEnv>;

/**
 * Who may use a route. `read` and `write` ask for a token of that scope, `signed` for a signature over the
 * body, `metrics` for a token unless the settings open it; `open` asks for nothing.
 */
export type RouteAccess = "open" | "metrics" | "signed" | Access;

export type TableRow = {
  readonly method: string;
  readonly path: string;
  readonly access: RouteAccess;
};

/** Declares routes. There is no other way to have one: the app refuses to start with an undeclared route. */
export type RouteTable = {
  readonly rows: readonly TableRow[];
  /** The same route, guarded as `access` says, and written down. */
  readonly route: <R extends RouteConfig>(
    access: RouteAccess,
    config: R,
  ) => R & { getRoutingPath: () => string };
};

export function routeTable(
  guard: (access: RouteAccess) => MiddlewareHandler<ApiEnv>,
  limitBody: MiddlewareHandler<ApiEnv>,
  throttle: MiddlewareHandler<ApiEnv>,
): RouteTable {
  const rows: TableRow[] = [];
  return {
    rows,
    route: (access, config) => {
      rows.push({ method: config.method.toUpperCase(), path: config.path, access });
      const whole = {
        ...config,
        "x-access": access,
        security: access === "open" || access === "signed" ? [] : [{ token: [] }],
        // Nobody's body is read before it is known who sends it, but for the signature over the body itself.
        middleware:
          access === "signed"
            ? [throttle, limitBody, guard(access)]
            : [...(access === "open" ? [] : [throttle]), guard(access), limitBody],
        responses: {
          ...config.responses,
          default: {
            description: "A refusal",
            content: { "application/problem+json": { schema: ProblemDocumentSchema } },
          },
        },
      };
      // What was added is for the guard and the document; handlers see the route as it was declared.
      return createRoute(whole);
    },
  };
}

/** A route that went around the table would have no guard: that is a bug, found at start. */
export function refuseUndeclared(
  routes: readonly { readonly method: string; readonly path: string }[],
  rows: readonly TableRow[],
): void {
  const declared = new Set(
    rows.map(({ method, path }) => `${method} ${path.replaceAll(/\{([^}]+)\}/g, ":$1")}`),
  );
  for (const { method, path } of routes) {
    // Middleware is for all methods; it lets through, it does not answer.
    if (method !== "ALL" && !declared.has(`${method} ${path}`))
      throw new TypeError(`the route ${method} ${path} is not in the route table`);
  }
}

/** Who did it, for records: `token:<name>`. */
export const actorOf = (c: Context<ApiEnv>): string => {
  const token = c.get("token");
  return token === undefined ? "nobody" : `token:${token.name}`;
};

export const json = <T>(schema: T, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

export const jsonBody = <T>(schema: T, required: boolean) => ({
  required,
  content: { "application/json": { schema } },
});
