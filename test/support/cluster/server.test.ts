import assert from "node:assert/strict";
import { connect } from "node:http2";
import test, { after, before, suite } from "node:test";
import { load } from "js-yaml";
import { KubeClient } from "../../contract/kube-api/client.ts";
import { eventually } from "../eventually.ts";
import { conditionOf } from "./conditions.ts";
import { at, mapsAt, numberAt, textAt, type Json, type JsonMap } from "./json.ts";
import type { KubeObject } from "./object.ts";
import { startSimulatedCluster, type SimulatedCluster } from "./server.ts";

const maps = "/api/v1/namespaces/default/configmaps";
const deployments = "/apis/apps/v1/namespaces/default/deployments";

const workload = (
  kind: "Deployment" | "StatefulSet" | "Job",
  name: string,
  pod: JsonMap = {},
  changes: JsonMap = {},
): JsonMap => ({
  apiVersion: kind === "Job" ? "batch/v1" : "apps/v1",
  kind,
  metadata: { name },
  spec: {
    ...(kind === "Job" ? {} : { selector: { matchLabels: { app: name } } }),
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [{ name: "app", image: "app:1" }],
        ...(kind === "Job" ? { restartPolicy: "Never" } : {}),
        ...pod,
      },
    },
    ...changes,
  },
});

const image = (text: string): JsonMap => ({ containers: [{ name: "app", image: text }] });

const pods = (cluster: SimulatedCluster): readonly KubeObject[] => cluster.list("/pods", "default");

const waitingReason = (pod: KubeObject | undefined): string =>
  textAt(
    mapsAt(pod === undefined ? {} : pod, "status", "containerStatuses")[0],
    "state",
    "waiting",
    "reason",
  );

async function made(cluster: SimulatedCluster, path: string, object: Json): Promise<void> {
  const { status, body } = await cluster.call("POST", path, object);
  assert.equal(status, 201, JSON.stringify(body));
}

