import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { ApiServerUnavailable } from "../../../spoke/kube/trouble.ts";
import { fakeCluster, keyOf } from "../../support/fake-cluster.ts";
import {
  application,
  heldSet,
  newDisk,
  spokeBench,
  type SpokeBench,
} from "../../support/spoke-bench.ts";
import { deployment } from "./manifests.ts";

const web = keyOf("apps/v1", "Deployment", "shop", "web");
const pulling = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 0 };
const rolledOut = { ...pulling, availableReplicas: 2 };

const badPod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-a", namespace: "shop", labels: { app: "web" } },
  status: {
    phase: "Pending",
    containerStatuses: [
      { name: "main", state: { waiting: { reason: "ImagePullBackOff", message: "no web:1" } } },
    ],
  },
};

let spoke: SpokeBench;

async function unwell(options: { readonly mayList?: boolean } = {}) {
  const cluster = fakeCluster({ namespaces: ["shop"], controllers: "none" });
  const disk = newDisk();
  cluster.put(badPod);
  const { list } = cluster.api;
  const api = {
    ...cluster.api,
    list: (async (...words) => {
      if (options.mayList === false) throw new ApiServerUnavailable("pods is forbidden");
      return list(...words);
    }) satisfies typeof list,
  };
  const held = heldSet([application({ manifests: [deployment("web")] }, disk)]);
  spoke = spokeBench({ cluster, api, disk, held });
  await spoke.settle();
  cluster.setStatus(web, pulling);
  await spoke.settle();
  cluster.forgetRequests();
  const health = () => {
    const { state = "", message = "" } = spoke.reports.get("shop")?.health ?? {};
    return `${state} ${message}`;
  };
  return { cluster, disk, health };
}

suite("the pods of a workload that is not well", () => {
  test.afterEach(() => spoke.stop());

  const base =
    "apps/Deployment shop/web: Waiting for rollout to finish: 0 of 2 updated replicas are available";
  const explained = `Degraded ${base}: pod web-a: container "main" ImagePullBackOff: no web:1`;

  test("are looked at after a moment, and explain it", async () => {
    const { cluster, health } = await unwell();
    assert.equal(health(), `Progressing ${base}...`);
    await spoke.settle(2_000);
    assert.equal(health(), explained);
    assert.deepEqual(cluster.requests, ["list /Pod shop app=web"]);
  });

  test("are looked at less and less often, and not at all once it is well", async () => {
    const { cluster, health } = await unwell();
    await spoke.settle(3_600_000);
    assert.ok(cluster.requests.length <= 65, `${cluster.requests.length} requests in an hour`);
    cluster.setStatus(web, rolledOut);
    await spoke.settle();
    assert.equal(health(), "Healthy ");
    cluster.forgetRequests();
    await spoke.settle(3_600_000);
    assert.deepEqual(cluster.requests, []);
  });

  test("say nothing about the next generation of it", async () => {
    const { cluster, disk, health } = await unwell();
    await spoke.settle(2_000);
    const next = application({ manifests: [deployment("web", "web:2")], generation: 2 }, disk);
    spoke.loop.setHeld(heldSet([next]));
    await spoke.settle();
    assert.match(health(), /^Progressing .*observed deployment generation less than desired/);
    cluster.setStatus(web, { ...rolledOut, observedGeneration: 2 });
    await spoke.settle();
    assert.equal(health(), "Healthy ");
  });

  test("that may not be listed cost the explanation, nothing else", async () => {
    const { cluster, health } = await unwell({ mayList: false });
    await spoke.settle(600_000);
    assert.equal(health(), `Progressing ${base}...`);
    cluster.setStatus(web, rolledOut);
    await spoke.settle();
    assert.equal(health(), "Healthy ");
  });
});
