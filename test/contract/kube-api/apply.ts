import assert from "node:assert/strict";
import {
  at,
  listAt,
  mapAt,
  mapsAt,
  textAt,
  type Json,
  type JsonMap,
} from "../../support/cluster/json.ts";
import {
  accepted,
  claimOf,
  configMap,
  configMapsPath,
  container,
  deployment,
  deploymentsPath,
  managersOf,
  messageOf,
  metadataOf,
  refusalOf,
  rescaled,
  service,
  servicesPath,
  unique,
  versionOf,
  type Bench,
  type Cases,
} from "./bench.ts";

type Place = {
  readonly apply: (
    manager: string,
    object: JsonMap,
    query?: { readonly [name: string]: string },
  ) => ReturnType<Bench["api"]["apply"]>;
  readonly path: string;
  readonly bench: Bench;
};

/** A ConfigMap that is applied again and again. */
async function configMapPlace(bench: Bench): Promise<Place> {
  const path = `${configMapsPath(await bench.namespace())}/one`;
  return {
    path,
    bench,
    apply: (manager, object, query) => bench.api.apply(manager, path, object, query),
  };
}

async function deploymentPlace(bench: Bench): Promise<Place> {
  const path = `${deploymentsPath(await bench.namespace())}/web`;
  return {
    path,
    bench,
    apply: (manager, object, query) => bench.api.apply(manager, path, object, query),
  };
}

const data = (values: JsonMap): JsonMap => configMap("one", values);

const withContainers = (...containers: readonly JsonMap[]): JsonMap =>
  deployment("web", {}, { containers });

const containersOf = (object: JsonMap): readonly JsonMap[] =>
  mapsAt(object, "spec", "template", "spec", "containers");

const names = (items: readonly JsonMap[]): readonly string[] =>
  items.map((item) => textAt(item, "name"));

export function applyCases(cases: Cases): void {
  basics(cases);
  ownership(cases);
  removal(cases);
  conflicts(cases);
  lists(cases);
  updates(cases);
  silentValues(cases);
  refusals(cases);
}

