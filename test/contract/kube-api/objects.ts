import assert from "node:assert/strict";
import { at, mapAt, textAt, without } from "../../support/cluster/json.ts";
import {
  accepted,
  configMap,
  configMapsPath,
  deployment,
  deploymentsPath,
  messageOf,
  metadataOf,
  refusalOf,
  service,
  servicesPath,
  uidOf,
  unique,
  versionOf,
  type Cases,
} from "./bench.ts";

export function objectCases({ proves }: Cases): void {
  proves("creating answers 201 with identity filled in", async (bench) => {
    const namespace = await bench.namespace();
    const reply = await bench.api.create(configMapsPath(namespace), configMap("one", { a: "1" }));
    const object = accepted(reply, 201);
    const metadata = metadataOf(object);
    assert.deepEqual(
      [object["apiVersion"], object["kind"], metadata["name"], metadata["namespace"]],
      ["v1", "ConfigMap", "one", namespace],
    );
    assert.match(textAt(metadata, "uid"), /^[0-9a-f-]{36}$/);
    assert.match(textAt(metadata, "creationTimestamp"), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.match(textAt(metadata, "resourceVersion"), /^\d+$/);
    assert.deepEqual(object["data"], { a: "1" });
  });

  proves("kind and apiVersion may be left out of a created object", async (bench) => {
    const namespace = await bench.namespace();
    const body = { metadata: { name: "bare" } };
    const object = accepted(await bench.api.create(configMapsPath(namespace), body), 201);
    assert.deepEqual([object["apiVersion"], object["kind"]], ["v1", "ConfigMap"]);
  });

  proves("what was created can be read", async (bench) => {
    const namespace = await bench.namespace();
    const made = await bench.api.create(configMapsPath(namespace), configMap("one", { a: "1" }));
    const read = await bench.api.get(`${configMapsPath(namespace)}/one`);
    assert.deepEqual(accepted(read, 200), made.body);
  });

  proves("a YAML body is as good as JSON", async (bench) => {
    const namespace = await bench.namespace();
    const reply = await bench.api.send(
      "POST",
      configMapsPath(namespace),
      "metadata:\n  name: yaml\ndata:\n  a: b\n",
      { headers: { "content-type": "application/yaml" } },
    );
    assert.deepEqual(accepted(reply, 201)["data"], { a: "b" });
  });

  proves("reading what is not there: 404 with a Status", async (bench) => {
    const namespace = await bench.namespace();
    const reply = await bench.api.get(`${configMapsPath(namespace)}/none`);
    assert.deepEqual(without(reply.body, "metadata"), {
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      message: 'configmaps "none" not found',
      reason: "NotFound",
      details: { name: "none", kind: "configmaps" },
      code: 404,
    });
  });

  proves("a 404 of a named group says so", async (bench) => {
    const namespace = await bench.namespace();
    const reply = await bench.api.get(`${deploymentsPath(namespace)}/none`);
    assert.equal(messageOf(reply), 'deployments.apps "none" not found');
    assert.deepEqual(reply.body["details"], { name: "none", group: "apps", kind: "deployments" });
  });

  proves("creating what exists: 409 AlreadyExists", async (bench) => {
    const namespace = await bench.namespace();
    await bench.api.create(configMapsPath(namespace), configMap("one"));
    const reply = await bench.api.create(configMapsPath(namespace), configMap("one"));
    assert.deepEqual(refusalOf(reply), { code: 409, reason: "AlreadyExists", fields: [] });
    assert.equal(messageOf(reply), 'configmaps "one" already exists');
  });

  proves("creating in a namespace that is not there: 404 of the namespace", async ({ api }) => {
    const name = unique("nowhere");
    const reply = await api.create(configMapsPath(name), configMap("one"));
    assert.equal(reply.code, 404);
    assert.equal(messageOf(reply), `namespaces "${name}" not found`);
    assert.deepEqual(reply.body["details"], { name, kind: "namespaces" });
  });

  proves("applying in a namespace that is not there: 404 of the namespace", async ({ api }) => {
    const name = unique("nowhere");
    const reply = await api.apply("a", `${configMapsPath(name)}/one`, configMap("one"));
    assert.equal(reply.code, 404);
    assert.equal(messageOf(reply), `namespaces "${name}" not found`);
  });

  proves("generateName makes a name that starts with it", async (bench) => {
    const namespace = await bench.namespace();
    const body = { metadata: { generateName: "made-" } };
    const object = accepted(await bench.api.create(configMapsPath(namespace), body), 201);
    assert.match(textAt(object, "metadata", "name"), /^made-[a-z0-9]{5}$/);
    assert.equal(textAt(object, "metadata", "generateName"), "made-");
  });

  proves("a namespace in the body must be the address's", async (bench) => {
    const namespace = await bench.namespace();
    const body = configMap("one", {}, { namespace: "elsewhere" });
    const reply = await bench.api.create(configMapsPath(namespace), body);
    assert.equal(reply.code, 400);
    assert.match(messageOf(reply), /namespace of the provided object does not match/);
  });

  proves("an apiVersion in the body must be the address's", async (bench) => {
    const namespace = await bench.namespace();
    const body = { ...configMap("one"), apiVersion: "apps/v1" };
    const reply = await bench.api.create(configMapsPath(namespace), body);
    assert.equal(reply.code, 400);
  });

  proves("a body that is no JSON: 400", async (bench) => {
    const namespace = await bench.namespace();
    const reply = await bench.api.send("POST", configMapsPath(namespace), "{broken");
    assert.deepEqual(refusalOf(reply), { code: 400, reason: "BadRequest", fields: [] });
  });

  proves("dry run of a creation answers like one and keeps nothing", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    const reply = await bench.api.create(path, configMap("one"), { dryRun: "All" });
    assert.equal(uidOf(reply).length, 36);
    accepted(reply, 201);
    assert.equal((await bench.api.get(`${path}/one`)).code, 404);
  });

  proves("an update replaces the object and moves its version", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    const made = await bench.api.create(path, configMap("one", { a: "1" }));
    const reply = await bench.api.update(`${path}/one`, { ...made.body, data: { b: "2" } });
    assert.deepEqual(accepted(reply, 200)["data"], { b: "2" });
    assert.notEqual(versionOf(reply), versionOf(made));
    assert.equal(uidOf(reply), uidOf(made));
  });

  proves("an update without a change keeps the version", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    const made = await bench.api.create(path, configMap("one", { a: "1" }));
    const reply = await bench.api.update(`${path}/one`, made.body);
    assert.equal(versionOf(reply), versionOf(made));
  });

  proves("an update of an old version: 409 Conflict", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    const made = await bench.api.create(path, configMap("one"));
    await bench.api.update(`${path}/one`, { ...made.body, data: { a: "1" } });
    const reply = await bench.api.update(`${path}/one`, { ...made.body, data: { a: "2" } });
    assert.deepEqual(refusalOf(reply), { code: 409, reason: "Conflict", fields: [] });
    assert.equal(
      messageOf(reply),
      'Operation cannot be fulfilled on configmaps "one": the object has been modified; please apply your changes to the latest version and try again',
    );
  });

  proves("an update without a version is unconditional for built-in kinds", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    await bench.api.create(path, configMap("one"));
    const reply = await bench.api.update(`${path}/one`, configMap("one", { a: "1" }));
    assert.deepEqual(accepted(reply, 200)["data"], { a: "1" });
  });

  proves("an update with another object's uid: 409", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    await bench.api.create(path, configMap("one"));
    const other = configMap("one", {}, { uid: "00000000-0000-0000-0000-000000000000" });
    const reply = await bench.api.update(`${path}/one`, other);
    assert.equal(reply.code, 409);
    assert.match(messageOf(reply), /UID in precondition/);
  });

  proves("an update under another name: 400", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    await bench.api.create(path, configMap("one"));
    const reply = await bench.api.update(`${path}/one`, configMap("two"));
    assert.equal(reply.code, 400);
    assert.match(messageOf(reply), /does not match the name on the URL/);
  });

  proves("an update of what is not there: 404", async (bench) => {
    const namespace = await bench.namespace();
    const reply = await bench.api.update(`${configMapsPath(namespace)}/one`, configMap("one"));
    assert.equal(reply.code, 404);
  });

  proves("an update cannot change a generation", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    const made = await bench.api.create(path, configMap("one"));
    const metadata = { ...metadataOf(made.body), generation: 7 };
    const body = { ...made.body, metadata, data: { a: "1" } };
    const object = accepted(await bench.api.update(`${path}/one`, body), 200);
    assert.notEqual(at(object, "metadata", "generation"), 7);
  });

  proves("an update cannot begin a deletion: 422", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    const made = await bench.api.create(path, configMap("one"));
    const metadata = { ...metadataOf(made.body), deletionTimestamp: "2020-01-01T00:00:00Z" };
    const reply = await bench.api.update(`${path}/one`, { ...made.body, metadata });
    assert.deepEqual(refusalOf(reply), {
      code: 422,
      reason: "Invalid",
      // Once by the rules of every kind, once more by the kind's own.
      fields: ["metadata.deletionTimestamp", "metadata.deletionTimestamp"],
    });
    assert.match(messageOf(reply), /field is immutable/);
  });

  proves("defaults are filled in", async (bench) => {
    const namespace = await bench.namespace();
    const reply = await bench.api.create(deploymentsPath(namespace), deployment("web"));
    const spec = mapAt(accepted(reply, 201), "spec");
    assert.deepEqual(without(spec, "selector", "template"), {
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: {
        type: "RollingUpdate",
        rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" },
      },
    });
    assert.deepEqual(mapAt(spec, "template", "spec"), {
      containers: [
        {
          name: "app",
          image: "registry.example.com/app:1",
          imagePullPolicy: "IfNotPresent",
          resources: {},
          terminationMessagePath: "/dev/termination-log",
          terminationMessagePolicy: "File",
        },
      ],
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      dnsPolicy: "ClusterFirst",
      securityContext: {},
      schedulerName: "default-scheduler",
    });
  });

  proves("an image without a tag is always pulled", async (bench) => {
    const namespace = await bench.namespace();
    const pod = { containers: [{ name: "app", image: "app" }] };
    const reply = await bench.api.create(deploymentsPath(namespace), deployment("web", {}, pod));
    const [first] = at(accepted(reply, 201), "spec", "template", "spec", "containers") as [never];
    assert.equal(textAt(first, "imagePullPolicy"), "Always");
  });

  proves("a Service gets an address and its ports' defaults", async (bench) => {
    const namespace = await bench.namespace();
    const object = accepted(await bench.api.create(servicesPath(namespace), service("web")), 201);
    assert.match(textAt(object, "spec", "clusterIP"), /^\d+\.\d+\.\d+\.\d+$/);
    assert.deepEqual(at(object, "spec", "ports"), [{ port: 80, protocol: "TCP", targetPort: 80 }]);
    assert.deepEqual(
      [at(object, "spec", "type"), at(object, "spec", "sessionAffinity")],
      ["ClusterIP", "None"],
    );
  });

  proves("an update without a Service's address keeps it", async (bench) => {
    const namespace = await bench.namespace();
    const path = servicesPath(namespace);
    const made = await bench.api.create(path, service("web"));
    const body = service("web", { ports: [{ port: 81 }] });
    const object = accepted(await bench.api.update(`${path}/web`, body), 200);
    assert.equal(textAt(object, "spec", "clusterIP"), textAt(made.body, "spec", "clusterIP"));
  });

  proves("a Secret's stringData ends up encoded in data", async (bench) => {
    const namespace = await bench.namespace();
    const path = `/api/v1/namespaces/${namespace}/secrets`;
    const body = { metadata: { name: "one" }, stringData: { key: "value" } };
    const object = accepted(await bench.api.create(path, body), 201);
    assert.deepEqual(object["data"], { key: Buffer.from("value").toString("base64") });
    assert.deepEqual([object["type"], object["stringData"]], ["Opaque", undefined]);
  });

  proves("quantities are rewritten in their shortest form", async (bench) => {
    const namespace = await bench.namespace();
    const resources = {
      requests: { cpu: "0.5", memory: "1024Mi" },
      limits: { cpu: "2000m", memory: 1073741824 },
    };
    const pod = { containers: [{ name: "app", image: "app:1", resources }] };
    const reply = await bench.api.create(deploymentsPath(namespace), deployment("web", {}, pod));
    const [first] = at(accepted(reply, 201), "spec", "template", "spec", "containers") as [never];
    assert.deepEqual(mapAt(first, "resources"), {
      requests: { cpu: "500m", memory: "1Gi" },
      limits: { cpu: "2", memory: "1073741824" },
    });
  });

  proves("a namespace is labelled with its name and starts active", async (bench) => {
    const name = await bench.namespace();
    const object = accepted(await bench.api.get(`/api/v1/namespaces/${name}`), 200);
    assert.equal(at(object, "metadata", "labels", "kubernetes.io/metadata.name"), name);
    assert.deepEqual(at(object, "spec", "finalizers"), ["kubernetes"]);
    assert.equal(textAt(object, "status", "phase"), "Active");
  });

  proves("metadata alone can be asked for", async (bench) => {
    const namespace = await bench.namespace();
    const path = configMapsPath(namespace);
    await bench.api.create(path, configMap("one", { a: "1" }));
    const accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    const reply = await bench.api.send("GET", `${path}/one`, undefined, { headers: { accept } });
    const object = accepted(reply, 200);
    assert.deepEqual(
      [object["kind"], object["apiVersion"], object["data"]],
      ["PartialObjectMetadata", "meta.k8s.io/v1", undefined],
    );
    assert.equal(textAt(object, "metadata", "name"), "one");
  });

  proves("a method that a resource does not know: 405", async (bench) => {
    const namespace = await bench.namespace();
    const reply = await bench.api.send(
      "POST",
      `${configMapsPath(namespace)}/one`,
      configMap("one"),
    );
    assert.equal(reply.code, 405);
  });

  proves("a body beyond three megabytes: 413", async (bench) => {
    const namespace = await bench.namespace();
    const body = configMap("big", { a: "x".repeat(3_200_000) });
    const reply = await bench.api.create(configMapsPath(namespace), body);
    assert.equal(reply.code, 413);
  });
}
