import assert from "node:assert/strict";
import { at, listAt, mapsAt, numberAt, textAt, type JsonMap } from "../../support/cluster/json.ts";
import {
  accepted,
  conditionStatus,
  container,
  deployment,
  deploymentsPath,
  type Bench,
  type Cases,
} from "./bench.ts";

const setsPath = (namespace: string): string => `/apis/apps/v1/namespaces/${namespace}/replicasets`;
const podsPath = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`;
const jobsPath = (namespace: string): string => `/apis/batch/v1/namespaces/${namespace}/jobs`;

const isComplete = (found: JsonMap): void => {
  const replicas = numberAt(found, "spec", "replicas");
  assert.equal(at(found, "status", "observedGeneration"), at(found, "metadata", "generation"));
  assert.equal(at(found, "status", "updatedReplicas"), replicas);
  assert.equal(at(found, "status", "replicas"), replicas);
  assert.equal(at(found, "status", "availableReplicas"), replicas);
};

async function running(
  bench: Bench,
  replicas = 2,
): Promise<{
  readonly namespace: string;
  readonly path: string;
}> {
  const namespace = await bench.namespace();
  const path = `${deploymentsPath(namespace)}/web`;
  accepted(await bench.api.apply("a", path, deployment("web", { replicas })), 201);
  await bench.until(path, isComplete, 60_000);
  return { namespace, path };
}

const job = (name: string, spec: JsonMap = {}): JsonMap => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name },
  spec: { template: { spec: { restartPolicy: "Never", containers: [container()] } }, ...spec },
});

export function workloadCases({ provesWithControllers }: Cases): void {
  provesWithControllers("a Deployment becomes available, and says why", async (bench) => {
    const { path } = await running(bench);
    const found = accepted(await bench.api.get(path), 200);
    assert.equal(conditionStatus(found, "Available"), "True");
    const reasons = mapsAt(found, "status", "conditions").map((one) => textAt(one, "reason"));
    assert.deepEqual(reasons.toSorted(), ["MinimumReplicasAvailable", "NewReplicaSetAvailable"]);
    assert.equal(at(found, "metadata", "annotations", "deployment.kubernetes.io/revision"), "1");
  });

  provesWithControllers("a Deployment's pods are its ReplicaSet's", async (bench) => {
    const { namespace } = await running(bench);
    const sets = accepted(await bench.api.get(setsPath(namespace)), 200);
    const [set] = mapsAt(sets, "items");
    const hash = textAt(set, "metadata", "labels", "pod-template-hash");
    assert.equal(textAt(set, "metadata", "name"), `web-${hash}`);
    const [owner] = mapsAt(set, "metadata", "ownerReferences");
    assert.deepEqual(
      [owner?.["kind"], owner?.["name"], owner?.["controller"], owner?.["blockOwnerDeletion"]],
      ["Deployment", "web", true, true],
    );
    const query = { labelSelector: `pod-template-hash=${hash}` };
    const pods = mapsAt(accepted(await bench.api.get(podsPath(namespace), query), 200), "items");
    assert.equal(pods.length, 2);
    for (const pod of pods) {
      assert.equal(textAt(pod, "status", "phase"), "Running");
      assert.equal(conditionStatus(pod, "Ready"), "True");
      assert.ok(textAt(pod, "metadata", "name").startsWith(`web-${hash}-`));
    }
  });

  provesWithControllers("a new template rolls out, and the old pods go", async (bench) => {
    const { namespace, path } = await running(bench);
    const next = deployment(
      "web",
      { replicas: 2 },
      { containers: [container({ image: "app:2" })] },
    );
    accepted(await bench.api.apply("a", path, next), 200);
    const found = await bench.until(path, isComplete, 60_000);
    assert.equal(at(found, "metadata", "annotations", "deployment.kubernetes.io/revision"), "2");
    const sets = accepted(await bench.api.get(setsPath(namespace)), 200);
    const sizes = mapsAt(sets, "items").map((set) => numberAt(set, "spec", "replicas") ?? -1);
    assert.deepEqual(new Set(sizes), new Set([0, 2]));
  });

  provesWithControllers("a Deployment can be scaled", async (bench) => {
    const { namespace, path } = await running(bench, 1);
    await bench.api.patch("merge", `${path}/scale`, { spec: { replicas: 3 } });
    await bench.until(path, isComplete, 60_000);
    const pods = accepted(await bench.api.get(podsPath(namespace)), 200);
    assert.equal(listAt(pods, "items").length, 3);
  });

  provesWithControllers("a pod that is deleted is replaced", async (bench) => {
    const { namespace, path } = await running(bench, 1);
    const [pod] = mapsAt(accepted(await bench.api.get(podsPath(namespace)), 200), "items");
    const name = textAt(pod, "metadata", "name");
    accepted(await bench.api.delete(`${podsPath(namespace)}/${name}`), 200);
    await bench.until(
      podsPath(namespace),
      (list) => {
        const names = mapsAt(list, "items").map((one) => textAt(one, "metadata", "name"));
        assert.deepEqual([names.length, names.includes(name)], [1, false]);
      },
      60_000,
    );
    await bench.until(path, isComplete, 60_000);
  });

  provesWithControllers("a paused Deployment does not roll", async (bench) => {
    const { namespace, path } = await running(bench, 1);
    const next = deployment(
      "web",
      { replicas: 1, paused: true },
      { containers: [container({ image: "app:2" })] },
    );
    accepted(await bench.api.apply("a", path, next), 200);
    await bench.until(path, (found) => {
      assert.equal(at(found, "status", "observedGeneration"), at(found, "metadata", "generation"));
    });
    const sets = accepted(await bench.api.get(setsPath(namespace)), 200);
    assert.equal(listAt(sets, "items").length, 1);
  });

  provesWithControllers("a Job completes", async (bench) => {
    const namespace = await bench.namespace();
    const path = `${jobsPath(namespace)}/once`;
    accepted(await bench.api.apply("a", path, job("once")), 201);
    const found = await bench.until(
      path,
      (one) => assert.equal(conditionStatus(one, "Complete"), "True"),
      60_000,
    );
    assert.equal(at(found, "status", "succeeded"), 1);
    assert.match(textAt(found, "status", "completionTime"), /Z$/);
  });

  provesWithControllers("a Job's selector and labels are made for it", async (bench) => {
    const namespace = await bench.namespace();
    const made = accepted(await bench.api.create(jobsPath(namespace), job("once")), 201);
    const uid = textAt(made, "metadata", "uid");
    assert.deepEqual(at(made, "spec", "selector"), {
      matchLabels: { "batch.kubernetes.io/controller-uid": uid },
    });
    assert.equal(
      at(made, "spec", "template", "metadata", "labels", "batch.kubernetes.io/job-name"),
      "once",
    );
  });

  provesWithControllers("a suspended Job waits", async (bench) => {
    const namespace = await bench.namespace();
    const path = `${jobsPath(namespace)}/later`;
    accepted(await bench.api.apply("a", path, job("later", { suspend: true })), 201);
    await bench.until(path, (one) => assert.equal(conditionStatus(one, "Suspended"), "True"));
    accepted(await bench.api.patch("merge", path, { spec: { suspend: false } }), 200);
    await bench.until(
      path,
      (one) => assert.equal(conditionStatus(one, "Complete"), "True"),
      60_000,
    );
  });

  provesWithControllers("a second apply of a running Job changes nothing", async (bench) => {
    const namespace = await bench.namespace();
    const path = `${jobsPath(namespace)}/once`;
    accepted(await bench.api.apply("a", path, job("once")), 201);
    const done = await bench.until(
      path,
      (one) => assert.equal(conditionStatus(one, "Complete"), "True"),
      60_000,
    );
    const again = accepted(await bench.api.apply("a", path, job("once")), 200);
    assert.deepEqual(again, done);
  });

  provesWithControllers("a StatefulSet's pods are numbered and become ready", async (bench) => {
    const namespace = await bench.namespace();
    const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets/db`;
    const set = {
      ...deployment("db", { replicas: 2, serviceName: "db" }),
      kind: "StatefulSet",
    };
    accepted(await bench.api.apply("a", path, set), 201);
    const found = await bench.until(
      path,
      (one) => {
        assert.equal(at(one, "status", "readyReplicas"), 2);
        assert.equal(at(one, "status", "updatedReplicas"), 2);
        assert.equal(
          textAt(one, "status", "currentRevision"),
          textAt(one, "status", "updateRevision"),
        );
      },
      60_000,
    );
    assert.equal(at(found, "status", "observedGeneration"), 1);
    const pods = accepted(await bench.api.get(podsPath(namespace)), 200);
    const names = mapsAt(pods, "items").map((pod) => textAt(pod, "metadata", "name"));
    assert.deepEqual(names, ["db-0", "db-1"]);
  });

  provesWithControllers("a DaemonSet runs on every node", async (bench) => {
    const namespace = await bench.namespace();
    const nodes = listAt(accepted(await bench.api.get("/api/v1/nodes"), 200), "items").length;
    const path = `/apis/apps/v1/namespaces/${namespace}/daemonsets/agent`;
    const set = { ...deployment("agent"), kind: "DaemonSet" };
    accepted(await bench.api.apply("a", path, set), 201);
    await bench.until(
      path,
      (one) => {
        assert.equal(at(one, "status", "desiredNumberScheduled"), nodes);
        assert.equal(at(one, "status", "numberReady"), nodes);
      },
      60_000,
    );
  });
}
