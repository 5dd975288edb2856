import { z } from "@hono/zod-openapi";
import { fail, ok } from "../../../proto/kit/result.ts";
import { healthStates } from "../../../proto/words/health.ts";
import { labelKeyProblem } from "../../domain/label-syntax.ts";
import type { HttpNeeds } from "../needs.ts";
import { given, pageQuery, readBy, textQuery, wordsOf } from "../query.ts";
import { json, type Api, type RouteTable } from "../route.ts";
import { FleetResourceSchema, pageOf, SummarySchema } from "../schemas.ts";
import { fleetResourceView, summaryView } from "../views.ts";

/** The fleet in one answer, and any object in it. */
export function addFleetRoutes(api: Api, needs: HttpNeeds, table: RouteTable): void {
  const { store, clock } = needs;

  const summary = table.route("read", {
    method: "get",
    path: "/v1/fleet/summary",
    operationId: "summariseFleet",
    summary: "How many clusters and applications are in which state",
    tags: ["fleet"],
    request: {
      query: z.strictObject({
        groupBy: readBy((text) => {
          const problem = labelKeyProblem(text);
          return problem === undefined ? ok(text) : fail(problem);
        }, "a cluster label to count by").optional(),
      }),
    },
    responses: { 200: json(SummarySchema, "Counts, kept up to date as reports arrive") },
  });
  api.openapi(summary, async (c) => {
    const { groupBy } = c.req.valid("query");
    const groups = await store.fleet.summary(groupBy, c.get("signal"));
    return c.json(summaryView(groups, groupBy, needs.published(), clock.nowMs()), 200);
  });

  const resources = table.route("read", {
    method: "get",
    path: "/v1/resources",
    operationId: "listResources",
    summary: "Objects across the fleet: where is it, which clusters run this image",
    tags: ["fleet"],
    request: {
      query: z.strictObject({
        ...pageQuery,
        group: z.string().max(253).optional().openapi({ description: "API group; empty: core" }),
        kind: textQuery("as in its manifest"),
        name: textQuery("exactly"),
        namespace: z.string().max(63).optional().openapi({ description: "exactly" }),
        cluster: textQuery("in this cluster"),
        application: textQuery("of this application"),
        image: textQuery("a whole image reference, or a prefix ending in *"),
        health: wordsOf(healthStates, "in one of these states").optional(),
      }),
    },
    responses: { 200: json(pageOf(FleetResourceSchema, "FleetResourcePage"), "A page") },
  });
  api.openapi(resources, async (c) => {
    const { limit, after, ...filter } = c.req.valid("query");
    const page = await store.fleet.resources(given(filter), { limit, after }, c.get("signal"));
    return c.json({ items: page.items.map(fleetResourceView), next: page.next }, 200);
  });
}