function basics({ proves }: Cases): void {
  proves("applying what is not there creates it: 201", async (bench) => {
    const { apply } = await configMapPlace(bench);
    const object = accepted(await apply("a", data({ k: "1" })), 201);
    assert.deepEqual(object["data"], { k: "1" });
  });

  proves("applying again changes it: 200", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", data({ k: "1" }));
    const object = accepted(await apply("a", data({ k: "2" })), 200);
    assert.deepEqual(object["data"], { k: "2" });
  });

  proves("applying the same keeps version and times", async (bench) => {
    const { apply } = await configMapPlace(bench);
    const first = await apply("a", data({ k: "1" }));
    const second = await apply("a", data({ k: "1" }));
    assert.deepEqual(accepted(second, 200), first.body);
  });

  proves("applying the same Deployment keeps version and generation", async (bench) => {
    const { apply, path } = await deploymentPlace(bench);
    await apply("a", deployment("web", { replicas: 0 }));
    // A controller may report in between: only what an apply could change is compared.
    const before = accepted(await bench.api.get(path), 200);
    const after = accepted(await apply("a", deployment("web", { replicas: 0 })), 200);
    assert.deepEqual(after["spec"], before["spec"]);
    assert.equal(at(after, "metadata", "generation"), 1);
    assert.deepEqual(claimOf(after, "a"), claimOf(before, "a"));
  });

  proves("an apply that names a version creates what is not there: 201", async (bench) => {
    const { apply } = await configMapPlace(bench);
    const object = accepted(
      await apply("a", configMap("one", { k: "1" }, { resourceVersion: "1" })),
      201,
    );
    assert.deepEqual(object["data"], { k: "1" });
    assert.notEqual(at(object, "metadata", "resourceVersion"), "1");
  });

  proves(
    "an apply that names a version nothing has changes nothing that is there: 409",
    async (bench) => {
      const { apply, path } = await configMapPlace(bench);
      const first = await apply("a", data({ k: "1" }));
      for (const manager of ["a", "b"]) {
        const reply = await apply(manager, configMap("one", { k: "1" }, { resourceVersion: "1" }), {
          force: "true",
        });
        assert.deepEqual(refusalOf(reply), { code: 409, reason: "Conflict", fields: [] });
        assert.equal(
          messageOf(reply),
          'Operation cannot be fulfilled on configmaps "one": the object has been modified; please apply your changes to the latest version and try again',
        );
      }
      assert.deepEqual((await bench.api.get(path)).body, first.body);
    },
  );

  proves("a YAML body is applied like JSON", async (bench) => {
    const { path } = await configMapPlace(bench);
    const yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  k: v\n";
    const reply = await bench.api.send("PATCH", path, yaml, {
      query: { fieldManager: "a" },
      headers: { "content-type": "application/apply-patch+yaml" },
    });
    assert.deepEqual(accepted(reply, 201)["data"], { k: "v" });
  });

  proves("the name may not be left to the address: 400", async (bench) => {
    const { apply } = await configMapPlace(bench);
    const reply = await apply("a", { apiVersion: "v1", kind: "ConfigMap", data: { k: "v" } });
    assert.deepEqual(refusalOf(reply), { code: 400, reason: "BadRequest", fields: [] });
    assert.equal(
      messageOf(reply),
      "the name of the object (one based on URL) was undeterminable: name must be provided",
    );
  });

  proves("applying what is there already leaves a record without a time", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", data({ k: "1" }));
    const object = accepted(await apply("b", data({ k: "1" })), 200);
    const times = mapsAt(object, "metadata", "managedFields").map((one) => [
      textAt(one, "manager"),
      "time" in one,
    ]);
    assert.deepEqual(new Set(times.map(String)), new Set(["a,true", "b,false"]));
  });

  proves("a dry run answers as if and changes nothing", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    const first = await apply("a", data({ k: "1" }));
    const tried = await apply("a", data({ k: "2" }), { dryRun: "All" });
    assert.deepEqual(accepted(tried, 200)["data"], { k: "2" });
    assert.deepEqual((await bench.api.get(path)).body, first.body);
  });

  proves("a dry run of a creation keeps nothing", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    accepted(await apply("a", data({ k: "1" }), { dryRun: "All" }), 201);
    assert.equal((await bench.api.get(path)).code, 404);
  });

  proves("a dry run of no change answers with the object as it is", async (bench) => {
    const { apply } = await configMapPlace(bench);
    const first = await apply("a", data({ k: "1" }));
    const tried = await apply("a", data({ k: "1" }), { dryRun: "All" });
    assert.deepEqual(accepted(tried, 200), first.body);
  });

  proves("a dry run meets conflicts as the real thing does", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", data({ k: "1" }));
    const tried = await apply("b", data({ k: "2" }), { dryRun: "All" });
    assert.equal(tried.code, 409);
  });

  proves("status in an applied object is passed over", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const body = { ...deployment("web", { replicas: 0 }), status: { replicas: 7 } };
    const object = accepted(await apply("a", body), 201);
    assert.notEqual(at(object, "status", "replicas"), 7);
    assert.equal(at(claimOf(object, "a"), "f:status"), undefined);
  });
}

