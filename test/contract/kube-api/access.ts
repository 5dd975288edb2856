import assert from "node:assert/strict";
import { eventually } from "../../support/eventually.ts";
import { at, listAt, textAt, type JsonMap } from "../../support/cluster/json.ts";
import {
  accepted,
  configMap,
  configMapsPath,
  messageOf,
  refusalOf,
  unique,
  type Bench,
  type Cases,
} from "./bench.ts";
import type { KubeClient, Reply } from "./client.ts";

const rbac = "/apis/rbac.authorization.k8s.io/v1";

type Account = {
  readonly namespace: string;
  readonly name: string;
  readonly user: string;
  readonly client: KubeClient;
};

/** A service account with a token of its own and no rights. */
async function account(bench: Bench): Promise<Account> {
  const namespace = await bench.namespace();
  const name = "robot";
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  accepted(await bench.api.create(path, { metadata: { name } }), 201);
  const issued = await bench.api.create(`${path}/${name}/token`, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: 3600 },
  });
  const token = textAt(accepted(issued, 201), "status", "token");
  return {
    namespace,
    name,
    user: `system:serviceaccount:${namespace}:${name}`,
    client: bench.as(token),
  };
}

/** Gives a service account a role in its namespace. */
async function allow(bench: Bench, who: Account, rules: readonly JsonMap[]): Promise<void> {
  const { namespace, name } = who;
  const roles = `${rbac}/namespaces/${namespace}/roles`;
  accepted(await bench.api.create(roles, { metadata: { name: "some" }, rules }), 201);
  const body = {
    metadata: { name: "some" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "some" },
    subjects: [{ kind: "ServiceAccount", name, namespace }],
  };
  accepted(await bench.api.create(`${rbac}/namespaces/${namespace}/rolebindings`, body), 201);
}

/** Rights take a moment to arrive. */
const allowed = (send: () => Promise<Reply>): Promise<JsonMap> =>
  eventually(async () => accepted(await send()), { what: "the right's arrival" });

