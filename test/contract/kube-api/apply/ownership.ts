import assert from "node:assert/strict";
import { at, mapsAt, textAt, type JsonMap } from "../../../support/cluster/json.ts";
import {
  accepted,
  claimOf,
  configMap,
  container,
  deployment,
  managersOf,
  service,
  servicesPath,
  type Cases,
} from "../bench.ts";
import { configMapPlace, data, deploymentPlace, withContainers } from "./place.ts";

/** What `managedFields` says an applier owns. */
export function ownershipCases({ proves }: Cases): void {
  proves("managedFields name manager, operation, version and fields", async (bench) => {
    const { apply } = await configMapPlace(bench);
    const object = accepted(
      await apply("a", configMap("one", { k: "1" }, { labels: { l: "1" } })),
      201,
    );
    const [entry, ...others] = mapsAt(object, "metadata", "managedFields");
    assert.deepEqual(others, []);
    assert.match(textAt(entry, "time"), /Z$/);
    assert.deepEqual(
      { ...entry, time: "" },
      {
        manager: "a",
        operation: "Apply",
        apiVersion: "v1",
        time: "",
        fieldsType: "FieldsV1",
        fieldsV1: { "f:data": { "f:k": {} }, "f:metadata": { "f:labels": { "f:l": {} } } },
      },
    );
  });

  proves("a Deployment's applier owns what it says and no default", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const body = withContainers(
      container({ ports: [{ containerPort: 80 }], env: [{ name: "A", value: "1" }] }),
    );
    const object = accepted(await apply("a", body), 201);
    assert.deepEqual(claimOf(object, "a"), {
      "f:spec": {
        "f:selector": {},
        "f:template": {
          "f:metadata": { "f:labels": { "f:app": {} } },
          "f:spec": {
            "f:containers": {
              'k:{"name":"app"}': {
                ".": {},
                "f:env": { 'k:{"name":"A"}': { ".": {}, "f:name": {}, "f:value": {} } },
                "f:image": {},
                "f:name": {},
                "f:ports": {
                  'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} },
                },
              },
            },
          },
        },
      },
    });
  });

  proves("a Service's ports are known by port and protocol", async (bench) => {
    const path = `${servicesPath(await bench.namespace())}/web`;
    const object = accepted(await bench.api.apply("a", path, service("web")), 201);
    assert.deepEqual(claimOf(object, "a"), {
      "f:spec": {
        "f:ports": { 'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:port": {} } },
        "f:selector": {},
      },
    });
  });

  proves("several managers each own their own fields", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", data({ a: "1" }));
    const object = accepted(await apply("b", data({ b: "1" })), 200);
    assert.deepEqual(object["data"], { a: "1", b: "1" });
    assert.deepEqual(claimOf(object, "a"), { "f:data": { "f:a": {} } });
    assert.deepEqual(claimOf(object, "b"), { "f:data": { "f:b": {} } });
  });

  proves("two managers may own one field as long as they agree", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", data({ k: "1" }));
    const object = accepted(await apply("b", data({ k: "1" })), 200);
    assert.deepEqual(managersOf(object), ["a Apply", "b Apply"]);
    assert.deepEqual(claimOf(object, "b"), { "f:data": { "f:k": {} } });
  });

  proves("an empty map that is applied is owned as such", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const pod = { securityContext: {}, volumes: [{ name: "v", emptyDir: {} }] };
    const object = accepted(await apply("a", deployment("web", { replicas: 0 }, pod)), 201);
    const owned = at(claimOf(object, "a"), "f:spec", "f:template", "f:spec");
    assert.deepEqual(at(owned, "f:securityContext"), {});
    assert.deepEqual(at(owned, "f:volumes"), {
      'k:{"name":"v"}': { ".": {}, "f:emptyDir": {}, "f:name": {} },
    });
  });

  proves("finalizers are a set: each is owned by itself", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    const finalizers = ["example.com/a", "example.com/b"];
    const object = accepted(await apply("a", configMap("one", {}, { finalizers })), 201);
    assert.deepEqual(at(claimOf(object, "a"), "f:metadata"), {
      "f:finalizers": { 'v:"example.com/a"': {}, 'v:"example.com/b"': {} },
    });
    await bench.api.patch("merge", path, { metadata: { finalizers: null } });
  });

  proves("owner references are known by uid", async (bench) => {
    const { apply } = await configMapPlace(bench);
    const namespace = await bench.namespace();
    const owner = accepted(await bench.api.get(`/api/v1/namespaces/${namespace}`), 200);
    const uid = textAt(owner, "metadata", "uid");
    const ownerReferences = [{ apiVersion: "v1", kind: "Namespace", name: namespace, uid }];
    const object = accepted(await apply("a", configMap("one", {}, { ownerReferences })), 201);
    assert.deepEqual(at(claimOf(object, "a"), "f:metadata", "f:ownerReferences"), {
      [`k:{"uid":"${uid}"}`]: {},
    });
  });

  proves("atomic maps and lists are owned whole", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const pod = {
      nodeSelector: { disk: "fast" },
      tolerations: [{ key: "a", operator: "Exists" }],
      containers: [container({ command: ["run", "it"] })],
    };
    const object = accepted(await apply("a", deployment("web", { replicas: 0 }, pod)), 201);
    const owned = at(claimOf(object, "a"), "f:spec", "f:template", "f:spec");
    assert.deepEqual(at(owned, "f:nodeSelector"), {});
    assert.deepEqual(at(owned, "f:tolerations"), {});
    assert.deepEqual(at(owned, "f:containers", 'k:{"name":"app"}', "f:command"), {});
  });

  proves("a field manager's changed set moves its time only then", async (bench) => {
    const { apply } = await configMapPlace(bench);
    const first = accepted(await apply("a", data({ k: "1" })), 201);
    const second = accepted(await apply("b", data({ l: "1" })), 200);
    const timeOf = (object: JsonMap): string =>
      textAt(
        mapsAt(object, "metadata", "managedFields").find((one) => textAt(one, "manager") === "a"),
        "time",
      );
    assert.equal(timeOf(second), timeOf(first));
  });
}
