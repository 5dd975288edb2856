import { z } from "@hono/zod-openapi";
import { Turns } from "../../../proto/kit/turns.ts";
import { defaultServer } from "../../domain/default-server.ts";
import { changedLabels } from "../../domain/label-change.ts";
import type { ClusterRecord } from "../../domain/cluster-record.ts";
import { ClusterChangeSchema, ClusterPath, RegistrationSchema } from "../cluster-schemas.ts";
import { findCluster, noSuchCluster } from "../find-cluster.ts";
import { invite } from "../invitation.ts";
import type { HttpNeeds, HttpSettings } from "../needs.ts";
import { Refused } from "../problems.ts";
import { given, pageQuery, selectorQuery, textQuery } from "../query.ts";
import { actorOf, json, jsonBody, type Api, type RouteTable } from "../route.ts";
import { ClusterSchema, JoinSchema, pageOf } from "../schemas.ts";
import { clusterView } from "../views.ts";

/** Clusters: who they are, how they come, how they leave. */
export function addClusterRoutes(
  api: Api,
  needs: HttpNeeds,
  settings: HttpSettings,
  table: RouteTable,
): void {
  const { store, clock } = needs;
  // Changes merge into what is there, so two at once about one cluster take turns.
  const changes = new Turns<string>(64);

  const changeMetadata = async (
    name: string,
    { labels, annotations }: z.infer<typeof ClusterChangeSchema>,
    signal: AbortSignal,
  ): Promise<ClusterRecord | undefined> => {
    const before = await findCluster(store, name, signal);
    const after = given({
      labels: labels && changedLabels(before.labels, labels),
      annotations: annotations && changedLabels(before.annotations, annotations),
    });
    return store.clusters.setMetadata(before.name, after, clock.nowMs(), signal);
  };

  const list = table.route("read", {
    method: "get",
    path: "/v1/clusters",
    operationId: "listClusters",
    summary: "Clusters by name",
    tags: ["clusters"],
    request: {
      query: z.strictObject({
        ...pageQuery,
        selector: selectorQuery("over their labels"),
        connection: z.enum(["never-joined", "attached", "detached"]).optional(),
        text: textQuery("part of the name"),
      }),
    },
    responses: { 200: json(pageOf(ClusterSchema, "ClusterPage"), "A page") },
  });
  api.openapi(list, async (c) => {
    const { limit, after, ...filter } = c.req.valid("query");
    const page = await store.clusters.list(given(filter), { limit, after }, c.get("signal"));
    return c.json({ items: page.items.map(clusterView), next: page.next }, 200);
  });

  const get = table.route("read", {
    method: "get",
    path: "/v1/clusters/{name}",
    operationId: "readCluster",
    summary: "One cluster",
    tags: ["clusters"],
    request: { params: ClusterPath },
    responses: { 200: json(ClusterSchema, "The cluster") },
  });
  api.openapi(get, async (c) => {
    const cluster = await findCluster(store, c.req.valid("param").name, c.get("signal"));
    return c.json(clusterView(cluster), 200);
  });

  const register = table.route("write", {
    method: "post",
    path: "/v1/clusters",
    operationId: "registerCluster",
    summary: "Registers a cluster and makes the join token of its spoke",
    tags: ["clusters"],
    request: { body: jsonBody(RegistrationSchema, true) },
    responses: {
      201: json(
        z.object({ cluster: ClusterSchema, join: JoinSchema }).openapi("RegisteredCluster"),
        "The cluster, and all its spoke needs to join",
      ),
    },
  });
  api.openapi(register, async (c) => {
    const { name, labels, annotations, server, joinTokenLifeMs, role } = c.req.valid("json");
    const draft = {
      id: needs.newClusterId(),
      name,
      server: server ?? defaultServer(name),
      labels,
      annotations,
    };
    const added = await store.clusters.add(draft, clock.nowMs(), c.get("signal"));
    if (!added.ok)
      throw added.problem.kind === "name-taken"
        ? new Refused("WH-API-4090", `there is a cluster ${JSON.stringify(name)} already`)
        : new Refused("WH-API-4091", `another cluster has the server URL ${draft.server}`);
    needs.clustersChanged({ kind: "added", id: draft.id, name });
    const join = await invite(
      added.value,
      { lifeMs: joinTokenLifeMs, role },
      needs,
      settings.join,
      c.get("signal"),
    );
    c.header("location", `/v1/clusters/${name}`);
    return c.json({ cluster: clusterView(added.value), join }, 201);
  });

  const change = table.route("write", {
    method: "patch",
    path: "/v1/clusters/{name}",
    operationId: "changeCluster",
    summary: "Changes labels and annotations; null removes one",
    description: "Sets that select by label generate anew at once.",
    tags: ["clusters"],
    request: { params: ClusterPath, body: jsonBody(ClusterChangeSchema, true) },
    responses: { 200: json(ClusterSchema, "The cluster as it is now") },
  });
  api.openapi(change, async (c) => {
    const { name } = c.req.valid("param");
    const wanted = c.req.valid("json");
    const signal = c.get("signal");
    const changed = await changes.take(name, () => changeMetadata(name, wanted, signal), signal);
    if (changed === undefined) throw noSuchCluster(name);
    needs.clustersChanged({ kind: "relabelled", id: changed.id, name: changed.name });
    return c.json(clusterView(changed), 200);
  });

  const remove = table.route("write", {
    method: "delete",
    path: "/v1/clusters/{name}",
    operationId: "removeCluster",
    summary: "Forgets a cluster; what runs there stays, and its spoke is no longer let in",
    tags: ["clusters"],
    request: { params: ClusterPath },
    responses: { 204: { description: "Forgotten" } },
  });
  api.openapi(remove, async (c) => {
    const { id, name } = await findCluster(store, c.req.valid("param").name, c.get("signal"));
    const removed = await store.clusters.remove(name, actorOf(c), clock.nowMs(), c.get("signal"));
    if (!removed) throw noSuchCluster(name);
    needs.clustersChanged({ kind: "removed", id, name });
    return c.body(null, 204);
  });
}
