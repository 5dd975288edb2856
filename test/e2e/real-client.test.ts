import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { systemClock } from "../../proto/kit/clock.ts";
import { silentLog } from "../../proto/kit/log.ts";
import { NotPermitted } from "../../proto/kit/trouble.ts";
import { makeObjectKey } from "../../proto/words/object-key.ts";
import { parseServiceAccount, type ServiceAccount } from "../../proto/words/service-account.ts";
import type { WatchEvent } from "../../spoke/domain/cluster.ts";
import type { KubeObject } from "../../spoke/domain/kube-object.ts";
import { actingAs, apiDefaults, openApi, type Api } from "../../spoke/kube/api.ts";
import type { ClusterAccess } from "../../spoke/domain/cluster-access.ts";
import { openCredential } from "../../spoke/kube/credential.ts";
import { openDiscovery } from "../../spoke/kube/discovery.ts";
import { openCluster, type OpenCluster } from "../../spoke/kube/open.ts";
import { ApiServerUnavailable } from "../../spoke/kube/trouble.ts";
import { createCertificateAuthority } from "../support/certificates.ts";
import { connectProxy } from "../support/connect-proxy.ts";
import { whyNoControlPlane } from "../support/control-plane/binaries.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { cuttingProxy } from "../support/cutting-proxy.ts";
import { eventually } from "../support/eventually.ts";
import { kubeClient, type KubeClient } from "../support/kube-client.ts";
import { kubeconfigAccess } from "../support/kubeconfig-access.ts";

const { signal } = new AbortController();
const forced = { force: true, dryRun: false };
const rbac = "/apis/rbac.authorization.k8s.io/v1";

