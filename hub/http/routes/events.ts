import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { fleetEventKinds, type FleetEvent, type FleetEventKind } from "../../domain/records.ts";
import { tokenOf } from "../authenticate.ts";
import { eventBlocks, isLost, pulledStream } from "../event-stream.ts";
import type { EventSource, HttpNeeds, HttpSettings } from "../needs.ts";
import { Refused } from "../problems.ts";
import { pageLimitMost, textQuery, wordsOf } from "../query.ts";
import type { Api, ApiEnv, RouteTable } from "../route.ts";
import { EventSchema } from "../schemas.ts";
import { eventView } from "../views.ts";

const sequence = z.coerce.number().int().min(0);

const eventsQuery = z.strictObject({
  after: sequence.optional().openapi({ description: "the last sequence seen" }),
  limit: z.coerce.number().int().min(1).max(pageLimitMost).default(100).openapi({
    description: "of a JSON page",
  }),
  kind: wordsOf(fleetEventKinds, "only these").optional(),
  subject: textQuery("only about this application, cluster, set or repository"),
  cluster: textQuery("only in this cluster"),
});

type EventWish = {
  readonly kind?: readonly FleetEventKind[] | undefined;
  readonly subject?: string | undefined;
  readonly cluster?: string | undefined;
};

/** "Something about X changed": as a stream that can be resumed, or as a page. */
export function addEventRoutes(
  api: Api,
  needs: HttpNeeds,
  settings: HttpSettings,
  table: RouteTable,
  life: AbortSignal,
): void {
  let open = 0;

  const events = table.route("read", {
    method: "get",
    path: "/v1/events",
    operationId: "readEvents",
    summary: "What changes, as server-sent events; or a page of it as JSON",
    description:
      "An event says that something changed; read it again to know what. Ids are sequences: a reader that comes back with Last-Event-ID (or `after`) misses nothing that is still kept. An event `resync` means that something was missed: read everything again. Without `after` the stream starts now, and the JSON page holds the newest.",
    tags: ["events"],
    request: {
      query: eventsQuery,
      headers: z.object({ "last-event-id": sequence.optional() }),
    },
    responses: {
      200: {
        description: "text/event-stream unless Accept asks for application/json",
        content: {
          "text/event-stream": { schema: z.string() },
          "application/json": {
            schema: z
              .object({
                items: z.array(EventSchema).readonly(),
                next: z.number().int().openapi({ description: "pass as `after` to go on" }),
                resync: z.boolean().openapi({ description: "whether events were missed" }),
              })
              .openapi("EventPage"),
          },
        },
      },
    },
  });
  api.openapi(events, async (c) => {
    const { after, limit, ...wish } = c.req.valid("query");
    const accept = c.req.header("accept") ?? "";
    if (accept.includes("application/json") && !accept.includes("text/event-stream")) {
      const page = await eventPage(needs.store.events, wish, after, limit, c.get("signal"));
      return c.json(page, 200);
    }
    if (open >= settings.events.streamsMost)
      throw new Refused("WH-API-4290", `${open} event streams are open`, {
        headers: { "retry-after": "5" },
      });
    open += 1;
    return streamResponse(
      c,
      needs,
      settings,
      {
        after: c.req.valid("header")["last-event-id"] ?? after,
        admits: (event) => admits(event, wish),
        onEnd: () => {
          open -= 1;
        },
      },
      life,
    );
  });
}

function streamResponse(
  c: Context<ApiEnv>,
  needs: HttpNeeds,
  settings: HttpSettings,
  wish: {
    readonly after: number | undefined;
    readonly admits: (event: FleetEvent) => boolean;
    readonly onEnd: () => void;
  },
  life: AbortSignal,
): Response {
  const authorization = c.req.header("authorization") ?? "";
  const { outgoing } = c.env;
  const log = needs.log.with({ request: c.get("requestId") });
  const manner = {
    heartbeatMs: settings.events.heartbeatMs,
    clock: needs.clock,
    // A token that was revoked while the stream was open ends it.
    mayGoOn: async (signal: AbortSignal) =>
      (await tokenOf(authorization, needs, signal)) !== undefined,
  };
  const body = pulledStream(
    (signal) => eventBlocks(needs.store.events, wish, manner, signal),
    settings.events.stallMsMost,
    () => {
      log.debug("slow event reader dropped");
      outgoing?.destroy();
    },
    wish.onEnd,
    // Not the request's own deadline: a stream may last.
    AbortSignal.any([c.req.raw.signal, life]),
  );
  return new Response(body, {
    status: 200,
    headers: { "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no" },
  });
}

const admits = (event: FleetEvent, { kind, subject, cluster }: EventWish): boolean =>
  (kind === undefined || kind.includes(event.kind)) &&
  (subject === undefined || subject === event.subject) &&
  (cluster === undefined || cluster === event.cluster || isAboutCluster(event, cluster));

const isAboutCluster = (event: FleetEvent, cluster: string): boolean =>
  event.kind.startsWith("cluster-") && event.subject === cluster;

const scanMost = 10;

/** Oldest first. A filter looks at a bounded stretch of events; `next` says how far it came. */
async function eventPage(
  source: EventSource,
  wish: EventWish,
  after: number | undefined,
  limit: number,
  signal: AbortSignal,
): Promise<{ items: FleetEvent[]; next: number; resync: boolean }> {
  const latest = await source.latest(signal);
  const resync = after !== undefined && (await isLost(source, after, signal));
  const items: FleetEvent[] = [];
  let next = resync || after === undefined ? Math.max(0, latest - limit) : after;
  for (let scan = 0; scan < scanMost && items.length < limit; scan += 1) {
    const batch = await source.since(next, pageLimitMost, signal);
    for (const event of batch) {
      if (items.length === limit) break;
      next = event.sequence;
      if (admits(event, wish)) items.push(eventView(event));
    }
    if (batch.length < pageLimitMost) break;
  }
  return { items, next, resync };
}
