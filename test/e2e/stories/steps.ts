import assert from "node:assert/strict";
import test, { after, before, suite } from "node:test";
import { eventually } from "../../support/eventually.ts";
import type { Fleet } from "../../support/fleet.ts";
import type { KubeClient, KubeJson } from "../../support/kube-client.ts";
import { deployment, settings } from "../../support/story-files.ts";
import { witness, type Witness, type Witnessed } from "../../support/witness.ts";
import { mustGet, runs } from "./documents.ts";
import { openStory, type Stage } from "./stage.ts";

/** The applications of each step, each in a namespace of its name. */
const steps = [["canary"], ["early-1", "early-2"], ["late-1", "late-2"]] as const;
const inSteps = steps.flat();
/** Of no step. */
const aside = "aside";

const tierOf = (name: string): string => name.replace(/-\d+$/, "");

const shop = `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: shop
  annotations: {wheelhouse.dev/allow-removals: "true"}
spec:
  goTemplate: true
  goTemplateOptions: [missingkey=error]
  generators:
    - list: {elements: ${JSON.stringify([...inSteps, aside].map((name) => ({ name, tier: tierOf(name) })))}}
  strategy:
    type: RollingSync
    deletionOrder: Reverse
    rollingSync:
      steps: ${JSON.stringify(steps.map(([name]) => ({ matchExpressions: [{ key: "tier", operator: "In", values: [tierOf(name)] }] })))}
  template:
    metadata: {name: '{{ .name }}', labels: {tier: '{{ .tier }}'}}
    spec:
      project: default
      source: {repoURL: '@REPOSITORY@', targetRevision: HEAD, path: apps/shop}
      destination: {name: one, namespace: '{{ .name }}'}
      syncPolicy:
        automated: {prune: true, selfHeal: true}
        syncOptions: [CreateNamespace=true]
`;

/** What all of them run: an object that is well at once, and one that is well when its pods are. */
const version = (image: string): Readonly<Record<string, string>> => ({
  "apps/shop/settings.yaml": settings(image),
  "apps/shop/web.yaml": deployment(image, 1),
});

const settingsOf = (name: string): string => `/api/v1/namespaces/${name}/configmaps/settings`;
const webOf = (name: string): string => `/apis/apps/v1/namespaces/${name}/deployments/web`;

/**
 * The changes of a set go step by step, and the set itself goes the other way round. In which order is read from
 * what the API of the one cluster told a witness. The steps of the story build on each other.
 */
