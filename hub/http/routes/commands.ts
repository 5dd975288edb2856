import { z } from "@hono/zod-openapi";
import type { HttpNeeds } from "../needs.ts";
import { Refused } from "../problems.ts";
import { json, type Api, type RouteTable } from "../route.ts";
import { CommandSchema } from "../schemas.ts";
import { commandView } from "../views.ts";

/** What became of an order. */
export function addCommandRoutes(api: Api, needs: HttpNeeds, table: RouteTable): void {
  const get = table.route("read", {
    method: "get",
    path: "/v1/commands/{id}",
    operationId: "readCommand",
    summary: "One command and its outcome",
    tags: ["applications"],
    request: { params: z.object({ id: z.string() }) },
    responses: { 200: json(CommandSchema, "The command") },
  });
  api.openapi(get, async (c) => {
    const { id } = c.req.valid("param");
    const command = await needs.store.commands.find(id, c.get("signal"));
    if (command === undefined)
      throw new Refused("WH-API-4045", `no command has the id ${JSON.stringify(id)}`);
    return c.json(commandView(command), 200);
  });
}
