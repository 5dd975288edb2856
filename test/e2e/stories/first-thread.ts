import assert from "node:assert/strict";
import test, { after, before, suite } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { settled, type ApplicationView, type Fleet } from "../../support/fleet.ts";
import { deployment, paths, settings, webFolder, webSet } from "../../support/story-files.ts";
import {
  becomes,
  conditionsOf,
  configMap,
  image,
  job,
  manifestsOf,
  mustGet,
  runs,
  widget,
  widgetDefinition,
  workload,
} from "./documents.ts";
import { openStory, type Stage } from "./stage.ts";

/** Which clusters take part: some of the environment `dev`, `prod-1`, and one of `dev` that joins later. */
export type ThreadCast = { readonly dev: readonly string[]; readonly latecomer: string };

/**
 * A git push becomes healthy workloads in many clusters, and the hub answers for it.
 *
 * Real hub and spoke processes, a real Git server, real TLS; the clusters are asked over HTTPS. The steps
 * build on each other, in order.
 */
export function tellFirstThread(title: string, cast: ThreadCast, stage: Stage = {}): void {
  suite(title, stage.options ?? {}, () => {
    let fleet: Fleet;
    let end: () => Promise<void>;
    let commit = "";
    const clusters = [...cast.dev, "prod-1"];
    const everywhere = clusters.map((cluster) => `web-${cluster}`);
    const watched = [...cast.dev.slice(0, 1), "prod-1"];

    before(async () => {
      ({ fleet, end } = await openStory(stage, {
        clusters: Object.fromEntries(
          clusters.map((name) => [name, { env: name.replace(/-\d+$/, ""), web: "yes" }]),
        ),
        latecomers: [cast.latecomer],
        files: {
          "fleet/web.yaml": webSet(),
          ...webFolder("dev", { replicas: 1, greeting: "hello dev" }),
          ...webFolder("prod", { replicas: 3, greeting: "hello prod" }),
        },
      }));
      commit = await fleet.repository.head("main", AbortSignal.timeout(10_000));
    });
    after(() => end());

    const replicas = async (cluster: string): Promise<unknown> => {
      const web = await fleet.member(cluster).kube.get(paths.deployment);
      return (web?.["spec"] as { readonly replicas?: number } | undefined)?.replicas;
    };
    const greeting = async (cluster: string): Promise<unknown> => {
      const found = await fleet.member(cluster).kube.get(paths.settings);
      return (found?.["data"] as { readonly greeting?: string } | undefined)?.greeting;
    };

    test("a push runs in every cluster the set selects, each with its environment's values", async () => {
      await settled(fleet, everywhere, commit);
      for (const cluster of cast.dev) assert.equal(await replicas(cluster), 1);
      assert.equal(await replicas("prod-1"), 3);
      assert.equal(await greeting("prod-1"), "hello prod");
      const summary = await fleet.api.get<{
        readonly groups: readonly {
          readonly value: string;
          readonly applications: { readonly total: number };
        }[];
      }>("/v1/fleet/summary?groupBy=env");
      assert.deepEqual(
        Object.fromEntries(summary.groups.map((group) => [group.value, group.applications.total])),
        { dev: cast.dev.length, prod: 1 },
      );
    });

    test("one changed value sends only the changed object's bytes", async () => {
      const bytesBefore = await blobBytes(fleet);
      const text = settings("good morning");
      commit = await fleet.push({ "apps/web/prod/settings.yaml": text });
      await settled(fleet, everywhere, commit);
      assert.equal(await greeting("prod-1"), "good morning");
      assert.equal(await greeting("dev-1"), "hello dev");
      const sent = difference(await blobBytes(fleet), bytesBefore);
      // The changed ConfigMap and the list of the bundle's four objects; nothing for the clusters that did not change.
      for (const cluster of cast.dev) assert.equal(sent.get(cluster), 0);
      const list = 4 * (64 + 40);
      const most = Buffer.byteLength(text) + list + 100;
      const got = sent.get("prod-1") ?? 0;
      assert.ok(got > 0 && got <= most, `${got} bytes travelled, at most ${most} expected`);
    });

    test("a deleted file prunes exactly that object", async () => {
      const before = await identities(fleet, "dev-1");
      commit = await fleet.push({ "apps/web/dev/service.yaml": undefined });
      await settled(fleet, everywhere, commit);
      for (const cluster of cast.dev)
        await eventually(async () =>
          assert.equal(await fleet.member(cluster).kube.get(paths.service), undefined),
        );
      assert.ok(await fleet.member("prod-1").kube.get(paths.service));
      const afterwards = await identities(fleet, "dev-1");
      assert.deepEqual(afterwards, { ...before, service: undefined });
    });

    test("a hand edit of a managed field is reverted where self-heal is on", async () => {
      const { kube } = fleet.member("dev-1");
      await kube.edit(paths.deployment, { spec: { replicas: 9 } });
      await eventually(async () => assert.equal(await replicas("dev-1"), 1));
      // A field nobody manages stays as the hand left it, though the one beside it is put back.
      await kube.edit(paths.settings, { data: { greeting: "by hand", note: "mine" } });
      await eventually(async () => assert.equal(await greeting("dev-1"), "hello dev"));
      await settled(fleet, everywhere, commit);
      const kept = await kube.get(paths.settings);
      assert.deepEqual(kept?.["data"], { greeting: "hello dev", note: "mine" });
    });

    test("without self-heal a hand edit is only reported, and a sync command repairs it", async () => {
      commit = await fleet.push({ "fleet/web.yaml": webSet({ selfHeal: false }) });
      await settled(fleet, everywhere, commit);
      const { kube } = fleet.member("dev-1");
      await kube.edit(paths.deployment, { spec: { replicas: 9 } });
      const reported = await eventually(async () => {
        const view = await fleet.api.get<ApplicationView>("/v1/applications/web-dev-1");
        assert.equal(view.status.syncStatus, "OutOfSync");
        return view;
      });
      assert.equal(reported.generation, reported.status.appliedGeneration);
      assert.equal(await replicas("dev-1"), 9);
      await fleet.api.send("POST", "/v1/applications/web-dev-1/sync", {});
      await eventually(async () => assert.equal(await replicas("dev-1"), 1));
      await settled(fleet, everywhere, commit);
      commit = await fleet.push({ "fleet/web.yaml": webSet() });
      await settled(fleet, everywhere, commit);
    });

    test("a cluster that joins with a matching label gets its applications without anyone touching Git", async () => {
      await fleet.join(cast.latecomer, { env: "dev", web: "yes" });
      await settled(fleet, [...everywhere, `web-${cast.latecomer}`], commit);
      assert.equal(await replicas(cast.latecomer), 1);
    });

    test("a cluster that is relabelled loses its applications by tombstone, and the others keep theirs", async () => {
      await fleet.api.send("PATCH", `/v1/clusters/${cast.latecomer}`, { labels: { web: null } });
      await settled(fleet, everywhere, commit);
      await eventually(
        async () => {
          const { kube } = fleet.member(cast.latecomer);
          assert.equal(await kube.get(paths.deployment), undefined);
          assert.equal(await kube.get(paths.namespace), undefined);
        },
        { withinMs: 60_000, what: "an empty cluster" },
      );
      assert.equal(await replicas("dev-1"), 1);
    });

    test("a commit whose set fails to generate changes nothing anywhere and says why", async () => {
      const before = await Promise.all(watched.map((name) => identities(fleet, name)));
      await fleet.push({
        "fleet/web.yaml": webSet({
          extra: "      info: [{name: x, value: '{{ .nothing.here }}'}]",
        }),
        "apps/web/dev/deployment.yaml": deployment("shop/web:1", 1),
      });
      const failed = await eventually(async () => {
        const set = await fleet.api.get<{
          readonly problem?: { readonly code: string; readonly message: string };
        }>("/v1/applicationsets/web");
        assert.ok(set.problem);
        return set.problem;
      });
      assert.match(failed.code, /^WH-(GEN|TPL)-\d+$/);
      assert.match(failed.message, /nothing/);
      const views = await fleet.api.all<ApplicationView>("/v1/applications");
      assert.deepEqual(views.map((view) => view.name).toSorted(), everywhere);
      assert.deepEqual(await Promise.all(watched.map((name) => identities(fleet, name))), before);
      commit = await fleet.push({ "fleet/web.yaml": webSet() });
      await settled(fleet, everywhere, commit);
    });

    test("a directory that a commit empties is held, not emptied", async () => {
      await fleet.push({
        "apps/web/dev/namespace.yaml": undefined,
        "apps/web/dev/settings.yaml": undefined,
        "apps/web/dev/deployment.yaml": undefined,
        "apps/web/dev/keep.txt": "the folder stays, its manifests are gone",
      });
      const problem = await eventually(async () => {
        const view = await fleet.api.get<ApplicationView>("/v1/applications/web-dev-1");
        assert.ok(view.problem);
        return view.problem;
      });
      assert.match(problem.code, /^WH-RND-\d+$/);
      assert.equal(await replicas("dev-1"), 1);
      commit = await fleet.push(webFolder("dev", { replicas: 1, greeting: "hello dev" }));
      await settled(fleet, everywhere, commit);
    });

    const all = [...clusters, cast.latecomer];
    const podsOf = (cluster: string) =>
      fleet.member(cluster).kube.list("/api/v1/namespaces/tools/pods");
    const isReady = (pod: object): boolean => {
      const { status } = pod as {
        readonly status?: { readonly conditions?: readonly { type: string; status: string }[] };
      };
      return (status?.conditions ?? []).some(
        (condition) => condition.type === "Ready" && condition.status === "True",
      );
    };

    test("in every cluster a Deployment is well because its pods are, a Job completes, a definition comes with its object", async () => {
      commit = await fleet.push({
        "fleet/tools.yaml": toolsSet,
        ...manifestsOf("tools", {
          definition: widgetDefinition,
          widget: widget("first", 3),
          tool: workload("Deployment", "tool", { replicas: 2 }),
          once: job("once"),
        }),
      });
      for (const cluster of all) {
        await runs(fleet, `tools-${cluster}`, commit);
        const { kube } = fleet.member(cluster);
        const pods = await podsOf(cluster);
        assert.equal(pods.filter(isReady).length, 2);
        const { status } = await mustGet(kube, "/apis/batch/v1/namespaces/tools/jobs/once");
        assert.equal((status as { readonly succeeded?: number }).succeeded, 1);
        const first = await mustGet(kube, "/apis/example.com/v1/namespaces/tools/widgets/first");
        assert.deepEqual(first["spec"], { size: 3 });
      }
    });

    test("in every cluster a bad image degrades it with its pods' reason while the old pods go on, and a good one heals it", async () => {
      const path = "/apis/apps/v1/namespaces/tools/deployments/tool";
      const uidOf = async (cluster: string) =>
        (await mustGet(fleet.member(cluster).kube, path)).metadata.uid;
      const before = await Promise.all(all.map(uidOf));
      const withImage = (text: string) =>
        manifestsOf("tools", {
          tool: workload("Deployment", "tool", { replicas: 2, pod: image(text) }),
        });
      await fleet.push(withImage("shop/tool:missing"));
      for (const cluster of all) {
        await becomes(
          fleet,
          `tools-${cluster}`,
          "Degraded",
          /container "main" ImagePullBackOff: .*shop\/tool:missing/,
        );
        assert.equal((await podsOf(cluster)).filter(isReady).length, 2);
      }
      commit = await fleet.push(withImage("shop/tool:2"));
      for (const cluster of all) await runs(fleet, `tools-${cluster}`, commit);
      assert.deepEqual(await Promise.all(all.map(uidOf)), before);
    });

    test("in every cluster an object of another team is left alone and named, until its manifest says to adopt it", async () => {
      const path = "/api/v1/namespaces/tools/configmaps/theirs";
      const theirs = await Promise.all(
        all.map((cluster) =>
          fleet
            .member(cluster)
            .kube.create(
              "/api/v1/namespaces/tools/configmaps",
              configMap("theirs", { of: "them" }),
            ),
        ),
      );
      const declared = (metadata: object) =>
        manifestsOf("tools", { theirs: configMap("theirs", { of: "us" }, metadata) });
      await fleet.push(declared({}));
      for (const [index, cluster] of all.entries()) {
        await eventually(
          async () =>
            assert.match(
              (await conditionsOf(fleet, `tools-${cluster}`)).join("\n"),
              /^WH-APP-1017 ConfigMap tools\/theirs: exists and is not ours/m,
            ),
          { withinMs: 60_000, what: `tools-${cluster} naming what is not its own` },
        );
        assert.deepEqual(await mustGet(fleet.member(cluster).kube, path), theirs[index]);
      }
      commit = await fleet.push(declared({ annotations: { "wheelhouse.dev/adopt": "always" } }));
      for (const [index, cluster] of all.entries()) {
        await runs(fleet, `tools-${cluster}`, commit);
        const adopted = await mustGet(fleet.member(cluster).kube, path);
        assert.deepEqual(
          [adopted.metadata.uid, adopted["data"]],
          [theirs[index]?.metadata.uid, { of: "us" }],
        );
      }
    });
  });
}