function ownership({ proves }: Cases): void {
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

function removal({ proves }: Cases): void {
  proves("a field that is no longer applied goes when nobody else owns it", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", data({ k: "1", l: "1" }));
    const object = accepted(await apply("a", data({ k: "1" })), 200);
    assert.deepEqual(object["data"], { k: "1" });
  });

  proves("a field that somebody else owns as well stays", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", data({ k: "1", l: "1" }));
    await apply("b", data({ l: "1" }));
    const object = accepted(await apply("a", data({ k: "1" })), 200);
    assert.deepEqual(object["data"], { k: "1", l: "1" });
    assert.deepEqual(claimOf(object, "a"), { "f:data": { "f:k": {} } });
  });

  proves("a field that was never applied stays", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    await apply("a", data({ k: "1" }));
    await bench.api.patch("merge", path, { data: { hand: "made" } });
    const object = accepted(await apply("a", data({ k: "2" })), 200);
    assert.deepEqual(object["data"], { k: "2", hand: "made" });
  });

  proves("a manager that applies nothing any more leaves the records", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", data({ k: "1" }));
    await apply("b", data({ l: "1" }));
    const bare = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one" } };
    const object = accepted(await apply("b", bare), 200);
    assert.deepEqual(managersOf(object), ["a Apply"]);
    assert.deepEqual(object["data"], { k: "1" });
  });

  proves("a removed field with a default falls back to it", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    await apply("a", deployment("web", { replicas: 0, revisionHistoryLimit: 3 }));
    const object = accepted(await apply("a", deployment("web", { replicas: 0 })), 200);
    assert.equal(at(object, "spec", "revisionHistoryLimit"), 10);
  });

  proves("a removed container goes with its defaults", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    await apply("a", withContainers(container(), container({ name: "side" })));
    const object = accepted(await apply("a", withContainers(container())), 200);
    assert.deepEqual(names(containersOf(object)), ["app"]);
  });

  proves("a removed environment variable goes, its neighbours stay", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const env = (...variables: readonly string[]): JsonMap =>
      container({ env: variables.map((name) => ({ name, value: "1" })) });
    await apply("a", withContainers(env("A", "B", "C")));
    const object = accepted(await apply("a", withContainers(env("A", "C"))), 200);
    assert.deepEqual(names(mapsAt(containersOf(object)[0], "env")), ["A", "C"]);
  });

  proves("a list that lost its last item is gone", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    await apply("a", withContainers(container({ env: [{ name: "A", value: "1" }] })));
    const object = accepted(await apply("a", withContainers(container())), 200);
    assert.equal(containersOf(object)[0]?.["env"], undefined);
  });

  proves("a map that lost its last field is gone", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", configMap("one", {}, { labels: { l: "1" } }));
    const object = accepted(await apply("a", configMap("one")), 200);
    assert.equal(metadataOf(object)["labels"], undefined);
  });

  proves("a finalizer that is no longer applied goes, those of others stay", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    const withFinalizers = (...finalizers: readonly string[]): JsonMap =>
      configMap("one", {}, { finalizers });
    await apply("a", withFinalizers("example.com/a", "example.com/b"));
    await apply("b", withFinalizers("example.com/c"));
    const object = accepted(await apply("a", withFinalizers("example.com/a")), 200);
    assert.deepEqual(
      new Set(listAt(object, "metadata", "finalizers")),
      new Set(["example.com/a", "example.com/c"]),
    );
    await bench.api.patch("merge", path, { metadata: { finalizers: null } });
  });

  proves("annotations of others survive an apply without any", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    await apply("a", configMap("one", {}, { annotations: { mine: "1" } }));
    await bench.api.patch("merge", path, { metadata: { annotations: { theirs: "1" } } });
    const object = accepted(await apply("a", configMap("one")), 200);
    assert.deepEqual(metadataOf(object)["annotations"], { theirs: "1" });
  });
}

