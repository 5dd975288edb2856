import { createHmac, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { unreachable } from "../../proto/kit/unreachable.ts";
import { scopeAllows, type Access } from "../domain/access.ts";
import { holdsSecret, parseApiToken } from "../domain/api-token.ts";
import type { TokenRecord } from "../domain/token-record.ts";
import type { HttpNeeds, HttpSettings } from "./needs.ts";
import { Refused } from "./problems.ts";
import type { Refusals } from "./refusals.ts";
import type { ApiEnv, RouteAccess } from "./route.ts";

type Needs = Pick<HttpNeeds, "store" | "clock">;
type Settings = Pick<HttpSettings, "webhookSecret" | "metricsOpen">;

/** Lets a request through to its route, or throws a `Refused`. */
export function guards(
  needs: Needs,
  settings: Settings,
  refusals: Refusals,
): (access: RouteAccess) => MiddlewareHandler<ApiEnv> {
  return (access) => async (c, next) => {
    switch (access) {
      case "open":
        break;
      case "metrics":
        if (!settings.metricsOpen) await admit(c, needs, refusals, "read");
        break;
      case "signed":
        await checkSignature(c, settings.webhookSecret, refusals);
        break;
      case "read":
      case "write":
        await admit(c, needs, refusals, access);
        break;
      default:
        unreachable(access, "access");
    }
    await next();
  };
}

/** The token of an Authorization header, or `undefined` when it is none the hub takes. */
export async function tokenOf(
  authorization: string,
  needs: Needs,
  signal: AbortSignal,
): Promise<TokenRecord | undefined> {
  const given = /^Bearer +(\S+)$/i.exec(authorization.trim())?.[1];
  const parsed = parseApiToken(given ?? "");
  if (!parsed.ok) return undefined;
  const { id, secretHash } = parsed.value;
  const found = await needs.store.tokens.findBySecret(secretHash, needs.clock.nowMs(), signal);
  return found?.id === id ? found : undefined;
}

async function admit(
  c: Context<ApiEnv>,
  needs: Needs,
  refusals: Refusals,
  access: Access,
): Promise<void> {
  const authorization = c.req.header("authorization");
  const challenge = { headers: { "www-authenticate": 'Bearer realm="wheelhouse"' } };
  if (authorization === undefined)
    throw new Refused("WH-API-4010", "the request carries no Authorization header", challenge);
  const token = await tokenOf(authorization, needs, c.get("signal"));
  if (token === undefined) {
    refusals.refused(c);
    throw new Refused("WH-API-4011", "the hub does not take this token", challenge);
  }
  refusals.taken(authorization);
  if (!scopeAllows(token.scope, access))
    throw new Refused("WH-API-4030", `the token ${token.id} has the scope ${token.scope}`);
  c.set("token", token);
}

/** URLs end up in logs and histories, so a secret in one is refused before anything else happens. */
export const refuseSecretsInUrl: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const url = new URL(c.req.url);
  const asked = [...url.searchParams];
  const isNamed = asked.some(([name]) => secretNames.has(name.toLowerCase()));
  // As it travels, and as it is meant: letters may be spelled with %.
  const texts = [c.req.url, plainly(url.pathname), ...asked.flat()];
  if (isNamed || texts.some(holdsSecret) || url.username !== "" || url.password !== "")
    throw new Refused("WH-API-4003", "the URL of the request carries a token");
  await next();
};

const secretNames: ReadonlySet<string> = new Set([
  "access_token",
  "token",
  "api_key",
  "authorization",
]);

function plainly(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

async function checkSignature(
  c: Context<ApiEnv>,
  secret: string | undefined,
  refusals: Refusals,
): Promise<void> {
  if (secret === undefined || secret === "")
    throw new Refused("WH-API-4031", "the hub has no webhook secret");
  const given = c.req.header("x-wheelhouse-signature-256") ?? c.req.header("x-hub-signature-256");
  if (given === undefined)
    throw new Refused("WH-API-4012", "the request carries no X-Wheelhouse-Signature-256 header");
  const body = new Uint8Array(await c.req.arrayBuffer());
  if (isSignedBy(secret, body, given)) return;
  refusals.refused(c);
  throw new Refused("WH-API-4012", "the body was not signed with the hub's webhook secret");
}

/** Whether `signature` is `sha256=<hex>` of the body's HMAC, compared in constant time. */
export function isSignedBy(secret: string, body: Uint8Array, signature: string): boolean {
  const mac = (text: string | Uint8Array) => createHmac("sha256", secret).update(text).digest();
  const expected = `sha256=${mac(body).toString("hex")}`;
  // Digests of both have one length, whatever was sent.
  return timingSafeEqual(mac(expected), mac(signature.trim().toLowerCase()));
}
