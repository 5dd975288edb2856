import { ClusterPath, InvitationSchema, LockSchema } from "../cluster-schemas.ts";
import { findCluster, noSuchCluster } from "../find-cluster.ts";
import { invite } from "../invitation.ts";
import type { HttpNeeds, HttpSettings } from "../needs.ts";
import { actorOf, json, jsonBody, type Api, type RouteTable } from "../route.ts";
import { ClusterSchema, JoinSchema } from "../schemas.ts";
import { clusterView } from "../views.ts";

/** Who is let in as a cluster: its join tokens, its lock, and joining anew. */
export function addClusterIdentityRoutes(
  api: Api,
  needs: HttpNeeds,
  settings: HttpSettings,
  table: RouteTable,
): void {
  const { store, clock } = needs;

  const makeJoinToken = table.route("write", {
    method: "post",
    path: "/v1/clusters/{name}/join-token",
    operationId: "makeJoinToken",
    summary: "Another join token for a cluster",
    tags: ["clusters"],
    request: {
      params: ClusterPath,
      body: jsonBody(InvitationSchema, false),
    },
    responses: { 201: json(JoinSchema, "All its spoke needs to join") },
  });
  api.openapi(makeJoinToken, async (c) => {
    const cluster = await findCluster(store, c.req.valid("param").name, c.get("signal"));
    return c.json(
      await invite(cluster, c.req.valid("json"), needs, settings.join, c.get("signal")),
      201,
    );
  });

  const lock = table.route("write", {
    method: "post",
    path: "/v1/clusters/{name}/lock",
    operationId: "lockCluster",
    summary: "Lets nobody in as this cluster; what runs there goes on",
    description:
      "Its session ends at once, and no certificate and no join token of it is taken until it is unlocked or joined anew. Locking a locked cluster changes nothing.",
    tags: ["clusters"],
    request: { params: ClusterPath, body: jsonBody(LockSchema, false) },
    responses: { 200: json(ClusterSchema, "The cluster, locked") },
  });
  api.openapi(lock, async (c) => {
    const { id, name } = await findCluster(store, c.req.valid("param").name, c.get("signal"));
    const { reason } = c.req.valid("json");
    const why = `by ${actorOf(c)}${reason === undefined ? "" : `: ${reason}`}`;
    const locked = await store.identities.lock(name, why, clock.nowMs(), c.get("signal"));
    if (!locked) throw noSuchCluster(name);
    needs.clustersChanged({ kind: "locked", id, name, why });
    return c.json(clusterView(await findCluster(store, name, c.get("signal"))), 200);
  });

  const unlock = table.route("write", {
    method: "post",
    path: "/v1/clusters/{name}/unlock",
    operationId: "unlockCluster",
    summary: "Takes the cluster's identities as before",
    description:
      "For a lock that turned out to be needless. When an identity was stolen, join the cluster anew instead.",
    tags: ["clusters"],
    request: { params: ClusterPath },
    responses: { 200: json(ClusterSchema, "The cluster, unlocked") },
  });
  api.openapi(unlock, async (c) => {
    const { name } = await findCluster(store, c.req.valid("param").name, c.get("signal"));
    if (!(await store.identities.unlock(name, actorOf(c), clock.nowMs(), c.get("signal"))))
      throw noSuchCluster(name);
    return c.json(clusterView(await findCluster(store, name, c.get("signal"))), 200);
  });

  const rejoin = table.route("write", {
    method: "post",
    path: "/v1/clusters/{name}/rejoin",
    operationId: "rejoinCluster",
    summary: "Makes every certificate and join token of the cluster void, and one new join token",
    description:
      "For an identity that was stolen, or might have been. Whoever holds the old one is let in no more; the cluster keeps its id, its applications and what runs there, and its spoke comes back with the new token. Lifts a lock.",
    tags: ["clusters"],
    request: {
      params: ClusterPath,
      body: jsonBody(InvitationSchema, false),
    },
    responses: { 201: json(JoinSchema, "All its spoke needs to join again") },
  });
  api.openapi(rejoin, async (c) => {
    const cluster = await findCluster(store, c.req.valid("param").name, c.get("signal"));
    const { id, name } = cluster;
    if (!(await store.identities.cutOff(name, actorOf(c), clock.nowMs(), c.get("signal"))))
      throw noSuchCluster(name);
    needs.clustersChanged({ kind: "cut-off", id, name });
    return c.json(
      await invite(cluster, c.req.valid("json"), needs, settings.join, c.get("signal")),
      201,
    );
  });
}