function conflicts({ proves }: Cases): void {
  proves("changing a field that another applier owns: 409 naming it", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", data({ k: "1" }));
    const reply = await apply("b", data({ k: "2" }));
    assert.deepEqual(refusalOf(reply), { code: 409, reason: "Conflict", fields: [".data.k"] });
    assert.equal(messageOf(reply), 'Apply failed with 1 conflict: conflict with "a": .data.k');
    assert.deepEqual(at(reply.body, "details", "causes"), [
      { reason: "FieldManagerConflict", message: 'conflict with "a"', field: ".data.k" },
    ]);
  });

  proves("a conflict with an updater names its version", async (bench) => {
    const { path, apply } = await configMapPlace(bench);
    const collection = path.replace(/\/one$/, "");
    await bench.api.create(collection, data({ k: "1" }), { fieldManager: "hand" });
    const reply = await apply("b", data({ k: "2" }));
    assert.equal(
      messageOf(reply),
      'Apply failed with 1 conflict: conflict with "hand" using v1: .data.k',
    );
  });

  proves("several conflicts are told together, by manager", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", data({ k: "1", l: "1" }));
    await apply("b", data({ m: "1" }));
    const reply = await apply("c", data({ k: "2", l: "2", m: "2" }));
    assert.deepEqual(refusalOf(reply).fields.toSorted(), [".data.k", ".data.l", ".data.m"]);
    assert.equal(
      messageOf(reply),
      'Apply failed with 3 conflicts: conflicts with "a":\n- .data.k\n- .data.l\nconflicts with "b":\n- .data.m',
    );
  });

  proves("a conflict inside a list names the item", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    await apply("a", withContainers(container()));
    const reply = await apply("b", withContainers(container({ image: "other:2" })));
    assert.deepEqual(refusalOf(reply).fields, ['.spec.template.spec.containers[name="app"].image']);
  });

  proves("force takes the field, and its old owner loses it", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", data({ k: "1", l: "1" }));
    const object = accepted(await apply("b", data({ k: "2" }), { force: "true" }), 200);
    assert.deepEqual(object["data"], { k: "2", l: "1" });
    assert.deepEqual(claimOf(object, "a"), { "f:data": { "f:l": {} } });
    assert.deepEqual(claimOf(object, "b"), { "f:data": { "f:k": {} } });
  });

  proves("an owner that lost everything by force leaves the records", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", data({ k: "1" }));
    const object = accepted(await apply("b", data({ k: "2" }), { force: "true" }), 200);
    assert.deepEqual(managersOf(object), ["b Apply"]);
  });

  proves("a conflict changes nothing", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    const first = await apply("a", data({ k: "1" }));
    await apply("b", data({ k: "2", other: "1" }));
    assert.deepEqual((await bench.api.get(path)).body, first.body);
  });

  proves("a stale resourceVersion in an applied object: 409", async (bench) => {
    const { apply } = await configMapPlace(bench);
    const first = await apply("a", data({ k: "1" }));
    await apply("a", data({ k: "2" }));
    const stale = configMap("one", { k: "3" }, { resourceVersion: versionOf(first) });
    const reply = await apply("a", stale);
    assert.deepEqual(refusalOf(reply).code, 409);
    assert.match(messageOf(reply), /the object has been modified/);
  });
}

function lists({ proves }: Cases): void {
  proves("containers of two managers merge by name", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    await apply("a", withContainers(container()));
    const side = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      spec: { template: { spec: { containers: [{ name: "side", image: "side:1" }] } } },
    };
    const object = accepted(await apply("b", side), 200);
    assert.deepEqual(names(containersOf(object)).toSorted(), ["app", "side"]);
  });

  proves("fields of one container may belong to two managers", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    await apply("a", withContainers(container()));
    const limits = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      spec: {
        template: {
          spec: { containers: [{ name: "app", resources: { limits: { cpu: "1" } } }] },
        },
      },
    };
    await apply("b", limits);
    const object = accepted(await apply("a", withContainers(container({ image: "app:2" }))), 200);
    const [first] = containersOf(object);
    assert.equal(textAt(first, "image"), "app:2");
    assert.deepEqual(mapAt(first, "resources", "limits"), { cpu: "1" });
  });

  proves("the applied order of items wins", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    await apply("a", withContainers(container({ name: "x" }), container({ name: "y" })));
    const turned = withContainers(container({ name: "y" }), container({ name: "x" }));
    const object = accepted(await apply("a", turned), 200);
    assert.deepEqual(names(containersOf(object)), ["y", "x"]);
  });

  proves("an atomic list is replaced whole", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    await apply("a", withContainers(container({ args: ["one", "two"] })));
    const object = accepted(await apply("a", withContainers(container({ args: ["three"] }))), 200);
    assert.deepEqual(containersOf(object)[0]?.["args"], ["three"]);
  });

  proves("two managers cannot share an atomic list", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    await apply("a", withContainers(container({ args: ["one"] })));
    const reply = await apply("b", withContainers(container({ args: ["two"] })));
    assert.deepEqual(refusalOf(reply).fields, ['.spec.template.spec.containers[name="app"].args']);
  });

  proves("one container port under two protocols is two ports", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const ports = [
      { containerPort: 53, protocol: "TCP" },
      { containerPort: 53, protocol: "UDP" },
    ];
    const object = accepted(await apply("a", withContainers(container({ ports }))), 201);
    assert.deepEqual(containersOf(object)[0]?.["ports"], ports);
  });

  proves("volumes and their mounts merge by name and path", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const pod = (volume: string, mountPath: string): JsonMap =>
      deployment(
        "web",
        {},
        {
          containers: [container({ volumeMounts: [{ name: volume, mountPath }] })],
          volumes: [{ name: volume, emptyDir: {} }],
        },
      );
    await apply("a", pod("one", "/one"));
    const object = accepted(await apply("b", pod("two", "/two")), 200);
    assert.deepEqual(names(mapsAt(object, "spec", "template", "spec", "volumes")).toSorted(), [
      "one",
      "two",
    ]);
    const mounts = mapsAt(containersOf(object)[0], "volumeMounts");
    assert.deepEqual(mounts.map((mount) => textAt(mount, "mountPath")).toSorted(), [
      "/one",
      "/two",
    ]);
  });

  proves("a duplicate key in an applied list is refused", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const env = [
      { name: "A", value: "1" },
      { name: "A", value: "2" },
    ];
    const reply = await apply("a", withContainers(container({ env })));
    assert.ok(reply.code >= 400, reply.text);
    assert.match(messageOf(reply), /duplicate entries for key \[name="A"\]/);
  });
}