suite("a simulated cluster", () => {
  let cluster: SimulatedCluster;
  let client: KubeClient;
  before(async () => {
    cluster = await startSimulatedCluster({ name: "blue", namespaces: ["shop"] });
    client = new KubeClient({ url: cluster.url, caPem: cluster.caPem, token: cluster.adminToken });
  });
  after(async () => {
    client.close();
    await cluster.stop();
  });

  test("starts with its namespaces, each furnished, and a node", async () => {
    await eventually(() => {
      for (const name of ["default", "kube-system", "shop"])
        assert.ok(cluster.get("/serviceaccounts", name, "default") !== undefined, name);
    });
    assert.equal(cluster.list("/nodes").length, 1);
  });

  test("its kubeconfig holds address, authority and token", () => {
    const config = load(cluster.kubeconfig()) as JsonMap;
    const [entry] = mapsAt(config, "clusters");
    assert.equal(textAt(entry, "cluster", "server"), cluster.url);
    const authority = textAt(entry, "cluster", "certificate-authority-data");
    assert.equal(Buffer.from(authority, "base64").toString(), cluster.caPem);
    assert.equal(textAt(mapsAt(config, "users")[0], "user", "token"), cluster.adminToken);
    assert.equal(config["current-context"], "blue");
  });

  test("counts requests by verb and resource, tries apart", async () => {
    cluster.requests.reset();
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "counted" } };
    await client.apply("a", `${maps}/counted`, body, { dryRun: "All" });
    await client.apply("a", `${maps}/counted`, body);
    await client.get(`${maps}/counted`);
    await client.get(maps);
    await client.patch("merge", `${maps}/counted`, { data: { a: "1" } });
    await client.delete(`${maps}/counted`);
    await client.get("/version");
    const { total, writes, byVerb, byResource } = cluster.requests.snapshot();
    assert.deepEqual(
      [total, writes, byVerb.apply, byVerb.dryRunApply, byVerb.get, byVerb.list],
      [7, 3, 1, 1, 1, 1],
    );
    assert.deepEqual([byVerb.patch, byVerb.delete, byVerb.discovery], [1, 1, 1]);
    assert.equal(byResource["configmaps"]?.apply, 1);
    const [first] = cluster.requests.recent();
    assert.deepEqual(
      [first?.verb, first?.resource, first?.name, first?.dryRun, first?.user],
      ["apply", "configmaps", "counted", true, "admin"],
    );
  });

  test("what is called past the network is not counted", async () => {
    cluster.requests.reset();
    assert.equal((await cluster.call("GET", maps)).status, 200);
    assert.equal(cluster.requests.snapshot().total, 0);
  });

  test("speaks HTTP/2 to those who ask for it", async () => {
    const session = connect(cluster.url, { ca: cluster.caPem });
    const request = session.request({
      ":path": "/version",
      authorization: `Bearer ${cluster.adminToken}`,
    });
    let text = "";
    request.setEncoding("utf8");
    for await (const chunk of request) text += String(chunk);
    session.close();
    assert.equal(textAt(JSON.parse(text) as JsonMap, "major"), "1");
  });

  test("tokens stand for users until they are revoked", async () => {
    const token = cluster.addToken({ user: "ann", groups: ["shop"] });
    const ann = new KubeClient({ url: cluster.url, caPem: cluster.caPem, token });
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const review = await ann.create(path, {});
    assert.equal(textAt(review.body, "status", "userInfo", "username"), "ann");
    cluster.revokeToken(token);
    assert.equal((await ann.create(path, {})).code, 401);
    ann.close();
  });

  test("a rejection meets as many requests as it says, and tells when to come back", async () => {
    cluster.faults.reject({
      match: { verb: "list", resource: "configmaps" },
      times: 2,
      status: 429,
      retryAfterSeconds: 3,
    });
    assert.equal((await client.get(`${maps}/none`)).code, 404);
    const first = await client.get(maps);
    assert.deepEqual(
      [first.code, first.headers["retry-after"], textAt(first.body, "reason")],
      [429, "3", "TooManyRequests"],
    );
    assert.equal((await client.get(maps)).code, 429);
    assert.equal((await client.get(maps)).code, 200);
  });

  test("a rejection may be for what a function says", async () => {
    cluster.faults.reject({
      match: (request) => request.name.startsWith("web"),
      times: Infinity,
      status: 503,
    });
    assert.equal((await client.get(`${maps}/web-1`)).code, 503);
    assert.equal((await client.get(`${maps}/web-2`)).code, 503);
    assert.equal((await client.get(`${maps}/db`)).code, 404);
    cluster.faults.clear();
    assert.equal((await client.get(`${maps}/web-1`)).code, 404);
  });

  test("a dropped request ends without an answer", async () => {
    cluster.faults.drop({ match: { verb: "get" } });
    await assert.rejects(client.get(`${maps}/one`), /socket hang up|ECONNRESET/);
    assert.equal((await client.get(`${maps}/one`)).code, 404);
  });

  test("closing watches ends them all", async () => {
    const watch = await client.watch(maps, { fieldSelector: "metadata.name=none" });
    assert.equal(cluster.openWatches(), 1);
    assert.equal(cluster.faults.closeWatches(), 1);
    assert.equal(await watch.next(), undefined);
    assert.equal(cluster.openWatches(), 0);
  });

  test("expiring watches tells them 410", async () => {
    const watch = await client.watch(maps, { fieldSelector: "metadata.name=none" });
    cluster.faults.expireWatches();
    const event = await watch.next();
    assert.deepEqual([event?.type, at(event?.object, "code")], ["ERROR", 410]);
    assert.equal(await watch.next(), undefined);
  });

  test("compaction expires older versions and continue tokens", async () => {
    for (const name of ["page-1", "page-2"]) await made(cluster, maps, { metadata: { name } });
    const first = await client.get(maps, { limit: "1" });
    const version = textAt(first.body, "metadata", "resourceVersion");
    cluster.faults.compact();
    const next = await client.get(maps, {
      limit: "1",
      continue: textAt(first.body, "metadata", "continue"),
    });
    assert.deepEqual([next.code, textAt(next.body, "reason")], [410, "Expired"]);
    const watch = await client.watch(maps, { resourceVersion: version });
    assert.equal((await watch.next())?.type, "ERROR");
    const again = await client.get(maps);
    const fresh = await client.watch(maps, {
      resourceVersion: textAt(again.body, "metadata", "resourceVersion"),
    });
    await made(cluster, maps, { metadata: { name: "after" } });
    assert.equal((await fresh.next())?.type, "ADDED");
    fresh.close();
  });

  test("an abandoned watch is forgotten", async () => {
    const watch = await client.watch(maps, { fieldSelector: "metadata.name=none" });
    watch.close();
    await eventually(() => assert.equal(cluster.openWatches(), 0));
  });
});

