import { z } from "@hono/zod-openapi";
import type { HttpNeeds } from "../needs.ts";
import { Refused } from "../problems.ts";
import { json, jsonBody, type Api, type RouteTable } from "../route.ts";
import { RepositorySchema } from "../schemas.ts";
import { repositoryView } from "../views.ts";

const UrlSchema = z.string().min(1).max(2048).openapi({ description: "as the list shows it" });

/** Repositories the hub reads: few, so the list is whole. */
export function addRepositoryRoutes(api: Api, needs: HttpNeeds, table: RouteTable): void {
  const find = async (url: string, signal: AbortSignal) => {
    const repository = await needs.store.repositories.find(url, signal);
    if (repository === undefined)
      throw new Refused("WH-API-4044", `the hub does not read ${JSON.stringify(url)}`);
    return repository;
  };

  const list = table.route("read", {
    method: "get",
    path: "/v1/repositories",
    operationId: "listRepositories",
    summary: "Every repository",
    tags: ["repositories"],
    responses: {
      200: json(
        z.object({ items: z.array(RepositorySchema).readonly() }).openapi("RepositoryList"),
        "All of them",
      ),
    },
  });
  api.openapi(list, async (c) => {
    const repositories = await needs.store.repositories.list(c.get("signal"));
    return c.json({ items: repositories.map(repositoryView) }, 200);
  });

  const get = table.route("read", {
    method: "get",
    path: "/v1/repositories/by-url",
    operationId: "readRepository",
    summary: "One repository",
    tags: ["repositories"],
    request: { query: z.strictObject({ url: UrlSchema }) },
    responses: { 200: json(RepositorySchema, "The repository") },
  });
  api.openapi(get, async (c) => {
    const repository = await find(c.req.valid("query").url, c.get("signal"));
    return c.json(repositoryView(repository), 200);
  });

  const refresh = table.route("write", {
    method: "post",
    path: "/v1/repositories/refresh",
    operationId: "refreshRepository",
    summary: "Has a repository looked at now instead of at its next turn",
    tags: ["repositories"],
    request: { body: jsonBody(z.strictObject({ url: UrlSchema }), true) },
    responses: { 202: json(RepositorySchema, "The repository as it was before") },
  });
  api.openapi(refresh, async (c) => {
    const repository = await find(c.req.valid("json").url, c.get("signal"));
    needs.wakeRepository(repository.url);
    return c.json(repositoryView(repository), 202);
  });
}