export function tellOfSteps(title: string, stage: Stage = {}): void {
  suite(title, stage.options ?? {}, () => {
    let fleet: Fleet;
    let kube: KubeClient;
    let watching: Witness;
    let end: () => Promise<void>;

    before(async () => {
      ({ fleet, end } = await openStory(stage, {
        clusters: { one: {} },
        files: { "fleet/readme.txt": "the set comes later" },
      }));
      const { cluster, kube: visitor } = fleet.member("one");
      kube = visitor;
      watching = await witness(
        { url: cluster.url, caPem: cluster.caPem, token: cluster.adminToken },
        ["/api/v1/configmaps", "/apis/apps/v1/deployments"],
      );
    });
    after(async () => {
      await end();
      watching.stop();
    });

    const rollout = async (): Promise<Readonly<Record<string, string>>> => {
      const { status } = await fleet.api.get<{
        readonly status: {
          readonly applicationStatus: readonly {
            readonly application: string;
            readonly status: string;
            readonly step: number;
          }[];
        };
      }>("/v1/applicationsets/shop");
      return Object.fromEntries(
        status.applicationStatus.map((one) => [one.application, `${one.status} in ${one.step}`]),
      );
    };
    /** Waits until every application of a step has been let go, and runs what this commit says. */
    const allRun = async (commit: string): Promise<void> => {
      for (const name of inSteps)
        await eventually(
          async () => assert.equal((await runs(fleet, name, commit)).revision, commit),
          { withinMs: 120_000, everyMs: 100, what: `${name} let go` },
        );
    };
    const names = async (): Promise<readonly string[]> => {
      const applications = await fleet.api.all<{ readonly name: string }>("/v1/applications");
      return applications.map(({ name }) => name).toSorted();
    };

    test("the applications of a new set come step by step, those of no step not at all", async () => {
      await allRun(await fleet.push({ "fleet/shop.yaml": shop, ...version("shop/web:1") }));
      assertInOrder(watching.record(), "shop/web:1");
      assert.equal((await rollout())[aside], "Waiting in -1");
      assert.equal(await kube.get(settingsOf(aside)), undefined);
    });

    test("a change that does not become healthy stays in its step, and the next one goes through all", async () => {
      await fleet.push(version("shop/never-ready:2"));
      await eventually(
        async () =>
          assert.deepEqual(await rollout(), {
            canary: "Progressing in 1",
            "early-1": "Waiting in 2",
            "early-2": "Waiting in 2",
            "late-1": "Waiting in 3",
            "late-2": "Waiting in 3",
            aside: "Waiting in -1",
          }),
        { withinMs: 60_000, what: "a rollout held up in its first step" },
      );
      await allRun(await fleet.push(version("shop/web:3")));
      assertInOrder(watching.record(), "shop/web:3");
      const got = new Map(inSteps.map((name) => [name, versionsOf(watching.record(), name)]));
      const past = ["shop/web:1", "shop/web:3"];
      assert.deepEqual(Object.fromEntries(got), {
        canary: ["shop/web:1", "shop/never-ready:2", "shop/web:3"],
        "early-1": past,
        "early-2": past,
        "late-1": past,
        "late-2": past,
      });
    });

    test("a set gone from Git waits for what its last step still has in the cluster, also when the hub dies meanwhile", async () => {
      const untouched = inSteps.filter((name) => tierOf(name) !== "late");
      const uids = await Promise.all(untouched.map((name) => uidsOf(kube, name)));
      await kube.edit(settingsOf("late-2"), { metadata: { finalizers: ["example.com/hold"] } });
      await fleet.push({ "fleet/shop.yaml": undefined });
      await eventually(
        async () => {
          const held = await mustGet(kube, settingsOf("late-2"));
          assert.ok(held.metadata.deletionTimestamp, "it is to go");
        },
        { withinMs: 60_000, what: "the last step's last object asked to go" },
      );
      assert.deepEqual(await names(), [aside, ...untouched].toSorted());

      await fleet.restartHub("kill");
      const commit = await fleet.push({ "fleet/readme.txt": "the set has left" });
      await eventually(
        async () => {
          const { published } = await fleet.api.get<{
            readonly published?: { readonly commit: string };
          }>("/v1/fleet/summary");
          assert.equal(published?.commit, commit);
        },
        { withinMs: 60_000, what: "the hub's next pass" },
      );
      assert.deepEqual(await names(), [aside, ...untouched].toSorted());
      assert.deepEqual(await Promise.all(untouched.map((name) => uidsOf(kube, name))), uids);
    });

    test("once that is gone the others leave, from the last step to the first, each when the one before is gone", async () => {
      await kube.edit(settingsOf("late-2"), { metadata: { finalizers: null } });
      await eventually(
        async () => {
          for (const name of inSteps)
            for (const path of [settingsOf(name), webOf(name)])
              assert.equal(await kube.get(path), undefined, path);
          assert.deepEqual(await names(), []);
          assert.deepEqual(await fleet.api.all("/v1/applicationsets"), []);
        },
        { withinMs: 120_000, everyMs: 100, what: "an empty cluster" },
      );
      const told = await eventually(() => {
        const leaving = departures(watching.record());
        assert.deepEqual([...leaving.keys()].toSorted(), inSteps.toSorted());
        return leaving;
      });
      const inTurn = [...told].toSorted(([, a], [, b]) => a.askedAt - b.askedAt);
      assert.deepEqual(
        inTurn.map(([name]) => name),
        ["late-1", "late-2", "early-1", "early-2", "canary"],
      );
      for (const [index, [name, { goneAt }]] of inTurn.entries()) {
        const [next, { askedAt } = { askedAt: Infinity }] = inTurn[index + 1] ?? [];
        assert.ok(
          goneAt < askedAt,
          `${next} was asked to go at ${askedAt}, and ${name} was gone at ${goneAt}`,
        );
      }
    });
  });
}