suite("workloads that fail on purpose", () => {
  let cluster: SimulatedCluster;
  before(async () => {
    cluster = await startSimulatedCluster({
      failureOf: (pod) => (pod.metadata.labels?.["app"] === "ruled" ? "never-ready" : undefined),
    });
  });
  after(() => cluster.stop());

  const deploymentNamed = (name: string): KubeObject => {
    const found = cluster.get("apps/deployments", "default", name);
    assert.ok(found !== undefined);
    return found;
  };

  const podOf = (name: string): KubeObject | undefined =>
    pods(cluster).find((pod) => pod.metadata.labels?.["app"] === name);

  test("a missing image backs off, and the deadline passes", async () => {
    const changes = { progressDeadlineSeconds: 60 };
    await made(cluster, deployments, workload("Deployment", "gone", image("app:missing"), changes));
    await eventually(() => {
      assert.equal(waitingReason(podOf("gone")), "ImagePullBackOff");
      const progressing = conditionOf(deploymentNamed("gone"), "Progressing");
      assert.equal(textAt(progressing, "reason"), "ProgressDeadlineExceeded");
    });
    assert.equal(textAt(podOf("gone") ?? {}, "status", "phase"), "Pending");
  });

  test("the annotation on the template decides as well", async () => {
    const body = workload("Deployment", "crashing");
    const annotations = { "simulation.wheelhouse.dev/fail": "crash-loop" };
    const annotated = {
      ...body,
      spec: {
        selector: { matchLabels: { app: "crashing" } },
        template: {
          metadata: { labels: { app: "crashing" }, annotations },
          spec: image("app:1"),
        },
      },
    };
    await made(cluster, deployments, annotated);
    await eventually(() => {
      const pod = podOf("crashing");
      assert.equal(waitingReason(pod), "CrashLoopBackOff");
      const [status] = mapsAt(pod ?? {}, "status", "containerStatuses");
      assert.ok((numberAt(status, "restartCount") ?? 0) >= 2);
    });
  });

  test("the cluster's own rule decides last", async () => {
    await made(cluster, deployments, workload("Deployment", "ruled"));
    await eventually(() => {
      const pod = podOf("ruled");
      assert.equal(textAt(pod ?? {}, "status", "phase"), "Running");
      assert.equal(textAt(conditionOf(pod ?? blank, "Ready"), "status"), "False");
    });
  });

  test("a failing Job is retried, and then fails", async () => {
    const jobs = "/apis/batch/v1/namespaces/default/jobs";
    const body = workload("Job", "failing", image("job-fail:1"), { backoffLimit: 2 });
    const { status, body: said } = await cluster.call("POST", jobs, {
      ...body,
      spec: {
        backoffLimit: 2,
        template: { spec: { restartPolicy: "Never", ...image("job-fail:1") } },
      },
    });
    assert.equal(status, 201, JSON.stringify(said));
    await eventually(() => {
      const job = cluster.get("batch/jobs", "default", "failing") ?? blank;
      assert.equal(textAt(conditionOf(job, "Failed"), "reason"), "BackoffLimitExceeded");
      assert.equal(numberAt(job, "status", "failed"), 3);
    });
  });

  test("a repaired Deployment recovers", async () => {
    await made(cluster, deployments, workload("Deployment", "healing", image("app:broken")));
    await eventually(() => assert.equal(waitingReason(podOf("healing")), "ImagePullBackOff"));
    await cluster.call("PATCH", `${deployments}/healing`, {
      spec: { template: { spec: image("app:2") } },
    });
    await eventually(() => {
      const found = deploymentNamed("healing");
      assert.equal(numberAt(found, "status", "availableReplicas"), 1);
      assert.equal(numberAt(found, "status", "replicas"), 1);
    });
  });
});

