import { z } from "@hono/zod-openapi";
import type { HttpNeeds } from "../needs.ts";
import { Refused } from "../problems.ts";
import { json, type Api, type RouteTable } from "../route.ts";
import { repositoryIdentity, repositoryUrlsIn } from "../webhook-body.ts";

/** Pushes, announced: a hint to look now, never a reason to believe what the body says. */
export function addWebhookRoutes(api: Api, needs: HttpNeeds, table: RouteTable): void {
  const git = table.route("signed", {
    method: "post",
    path: "/v1/webhooks/git",
    operationId: "announcePush",
    summary: "Wakes the repositories the body names",
    description:
      'Signed with HMAC-SHA-256 over the raw body: X-Wheelhouse-Signature-256 or X-Hub-Signature-256, `sha256=<hex>`. The body is `{"repositories": ["https://…"]}`, or a push event as Git hosts send it: any clone, SSH, HTTP or HTML URL of its repository will do.',
    tags: ["repositories"],
    request: {
      headers: z.object({
        "x-wheelhouse-signature-256": z.string().optional(),
        "x-hub-signature-256": z.string().optional(),
      }),
    },
    responses: {
      202: json(
        z
          .object({
            woken: z.array(z.string()).readonly(),
            unknown: z.number().int().openapi({ description: "URLs the hub does not read" }),
          })
          .openapi("WokenRepositories"),
        "Which repositories will be looked at",
      ),
    },
  });
  api.openapi(git, async (c) => {
    const urls = repositoryUrlsIn(parsed(await c.req.text()));
    if (urls.length === 0) throw new Refused("WH-API-4002", "the body names no repository URL");
    const identities = new Set(urls.map(repositoryIdentity));
    const known = await needs.store.repositories.list(c.get("signal"));
    const woken = known.filter(({ url }) => identities.delete(repositoryIdentity(url)));
    for (const { url } of woken) needs.wakeRepository(url);
    return c.json({ woken: woken.map(({ url }) => url), unknown: identities.size }, 202);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused("WH-API-4001", "the body does not parse as JSON");
  }
}
