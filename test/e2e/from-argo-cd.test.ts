import assert from "node:assert/strict";
import test, { after, before, suite } from "node:test";
import { eventually } from "../support/eventually.ts";
import { settled, startFleet, type ApplicationView, type Fleet } from "../support/fleet.ts";
import type { KubeJson } from "../support/kube-client.ts";
import { paths } from "../support/story-files.ts";

/** docs/from-argo-cd.md on one cluster: observe, hand over, and the way back. */

const set = (policy: string): string => `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: shop}
spec:
  goTemplate: true
  syncPolicy: ${policy}
  generators:
    - list: {elements: [{cluster: one}]}
  template:
    metadata: {name: 'shop-{{ .cluster }}'}
    spec:
      project: default
      source: {repoURL: '@REPOSITORY@', targetRevision: HEAD, path: apps/shop}
      destination: {name: '{{ .cluster }}', namespace: web}
      syncPolicy: {automated: {prune: true, selfHeal: true}}
`;

const settings = (annotations: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, annotations: ${annotations}}
data: {greeting: one}
`;

const mark = "argocd.argoproj.io/tracking-id";
const tracked = "shop-one:/ConfigMap:web/settings";

suite("an application that moves from Argo CD", () => {
  let fleet: Fleet;
  let theirs: KubeJson;

  before(async () => {
    fleet = await startFleet({ clusters: { one: {} }, files: { "fleet/README.md": "Empty.\n" } });
    const { kube } = fleet.member("one");
    await kube.create("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "web" },
    });
    theirs = await kube.create("/api/v1/namespaces/web/configmaps", {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "settings", annotations: { [mark]: tracked } },
      data: { greeting: "one", extra: "by hand" },
    });
  });
  after(() => fleet?.stop());

  const live = async (): Promise<KubeJson | undefined> =>
    fleet.member("one").kube.get(paths.settings);

  const inventories = async (): Promise<readonly KubeJson[]> =>
    (await fleet.member("one").kube.list("/api/v1/configmaps")).filter(({ metadata }) =>
      metadata.name.startsWith("wheelhouse-inventory-"),
    );

  test("is left alone and named while Argo CD's mark is on it", async () => {
    await fleet.push({
      "fleet/shop.yaml": set("{}"),
      "apps/shop/settings.yaml": settings("{}"),
    });
    await eventually(
      async () => {
        const { status } = await fleet.api.get<ApplicationView>("/v1/applications/shop-one");
        assert.match(JSON.stringify(status), /WH-APP-1017/);
      },
      { withinMs: 60_000 },
    );
    assert.deepEqual(await live(), theirs);
  });

  test("is taken over in place when its manifest says so", async () => {
    const commit = await fleet.push({
      "apps/shop/settings.yaml": settings("{wheelhouse.dev/adopt: always}"),
    });
    await settled(fleet, ["shop-one"], commit);
    const ours = await live();
    assert.equal(ours?.metadata.uid, theirs.metadata.uid);
    assert.equal(ours?.metadata.annotations?.[mark], tracked);
    assert.deepEqual(ours?.["data"], { greeting: "one", extra: "by hand" });
  });

  test("leaves the hub and stays in its cluster when its set preserves resources", async () => {
    const commit = await fleet.push({
      "fleet/shop.yaml": set("{preserveResourcesOnDeletion: true}"),
    });
    await settled(fleet, ["shop-one"], commit);
    assert.equal((await inventories()).length, 1);
    await fleet.push({ "fleet/shop.yaml": undefined });
    // The last thing a spoke does to an application that goes is to forget what it owned.
    await eventually(async () => assert.deepEqual(await inventories(), []), { withinMs: 60_000 });
    assert.deepEqual(await fleet.api.all<ApplicationView>("/v1/applications"), []);
    assert.equal((await live())?.metadata.uid, theirs.metadata.uid);
  });
});
