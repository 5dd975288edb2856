import assert from "node:assert/strict";
import test, { after, before, suite } from "node:test";
import { eventually } from "../../support/eventually.ts";
import type { Fleet } from "../../support/fleet.ts";
import type { KubeClient } from "../../support/kube-client.ts";
import {
  applicationFor,
  becomes,
  cronJob,
  image,
  job,
  manifestsOf,
  mustGet,
  runs,
  statusOf,
  widget,
  widgetDefinition,
  workload,
} from "./documents.ts";
import { openOneCluster, type Stage } from "./stage.ts";

/**
 * What workloads do in a cluster, as the hub tells it: they are well because their pods are, and when they are
 * not the reason is the pods' own.
 *
 * One cluster; each story has an application and a namespace of its own.
 */
export function tellOfWorkloads(title: string, stage: Stage = {}): void {
  suite(title, stage.options ?? {}, () => {
    let fleet: Fleet;
    let kube: KubeClient;
    let end: () => Promise<void>;

    before(async () => {
      ({ fleet, kube, end } = await openOneCluster(stage));
    });
    after(() => end());

    const deploy = async (
      name: string,
      manifests: Readonly<Record<string, object | undefined>>,
    ): Promise<string> =>
      fleet.push({ ...applicationFor(name, "one"), ...manifestsOf(name, manifests) });

    const podsOf = async (name: string) =>
      (await kube.list(`/api/v1/namespaces/${name}/pods`)) as readonly object[] as readonly {
        readonly status: {
          readonly phase: string;
          readonly conditions?: readonly { readonly type: string; readonly status: string }[];
        };
      }[];

    const isReady = (pod: Awaited<ReturnType<typeof podsOf>>[number]): boolean =>
      pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ??
      false;

    test("a Deployment is healthy because its pods are ready", async () => {
      const commit = await deploy("web", { web: workload("Deployment", "web", { replicas: 3 }) });
      await runs(fleet, "web", commit);
      const pods = await podsOf("web");
      assert.deepEqual(pods.map(isReady), [true, true, true]);
    });

    test("a bad image degrades it with the pods' reason, while the old pods go on; a good one heals it", async () => {
      const path = "/apis/apps/v1/namespaces/web/deployments/web";
      const { uid } = (await mustGet(kube, path)).metadata;
      await deploy("web", {
        web: workload("Deployment", "web", { replicas: 3, pod: image("shop/web:missing") }),
      });
      const { healthyGeneration, appliedGeneration } = await becomes(
        fleet,
        "web",
        "Degraded",
        /Deployment web\/web: .*pod web-\S+.*container "main" ImagePullBackOff: .*shop\/web:missing/,
      );
      assert.ok(healthyGeneration < appliedGeneration, "it is applied, and was never healthy");
      assert.equal((await podsOf("web")).filter(isReady).length, 3);
      const commit = await deploy("web", {
        web: workload("Deployment", "web", { replicas: 3, pod: image("shop/web:2") }),
      });
      await runs(fleet, "web", commit);
      assert.equal((await mustGet(kube, path)).metadata.uid, uid);
    });

    test("a container that crashes is told with its exit code", async () => {
      await deploy("crash", {
        crash: workload("Deployment", "crash", { pod: image("shop/crash:1") }),
      });
      await becomes(
        fleet,
        "crash",
        "Degraded",
        /container "main" CrashLoopBackOff: exit code \d+ \(Error\)/,
      );
    });

    test("a rollout that runs out of time says what its pods are waiting for", async () => {
      await deploy("late", {
        late: workload("Deployment", "late", {
          progressDeadlineSeconds: 2,
          pod: image("shop/never-ready:1"),
        }),
      });
      await becomes(
        fleet,
        "late",
        "Degraded",
        /"late" exceeded its progress deadline: pod late-\S+ container "main" is not ready/,
      );
    });

    test("a Job completes", async () => {
      const commit = await deploy("report", { report: job("report") });
      await runs(fleet, "report", commit);
      const { status } = (await mustGet(
        kube,
        "/apis/batch/v1/namespaces/report/jobs/report",
      )) as unknown as { readonly status: { readonly succeeded?: number } };
      assert.equal(status.succeeded, 1);
    });

    test("a failing Job says so, and with which exit code", async () => {
      await deploy("failing", { failing: job("failing", image("shop/failing:fail")) });
      await becomes(
        fleet,
        "failing",
        "Degraded",
        /Job has reached the specified backoff limit: pod failing-\S+ container "main" failed: exit code \d+/,
      );
    });

    test("StatefulSet, DaemonSet and CronJob become healthy", async () => {
      const commit = await deploy("others", {
        set: workload("StatefulSet", "set", { replicas: 2 }),
        everywhere: workload("DaemonSet", "everywhere"),
        nightly: cronJob("nightly"),
      });
      await runs(fleet, "others", commit);
      assert.equal((await podsOf("others")).filter(isReady).length, 3);
    });

    test("a definition and its first object arrive in one commit, without an error in between", async () => {
      const commit = await deploy("widgets", {
        one: widget("one", 3),
        definition: widgetDefinition,
      });
      const seen = new Set<string>();
      await eventually(
        async () => {
          const status = await statusOf(fleet, "widgets").catch(() => undefined);
          for (const { code } of status?.conditions ?? []) seen.add(code);
          if (status?.operation?.phase === "Failed") seen.add(status.operation.message);
          assert.equal(status?.syncStatus, "Synced");
        },
        { withinMs: 60_000, what: "widgets in sync" },
      );
      await runs(fleet, "widgets", commit);
      assert.deepEqual([...seen], []);
      assert.doesNotMatch(
        fleet.member("one").spoke.log(),
        /"sync failed".*"application":"widgets"/,
      );
      const one = await mustGet(kube, "/apis/example.com/v1/namespaces/widgets/widgets/one");
      assert.deepEqual(one["spec"], { size: 3 });
    });

    if (stage.isReal !== true) return;

    test("pods that no node takes are told with the scheduler's words", async () => {
      await deploy("homeless", {
        homeless: workload("Deployment", "homeless", {
          pod: { nodeSelector: { "example.com/nowhere": "yes" } },
        }),
      });
      await becomes(fleet, "homeless", "Progressing", /Unschedulable: 0\/\d+ nodes are available/);
    });

    test("what somebody else has to bring is waited for by name, and noticed when it comes", async () => {
      const commit = await deploy("entry", {
        service: {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "entry" },
          spec: { type: "LoadBalancer", selector: { app: "entry" }, ports: [{ port: 80 }] },
        },
      });
      await becomes(
        fleet,
        "entry",
        "Progressing",
        /Service entry\/entry: waits for the address of a load balancer/,
      );
      const status = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } };
      await kube.edit("/api/v1/namespaces/entry/services/entry/status", { status });
      await runs(fleet, "entry", commit);
      const next = await deploy("entry", {
        ingress: {
          apiVersion: "networking.k8s.io/v1",
          kind: "Ingress",
          metadata: { name: "entry" },
          spec: {
            ingressClassName: "front",
            defaultBackend: { service: { name: "entry", port: { number: 80 } } },
          },
        },
      });
      await becomes(
        fleet,
        "entry",
        "Progressing",
        /Ingress entry\/entry: waits for an address from the controller of ingress class front/,
      );
      await kube.edit("/apis/networking.k8s.io/v1/namespaces/entry/ingresses/entry/status", {
        status,
      });
      await runs(fleet, "entry", next);
    });

    test("a volume claim is healthy once it is bound", async () => {
      const size = { storage: "1Gi" };
      const commit = await deploy("data", {
        claim: {
          apiVersion: "v1",
          kind: "PersistentVolumeClaim",
          metadata: { name: "data" },
          spec: {
            accessModes: ["ReadWriteOnce"],
            storageClassName: "by-hand",
            resources: { requests: size },
          },
        },
      });
      await becomes(
        fleet,
        "data",
        "Progressing",
        /PersistentVolumeClaim data\/data: waits for a volume of storage class by-hand/,
      );
      await kube.create("/api/v1/persistentvolumes", {
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name: "data" },
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: "by-hand",
          capacity: size,
          hostPath: { path: "/nowhere" },
        },
      });
      await runs(fleet, "data", commit);
    });
  });
}