describe(
  "the spoke's client and a real API server",
  { skip: whyNoControlPlane(["kube-apiserver", "etcd"]) },
  () => {
    let plane: ControlPlane;
    let admin: KubeClient;
    let folder: string;
    const opened: { readonly close: () => void }[] = [];

    before(async () => {
      plane = await startControlPlane({ name: "client" });
      admin = kubeClient({ url: plane.url, caPem: plane.caPem, token: plane.adminToken });
      folder = await mkdtemp(join(tmpdir(), "wheelhouse-real-client-"));
      for (const name of ["shop", "bank"]) await admin.create("/api/v1/namespaces", named(name));
      await makeAccount("shop", "spoke");
      await bind("everything", "cluster-admin", "spoke");
    });

    after(async () => {
      for (const one of opened) one.close();
      admin?.close();
      await plane?.stop();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    });

    const makeAccount = async (namespace: string, name: string): Promise<void> => {
      await admin.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, named(name));
    };

    const bind = async (name: string, role: string, account: string): Promise<void> => {
      await admin.create(`${rbac}/clusterrolebindings`, {
        ...named(name),
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
        subjects: [{ kind: "ServiceAccount", name: account, namespace: "shop" }],
      });
    };

    /** A kubeconfig with this user, and what is said of its cluster besides. */
    const kubeconfig = async (
      name: string,
      user: Readonly<Record<string, unknown>>,
      cluster: Readonly<Record<string, unknown>> = {},
    ): Promise<ClusterAccess> => {
      const file = join(folder, name);
      const authority = Buffer.from(plane.caPem).toString("base64");
      await writeFile(
        file,
        JSON.stringify({
          "current-context": "it",
          contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
          clusters: [
            {
              name: "it",
              cluster: {
                server: plane.url,
                "certificate-authority-data": authority,
                ...cluster,
              },
            },
          ],
          users: [{ name: "it", user }],
        }),
      );
      const environment = { PATH: process.env["PATH"] };
      return kubeconfigAccess(file, environment);
    };

    const apiOf = (access: ClusterAccess): Api => {
      const credential = openCredential(access, systemClock, silentLog);
      const api = openApi(
        credential,
        { ...apiDefaults, version: "0.0.0" },
        { requests: { add: () => {} }, clock: systemClock, random: Math.random },
      );
      opened.push(api, credential);
      return api;
    };

    const clusterOf = (access: ClusterAccess): OpenCluster => {
      const cluster = openCluster(
        access,
        { namespace: "wheelhouse", version: "0.0.0" },
        {
          requests: { add: () => {} },
          clock: systemClock,
          random: Math.random,
          log: silentLog,
        },
      );
      opened.push(cluster);
      return cluster;
    };

    describe("lets in who shows", () => {
      it("a token", async () => {
        const token = await plane.serviceAccountToken("shop", "spoke");
        const { username } = await whoAmI(apiOf(await kubeconfig("token", { token })));
        assert.equal(username, "system:serviceaccount:shop:spoke");
      });

      it("a client certificate, in the file or beside it", async () => {
        const file = join(folder, "certificate");
        await writeFile(file, await plane.certificateKubeconfig("jane", ["team-a", "team-b"]));
        const access = kubeconfigAccess(file);
        const { username, groups } = await whoAmI(apiOf(access));
        assert.equal(username, "jane");
        assert.deepEqual(groups.toSorted(), ["system:authenticated", "team-a", "team-b"]);

        const [user] = JSON.parse(await readFile(file, "utf8")).users;
        const data = (field: string) => Buffer.from(user.user[`${field}-data`], "base64");
        await writeFile(join(folder, "jane.crt"), data("client-certificate"));
        await writeFile(join(folder, "jane.key"), data("client-key"));
        const beside = { "client-certificate": "jane.crt", "client-key": "jane.key" };
        const again = await whoAmI(apiOf(await kubeconfig("beside", beside)));
        assert.equal(again.username, "jane");
      });

      it("a token from a file, and goes on with the next one when the first is refused", async () => {
        await makeAccount("shop", "rotating");
        const tokenFile = join(folder, "rotating.token");
        const newToken = async () =>
          await writeFile(
            tokenFile,
            await plane.serviceAccountToken("shop", "rotating", { expirationSeconds: 600 }),
          );
        await newToken();
        const api = apiOf(await kubeconfig("rotating", { tokenFile }));
        const first = await whoAmI(api);
        // An account that is made anew is another one: tokens of the first are good no more.
        await admin.remove("/api/v1/namespaces/shop/serviceaccounts/rotating");
        await makeAccount("shop", "rotating");
        await eventually(async () => await assert.rejects(whoAmI(api), isRefusal), {
          withinMs: 30_000,
        });
        await newToken();
        const second = await whoAmI(api);
        assert.equal(second.username, first.username);
        assert.notEqual(second.uid, first.uid);
      });

      it("what an exec plug-in prints, which is asked again when that is refused", async () => {
        await makeAccount("shop", "plugged");
        const token = join(folder, "plugged.token");
        const runs = join(folder, "plugged.runs");
        const plugin = join(folder, "plug-in");
        await writeFile(token, await plane.serviceAccountToken("shop", "plugged"));
        await writeFile(
          plugin,
          `#!/bin/sh
echo run >>${runs}
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'$(cat ${token})'"}}'
`,
          { mode: 0o755 },
        );
        const exec = {
          apiVersion: "client.authentication.k8s.io/v1",
          command: plugin,
          interactiveMode: "Never",
        };
        const api = apiOf(await kubeconfig("plugged", { exec }));
        const countRuns = async () => (await readFile(runs, "utf8")).trim().split("\n").length;
        const seen = await Promise.all([1, 2, 3, 4].map(async () => await whoAmI(api)));
        assert.ok(seen.every(({ username }) => username === "system:serviceaccount:shop:plugged"));
        assert.equal(await countRuns(), 1);
        await admin.remove("/api/v1/namespaces/shop/serviceaccounts/plugged");
        await makeAccount("shop", "plugged");
        await eventually(async () => await assert.rejects(whoAmI(api), isRefusal), {
          withinMs: 30_000,
        });
        await writeFile(token, await plane.serviceAccountToken("shop", "plugged"));
        assert.notEqual((await whoAmI(api)).uid, seen[0]?.uid);
      });

      it("anything of it through a proxy", async () => {
        await using proxy = await connectProxy();
        const token = await plane.serviceAccountToken("shop", "spoke");
        const cluster = { "proxy-url": `http://127.0.0.1:${proxy.port}` };
        const api = apiOf(await kubeconfig("proxied", { token }, cluster));
        const { username } = await whoAmI(api);
        assert.equal(username, "system:serviceaccount:shop:spoke");
        assert.deepEqual(
          proxy.asked.map(({ target }) => `https://${target}`),
          [plane.url],
        );
      });

      it("a kubeconfig that acts as somebody, with whose rights it is judged", async () => {
        const token = plane.adminToken;
        const user = { token, as: "jane", "as-groups": ["team-a"], "as-uid": "7" };
        const { username, groups, uid } = await whoAmI(apiOf(await kubeconfig("as", user)));
        assert.deepEqual(
          [username, groups.toSorted(), uid],
          ["jane", ["system:authenticated", "team-a"], "7"],
        );
      });
    });

    it("carries many calls over few connections", async () => {
      const line = await cuttingProxy(new URL(plane.url).host);
      try {
        const cluster = clusterOf(
          await kubeconfig(
            "line",
            { token: plane.adminToken },
            { server: `https://${line.address}` },
          ),
        );
        const round = async (a: string) =>
          await Promise.all(
            Array.from({ length: 100 }, async (_, index) =>
              assert.equal(
                (await cluster.api.apply(configMap("shop", `many-${index}`, a), forced, signal))
                  .kind,
                "applied",
              ),
            ),
          );
        await round("1");
        const connections = line.received.length;
        assert.ok(connections <= 16, `${connections} connections`);
        for (let index = 0; index < 30; index += 1)
          await cluster.api.apply(configMap("shop", `many-${index}`, "2"), forced, signal);
        assert.equal(line.received.length, connections);
      } finally {
        line.stop();
      }
    });

    describe("acting as a service account", () => {
      let spoke: OpenCluster;
      let api: Api;
      const deployer = account("shop:deployer");

      before(async () => {
        await makeAccount("shop", "acting");
        await makeAccount("shop", "deployer");
        await makeAccount("shop", "other");
        await admin.create(`${rbac}/namespaces/shop/roles`, {
          ...named("acting"),
          rules: [
            {
              apiGroups: [""],
              resources: ["serviceaccounts"],
              resourceNames: ["deployer"],
              verbs: ["impersonate"],
            },
          ],
        });
        await admin.create(`${rbac}/namespaces/shop/roles`, {
          ...named("deployer"),
          rules: [
            {
              apiGroups: [""],
              resources: ["configmaps"],
              verbs: ["get", "list", "create", "patch", "delete"],
            },
          ],
        });
        for (const name of ["acting", "deployer"])
          await admin.create(`${rbac}/namespaces/shop/rolebindings`, {
            ...named(name),
            roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
            subjects: [{ kind: "ServiceAccount", name, namespace: "shop" }],
          });
        const token = await plane.serviceAccountToken("shop", "acting");
        const access = await kubeconfig("acting", { token });
        spoke = clusterOf(access);
        api = apiOf(access);
      });

      it("is that account to the API server, groups and all", async () => {
        const { username, groups } = await whoAmI(actingAs(api, deployer));
        assert.equal(username, "system:serviceaccount:shop:deployer");
        assert.deepEqual(groups.toSorted(), [
          "system:authenticated",
          "system:serviceaccounts",
          "system:serviceaccounts:shop",
        ]);
      });

      it("may what the account may, and nothing else", async () => {
        const acting = spoke.api.as(deployer);
        const key = keyOf("shop", "acted");
        const dryRun = { force: true, dryRun: true };
        const map = configMap("shop", "acted", "1");
        // RBAC is told of the bindings a moment after they were made.
        await eventually(async () =>
          assert.equal((await acting.apply(map, dryRun, signal)).kind, "applied"),
        );
        assert.equal((await acting.apply(map, forced, signal)).kind, "applied");
        const live = await acting.get(key, signal);
        assert.ok(live !== undefined);
        const elsewhere = await acting.apply(configMap("bank", "acted", "1"), forced, signal);
        assert.partialDeepStrictEqual(elsewhere, { kind: "rejected", status: 403 });
        assert.match(
          "message" in elsewhere ? elsewhere.message : "",
          /User "system:serviceaccount:shop:deployer" cannot patch resource "configmaps"/,
        );
        await assert.rejects(acting.get(keyOf("bank", "acted"), signal), (error) => {
          assert.ok(error instanceof NotPermitted);
          assert.match(error.message, /cannot get resource "configmaps" .* namespace "bank"/);
          return true;
        });
        const uid = live.metadata.uid ?? "";
        const removed = await acting.remove(key, { uid, propagation: "Background" }, signal);
        assert.equal(removed.kind, "removing");
      });

      it("has no rights by itself that only the account has", async () => {
        const own = await spoke.api.apply(configMap("shop", "own", "1"), forced, signal);
        assert.partialDeepStrictEqual(own, { kind: "rejected", status: 403 });
      });

      it("is refused for an account it may not act as, by name", async () => {
        const other = spoke.api.as(account("shop:other"));
        await assert.rejects(other.get(keyOf("shop", "acted"), signal), (error) => {
          assert.ok(error instanceof NotPermitted);
          assert.match(error.message, /"other" is forbidden: User ".*:acting" cannot impersonate/);
          return true;
        });
        const applied = await other.apply(configMap("shop", "acted", "2"), forced, signal);
        assert.partialDeepStrictEqual(applied, { kind: "rejected", status: 403 });
      });
    });

    it("a server of another group that does not answer keeps only its own kinds from being known", async () => {
      const { api } = clusterOf(await kubeconfig("broken", { token: plane.adminToken }));
      const services = "/apis/apiregistration.k8s.io/v1/apiservices";
      const name = "v1.dead.example.dev";
      await admin.create(services, {
        apiVersion: "apiregistration.k8s.io/v1",
        kind: "APIService",
        metadata: { name },
        spec: {
          group: "dead.example.dev",
          version: "v1",
          groupPriorityMinimum: 100,
          versionPriority: 100,
          insecureSkipTLSVerify: true,
          service: { namespace: "shop", name: "nobody", port: 443 },
        },
      });
      const find = async () => {
        api.forgetDiscovery("dead.example.dev");
        return await api.resourceType("dead.example.dev", "Widget", signal);
      };
      try {
        // From the first moment the API server knows of it, nobody can say that it serves no such kind.
        await eventually(async () => await assert.rejects(find(), ApiServerUnavailable), {
          withinMs: 30_000,
        });
        for (let times = 0; times < 20; times += 1) {
          await assert.rejects(find(), ApiServerUnavailable);
          api.forgetDiscovery("apps");
          const type = await api.resourceType("apps", "Deployment", signal);
          assert.equal(type?.plural, "deployments");
        }
        assert.equal(await api.resourceType("nobody.example.dev", "Widget", signal), undefined);
        const applied = await api.apply(configMap("shop", "beside", "1"), forced, signal);
        assert.equal(applied.kind, "applied");
      } finally {
        await admin.remove(`${services}/${name}`);
      }
      // Once nobody is said to serve it, it is gone for sure.
      await eventually(async () => assert.equal(await find(), undefined), { withinMs: 30_000 });
    });

    it("an API server that pushes back gets fewer calls at once, and answers all of them", async () => {
      const flow = "/apis/flowcontrol.apiserver.k8s.io/v1";
      await makeAccount("shop", "pressed");
      await bind("pressed", "cluster-admin", "pressed");
      const token = await plane.serviceAccountToken("shop", "pressed");
      // One seat for all of its calls, and no queue: whoever comes second is sent away.
      await admin.create(`${flow}/prioritylevelconfigurations`, {
        ...named("one-seat"),
        spec: {
          type: "Limited",
          limited: {
            nominalConcurrencyShares: 0,
            lendablePercent: 0,
            borrowingLimitPercent: 0,
            limitResponse: { type: "Reject" },
          },
        },
      });
      await admin.create(`${flow}/flowschemas`, {
        ...named("pressed"),
        spec: {
          matchingPrecedence: 2,
          priorityLevelConfiguration: { name: "one-seat" },
          rules: [
            {
              subjects: [
                { kind: "ServiceAccount", serviceAccount: { namespace: "shop", name: "pressed" } },
              ],
              resourceRules: [
                {
                  apiGroups: ["*"],
                  resources: ["*"],
                  verbs: ["*"],
                  clusterScope: true,
                  namespaces: ["*"],
                },
              ],
            },
          ],
        },
      });
      const sent = { requests: 0 };
      const cluster = openCluster(
        await kubeconfig("pressed", { token }),
        { namespace: "wheelhouse", version: "0.0.0" },
        {
          requests: { add: (amount) => void (sent.requests += amount) },
          clock: systemClock,
          random: Math.random,
          log: silentLog,
        },
      );
      opened.push(cluster);
      const round = async (): Promise<number> => {
        sent.requests = 0;
        const maps = Array.from({ length: 100 }, (_, index) =>
          configMap("shop", `pressed-${index}`, String(Math.random())),
        );
        const outcomes = await Promise.all(
          maps.map(async (map) => await cluster.api.apply(map, forced, signal)),
        );
        assert.ok(outcomes.every(({ kind }) => kind === "applied"));
        return sent.requests;
      };
      // The API server puts the level into force a moment after it was made.
      await eventually(async () => assert.ok((await round()) > 110), { withinMs: 60_000 });
      await admin.remove(`${flow}/flowschemas/pressed`);
      await admin.remove(`${flow}/prioritylevelconfigurations/one-seat`);
    });

    it("a watch finds what it missed while the API server was killed, and loses nothing that is there", async () => {
      await using proxy = await connectProxy();
      const cluster = clusterOf(
        await kubeconfig(
          "watching",
          { token: plane.adminToken },
          { "proxy-url": `http://127.0.0.1:${proxy.port}` },
        ),
      );
      const maps = "/api/v1/namespaces/bank/configmaps";
      const make = async (name: string) =>
        await admin.create(maps, { ...configMap("bank", name, "1") });
      for (const name of ["stays", "changes", "goes"]) await make(name);
      const type = await cluster.api.resourceType("", "ConfigMap", signal);
      assert.ok(type);
      const stop = new AbortController();
      const known = new Map<string, string>();
      const lost: string[] = [];
      const watching = (async () => {
        for await (const event of cluster.api.watch(type, "watched=yes", stop.signal)) {
          take(known, event);
          if (!known.has("stays")) lost.push(event.kind);
        }
      })();
      const ended = assert.rejects(watching, /the story is over/);
      await eventually(() => assert.deepEqual(sorted(known), ["changes 1", "goes 1", "stays 1"]));

      await plane.apiServer.kill();
      proxy.refusal = 503;
      await plane.apiServer.start();
      await admin.edit(`${maps}/changes`, { data: { a: "2" } });
      await admin.remove(`${maps}/goes`);
      await make("comes");
      assert.deepEqual(sorted(known), ["changes 1", "goes 1", "stays 1"]);
      proxy.refusal = undefined;
      await eventually(() => assert.deepEqual(sorted(known), ["changes 2", "comes 1", "stays 1"]), {
        withinMs: 60_000,
      });

      // Calls under way while it is killed again: the client waits for it, or says that it is away.
      const applying = Promise.allSettled(
        Array.from(
          { length: 20 },
          async (_, index) =>
            await cluster.api.apply(configMap("bank", `later-${index}`, "1"), forced, signal),
        ),
      );
      await plane.apiServer.kill();
      for (const outcome of await applying)
        if (outcome.status === "rejected")
          assert.ok(outcome.reason instanceof ApiServerUnavailable, String(outcome.reason));
      await plane.apiServer.start();
      await admin.edit(`${maps}/changes`, { data: { a: "3" } });
      await eventually(() => assert.equal(known.get("changes"), "3"), { withinMs: 60_000 });
      assert.deepEqual(lost, []);
      stop.abort(new Error("the story is over"));
      await ended;
    });

    it("no kind is ever gone while the API server that serves it starts", async () => {
      await admin.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: { name: "widgets.young.example.dev" },
        spec: {
          group: "young.example.dev",
          scope: "Namespaced",
          names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
          versions: [
            {
              name: "v1",
              served: true,
              storage: true,
              schema: {
                openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
              },
            },
          ],
        },
      });
      const api = apiOf(await kubeconfig("young", { token: plane.adminToken }));
      const find = async () =>
        await openDiscovery(api, systemClock).find("young.example.dev", "Widget", "", signal);
      await eventually(async () => assert.equal((await find())?.plural, "widgets"));
      await plane.apiServer.kill();
      const told = { found: 0, troubled: 0, gone: 0, ready: 0 };
      const starting = plane.apiServer.start().then(() => (told.ready += 1));
      while (told.ready === 0 || told.found === 0) {
        try {
          told[(await find()) === undefined ? "gone" : "found"] += 1;
        } catch (error) {
          assert.ok(error instanceof ApiServerUnavailable, String(error));
          told.troubled += 1;
        }
      }
      await starting;
      assert.equal(told.gone, 0);
      assert.ok(told.troubled > 0 && told.found > 0, JSON.stringify(told));
    });

    it("a new serving certificate interrupts nothing for long", async () => {
      const cluster = clusterOf(await kubeconfig("rotated", { token: plane.adminToken }));
      assert.match(await cluster.api.serverVersion(signal), /^v\d/);
      await plane.rotateServingCertificate();
      assert.match(await cluster.api.serverVersion(signal), /^v\d/);
      const applied = await cluster.api.apply(configMap("shop", "rotated", "1"), forced, signal);
      assert.equal(applied.kind, "applied");
    });

    it("a new authority in the mounted file is believed at once", async () => {
      const tokenFile = join(folder, "pod-token");
      const authorityFile = join(folder, "pod-ca.crt");
      await writeFile(tokenFile, await plane.serviceAccountToken("shop", "spoke"));
      await writeFile(authorityFile, (await createCertificateAuthority()).certificatePem);
      const { hostname: host, port } = new URL(plane.url);
      const access: ClusterAccess = {
        kind: "in-cluster",
        host,
        port,
        tokenFile,
        authorityFile,
        environment: {},
      };
      const cluster = clusterOf(access);
      await assert.rejects(cluster.api.serverVersion(signal), /does not trust/);
      await writeFile(authorityFile, plane.caPem);
      assert.match(await cluster.api.serverVersion(signal), /^v\d/);
    });
  },
);

