import { z } from "@hono/zod-openapi";
import { Turns } from "../../../proto/kit/turns.ts";
import { dnsLabel } from "../../../proto/words/dns-label.ts";
import { parseClusterName, type ClusterName } from "../../../proto/words/ids.ts";
import { defaultServer } from "../../domain/default-server.ts";
import { joinTokenLifeMs } from "../../domain/join/token.ts";
import { helmCommand, spokeCommand } from "../../domain/join/command.ts";
import { joinManifest } from "../../domain/join/manifest.ts";
import { annotationProblems, labelProblems } from "../../domain/label-syntax.ts";
import type { ClusterRecord, Labels } from "../../domain/records.ts";
import { usualSpokeRole, type SpokeRole } from "../../domain/join/spoke-role.ts";
import type { HttpNeeds, HttpSettings } from "../needs.ts";
import { Refused } from "../problems.ts";
import { given, pageQuery, readBy, selectorQuery, textQuery } from "../query.ts";
import { actorOf, json, jsonBody, type Api, type RouteTable } from "../route.ts";
import { ClusterSchema, JoinSchema, pageOf } from "../schemas.ts";
import { clusterView } from "../views.ts";

const NamePath = z.object({ name: z.string() });

const checkedMap = (problemsOf: (map: Labels) => readonly string[]) =>
  z.record(z.string(), z.string()).superRefine((map, context) => {
    for (const message of problemsOf(map)) context.addIssue({ code: "custom", message });
  });

/** A change in the manner of RFC 7396: `null` removes a key. */
const changeOf = (problemsOf: (map: Labels) => readonly string[]) =>
  z.record(z.string(), z.string().nullable()).superRefine((change, context) => {
    for (const message of problemsOf(merged({}, change)))
      context.addIssue({ code: "custom", message });
  });

const groupForm = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$/;

const LifeSchema = z
  .number()
  .int()
  .min(1_000)
  .max(joinTokenLifeMs.most)
  .optional()
  .openapi({ description: "how long the join token is good for, in milliseconds" });

const RoleSchema = z
  .strictObject({
    namespaces: z
      .array(z.string().regex(dnsLabel, { error: "a namespace is a DNS label" }))
      .max(100)
      .default([])
      .openapi({
        description:
          "the namespaces the spoke manages; none named means all, and the cluster's own kinds",
      }),
    secrets: z.boolean().default(usualSpokeRole.secrets).openapi({
      description: "whether Git may hold Secrets; the spoke may then read all of them",
    }),
    customResourceGroups: z
      .array(
        z.string().max(253).regex(groupForm, { error: "not an API group of custom resources" }),
      )
      .max(100)
      .default([])
      .openapi({ description: "API groups of the custom resources Git may hold" }),
  })
  .default({ ...usualSpokeRole, namespaces: [], customResourceGroups: [] })
  .openapi("SpokeRole", { description: "what the spoke may do in its cluster" });

const InviteSchema = z.strictObject({ lifeMs: LifeSchema, role: RoleSchema });

const RegistrationSchema = z
  .strictObject({
    name: readBy(parseClusterName, "a DNS label"),
    labels: checkedMap(labelProblems).default({}),
    annotations: checkedMap(annotationProblems).default({}),
    server: z
      .url({ protocol: /^https?$/ })
      .max(2048)
      .optional()
      .openapi({ description: "what destinations may name; https://<name>.cluster.wheelhouse" }),
    joinTokenLifeMs: LifeSchema,
    role: RoleSchema,
  })
  .openapi("ClusterRegistration");

const ChangeSchema = z
  .strictObject({
    labels: changeOf(labelProblems).optional(),
    annotations: changeOf(annotationProblems).optional(),
  })
  .openapi("ClusterChange");

const LockSchema = z
  .strictObject({
    reason: z
      .string()
      .min(1)
      .max(500)
      .regex(/^\P{Cc}*$/u, { error: "a reason is one line" })
      .optional()
      .openapi({ description: "what the spoke and whoever looks at the cluster are told" }),
  })
  .openapi("ClusterLock");

