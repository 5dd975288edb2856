import { z } from "@hono/zod-openapi";
import type { HttpNeeds, HttpSettings } from "../needs.ts";
import { json, type Api, type RouteTable } from "../route.ts";
import { VersionSchema } from "../schemas.ts";

/** Whether the hub lives, whether it can serve, what it measures, and which one it is. */
export function addProbeRoutes(
  api: Api,
  needs: HttpNeeds,
  settings: HttpSettings,
  table: RouteTable,
): void {
  const healthz = table.route("open", {
    method: "get",
    path: "/healthz",
    operationId: "probeHealth",
    summary: "The process answers",
    tags: ["hub"],
    responses: { 200: json(z.object({ status: z.literal("alive") }), "It does") },
  });
  api.openapi(healthz, (c) => c.json({ status: "alive" } as const, 200));

  const readyz = table.route("open", {
    method: "get",
    path: "/readyz",
    operationId: "probeReadiness",
    summary: "The hub can serve: its store works",
    description: "Never depends on Git or on spokes.",
    tags: ["hub"],
    responses: { 200: json(z.object({ status: z.literal("ready") }), "It can") },
  });
  api.openapi(readyz, async (c) => {
    await needs.store.checkReady(c.get("signal"));
    return c.json({ status: "ready" } as const, 200);
  });

  const metrics = table.route("metrics", {
    method: "get",
    path: "/metrics",
    operationId: "readMetrics",
    summary: "Prometheus metrics",
    tags: ["hub"],
    responses: {
      200: { description: "Text exposition", content: { "text/plain": { schema: z.string() } } },
    },
  });
  api.openapi(metrics, async (c) => {
    const { contentType, text } = await needs.metricsExposition();
    return c.text(text, 200, { "content-type": contentType });
  });

  const version = table.route("read", {
    method: "get",
    path: "/v1/version",
    operationId: "readVersion",
    summary: "Which hub this is",
    tags: ["hub"],
    responses: { 200: json(VersionSchema, "Version and identity") },
  });
  api.openapi(version, async (c) => {
    const hubId = await needs.store.hub.id(c.get("signal"));
    return c.json({ version: settings.version, api: "v1", hubId } as const, 200);
  });
}