type Person = {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
};

/** Who the API server thinks asks. */
async function whoAmI(api: Api): Promise<Person> {
  const apiVersion = "authentication.k8s.io/v1";
  const answer = await api.call(
    {
      verb: "create",
      method: "POST",
      path: `/apis/${apiVersion}/selfsubjectreviews`,
      body: JSON.stringify({ apiVersion, kind: "SelfSubjectReview" }),
    },
    signal,
  );
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  const { userInfo } = (answer.body as { status: { userInfo: Partial<Person> } }).status;
  return { username: "", uid: "", groups: [], ...userInfo };
}

const isRefusal = (error: unknown): boolean =>
  error instanceof ApiServerUnavailable && error.status === 401;

const named = (name: string) => ({ metadata: { name } });

const configMap = (namespace: string, name: string, a: string): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace, labels: { watched: "yes" } },
  data: { a },
});

const keyOf = (namespace: string, name: string) =>
  makeObjectKey({ group: "", kind: "ConfigMap", namespace, name });

function account(text: string): ServiceAccount {
  const parsed = parseServiceAccount(text);
  assert.ok(parsed.ok);
  return parsed.value;
}

/** What the watch has told so far, of one namespace: name to content. */
function take(known: Map<string, string>, event: WatchEvent): void {
  const contentOf = (object: KubeObject): string => (object["data"] as { a: string }).a;
  const isOurs = ({ metadata }: KubeObject): boolean =>
    metadata.namespace === "bank" && !metadata.name.startsWith("later");
  switch (event.kind) {
    case "listed":
      known.clear();
      for (const object of event.objects.filter(isOurs))
        known.set(object.metadata.name, contentOf(object));
      break;
    case "present":
      if (isOurs(event.object)) known.set(event.object.metadata.name, contentOf(event.object));
      break;
    case "gone":
      if (isOurs(event.object)) known.delete(event.object.metadata.name);
      break;
  }
}

const sorted = (known: ReadonlyMap<string, string>): readonly string[] =>
  [...known].map(([name, content]) => `${name} ${content}`).toSorted();