function updates({ proves }: Cases): void {
  proves("a creation is recorded as an update of its manager", async (bench) => {
    const path = configMapsPath(await bench.namespace());
    const reply = await bench.api.create(path, data({ k: "1" }), { fieldManager: "hand" });
    assert.deepEqual(managersOf(accepted(reply, 201)), ["hand Update"]);
    assert.deepEqual(claimOf(reply.body, "hand", "Update"), {
      "f:data": { ".": {}, "f:k": {} },
    });
  });

  proves("without a field manager, the user agent's first word is it", async (bench) => {
    const path = configMapsPath(await bench.namespace());
    const reply = await bench.api.create(path, data({ k: "1" }));
    assert.deepEqual(managersOf(accepted(reply, 201)), ["contract Update"]);
  });

  proves("a created Deployment's defaults belong to who created it", async (bench) => {
    const path = deploymentsPath(await bench.namespace());
    const body = deployment("web", { replicas: 0 });
    const reply = await bench.api.create(path, body, { fieldManager: "hand" });
    const owned = claimOf(accepted(reply, 201), "hand", "Update");
    assert.deepEqual(at(owned, "f:spec", "f:progressDeadlineSeconds"), {});
    assert.deepEqual(at(owned, "f:spec", "f:strategy"), {
      "f:rollingUpdate": { ".": {}, "f:maxSurge": {}, "f:maxUnavailable": {} },
      "f:type": {},
    });
    assert.deepEqual(
      at(owned, "f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"app"}'),
      {
        ".": {},
        "f:image": {},
        "f:imagePullPolicy": {},
        "f:name": {},
        "f:resources": {},
        "f:terminationMessagePath": {},
        "f:terminationMessagePolicy": {},
      },
    );
  });

  proves("a change by hand takes the field away from its applier", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    await apply("a", data({ k: "1", l: "1" }));
    const reply = await bench.api.patch(
      "merge",
      path,
      { data: { k: "hand" } },
      { fieldManager: "hand" },
    );
    const object = accepted(reply, 200);
    assert.deepEqual(claimOf(object, "a"), { "f:data": { "f:l": {} } });
    assert.deepEqual(claimOf(object, "hand", "Update"), { "f:data": { "f:k": {} } });
  });

  proves("an update that sets the same value takes nothing", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    const first = await apply("a", data({ k: "1" }));
    const reply = await bench.api.patch(
      "merge",
      path,
      { data: { k: "1" } },
      { fieldManager: "hand" },
    );
    assert.deepEqual(accepted(reply, 200), first.body);
  });

  proves("after a change by hand, applying without force is a conflict", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    await apply("a", data({ k: "1" }));
    await bench.api.patch("merge", path, { data: { k: "hand" } }, { fieldManager: "hand" });
    const reply = await apply("a", data({ k: "1" }));
    assert.deepEqual(refusalOf(reply).fields, [".data.k"]);
    const forced = accepted(await apply("a", data({ k: "1" }), { force: "true" }), 200);
    assert.deepEqual(forced["data"], { k: "1" });
    assert.deepEqual(managersOf(forced), ["a Apply"]);
  });

  proves("deleting a field by hand takes it out of its applier's record", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    await apply("a", data({ k: "1", l: "1" }));
    const reply = await bench.api.patch("merge", path, { data: { k: null } });
    assert.deepEqual(claimOf(accepted(reply, 200), "a"), { "f:data": { "f:l": {} } });
  });

  proves("an update that sends managedFields back keeps them", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    const first = await apply("a", data({ k: "1" }));
    const body = { ...first.body, data: { k: "1", hand: "1" } };
    const object = accepted(await bench.api.update(path, body, { fieldManager: "hand" }), 200);
    assert.deepEqual(managersOf(object), ["a Apply", "hand Update"]);
    assert.deepEqual(claimOf(object, "a"), { "f:data": { "f:k": {} } });
  });

  proves("an update that leaves managedFields out keeps them", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    await apply("a", data({ k: "1" }));
    const object = accepted(
      await bench.api.update(path, data({ k: "1", hand: "1" }), { fieldManager: "hand" }),
      200,
    );
    assert.deepEqual(claimOf(object, "a"), { "f:data": { "f:k": {} } });
  });

  proves("one empty entry takes all records away", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    await apply("a", data({ k: "1" }));
    const reply = await bench.api.patch("merge", path, { metadata: { managedFields: [{}] } });
    assert.equal(metadataOf(accepted(reply, 200))["managedFields"], undefined);
  });

  proves(
    "what nobody claimed belongs to before-first-apply once somebody applies",
    async (bench) => {
      const { apply, path } = await configMapPlace(bench);
      await apply("a", data({ k: "1", l: "1" }));
      await bench.api.patch("merge", path, { metadata: { managedFields: [{}] } });
      const object = accepted(await apply("b", data({ k: "1" })), 200);
      assert.deepEqual(managersOf(object), ["b Apply", "before-first-apply Update"]);
      assert.deepEqual(object["data"], { k: "1", l: "1" });
    },
  );

  proves("a JSON patch of managedFields can hand a claim over", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    const first = await apply("old", data({ k: "1", l: "1" }));
    const renamed = mapsAt(first.body, "metadata", "managedFields").map((entry): Json => ({
      ...entry,
      manager: "new",
    }));
    const reply = await bench.api.patch("json", path, [
      { op: "replace", path: "/metadata/managedFields", value: renamed },
    ]);
    assert.deepEqual(managersOf(accepted(reply, 200)), ["new Apply"]);
    const object = accepted(await apply("new", data({ k: "1" })), 200);
    assert.deepEqual(object["data"], { k: "1" });
  });

  proves("scaling by hand is recorded beside the applier", async (bench) => {
    const { apply, path } = await deploymentPlace(bench);
    await apply("a", deployment("web", { replicas: 0 }));
    await rescaled(bench, path, 1, { fieldManager: "hand" });
    const object = accepted(await bench.api.get(path), 200);
    assert.deepEqual(claimOf(object, "hand", "Update", "scale"), {
      "f:spec": { "f:replicas": {} },
    });
    assert.equal(at(claimOf(object, "a"), "f:spec", "f:replicas"), undefined);
  });

  proves("a writer of status is recorded by subresource", async (bench) => {
    const { apply, path } = await deploymentPlace(bench);
    await apply("a", deployment("web", { paused: true, replicas: 0 }));
    const condition = { type: "Custom", status: "True", reason: "Here", message: "" };
    const reply = await bench.api.patch(
      "strategic",
      `${path}/status`,
      { status: { conditions: [condition] } },
      { fieldManager: "reporter" },
    );
    const owned = claimOf(accepted(reply, 200), "reporter", "Update", "status");
    assert.ok(at(owned, "f:status", "f:conditions", 'k:{"type":"Custom"}') !== undefined);
    assert.equal(at(owned, "f:spec"), undefined);
  });
}