suite("a cluster whose clock is moved by hand", () => {
  let cluster: SimulatedCluster;
  before(async () => {
    cluster = await startSimulatedCluster({
      time: { kind: "manual", startMs: Date.parse("2026-01-01T00:00:00Z") },
    });
  });
  after(() => cluster.stop());

  test("a Deployment goes through its states step by step", async () => {
    await made(cluster, deployments, workload("Deployment", "web"));
    const seen: string[] = [];
    for (let step = 0; step < 30; step += 1) {
      await cluster.time.advance(100);
      const found = cluster.get("apps/deployments", "default", "web") ?? blank;
      const [pod] = pods(cluster);
      const line = [
        textAt(conditionOf(found, "Progressing"), "reason"),
        pod === undefined ? "no pod" : textAt(pod, "status", "phase"),
        waitingReason(pod) || "started",
        textAt(conditionOf(found, "Available"), "status"),
      ].join(" ");
      if (line !== seen.at(-1)) seen.push(line);
    }
    assert.deepEqual(seen, [
      "ReplicaSetUpdated Pending ContainerCreating False",
      "ReplicaSetUpdated Running started False",
      "NewReplicaSetAvailable Running started True",
    ]);
  });

  test("nothing happens while the clock stands", async () => {
    await made(cluster, deployments, workload("Deployment", "still"));
    await cluster.time.advance(0);
    const before = JSON.stringify(cluster.list("/pods"));
    await cluster.time.advance(0);
    assert.equal(JSON.stringify(cluster.list("/pods")), before);
    const [pod] = pods(cluster).filter((one) => one.metadata.labels?.["app"] === "still");
    assert.equal(at(pod ?? blank, "spec", "nodeName"), undefined);
  });

  test("timestamps follow the clock", async () => {
    await cluster.time.advance(3_600_000);
    await made(cluster, maps, { metadata: { name: "late" } });
    const found = cluster.get("/configmaps", "default", "late");
    assert.ok((found?.metadata.creationTimestamp ?? "") > "2026-01-01T01:00:00Z");
  });
});

suite("many clusters", () => {
  test("share a process, and each is its own", async () => {
    const clusters = await Promise.all(
      [...Array(10).keys()].map((index) => startSimulatedCluster({ name: `c-${index}` })),
    );
    for (const [index, cluster] of clusters.entries())
      await made(cluster, maps, { metadata: { name: `only-${index}` } });
    for (const [index, cluster] of clusters.entries()) {
      const names = cluster
        .list("/configmaps", "default")
        .map((object) => object.metadata.name)
        .filter((name) => name.startsWith("only-"));
      assert.deepEqual(names, [`only-${index}`]);
    }
    await Promise.all(clusters.map((cluster) => cluster.stop()));
  });

  test("a cluster without controllers still serves kinds that are defined", async () => {
    const cluster = await startSimulatedCluster({ controllers: false });
    await made(cluster, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
      metadata: { name: "gears.example.com" },
      spec: {
        group: "example.com",
        scope: "Namespaced",
        names: { plural: "gears", kind: "Gear" },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: "object" } },
          },
        ],
      },
    });
    await eventually(async () => {
      const { status } = await cluster.call("GET", "/apis/example.com/v1/namespaces/default/gears");
      assert.equal(status, 200);
    });
    await made(cluster, deployments, workload("Deployment", "web"));
    assert.deepEqual(cluster.list("apps/replicasets"), []);
    await cluster.stop();
  });
});

const blank: KubeObject = { apiVersion: "", kind: "", metadata: { name: "" } };
