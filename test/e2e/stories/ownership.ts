import assert from "node:assert/strict";
import test, { after, before, suite } from "node:test";
import { eventually } from "../../support/eventually.ts";
import type { Fleet } from "../../support/fleet.ts";
import type { KubeClient } from "../../support/kube-client.ts";
import {
  applicationFor,
  conditionsOf,
  configMap,
  manifestsOf,
  mustGet,
  namespaceOf,
  refreshed,
  runs,
  statusOf,
  workload,
} from "./documents.ts";
import { openOneCluster, type Stage } from "./stage.ts";

/** Whose an object is, and what happens when somebody else has a say in it. One cluster. */
export function tellOfOwnership(title: string, stage: Stage = {}): void {
  suite(title, stage.options ?? {}, () => {
    let fleet: Fleet;
    let kube: KubeClient;
    let end: () => Promise<void>;

    before(async () => {
      ({ fleet, kube, end } = await openOneCluster(stage));
    });
    after(() => end());

    const says = async (name: string, expected: RegExp): Promise<void> =>
      eventually(
        async () => {
          const conditions = await conditionsOf(fleet, name);
          assert.ok(
            conditions.some((text) => expected.test(text)),
            `${name} says ${JSON.stringify(conditions)}`,
          );
        },
        { withinMs: 60_000, everyMs: 100, what: `${name} saying ${expected}` },
      );

    const path = (namespace: string, name: string): string =>
      `/api/v1/namespaces/${namespace}/configmaps/${name}`;

    test("a namespace stuck in its deletion is explained, not fought, and its application goes on when it is gone", async () => {
      const manifests = manifestsOf("stuck", {
        namespace: namespaceOf("stuck"),
        settings: configMap("settings", { greeting: "hello" }),
        web: workload("Deployment", "web"),
      });
      const commit = await fleet.push({ ...applicationFor("stuck", "one"), ...manifests });
      await runs(fleet, "stuck", commit);
      const before = (await mustGet(kube, "/api/v1/namespaces/stuck")).metadata.uid;
      await kube.create(
        "/api/v1/namespaces/stuck/configmaps",
        configMap("held", {}, { finalizers: ["example.com/hold"] }),
      );
      const appliesBefore = await appliesIn(fleet);
      await kube.remove("/api/v1/namespaces/stuck");
      await says(
        "stuck",
        /^WH-APP-1027 Namespace stuck: namespace "stuck" is being deleted: .*example\.com\/hold in 1 resource instances/,
      );
      await eventually(
        async () => {
          const { operation } = await statusOf(fleet, "stuck");
          assert.equal(operation?.phase, "Running");
          assert.match(
            operation.message,
            /waiting for Namespace stuck to be gone \(.*example\.com\/hold/,
          );
        },
        { withinMs: 30_000, what: "the sync waiting" },
      );
      // Nobody says in which order the namespace and what was in it are seen to go: one try may come before that is known.
      const appliesKnowing = await appliesIn(fleet);
      assert.ok(appliesKnowing - appliesBefore <= 1, "it was told once at most, and believed it");
      // What is known is known: asking again and again makes no attempt either.
      for (let times = 0; times < 3; times += 1) await refreshed(fleet, "stuck");
      await says("stuck", /^WH-APP-1027 /);
      assert.equal(await appliesIn(fleet), appliesKnowing, "nothing was tried meanwhile");
      await kube.edit(path("stuck", "held"), { metadata: { finalizers: null } });
      await runs(fleet, "stuck", commit);
      assert.notEqual((await mustGet(kube, "/api/v1/namespaces/stuck")).metadata.uid, before);
      assert.ok(await kube.get(path("stuck", "settings")));
    });

    test("the same in a namespace that nobody of ours made", async () => {
      await kube.create("/api/v1/namespaces", namespaceOf("theirs"));
      const commit = await fleet.push({
        ...applicationFor("guest", "one", "theirs"),
        ...manifestsOf("guest", { settings: configMap("settings", { greeting: "hello" }) }),
      });
      await runs(fleet, "guest", commit);
      await kube.create(
        "/api/v1/namespaces/theirs/configmaps",
        configMap("held", {}, { finalizers: ["example.com/hold"] }),
      );
      const appliesBefore = await appliesIn(fleet);
      await kube.remove("/api/v1/namespaces/theirs");
      await says(
        "guest",
        /^WH-APP-1027 ConfigMap theirs\/settings: namespace "theirs" is being deleted: .*example\.com\/hold/,
      );
      assert.ok((await appliesIn(fleet)) - appliesBefore <= 1, "it was told once, and believed it");
      await kube.edit(path("theirs", "held"), { metadata: { finalizers: null } });
      await runs(fleet, "guest", commit);
      assert.ok(
        await kube.get(path("theirs", "settings")),
        "in a namespace made anew, as the policy says",
      );
    });

    test("an object of another team is left alone and named, until its manifest says to adopt it", async () => {
      await kube.create("/api/v1/namespaces", namespaceOf("shared"));
      const theirs = await kube.create(
        "/api/v1/namespaces/shared/configmaps",
        configMap("settings", { greeting: "theirs", extra: "kept" }),
      );
      const declared = (metadata: object) =>
        manifestsOf("adopter", {
          settings: configMap("settings", { greeting: "ours" }, metadata),
          other: configMap("other", { greeting: "ours" }),
        });
      await fleet.push({ ...applicationFor("adopter", "one", "shared"), ...declared({}) });
      await says(
        "adopter",
        /^WH-APP-1017 ConfigMap shared\/settings: exists and is not ours: its field managers are visitor; left alone unless its manifest says wheelhouse\.dev\/adopt: always$/,
      );
      assert.ok(await kube.get(path("shared", "other")), "the rest is applied");
      assert.deepEqual(await mustGet(kube, path("shared", "settings")), theirs, "untouched");
      assert.equal((await statusOf(fleet, "adopter")).syncStatus, "OutOfSync");
      const commit = await fleet.push(
        declared({ annotations: { "wheelhouse.dev/adopt": "always" } }),
      );
      await runs(fleet, "adopter", commit);
      const adopted = await mustGet(kube, path("shared", "settings"));
      assert.equal(adopted.metadata.uid, theirs.metadata.uid, "adopted in place");
      assert.deepEqual(adopted["data"], { greeting: "ours", extra: "kept" });
      assert.deepEqual(await conditionsOf(fleet, "adopter"), []);
    });

    test("two applications that declare one object are both told, and neither wins silently", async () => {
      await kube.create("/api/v1/namespaces", namespaceOf("common"));
      const commit = await fleet.push({
        ...applicationFor("first", "one", "common"),
        ...manifestsOf("first", {
          settings: configMap("settings", { owner: "first" }),
          own: configMap("own-of-first", {}),
        }),
      });
      await runs(fleet, "first", commit);
      const { uid, resourceVersion } = (await mustGet(kube, path("common", "settings"))).metadata;
      await fleet.push({
        ...applicationFor("second", "one", "common"),
        ...manifestsOf("second", {
          settings: configMap("settings", { owner: "second" }),
          own: configMap("own-of-second", {}),
        }),
      });
      await says(
        "second",
        /^WH-APP-1026 ConfigMap common\/settings: application "first" declares it too and has it/,
      );
      await says(
        "first",
        /^WH-APP-1026 ConfigMap common\/settings: application "second" declares it too and is refused it/,
      );
      const contested = await mustGet(kube, path("common", "settings"));
      assert.deepEqual(contested.metadata.resourceVersion, resourceVersion, "untouched");
      await eventually(
        async () => assert.equal((await statusOf(fleet, "second")).operation?.phase, "Failed"),
        { withinMs: 30_000, what: "a failed sync of the second" },
      );

      const given = await fleet.push(manifestsOf("first", { settings: undefined }));
      await runs(fleet, "second", given);
      await runs(fleet, "first", given);
      const taken = await mustGet(kube, path("common", "settings"));
      assert.deepEqual([taken.metadata.uid, taken["data"]], [uid, { owner: "second" }]);
      assert.deepEqual(
        [await conditionsOf(fleet, "first"), await conditionsOf(fleet, "second")],
        [[], []],
      );
      assert.ok(await kube.get(path("common", "own-of-first")));
    });

    test("a commit that moves an object from one application to another hands it over in place", async () => {
      const { uid } = (await mustGet(kube, path("common", "settings"))).metadata;
      const moved = await fleet.push({
        ...manifestsOf("second", { settings: undefined }),
        ...manifestsOf("first", { settings: configMap("settings", { owner: "moved" }) }),
      });
      await runs(fleet, "first", moved);
      await runs(fleet, "second", moved);
      const settings = await mustGet(kube, path("common", "settings"));
      assert.deepEqual([settings.metadata.uid, settings["data"]], [uid, { owner: "moved" }]);
    });

    test("an Application that moves into a set, into a set of another name, and back to a file stays as it is", async () => {
      const file = applicationFor("mover", "one");
      const first = await fleet.push({
        ...file,
        ...manifestsOf("mover", { settings: configMap("settings", { greeting: "hello" }) }),
      });
      const { generation } = await runs(fleet, "mover", first);
      const before = await mustGet(kube, path("mover", "settings"));
      const nothing = { "fleet/mover.yaml": undefined };
      const moves = [
        { files: { ...nothing, ...setOfMover("movers") }, from: "movers" },
        {
          files: { "fleet/movers.yaml": undefined, ...setOfMover("renamed") },
          from: "renamed",
        },
        { files: { "fleet/renamed.yaml": undefined, ...file }, from: "mover" },
      ];
      for (const { files, from } of moves) {
        const commit = await fleet.push(files);
        const view = await runs(fleet, "mover", commit);
        assert.deepEqual([view.origin.name, view.generation], [from, generation]);
      }
      assert.deepEqual(await mustGet(kube, path("mover", "settings")), before, "untouched");
    });

    test("an application that is removed leaves the object that another still declares", async () => {
      await fleet.push(
        manifestsOf("second", { settings: configMap("settings", { owner: "second" }) }),
      );
      await says("second", /^WH-APP-1026 .*"first" declares it too and has it/);
      const { uid } = (await mustGet(kube, path("common", "settings"))).metadata;
      const last = await fleet.push({
        "fleet/first.yaml": undefined,
      });
      await runs(fleet, "second", last);
      const settings = await mustGet(kube, path("common", "settings"));
      assert.deepEqual([settings.metadata.uid, settings["data"]], [uid, { owner: "second" }]);
      await eventually(
        async () => assert.equal(await kube.get(path("common", "own-of-first")), undefined),
        { withinMs: 30_000, what: "what only the first had to be gone" },
      );
    });
  });
}

/** The set of this name that makes what the file of `mover` says. */
const setOfMover = (name: string): Readonly<Record<string, string>> => ({
  [`fleet/${name}.yaml`]: `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: ${name}}
spec:
  goTemplate: true
  generators:
    - clusters: {}
  template:
    metadata:
      name: mover
      finalizers: [resources-finalizer.argocd.argoproj.io]
    spec:
      project: default
      source: {repoURL: '@REPOSITORY@', targetRevision: HEAD, path: apps/mover}
      destination: {name: '{{ .name }}', namespace: mover}
      syncPolicy:
        automated: {prune: true, selfHeal: true}
        syncOptions: [CreateNamespace=true]
`,
});

/** Server-side applies the spoke has sent, refused ones too, and no dry runs; by its own count. */
async function appliesIn(fleet: Fleet): Promise<number> {
  const [, port = ""] = /"probePort":(\d+)/.exec(fleet.member("one").spoke.log()) ?? [];
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const line = /^wheelhouse_spoke_kubernetes_requests_total\{verb="apply"\} (\d+)$/m;
  return Number(line.exec(await response.text())?.[1]);
}
