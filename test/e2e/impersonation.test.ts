import assert from "node:assert/strict";
import test, { after, before, suite } from "node:test";
import type { RequestRecord } from "../support/cluster/counters.ts";
import { startSimulatedCluster, type SimulatedCluster } from "../support/cluster/server.ts";
import { eventually } from "../support/eventually.ts";
import { startFleet, type Fleet } from "../support/fleet.ts";
import type { KubeClient } from "../support/kube-client.ts";

const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop";
const maps = "/api/v1/namespaces/shop/configmaps";
const deployer = "system:serviceaccount:shop:deployer";

/** A project says whose rights its applications get; the API server holds them to it. */
suite("whose rights an application is looked after with", () => {
  let fleet: Fleet;
  let cluster: SimulatedCluster;
  let kube: KubeClient;

  before(async () => {
    fleet = await startFleet({
      clusters: { one: {} },
      files: {
        "fleet/projects.yaml": project("shop", "deployer"),
        "fleet/shop.yaml": application("shop", "shop"),
        "fleet/other.yaml": application("other", "default"),
        "apps/shop/settings.yaml": configMap("settings", "hello"),
        "apps/other/settings.yaml": configMap("others", "hello"),
      },
      openCluster: async () => {
        cluster = await startSimulatedCluster({ rbac: true, namespaces: ["shop"] });
        return cluster;
      },
    });
    ({ kube } = fleet.member("one"));
  });
  after(() => fleet.stop());

  const conditions = async (name: string): Promise<readonly string[]> => {
    const { status } = await fleet.api.get<View>(`/v1/applications/${name}`);
    return status.conditions.map(({ code, message }) => `${code} ${message}`);
  };

  const synced = async (name: string): Promise<void> =>
    await eventually(
      async () => {
        const { status } = await fleet.api.get<View>(`/v1/applications/${name}`);
        assert.deepEqual([status.syncStatus, status.conditions], ["Synced", []]);
      },
      { withinMs: 60_000, what: `${name} synced` },
    );

  const askedAbout = (object: string): readonly RequestRecord[] =>
    cluster.requests
      .recent()
      .filter(({ name, userAgent }) => name === object && userAgent.startsWith("wheelhouse-spoke"));

  test("what the account may not is said of its application, and of no other", async () => {
    await synced("other");
    await eventually(
      async () =>
        assert.match(
          (await conditions("shop")).join(),
          /^WH-APP-1030 .*not permitted: .*User "system:serviceaccount:shop:deployer" cannot (get|patch) /,
        ),
      { withinMs: 60_000 },
    );
    assert.equal(await kube.get(`${maps}/settings`), undefined);
  });

  test("with the rights it needs, it is applied, repaired and removed by that account alone", async () => {
    await kube.create(`${rbac}/roles`, {
      metadata: { name: "deployer" },
      rules: [
        {
          apiGroups: [""],
          resources: ["configmaps"],
          verbs: ["get", "create", "patch", "delete"],
        },
      ],
    });
    await kube.create(`${rbac}/rolebindings`, {
      metadata: { name: "deployer" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "deployer" },
      subjects: [{ kind: "ServiceAccount", name: "deployer", namespace: "shop" }],
    });
    await fleet.api.send("POST", "/v1/applications/shop/sync", {});
    await synced("shop");
    const greets = async (greeting: string): Promise<void> =>
      await eventually(
        async () => {
          const found = await kube.get(`${maps}/settings`);
          assert.deepEqual(found?.["data"], { greeting });
        },
        { withinMs: 60_000, what: `the greeting ${greeting}` },
      );
    await greets("hello");
    await kube.edit(`${maps}/settings`, { data: { greeting: "by hand" } });
    await greets("hello");
    await fleet.push({ "apps/shop/settings.yaml": configMap("settings", "again") });
    await greets("again");
    await fleet.push({ "fleet/shop.yaml": undefined });
    await eventually(async () => assert.equal(await kube.get(`${maps}/settings`), undefined), {
      withinMs: 60_000,
      what: "the removal",
    });
    const asked = askedAbout("settings");
    const verbs = new Set(asked.map(({ verb }) => verb));
    for (const verb of ["get", "apply", "delete"] as const) assert.ok(verbs.has(verb), verb);
    assert.deepEqual(new Set(asked.map(({ impersonated }) => impersonated)), new Set([deployer]));
    const others = askedAbout("others");
    assert.ok(others.length > 0);
    assert.deepEqual(new Set(others.map(({ impersonated }) => impersonated)), new Set([""]));
  });

  test("a project without an account for a destination offers nothing there, and says so", async () => {
    await fleet.push({
      "fleet/projects.yaml": project("bank", "deployer"),
      "fleet/shop.yaml": application("shop", "shop"),
    });
    await eventually(
      async () => {
        const { problem } = await fleet.api.get<View>("/v1/applications/shop");
        assert.equal(problem?.code, "WH-DST-3514");
      },
      { withinMs: 60_000 },
    );
    assert.equal(await kube.get(`${maps}/settings`), undefined);
  });
});

type View = {
  readonly problem?: { readonly code: string } | null;
  readonly status: {
    readonly syncStatus: string;
    readonly conditions: readonly { readonly code: string; readonly message: string }[];
  };
};

const project = (namespace: string, account: string): string => `
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: shop}
spec:
  sourceRepos: ['*']
  destinations: [{name: '*', server: '*', namespace: '*'}]
  destinationServiceAccounts:
    - {server: '*', namespace: ${namespace}, defaultServiceAccount: ${account}}
`;

const application = (name: string, inProject: string): string => `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: ${name}
  finalizers: [resources-finalizer.argocd.argoproj.io]
spec:
  project: ${inProject}
  source: {repoURL: '@REPOSITORY@', targetRevision: HEAD, path: apps/${name}}
  destination: {name: one, namespace: shop}
  syncPolicy: {automated: {prune: true, selfHeal: true}}
`;

const configMap = (name: string, greeting: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}}
data: {greeting: ${greeting}}
`;