export function accessCases({ proves }: Cases): void {
  proves("a token that nobody has: 401", async (bench) => {
    const reply = await bench.as("nobody's").get("/api/v1/namespaces");
    assert.deepEqual(reply.body, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: "Unauthorized",
      reason: "Unauthorized",
      code: 401,
    });
  });

  proves("no token at all is somebody anonymous: 403", async (bench) => {
    const reply = await bench.as(undefined).get("/api/v1/namespaces");
    assert.deepEqual([reply.code, refusalOf(reply).reason], [403, "Forbidden"]);
    assert.equal(
      messageOf(reply),
      'namespaces is forbidden: User "system:anonymous" cannot list resource "namespaces" in API group "" at the cluster scope',
    );
  });

  proves("a service account without rights is told what it may not: 403", async (bench) => {
    const { namespace, user, client } = await account(bench);
    const reply = await client.get(`${configMapsPath(namespace)}/one`);
    assert.equal(reply.code, 403);
    assert.equal(
      messageOf(reply),
      `configmaps "one" is forbidden: User "${user}" cannot get resource "configmaps" in API group "" in the namespace "${namespace}"`,
    );
    assert.deepEqual(reply.body["details"], { name: "one", kind: "configmaps" });
  });

  proves("a refusal in a named group names it", async (bench) => {
    const { namespace, user, client } = await account(bench);
    const reply = await client.get(`/apis/apps/v1/namespaces/${namespace}/deployments`);
    assert.equal(
      messageOf(reply),
      `deployments.apps is forbidden: User "${user}" cannot list resource "deployments" in API group "apps" in the namespace "${namespace}"`,
    );
  });

  proves("everybody who is signed in may discover", async (bench) => {
    const { client } = await account(bench);
    for (const path of ["/version", "/api", "/apis", "/api/v1", "/apis/apps/v1"])
      assert.equal((await client.get(path)).code, 200, path);
  });

  proves("a role gives what it says and no more", async (bench) => {
    const who = await account(bench);
    const { namespace, client } = who;
    await allow(bench, who, [
      { apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list"] },
    ]);
    await allowed(() => client.get(configMapsPath(namespace)));
    assert.equal((await client.create(configMapsPath(namespace), configMap("one"))).code, 403);
    assert.equal((await client.get(configMapsPath("default"))).code, 403);
  });

  proves("applying needs the verb patch, and create for what is new", async (bench) => {
    const who = await account(bench);
    const { namespace, client } = who;
    await allow(bench, who, [
      { apiGroups: [""], resources: ["configmaps"], verbs: ["patch", "create"] },
    ]);
    const path = `${configMapsPath(namespace)}/one`;
    await allowed(() => client.apply("a", path, configMap("one")));
    assert.equal((await client.delete(path)).code, 403);
  });

  proves("a right may be for one name only", async (bench) => {
    const who = await account(bench);
    const { namespace, client } = who;
    const resources = ["configmaps"];
    await allow(bench, who, [
      { apiGroups: [""], resources, resourceNames: ["mine"], verbs: ["get"] },
    ]);
    const path = configMapsPath(namespace);
    for (const name of ["mine", "other"]) await bench.api.create(path, configMap(name));
    await allowed(() => client.get(`${path}/mine`));
    assert.equal((await client.get(`${path}/other`)).code, 403);
  });

  proves("a subresource needs a right of its own", async (bench) => {
    const who = await account(bench);
    const { namespace, client } = who;
    await allow(bench, who, [
      { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "patch"] },
    ]);
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/none`;
    await eventually(async () => assert.equal((await client.get(path)).code, 404));
    const reply = await client.patch("merge", `${path}/status`, {});
    assert.equal(reply.code, 403);
    assert.match(messageOf(reply), /cannot patch resource "deployments\/status"/);
  });

  proves("a role that is taken away is gone", async (bench) => {
    const who = await account(bench);
    const { namespace, client } = who;
    await allow(bench, who, [{ apiGroups: [""], resources: ["configmaps"], verbs: ["list"] }]);
    await allowed(() => client.get(configMapsPath(namespace)));
    await bench.api.delete(`${rbac}/namespaces/${namespace}/rolebindings/some`);
    await eventually(async () =>
      assert.equal((await client.get(configMapsPath(namespace))).code, 403),
    );
  });

  proves("one may ask what one may do", async (bench) => {
    const who = await account(bench);
    const { namespace, client } = who;
    await allow(bench, who, [{ apiGroups: [""], resources: ["configmaps"], verbs: ["list"] }]);
    await allowed(() => client.get(configMapsPath(namespace)));
    const ask = async (verb: string): Promise<unknown> => {
      const reply = await client.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
        spec: { resourceAttributes: { namespace, verb, resource: "configmaps" } },
      });
      return at(accepted(reply, 201), "status", "allowed");
    };
    assert.deepEqual([await ask("list"), await ask("delete")], [true, false]);
  });

  proves("one may ask who one is", async (bench) => {
    const { client, user, namespace } = await account(bench);
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const review = accepted(await client.create(path, {}), 201);
    assert.equal(textAt(review, "status", "userInfo", "username"), user);
    const groups = listAt(review, "status", "userInfo", "groups");
    assert.ok(groups.includes(`system:serviceaccounts:${namespace}`));
    assert.ok(groups.includes("system:authenticated"));
  });

  proves("an administrator may ask whose a token is", async (bench) => {
    const path = "/apis/authentication.k8s.io/v1/tokenreviews";
    const reply = await bench.api.create(path, { spec: { token: bench.server.token } });
    assert.equal(at(accepted(reply, 201), "status", "authenticated"), true);
    const other = await bench.api.create(path, { spec: { token: "nobody's" } });
    assert.notEqual(at(accepted(other, 201), "status", "authenticated"), true);
  });

  proves("an administrator may act as somebody else", async (bench) => {
    const name = unique("somebody");
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const reply = await bench.api.send(
      "POST",
      path,
      {},
      {
        headers: { "impersonate-user": name, "impersonate-group": "some-group" },
      },
    );
    const review = accepted(reply, 201);
    assert.equal(textAt(review, "status", "userInfo", "username"), name);
    assert.ok(listAt(review, "status", "userInfo", "groups").includes("some-group"));
  });

  proves("acting as somebody else means having their rights", async (bench) => {
    const name = unique("somebody");
    const reply = await bench.api.send("GET", configMapsPath("default"), undefined, {
      headers: { "impersonate-user": name },
    });
    assert.equal(reply.code, 403);
    assert.match(messageOf(reply), new RegExp(`User "${name}" cannot list resource "configmaps"`));
  });

  proves("acting as somebody else is a right: 403 without it", async (bench) => {
    const { client, user } = await account(bench);
    const reply = await client.send("GET", configMapsPath("default"), undefined, {
      headers: { "impersonate-user": "admin" },
    });
    assert.equal(reply.code, 403);
    assert.equal(
      messageOf(reply),
      `configmaps is forbidden: User "${user}" cannot impersonate-on:user-info:list resource "configmaps" in API group "" in the namespace "default"`,
    );
  });

  proves("the right to act as one service account, and as no other", async (bench) => {
    const who = await account(bench);
    const { namespace, client } = who;
    await allow(bench, who, [
      {
        apiGroups: [""],
        resources: ["serviceaccounts"],
        resourceNames: ["applier"],
        verbs: ["impersonate"],
      },
    ]);
    const as = (name: string) =>
      client.send("GET", configMapsPath(namespace), undefined, {
        headers: { "impersonate-user": `system:serviceaccount:${namespace}:${name}` },
      });
    // The other account has no rights of its own: that it is the one refused shows who acted.
    await eventually(async () => {
      const reply = await as("applier");
      assert.equal(reply.code, 403);
      assert.match(
        messageOf(reply),
        /User "system:serviceaccount:.*:applier" cannot list resource "configmaps"/,
      );
    });
    const other = await as("other");
    assert.equal(other.code, 403);
    // The way in which it was allowed the last time is the one that is told.
    assert.equal(
      messageOf(other),
      `serviceaccounts "other" is forbidden: User "${who.user}" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "${namespace}"`,
    );
  });

  proves("acting in a group is a right of its own: 403 without it", async (bench) => {
    const who = await account(bench);
    const { namespace, user, client } = who;
    const rules = [{ apiGroups: [""], resources: ["users"], verbs: ["impersonate"] }];
    const name = unique("impersonator");
    accepted(await bench.api.create(`${rbac}/clusterroles`, { metadata: { name }, rules }), 201);
    const binding = {
      metadata: { name },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
      subjects: [{ kind: "ServiceAccount", name: who.name, namespace }],
    };
    accepted(await bench.api.create(`${rbac}/clusterrolebindings`, binding), 201);
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const as = (headers: { readonly [name: string]: string }) =>
      client.send("POST", path, {}, { headers: { "impersonate-user": "jane", ...headers } });
    const review = await allowed(() => as({}));
    assert.equal(textAt(review, "status", "userInfo", "username"), "jane");
    const reply = await as({ "impersonate-group": "team" });
    assert.equal(reply.code, 403);
    assert.equal(
      messageOf(reply),
      `groups "team" is forbidden: User "${user}" cannot impersonate resource "groups" in API group "" at the cluster scope`,
    );
  });

  proves("the rights to act as somebody in one kind of request are enough", async (bench) => {
    const who = await account(bench);
    const { namespace, client } = who;
    await allow(bench, who, [
      {
        apiGroups: [""],
        resources: ["configmaps"],
        verbs: ["impersonate-on:serviceaccount:list"],
      },
      {
        apiGroups: ["authentication.k8s.io"],
        resources: ["serviceaccounts"],
        resourceNames: ["reader"],
        verbs: ["impersonate:serviceaccount"],
      },
    ]);
    const headers = { "impersonate-user": `system:serviceaccount:${namespace}:reader` };
    const send = (path: string) => client.send("GET", path, undefined, { headers });
    await eventually(async () => {
      const reply = await send(configMapsPath(namespace));
      assert.match(messageOf(reply), /User "system:serviceaccount:.*:reader" cannot list/);
    });
    const reply = await send(`${configMapsPath(namespace)}/one`);
    assert.match(messageOf(reply), new RegExp(`User "${who.user}" cannot impersonate-on:`));
  });

  proves("a group without a user to act as: 400", async (bench) => {
    const reply = await bench.api.send("GET", configMapsPath("default"), undefined, {
      headers: { "impersonate-group": "team" },
    });
    assert.deepEqual([reply.code, refusalOf(reply).reason], [400, "BadRequest"]);
    assert.match(messageOf(reply), /without impersonating a user name$/);
  });

  proves("an administrator may act as a service account", async (bench) => {
    const who = await account(bench);
    const { namespace, user } = who;
    await allow(bench, who, [{ apiGroups: [""], resources: ["configmaps"], verbs: ["list"] }]);
    const headers = { "impersonate-user": user };
    await allowed(() => bench.api.send("GET", configMapsPath(namespace), undefined, { headers }));
    const other = await bench.api.send("GET", configMapsPath("default"), undefined, { headers });
    assert.equal(other.code, 403);
  });
}