function silentValues({ proves }: Cases): void {
  proves("a value that says nothing is not kept, but owned", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const env = [{ name: "EMPTY", value: "" }];
    const body = deployment(
      "web",
      { replicas: 0, paused: false },
      { hostNetwork: false, containers: [container({ env })] },
    );
    const object = accepted(await apply("a", body), 201);
    assert.equal(at(object, "spec", "paused"), undefined);
    assert.equal(at(object, "spec", "replicas"), 0);
    assert.equal(at(object, "spec", "template", "spec", "hostNetwork"), undefined);
    assert.deepEqual(mapsAt(containersOf(object)[0], "env"), [{ name: "EMPTY" }]);
    const spec = at(claimOf(object, "a"), "f:spec");
    assert.deepEqual(at(spec, "f:paused"), {});
    assert.deepEqual(at(spec, "f:template", "f:spec", "f:hostNetwork"), {});
  });

  proves("limits of a template are not asked for", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const resources = { limits: { cpu: "1" } };
    const object = accepted(await apply("a", withContainers(container({ resources }))), 201);
    assert.deepEqual(containersOf(object)[0]?.["resources"], resources);
  });

  proves("whoever owns a map as such keeps it when its content goes", async (bench) => {
    const { apply } = await configMapPlace(bench);
    await apply("a", configMap("one", {}, { annotations: { n: "1" } }));
    await apply("b", configMap("one", {}, { annotations: {} }));
    const object = accepted(await apply("a", configMap("one")), 200);
    assert.equal(metadataOf(object)["annotations"], undefined);
    assert.deepEqual(claimOf(object, "b"), { "f:metadata": { "f:annotations": {} } });
  });
}

