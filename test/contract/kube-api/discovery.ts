import assert from "node:assert/strict";
import { eventually } from "../../support/eventually.ts";
import { at, listAt, mapAt, mapsAt, textAt } from "../../support/cluster/json.ts";
import { accepted, definitionsPath, type Cases } from "./bench.ts";

export function discoveryCases({ proves }: Cases): void {
  proves("/version says which version serves", async ({ api }) => {
    const version = accepted(await api.get("/version"), 200);
    assert.equal(version["major"], "1");
    assert.match(textAt(version, "minor"), /^\d+/);
    // A build of one's own may lack the release in here.
    assert.match(textAt(version, "gitVersion"), /^v\d+\.\d+\.\d+/);
  });

  for (const path of ["/healthz", "/livez", "/readyz"]) {
    proves(`${path} says ok`, async ({ api }) => {
      const reply = await api.get(path);
      assert.deepEqual([reply.code, reply.text], [200, "ok"]);
    });
  }

  proves("/api lists v1", async ({ api }) => {
    const versions = accepted(await api.get("/api"), 200);
    assert.equal(versions["kind"], "APIVersions");
    assert.deepEqual(versions["versions"], ["v1"]);
  });

  proves("/apis lists groups with versions and the preferred one", async ({ api }) => {
    const list = accepted(await api.get("/apis"), 200);
    assert.equal(list["kind"], "APIGroupList");
    const apps = mapsAt(list, "groups").find((group) => textAt(group, "name") === "apps");
    assert.deepEqual(mapsAt(apps, "versions"), [{ groupVersion: "apps/v1", version: "v1" }]);
    assert.deepEqual(mapAt(apps, "preferredVersion"), { groupVersion: "apps/v1", version: "v1" });
  });

  proves("a group can be asked for alone", async ({ api }) => {
    const group = accepted(await api.get("/apis/apps"), 200);
    assert.deepEqual([group["kind"], group["name"]], ["APIGroup", "apps"]);
  });

  const resources = [
    ["/api/v1", "configmaps", "ConfigMap", true, "configmap"],
    ["/api/v1", "namespaces", "Namespace", false, "namespace"],
    ["/apis/apps/v1", "deployments", "Deployment", true, "deployment"],
    ["/apis/batch/v1", "jobs", "Job", true, "job"],
    ["/apis/networking.k8s.io/v1", "ingresses", "Ingress", true, "ingress"],
    ["/apis/rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole", false, "clusterrole"],
    [
      "/apis/apiextensions.k8s.io/v1",
      "customresourcedefinitions",
      "CustomResourceDefinition",
      false,
      "customresourcedefinition",
    ],
  ] as const;
  for (const [path, plural, kind, namespaced, singular] of resources) {
    proves(`${path} lists ${plural}`, async ({ api }) => {
      const list = accepted(await api.get(path), 200);
      assert.equal(list["kind"], "APIResourceList");
      assert.equal(list["groupVersion"], path.replace(/^\/apis?\//, ""));
      const found = mapsAt(list, "resources").find((one) => textAt(one, "name") === plural);
      assert.deepEqual(
        [found?.["kind"], found?.["namespaced"], found?.["singularName"]],
        [kind, namespaced, singular],
      );
      for (const verb of ["create", "delete", "get", "list", "patch", "update", "watch"])
        assert.ok(listAt(found, "verbs").includes(verb), `${plural} lacks ${verb}`);
    });
  }

  proves("subresources are listed beside their resource", async ({ api }) => {
    const list = accepted(await api.get("/apis/apps/v1"), 200);
    const names = mapsAt(list, "resources").map((one) => textAt(one, "name"));
    assert.ok(names.includes("deployments/status"));
    assert.ok(names.includes("deployments/scale"));
    const scale = mapsAt(list, "resources").find(
      (one) => textAt(one, "name") === "deployments/scale",
    );
    assert.deepEqual(
      [scale?.["group"], scale?.["version"], scale?.["kind"]],
      ["autoscaling", "v1", "Scale"],
    );
  });

  proves("short names and categories are told", async ({ api }) => {
    const list = accepted(await api.get("/apis/apps/v1"), 200);
    const found = mapsAt(list, "resources").find((one) => textAt(one, "name") === "deployments");
    assert.deepEqual(found?.["shortNames"], ["deploy"]);
    assert.deepEqual(found?.["categories"], ["all"]);
  });

  proves("aggregated discovery tells all groups in one answer", async ({ api }) => {
    const accept =
      "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    const reply = await api.send("GET", "/apis", undefined, { headers: { accept } });
    const list = accepted(reply, 200);
    assert.equal(list["kind"], "APIGroupDiscoveryList");
    assert.match(String(reply.headers["content-type"]), /apidiscovery\.k8s\.io/);
    const apps = mapsAt(list, "items").find((item) => textAt(item, "metadata", "name") === "apps");
    const [version] = mapsAt(apps, "versions");
    assert.equal(version?.["freshness"], "Current");
    const found = mapsAt(version, "resources").find(
      (one) => textAt(one, "resource") === "deployments",
    );
    assert.deepEqual(
      [found?.["scope"], at(found, "responseKind", "kind"), found?.["singularResource"]],
      ["Namespaced", "Deployment", "deployment"],
    );
    const subresources = mapsAt(found, "subresources").map((one) => textAt(one, "subresource"));
    assert.deepEqual(subresources.toSorted(), ["scale", "status"]);
  });

  proves("aggregated discovery of the core group has no group name", async ({ api }) => {
    const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const list = accepted(await api.send("GET", "/api", undefined, { headers: { accept } }), 200);
    const [core] = mapsAt(list, "items");
    assert.equal(textAt(core, "metadata", "name"), "");
    const names = mapsAt(mapsAt(core, "versions")[0], "resources").map((one) =>
      textAt(one, "resource"),
    );
    assert.ok(names.includes("pods") && names.includes("secrets"));
  });

  for (const path of ["/apis/nothing.example.com/v1", "/nothing"]) {
    proves(`${path} is not served: 404 in plain text`, async ({ api }) => {
      const reply = await api.get(path);
      assert.equal(reply.code, 404);
      assert.match(reply.text, /404 page not found/);
    });
  }

  for (const path of [
    "/apis/apps/v9",
    "/apis/apps/v1/namespaces/default/gadgets",
    "/api/v1/namespaces/default/gadgets/one",
  ]) {
    proves(`${path} is nothing its group knows: 404 with a Status`, async ({ api }) => {
      const reply = await api.get(path);
      assert.deepEqual(reply.body, {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message: "the server could not find the requested resource",
        reason: "NotFound",
        details: {},
        code: 404,
      });
    });
  }

  proves("a custom kind joins discovery, and leaves it", async (bench) => {
    const custom = await bench.customKind();
    await bench.until(`/apis/${custom.group}/v1`, (list) => {
      const found = mapsAt(list, "resources").find((one) => textAt(one, "name") === custom.plural);
      assert.equal(found?.["kind"], custom.kind);
    });
    await bench.until("/apis", (list) => {
      const names = mapsAt(list, "groups").map((group) => textAt(group, "name"));
      assert.ok(names.includes(custom.group));
    });
    accepted(await bench.api.delete(`${definitionsPath}/${custom.name}`), 200);
    await eventually(
      async () => assert.equal((await bench.api.get(`/apis/${custom.group}/v1`)).code, 404),
      { withinMs: 30_000, what: "the group's leaving" },
    );
  });
}