/** What runs in every cluster there is, whatever its labels. */
const toolsSet = `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: tools}
spec:
  goTemplate: true
  generators: [{clusters: {selector: {matchExpressions: [{key: env, operator: Exists}]}}}]
  template:
    metadata: {name: 'tools-{{ .name }}'}
    spec:
      project: default
      source: {repoURL: '@REPOSITORY@', targetRevision: HEAD, path: apps/tools}
      destination: {name: '{{ .name }}', namespace: tools}
      syncPolicy:
        automated: {prune: true, selfHeal: true}
        syncOptions: [CreateNamespace=true]
`;

/** Bytes of blobs the hub has sent to each cluster, with the desired set or on request. */
async function blobBytes(fleet: Fleet): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`${fleet.hub.url}/metrics`, {
    headers: { authorization: `Bearer ${fleet.hub.adminToken}` },
  });
  const bytes = new Map([...fleet.members.keys()].map((name) => [name, 0]));
  const line = /^wheelhouse_hub_blob_bytes_total\{.*cluster="([^"]+)".*\} (\d+)$/gm;
  for (const [, name = "", value] of (await response.text()).matchAll(line))
    bytes.set(name, (bytes.get(name) ?? 0) + Number(value));
  return bytes;
}

const difference = (
  now: ReadonlyMap<string, number>,
  then: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> =>
  new Map([...now].map(([name, bytes]) => [name, bytes - (then.get(name) ?? 0)]));

/** The uid of each object of the story: a deleted and recreated one has another. */
async function identities(
  fleet: Fleet,
  cluster: string,
): Promise<Readonly<Record<string, string | undefined>>> {
  const { kube } = fleet.member(cluster);
  const uids: Record<string, string | undefined> = {};
  for (const [name, path] of Object.entries(paths))
    uids[name] = (await kube.get(path))?.metadata.uid;
  return uids;
}