/** Each step got this version after every application of the step before had become healthy with it. */
function assertInOrder(record: readonly Witnessed[], image: string): void {
  const times = steps.map((names) =>
    names.map((name) => {
      const own = record.filter(({ object }) => isOf(object, name) && versionOf(object) === image);
      const first = own[0]?.at ?? Number.NaN;
      const well = own.find(({ object }) => isAvailable(object))?.at ?? Number.NaN;
      assert.ok(first < well, `${name} got ${image} at ${first} and was well at ${well}`);
      return { name, first, well };
    }),
  );
  for (const [index, later] of times.slice(1).entries())
    for (const { name, first } of later)
      for (const before of times[index] ?? [])
        assert.ok(
          before.well < first,
          `${name} got ${image} at ${first}, and ${before.name} was well at ${before.well}`,
        );
}

/** When the first object of each application that left was asked to go, and when its last one was gone. */
function departures(
  record: readonly Witnessed[],
): ReadonlyMap<string, { readonly askedAt: number; readonly goneAt: number }> {
  const found = new Map<string, { readonly askedAt: number; readonly goneAt: number }>();
  for (const name of inSteps) {
    const own = record.filter(({ object }) => isOf(object, name));
    const gone = own.filter(({ change }) => change === "deleted").map(({ at }) => at);
    const asked = own.filter(
      ({ change, object }) =>
        change === "deleted" || object.metadata.deletionTimestamp !== undefined,
    );
    const kinds = new Set(own.map(({ object }) => object.kind));
    if (gone.length === kinds.size && kinds.size === 2)
      found.set(name, { askedAt: asked[0]?.at ?? Number.NaN, goneAt: Math.max(...gone) });
  }
  return found;
}

/** An object that Git declares for this application. */
const isOf = ({ metadata }: KubeJson, name: string): boolean =>
  metadata.namespace === name && (metadata.name === "settings" || metadata.name === "web");

/** The versions an application's objects went through, in order. */
const versionsOf = (record: readonly Witnessed[], name: string): readonly string[] => [
  ...new Set(
    record.filter(({ object }) => isOf(object, name)).map(({ object }) => versionOf(object)),
  ),
];

function versionOf(object: KubeJson): string {
  if (object.kind === "ConfigMap")
    return (object["data"] as { readonly greeting: string }).greeting;
  const { template } = object["spec"] as {
    readonly template: { readonly spec: { readonly containers: readonly { image: string }[] } };
  };
  return template.spec.containers.map(({ image }) => image).join();
}

/** A Deployment whose pods are all of its newest template and ready. */
function isAvailable(object: KubeJson): boolean {
  if (object.kind !== "Deployment") return false;
  const { generation } = object.metadata as { readonly generation?: number };
  const { replicas } = object["spec"] as { readonly replicas: number };
  const status = (object["status"] ?? {}) as Readonly<Record<string, unknown>>;
  return (
    status["observedGeneration"] === generation &&
    ["replicas", "updatedReplicas", "availableReplicas"].every(
      (count) => status[count] === replicas,
    )
  );
}

async function uidsOf(kube: KubeClient, name: string): Promise<readonly string[]> {
  const objects = await Promise.all([settingsOf(name), webOf(name)].map((at) => mustGet(kube, at)));
  for (const { kind, metadata } of objects)
    assert.equal(metadata.deletionTimestamp, undefined, `${kind} of ${name}`);
  return objects.map(({ metadata }) => metadata.uid);
}
