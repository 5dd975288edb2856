import assert from "node:assert/strict";
import test, { after, before, suite } from "node:test";
import { eventually } from "../support/eventually.ts";
import { settled, startFleet, type Fleet } from "../support/fleet.ts";
import { namespace, paths, settings } from "../support/story-files.ts";

/** One application per object in the files of a folder, let go tier by tier. */
const tiers = `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: tiers}
spec:
  goTemplate: true
  goTemplateOptions: [missingkey=error]
  generators:
    - git:
        repoURL: '@REPOSITORY@'
        revision: HEAD
        files:
          - path: 'places/*.yaml'
          - {path: 'places/off-*.yaml', exclude: true}
  strategy:
    type: RollingSync
    rollingSync:
      steps:
        - matchExpressions: [{key: tier, operator: In, values: [canary]}]
        - matchExpressions: [{key: tier, operator: In, values: [prod]}]
          maxUpdate: 100%
  template:
    metadata: {name: 'web-{{ .cluster }}', labels: {tier: '{{ .tier }}', file: '{{ .path.filenameNormalized }}'}}
    spec:
      project: default
      source: {repoURL: '@REPOSITORY@', targetRevision: HEAD, path: apps/web}
      destination: {name: '{{ .cluster }}', namespace: web}
      syncPolicy:
        automated: {prune: true, selfHeal: true}
`;

type SetDetail = {
  readonly status: {
    readonly health: string;
    readonly conditions: readonly { readonly type: string; readonly status: string }[];
    readonly applicationStatus: readonly {
      readonly application: string;
      readonly status: string;
      readonly step: number;
    }[];
  };
};

suite("an ApplicationSet that reads files and goes step by step", () => {
  let fleet: Fleet;
  const everywhere = ["web-canary-1", "web-prod-1", "web-prod-2"];

  before(async () => {
    fleet = await startFleet({
      clusters: { "canary-1": {}, "prod-1": {}, "prod-2": {} },
      files: {
        "fleet/tiers.yaml": tiers,
        "places/canary.yaml": "cluster: canary-1\ntier: canary\n",
        "places/prod.yaml": "- {cluster: prod-1, tier: prod}\n- {cluster: prod-2, tier: prod}\n",
        "places/off-later.yaml": "cluster: prod-9\ntier: prod\n",
        "apps/web/namespace.yaml": namespace("web"),
        "apps/web/settings.yaml": settings("one"),
      },
    });
  });
  after(() => fleet.stop());

  const greeting = async (cluster: string): Promise<unknown> => {
    const found = await fleet.member(cluster).kube.get(paths.settings);
    return (found?.["data"] as { readonly greeting?: string } | undefined)?.greeting;
  };
  const rollout = async (): Promise<Readonly<Record<string, string>>> => {
    const { status } = await fleet.api.get<SetDetail>("/v1/applicationsets/tiers");
    return Object.fromEntries(
      status.applicationStatus.map((one) => [one.application, `${one.status} in ${one.step}`]),
    );
  };

  test("every object of the files that are not excluded is an application", async () => {
    const commit = await fleet.repository.head("main", AbortSignal.timeout(10_000));
    await settled(fleet, everywhere, commit);
    assert.equal(await greeting("prod-2"), "one");
    const found = await fleet.api.get<{ readonly labels: Readonly<Record<string, string>> }>(
      "/v1/applications/web-prod-2",
    );
    assert.deepEqual(found.labels, { tier: "prod", file: "prod.yaml" });
    await eventually(async () =>
      assert.deepEqual(await rollout(), {
        "web-canary-1": "Healthy in 1",
        "web-prod-1": "Healthy in 2",
        "web-prod-2": "Healthy in 2",
      }),
    );
    const { status } = await fleet.api.get<SetDetail>("/v1/applicationsets/tiers");
    assert.equal(status.health, "Healthy");
  });

  test("a change waits for the step before it, also when the hub dies meanwhile", async () => {
    await fleet.member("canary-1").spoke.stop();
    await fleet.push({ "apps/web/settings.yaml": settings("two") });
    const held = {
      "web-canary-1": "Pending in 1",
      "web-prod-1": "Waiting in 2",
      "web-prod-2": "Waiting in 2",
    };
    await eventually(async () => assert.deepEqual(await rollout(), held));
    await fleet.restartHub("kill");
    await eventually(async () => {
      const { published } = await fleet.api.get<{ readonly published?: object }>(
        "/v1/fleet/summary",
      );
      assert.ok(published, "the hub that came back has looked at Git");
    });
    assert.deepEqual(await rollout(), held);
    assert.equal(await greeting("prod-1"), "one");
    const { status } = await fleet.api.get<SetDetail>("/v1/applicationsets/tiers");
    assert.deepEqual(
      [status.health, status.conditions.find(({ type }) => type === "RolloutProgressing")?.status],
      ["Progressing", "True"],
    );
  });

  test("once the first step is healthy, the others get it", async () => {
    fleet.startSpokeOf("canary-1");
    for (const cluster of ["canary-1", "prod-1", "prod-2"])
      await eventually(async () => assert.equal(await greeting(cluster), "two"), {
        withinMs: 60_000,
      });
    await eventually(async () =>
      assert.deepEqual(
        [...new Set(Object.values(await rollout()))],
        ["Healthy in 1", "Healthy in 2"],
      ),
    );
  });

  test("a file that cannot be read costs its own applications, and removes none", async () => {
    await fleet.push({
      "places/canary.yaml": "cluster: [",
      "places/prod.yaml": "- {cluster: prod-1, tier: prod}\n",
    });
    await eventually(async () => {
      const set = await fleet.api.get<{ readonly problem?: { readonly message: string } }>(
        "/v1/applicationsets/tiers",
      );
      assert.match(set.problem?.message ?? "", /unable to process file 'places\/canary.yaml'/);
    });
    const left = await fleet.api.all<{ readonly name: string }>("/v1/applications");
    assert.deepEqual(left.map(({ name }) => name).toSorted(), everywhere);
  });
});
