import { z } from "@hono/zod-openapi";
import { setResourcesMost } from "../../domain/set-status.ts";
import type { HttpNeeds } from "../needs.ts";
import { Refused } from "../problems.ts";
import { flagQuery, given, pageQuery, textQuery } from "../query.ts";
import { json, type Api, type RouteTable } from "../route.ts";
import { ApplicationSchema, ApplicationSetSchema, pageOf } from "../schemas.ts";
import { applicationFieldsByDefault, applicationSetView, applicationView, pick } from "../views.ts";
import { SetStatusSchema, setStatusView } from "../set-status.ts";
import { documentOf } from "./applications.ts";

/** Sets, what they generate, and why they do not. */
export function addApplicationSetRoutes(api: Api, needs: HttpNeeds, table: RouteTable): void {
  const { store } = needs;

  const list = table.route("read", {
    method: "get",
    path: "/v1/applicationsets",
    operationId: "listApplicationSets",
    summary: "Application sets by name",
    tags: ["applicationsets"],
    request: {
      query: z.strictObject({
        ...pageQuery,
        text: textQuery("part of the name"),
        project: textQuery("of this project"),
        troubled: flagQuery("only those with a problem"),
      }),
    },
    responses: { 200: json(pageOf(ApplicationSetSchema, "ApplicationSetPage"), "A page") },
  });
  api.openapi(list, async (c) => {
    const { limit, after, ...filter } = c.req.valid("query");
    const page = await store.applicationSets.list(given(filter), { limit, after }, c.get("signal"));
    return c.json({ items: page.items.map(applicationSetView), next: page.next }, 200);
  });

  const get = table.route("read", {
    method: "get",
    path: "/v1/applicationsets/{name}",
    operationId: "readApplicationSet",
    summary:
      "One set: its document, its status, its problem, and a page of the applications it generates",
    tags: ["applicationsets"],
    request: { params: z.object({ name: z.string() }), query: z.strictObject(pageQuery) },
    responses: {
      200: json(
        ApplicationSetSchema.extend({
          document: z.record(z.string(), z.unknown()).openapi({ description: "as written" }),
          status: SetStatusSchema,
          generated: pageOf(ApplicationSchema.partial(), "ApplicationPage"),
        }).openapi("ApplicationSetDetail"),
        "The set",
      ),
    },
  });
  api.openapi(get, async (c) => {
    const { name } = c.req.valid("param");
    const { limit, after } = c.req.valid("query");
    const set = await store.applicationSets.find(name, c.get("signal"));
    if (set === undefined)
      throw new Refused("WH-API-4043", `no application set is called ${JSON.stringify(name)}`);
    const page = await store.applications.list(
      { set: name },
      { by: "name", descending: false },
      { limit, after },
      c.get("signal"),
    );
    const statuses = await store.applicationSets.rollout(name, setResourcesMost, c.get("signal"));
    const items = page.items.map((item) => pick(applicationView(item), applicationFieldsByDefault));
    return c.json(
      {
        ...applicationSetView(set),
        document: documentOf(set.document),
        status: setStatusView(set, statuses, page.items),
        generated: { items, next: page.next },
      },
      200,
    );
  });
}
