import { z } from "@hono/zod-openapi";
import { apiTokenBytes, makeApiToken } from "../../domain/api-token.ts";
import { tokenScopes } from "../../domain/token-record.ts";
import type { HttpNeeds } from "../needs.ts";
import { Refused } from "../problems.ts";
import { json, jsonBody, type Api, type RouteTable } from "../route.ts";
import { TokenSchema } from "../schemas.ts";
import { tokenView } from "../views.ts";

const dayMs = 86_400_000;

const TokenDraftSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9]([-A-Za-z0-9_.@]{0,61}[A-Za-z0-9])?$/, {
        error: "a name is 1 to 63 letters, digits, -, _, . or @",
      })
      .openapi({ description: "whose it is; shown as the actor of what it does" }),
    scope: z.enum(tokenScopes).openapi({ description: "write includes read" }),
    lifeMs: z
      .number()
      .int()
      .min(60_000)
      .max(366 * dayMs)
      .default(90 * dayMs),
  })
  .openapi("TokenDraft");

/** API tokens. Even their list asks for write: it tells who may do what. */
export function addTokenRoutes(api: Api, needs: HttpNeeds, table: RouteTable): void {
  const { store, clock } = needs;

  const create = table.route("write", {
    method: "post",
    path: "/v1/tokens",
    operationId: "createToken",
    summary: "Makes a token; its text is shown this once",
    tags: ["tokens"],
    request: { body: jsonBody(TokenDraftSchema, true) },
    responses: {
      201: json(
        TokenSchema.extend({
          token: z.string().openapi({ description: "the secret itself; the hub keeps a hash" }),
        }).openapi("NewToken"),
        "The token",
      ),
    },
  });
  api.openapi(create, async (c) => {
    const { name, scope, lifeMs } = c.req.valid("json");
    const { id, text, secretHash } = makeApiToken(needs.randomBytes(apiTokenBytes));
    const createdAtMs = clock.nowMs();
    const record = {
      id,
      name,
      scope,
      createdAtMs,
      expiresAtMs: createdAtMs + lifeMs,
      revokedAtMs: undefined,
    };
    await store.tokens.create({ ...record, secretHash }, c.get("signal"));
    return c.json({ ...tokenView(record), token: text }, 201);
  });

  const list = table.route("write", {
    method: "get",
    path: "/v1/tokens",
    operationId: "listTokens",
    summary: "Every token, without its secret",
    tags: ["tokens"],
    responses: {
      200: json(
        z.object({ items: z.array(TokenSchema).readonly() }).openapi("TokenList"),
        "All of them, expired and revoked ones too",
      ),
    },
  });
  api.openapi(list, async (c) => {
    const tokens = await store.tokens.list(c.get("signal"));
    return c.json({ items: tokens.map(tokenView) }, 200);
  });

  const revoke = table.route("write", {
    method: "delete",
    path: "/v1/tokens/{id}",
    operationId: "revokeToken",
    summary: "Ends a token at once",
    tags: ["tokens"],
    request: { params: z.object({ id: z.string() }) },
    responses: { 204: { description: "Revoked" } },
  });
  api.openapi(revoke, async (c) => {
    const { id } = c.req.valid("param");
    const revoked = await store.tokens.revoke(id, clock.nowMs(), c.get("signal"));
    if (!revoked)
      throw new Refused("WH-API-4046", `no valid token has the id ${JSON.stringify(id)}`);
    return c.body(null, 204);
  });
}