function refusals({ proves }: Cases): void {
  proves("an apply without a field manager: 422", async (bench) => {
    const { path } = await configMapPlace(bench);
    const reply = await bench.api.send("PATCH", path, data({}), {
      headers: { "content-type": "application/apply-patch+yaml" },
    });
    assert.deepEqual(refusalOf(reply), { code: 422, reason: "Invalid", fields: ["fieldManager"] });
    assert.match(messageOf(reply), /fieldManager: Required value: is required for apply patch/);
  });

  proves("managedFields in an applied object: 400", async (bench) => {
    const { apply } = await configMapPlace(bench);
    const reply = await apply("a", configMap("one", {}, { managedFields: [] }));
    assert.equal(reply.code, 400);
    assert.match(messageOf(reply), /metadata\.managedFields must be nil/);
  });

  proves("an applied field that the schema does not know is refused by name", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const reply = await apply("a", deployment("web", { surprise: 1 }));
    assert.ok(reply.code === 400 || reply.code === 500, reply.text);
    assert.match(messageOf(reply), /\.spec\.surprise: field not declared in schema/);
  });

  proves("an applied value of the wrong type is refused by name", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const reply = await apply("a", deployment("web", { replicas: "three" }));
    assert.ok(reply.code === 400 || reply.code === 500, reply.text);
    assert.match(
      messageOf(reply),
      /\.spec\.replicas: expected numeric \(int or float\), got string/,
    );
  });

  proves("an applied object of another kind is refused", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    const reply = await apply("a", { ...data({}), kind: "Secret" });
    assert.ok(reply.code >= 400, reply.text);
    assert.equal((await bench.api.get(path)).code, 404);
  });

  proves("an applied object under another name: 400", async (bench) => {
    const { apply } = await configMapPlace(bench);
    const reply = await apply("a", configMap("two"));
    assert.equal(reply.code, 400);
  });

  proves("an applied object that breaks a rule: 422 with the field", async (bench) => {
    const { apply } = await deploymentPlace(bench);
    const reply = await apply("a", deployment("web", { replicas: -1 }));
    assert.deepEqual(refusalOf(reply), {
      code: 422,
      reason: "Invalid",
      fields: ["spec.replicas"],
    });
  });

  proves("force belongs to apply alone: 422", async (bench) => {
    const { apply, path } = await configMapPlace(bench);
    await apply("a", data({}));
    const reply = await bench.api.patch("merge", path, { data: { k: "1" } }, { force: "true" });
    assert.deepEqual(refusalOf(reply).fields, ["force"]);
  });

  proves("a uid of an object that is not there: 409", async (bench) => {
    const { apply } = await configMapPlace(bench);
    const uid = "00000000-0000-0000-0000-000000000000";
    const reply = await apply("a", configMap("one", {}, { uid }));
    assert.equal(reply.code, 409);
    assert.match(messageOf(reply), /uid mismatch/);
  });

  proves("names that are no names are refused: 422", async (bench) => {
    const namespace = await bench.namespace();
    const name = `Upper-${unique("x")}`;
    const reply = await bench.api.apply(
      "a",
      `${configMapsPath(namespace)}/${name}`,
      configMap(name),
    );
    assert.deepEqual(refusalOf(reply).fields, ["metadata.name"]);
  });
}