/** Clusters: who they are, how they join, how they leave. */
export function addClusterRoutes(
  api: Api,
  needs: HttpNeeds,
  settings: HttpSettings,
  table: RouteTable,
): void {
  const { store, clock } = needs;
  // Changes merge into what is there, so two at once about one cluster take turns.
  const changes = new Turns<string>(64);

  const find = async (name: string, signal: AbortSignal): Promise<ClusterRecord> => {
    const parsed = parseClusterName(name);
    const cluster = parsed.ok ? await store.clusters.find(parsed.value, signal) : undefined;
    if (cluster === undefined) throw noSuchCluster(name);
    return cluster;
  };

  const invite = async (
    cluster: ClusterRecord,
    // A request without a body asks for what is usual.
    wanted: { readonly lifeMs?: number | undefined; readonly role?: SpokeRole },
    signal: AbortSignal,
  ) => {
    const { hubAddress, hubFingerprint, spokeImage, spokeChart, tokenLifeMs } = settings.join;
    const { token, expiresAtMs } = await needs.issueJoinToken(
      cluster.id,
      wanted.lifeMs ?? tokenLifeMs,
      signal,
    );
    const invitation = {
      cluster: cluster.name,
      hubAddress,
      hubFingerprint,
      token,
      image: spokeImage,
      role: wanted.role ?? usualSpokeRole,
    };
    const items: readonly Record<string, unknown>[] = joinManifest(invitation);
    return {
      token,
      expiresAtMs,
      hubAddress,
      hubFingerprint,
      spokeCommand: spokeCommand(invitation),
      helmCommand: helmCommand(invitation, spokeChart),
      manifest: { apiVersion: "v1", kind: "List", items },
    } as const;
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
    request: { params: NamePath },
    responses: { 200: json(ClusterSchema, "The cluster") },
  });
  api.openapi(get, async (c) => {
    const cluster = await find(c.req.valid("param").name, c.get("signal"));
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
    const join = await invite(added.value, { lifeMs: joinTokenLifeMs, role }, c.get("signal"));
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
    request: { params: NamePath, body: jsonBody(ChangeSchema, true) },
    responses: { 200: json(ClusterSchema, "The cluster as it is now") },
  });
  api.openapi(change, async (c) => {
    const { name } = c.req.valid("param");
    const wanted = c.req.valid("json");
    const signal = c.get("signal");
    const changed = await changes.take(
      name,
      async () => {
        const before = await find(name, signal);
        return store.clusters.setMetadata(
          before.name,
          given({
            labels: wanted.labels && merged(before.labels, wanted.labels),
            annotations: wanted.annotations && merged(before.annotations, wanted.annotations),
          }),
          clock.nowMs(),
          signal,
        );
      },
      signal,
    );
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
    request: { params: NamePath },
    responses: { 204: { description: "Forgotten" } },
  });
  api.openapi(remove, async (c) => {
    const { id, name } = await find(c.req.valid("param").name, c.get("signal"));
    const removed = await store.clusters.remove(name, actorOf(c), clock.nowMs(), c.get("signal"));
    if (!removed) throw noSuchCluster(name);
    needs.clustersChanged({ kind: "removed", id, name });
    return c.body(null, 204);
  });

  const makeJoinToken = table.route("write", {
    method: "post",
    path: "/v1/clusters/{name}/join-token",
    operationId: "makeJoinToken",
    summary: "Another join token for a cluster",
    tags: ["clusters"],
    request: {
      params: NamePath,
      body: jsonBody(InviteSchema, false),
    },
    responses: { 201: json(JoinSchema, "All its spoke needs to join") },
  });
  api.openapi(makeJoinToken, async (c) => {
    const cluster = await find(c.req.valid("param").name, c.get("signal"));
    return c.json(await invite(cluster, c.req.valid("json"), c.get("signal")), 201);
  });

  const lock = table.route("write", {
    method: "post",
    path: "/v1/clusters/{name}/lock",
    operationId: "lockCluster",
    summary: "Lets nobody in as this cluster; what runs there goes on",
    description:
      "Its session ends at once, and no certificate and no join token of it is taken until it is unlocked or joined anew. Locking a locked cluster changes nothing.",
    tags: ["clusters"],
    request: { params: NamePath, body: jsonBody(LockSchema, false) },
    responses: { 200: json(ClusterSchema, "The cluster, locked") },
  });
  api.openapi(lock, async (c) => {
    const { id, name } = await find(c.req.valid("param").name, c.get("signal"));
    const { reason } = c.req.valid("json");
    const why = `by ${actorOf(c)}${reason === undefined ? "" : `: ${reason}`}`;
    const locked = await store.identities.lock(name, why, clock.nowMs(), c.get("signal"));
    if (!locked) throw noSuchCluster(name);
    needs.clustersChanged({ kind: "locked", id, name, why });
    return c.json(clusterView(await find(name, c.get("signal"))), 200);
  });

  const unlock = table.route("write", {
    method: "post",
    path: "/v1/clusters/{name}/unlock",
    operationId: "unlockCluster",
    summary: "Takes the cluster's identities as before",
    description:
      "For a lock that turned out to be needless. When an identity was stolen, join the cluster anew instead.",
    tags: ["clusters"],
    request: { params: NamePath },
    responses: { 200: json(ClusterSchema, "The cluster, unlocked") },
  });
  api.openapi(unlock, async (c) => {
    const { name } = await find(c.req.valid("param").name, c.get("signal"));
    if (!(await store.identities.unlock(name, actorOf(c), clock.nowMs(), c.get("signal"))))
      throw noSuchCluster(name);
    return c.json(clusterView(await find(name, c.get("signal"))), 200);
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
      params: NamePath,
      body: jsonBody(InviteSchema, false),
    },
    responses: { 201: json(JoinSchema, "All its spoke needs to join again") },
  });
  api.openapi(rejoin, async (c) => {
    const cluster = await find(c.req.valid("param").name, c.get("signal"));
    const { id, name } = cluster;
    if (!(await store.identities.cutOff(name, actorOf(c), clock.nowMs(), c.get("signal"))))
      throw noSuchCluster(name);
    needs.clustersChanged({ kind: "cut-off", id, name });
    return c.json(await invite(cluster, c.req.valid("json"), c.get("signal")), 201);
  });
}

const noSuchCluster = (name: ClusterName | string): Refused =>
  new Refused("WH-API-4041", `no cluster is called ${JSON.stringify(name)}`);

function merged(before: Labels, change: Readonly<Record<string, string | null>>): Labels {
  const after = new Map(Object.entries(before));
  for (const [key, value] of Object.entries(change)) {
    if (value === null) after.delete(key);
    else after.set(key, value);
  }
  return Object.fromEntries(after);
}
