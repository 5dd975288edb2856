import assert from "node:assert/strict";
import { eventually } from "../../support/eventually.ts";
import { at, listAt, mapsAt, textAt, type JsonMap } from "../../support/cluster/json.ts";
import {
  accepted,
  conditionStatus,
  configMap,
  configMapsPath,
  deployment,
  deploymentsPath,
  messageOf,
  metadataOf,
  refusalOf,
  uidOf,
  versionOf,
  type Bench,
  type Cases,
} from "./bench.ts";

const hold = "example.com/hold";

async function made(
  bench: Bench,
  metadata: JsonMap = {},
): Promise<{
  readonly path: string;
  readonly uid: string;
  readonly version: string;
}> {
  const path = configMapsPath(await bench.namespace());
  const reply = await bench.api.create(path, configMap("one", {}, metadata));
  accepted(reply, 201);
  return { path: `${path}/one`, uid: uidOf(reply), version: versionOf(reply) };
}

const release = (bench: Bench, path: string) =>
  bench.api.patch("merge", path, { metadata: { finalizers: null } });

const gone = (bench: Bench, path: string) =>
  eventually(
    async () => {
      const reply = await bench.api.get(path);
      assert.equal(reply.code, 404, reply.text);
    },
    { withinMs: 60_000, what: `${path} being gone` },
  );

type Owned = { readonly owner: string; readonly child: string };

/** A ConfigMap that owns another. */
async function family(bench: Bench, reference: JsonMap = {}): Promise<Owned> {
  const { path, uid } = await made(bench);
  const child = path.replace(/one$/, "child");
  const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "one", uid, ...reference }];
  const collection = path.replace(/\/one$/, "");
  accepted(await bench.api.create(collection, configMap("child", {}, { ownerReferences })), 201);
  return { owner: path, child };
}

export function deletionCases(cases: Cases): void {
  plain(cases);
  finalizers(cases);
  propagation(cases);
  namespaces(cases);
}

function plain({ proves }: Cases): void {
  proves("a deletion answers with a Status that names what went", async (bench) => {
    const { path, uid } = await made(bench);
    const reply = await bench.api.delete(path);
    const status = accepted(reply, 200);
    assert.deepEqual([status["kind"], status["status"]], ["Status", "Success"]);
    assert.deepEqual(status["details"], { name: "one", kind: "configmaps", uid });
    assert.equal((await bench.api.get(path)).code, 404);
  });

  proves("deleting what is not there: 404", async (bench) => {
    const { path } = await made(bench);
    await bench.api.delete(path);
    assert.equal((await bench.api.delete(path)).code, 404);
  });

  proves("a uid that is another's: 409, and the object stays", async (bench) => {
    const { path } = await made(bench);
    const uid = "00000000-0000-0000-0000-000000000000";
    const reply = await bench.api.delete(path, { preconditions: { uid } });
    assert.deepEqual(refusalOf(reply), { code: 409, reason: "Conflict", fields: [] });
    assert.match(
      messageOf(reply),
      /^Operation cannot be fulfilled on ConfigMap "one": the UID in the precondition \(0+-.*\) does not match the UID in record \(.*\)\. The object might have been deleted and then recreated$/,
    );
    assert.equal(textAt(reply.body, "details", "kind"), "ConfigMap");
    assert.equal((await bench.api.get(path)).code, 200);
  });

  proves("a uid that fits is deleted", async (bench) => {
    const { path, uid } = await made(bench);
    accepted(await bench.api.delete(path, { preconditions: { uid } }), 200);
    assert.equal((await bench.api.get(path)).code, 404);
  });

  proves("an old version as precondition: 409", async (bench) => {
    const { path, version } = await made(bench);
    await bench.api.patch("merge", path, { data: { a: "1" } });
    const preconditions = { resourceVersion: version };
    const reply = await bench.api.delete(path, { preconditions });
    assert.equal(reply.code, 409);
    assert.match(
      messageOf(reply),
      /the ResourceVersion in the precondition \(\d+\) does not match the ResourceVersion in record \(\d+\)\. The object might have been modified$/,
    );
  });

  proves("a dry run deletes nothing", async (bench) => {
    const { path } = await made(bench);
    accepted(await bench.api.delete(path, { dryRun: ["All"] }), 200);
    assert.equal((await bench.api.get(path)).code, 200);
  });

  proves("an unknown propagation policy: 422", async (bench) => {
    const { path } = await made(bench);
    const reply = await bench.api.delete(path, { propagationPolicy: "Sideways" });
    assert.equal(reply.code, 422);
  });

  proves("a name that comes back has another uid", async (bench) => {
    const { path, uid } = await made(bench);
    await bench.api.delete(path);
    const again = await bench.api.create(path.replace(/\/one$/, ""), configMap("one"));
    assert.notEqual(uidOf(again), uid);
  });
}

function finalizers({ proves }: Cases): void {
  proves("an object with finalizers is marked and stays", async (bench) => {
    const { path } = await made(bench, { finalizers: [hold] });
    const reply = await bench.api.delete(path);
    const object = accepted(reply, 200);
    assert.equal(object["kind"], "ConfigMap");
    assert.match(textAt(object, "metadata", "deletionTimestamp"), /Z$/);
    assert.equal((await bench.api.get(path)).code, 200);
    await release(bench, path);
  });

  proves("it goes with its last finalizer", async (bench) => {
    const { path } = await made(bench, { finalizers: [hold, "example.com/other"] });
    await bench.api.delete(path);
    await bench.api.patch("merge", path, { metadata: { finalizers: [hold] } });
    assert.equal((await bench.api.get(path)).code, 200);
    accepted(await release(bench, path), 200);
    assert.equal((await bench.api.get(path)).code, 404);
  });

  proves("a second deletion changes nothing", async (bench) => {
    const { path } = await made(bench, { finalizers: [hold] });
    const first = await bench.api.delete(path);
    const second = await bench.api.delete(path);
    assert.equal(versionOf(second), versionOf(first));
    await release(bench, path);
  });

  proves("an object on its way out takes no new finalizer: 422", async (bench) => {
    const { path } = await made(bench, { finalizers: [hold] });
    await bench.api.delete(path);
    const patch = { metadata: { finalizers: [hold, "example.com/late"] } };
    const reply = await bench.api.patch("merge", path, patch);
    assert.deepEqual(refusalOf(reply), {
      code: 422,
      reason: "Invalid",
      fields: ["metadata.finalizers", "metadata.finalizers"],
    });
    await release(bench, path);
  });

  proves("an object on its way out can still be changed", async (bench) => {
    const { path } = await made(bench, { finalizers: [hold] });
    await bench.api.delete(path);
    const object = accepted(await bench.api.patch("merge", path, { data: { a: "1" } }), 200);
    assert.deepEqual(object["data"], { a: "1" });
    await release(bench, path);
  });

  proves("its name is taken until it is gone: 409", async (bench) => {
    const { path } = await made(bench, { finalizers: [hold] });
    await bench.api.delete(path);
    const reply = await bench.api.create(path.replace(/\/one$/, ""), configMap("one"));
    assert.equal(refusalOf(reply).reason, "AlreadyExists");
    assert.equal(messageOf(reply), 'object is being deleted: configmaps "one" already exists');
    await release(bench, path);
  });
}

function propagation({ proves, provesWithControllers }: Cases): void {
  provesWithControllers("background: the owner goes at once, dependents follow", async (bench) => {
    const { owner, child } = await family(bench);
    await bench.api.delete(owner, { propagationPolicy: "Background" });
    assert.equal((await bench.api.get(owner)).code, 404);
    await gone(bench, child);
  });

  provesWithControllers(
    "foreground: the owner waits for dependents that block it",
    async (bench) => {
      const { owner, child } = await family(bench, { blockOwnerDeletion: true });
      await bench.api.patch("merge", child, { metadata: { finalizers: [hold] } });
      const reply = await bench.api.delete(owner, { propagationPolicy: "Foreground" });
      assert.deepEqual(metadataOf(accepted(reply, 200))["finalizers"], ["foregroundDeletion"]);
      await bench.until(child, (found) => {
        assert.ok(at(found, "metadata", "deletionTimestamp") !== undefined);
      });
      assert.equal((await bench.api.get(owner)).code, 200);
      await release(bench, child);
      await gone(bench, owner);
    },
  );

  provesWithControllers(
    "foreground: dependents that do not block are not waited for",
    async (bench) => {
      const { owner, child } = await family(bench);
      await bench.api.patch("merge", child, { metadata: { finalizers: [hold] } });
      await bench.api.delete(owner, { propagationPolicy: "Foreground" });
      await gone(bench, owner);
      await release(bench, child);
      await gone(bench, child);
    },
  );

  provesWithControllers("orphan: dependents stay and forget their owner", async (bench) => {
    const { owner, child } = await family(bench);
    await bench.api.delete(owner, { propagationPolicy: "Orphan" });
    await gone(bench, owner);
    const left = accepted(await bench.api.get(child), 200);
    assert.equal(metadataOf(left)["ownerReferences"], undefined);
    assert.equal(metadataOf(left)["deletionTimestamp"], undefined);
  });

  provesWithControllers("an object whose owner never was is collected", async (bench) => {
    const path = configMapsPath(await bench.namespace());
    const uid = "00000000-0000-0000-0000-000000000000";
    const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "never", uid }];
    accepted(await bench.api.create(path, configMap("lost", {}, { ownerReferences })), 201);
    await gone(bench, `${path}/lost`);
  });

  provesWithControllers(
    "an object with one of two owners left stays, and forgets the other",
    async (bench) => {
      const { path, uid } = await made(bench);
      const collection = path.replace(/\/one$/, "");
      const second = await bench.api.create(collection, configMap("two"));
      const reference = (name: string, of: string): JsonMap => ({
        apiVersion: "v1",
        kind: "ConfigMap",
        name,
        uid: of,
      });
      const ownerReferences = [reference("one", uid), reference("two", uidOf(second))];
      accepted(
        await bench.api.create(collection, configMap("child", {}, { ownerReferences })),
        201,
      );
      await bench.api.delete(path);
      await bench.until(`${collection}/child`, (found) => {
        assert.deepEqual(
          mapsAt(found, "metadata", "ownerReferences").map((one) => textAt(one, "name")),
          ["two"],
        );
      });
    },
  );

  provesWithControllers("a Deployment takes its ReplicaSets and pods along", async (bench) => {
    const namespace = await bench.namespace();
    const path = `${deploymentsPath(namespace)}/web`;
    const sets = `/apis/apps/v1/namespaces/${namespace}/replicasets`;
    accepted(await bench.api.apply("a", path, deployment("web", { replicas: 1 })), 201);
    await bench.until(sets, (list) => assert.equal(listAt(list, "items").length, 1));
    await bench.api.delete(path, { propagationPolicy: "Foreground" });
    await gone(bench, path);
    const left = accepted(await bench.api.get(sets), 200);
    assert.deepEqual(left["items"], []);
  });

  provesWithControllers("a claim is protected, and goes when nothing mounts it", async (bench) => {
    const namespace = await bench.namespace();
    const path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
    const made = await bench.api.create(path, {
      metadata: { name: "data" },
      spec: {
        storageClassName: "none",
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: "1Gi" } },
      },
    });
    assert.deepEqual(metadataOf(accepted(made, 201))["finalizers"], [
      "kubernetes.io/pvc-protection",
    ]);
    accepted(await bench.api.delete(`${path}/data`), 200);
    await gone(bench, `${path}/data`);
  });

  proves("a deletion that has to wait counts as a generation", async (bench) => {
    const namespace = await bench.namespace();
    const path = `${deploymentsPath(namespace)}/web`;
    const body = deployment("web", { replicas: 0 });
    const held = { ...body, metadata: { name: "web", finalizers: [hold] } };
    accepted(await bench.api.create(deploymentsPath(namespace), held), 201);
    const object = accepted(await bench.api.delete(path, { propagationPolicy: "Background" }), 200);
    assert.equal(at(object, "metadata", "generation"), 2);
    await release(bench, path);
  });
}

function namespaces({ proves, provesWithControllers }: Cases): void {
  proves("a namespace that is deleted is terminating", async (bench) => {
    const name = await bench.namespace();
    const held = configMap("held", {}, { finalizers: [hold] });
    await bench.api.create(configMapsPath(name), held);
    const object = accepted(await bench.api.delete(`/api/v1/namespaces/${name}`), 200);
    assert.equal(textAt(object, "status", "phase"), "Terminating");
    await release(bench, `${configMapsPath(name)}/held`);
  });

  proves("a terminating namespace takes nothing new: 403 with its cause", async (bench) => {
    const name = await bench.namespace();
    const path = configMapsPath(name);
    await bench.api.create(path, configMap("held", {}, { finalizers: [hold] }));
    await bench.api.delete(`/api/v1/namespaces/${name}`);
    const replies = [
      await bench.api.create(path, configMap("late")),
      await bench.api.apply("a", `${path}/late`, configMap("late")),
    ];
    for (const reply of replies) {
      assert.equal(reply.code, 403);
      assert.equal(
        messageOf(reply),
        `configmaps "late" is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
      );
      assert.deepEqual(at(reply.body, "details", "causes"), [
        {
          reason: "NamespaceTerminating",
          message: `namespace ${name} is being terminated`,
          field: "metadata.namespace",
        },
      ]);
    }
    await release(bench, `${path}/held`);
  });

  provesWithControllers("a namespace takes its content along", async (bench) => {
    const name = await bench.namespace();
    await bench.api.create(configMapsPath(name), configMap("one"));
    await bench.api.create(deploymentsPath(name), deployment("web"));
    await bench.api.delete(`/api/v1/namespaces/${name}`);
    await gone(bench, `/api/v1/namespaces/${name}`);
    const left = accepted(await bench.api.get(configMapsPath(name)), 200);
    assert.deepEqual(left["items"], []);
  });

  provesWithControllers("a namespace that cannot go says what holds it", async (bench) => {
    const name = await bench.namespace();
    const path = configMapsPath(name);
    await bench.api.create(path, configMap("held", {}, { finalizers: [hold] }));
    await bench.api.delete(`/api/v1/namespaces/${name}`);
    const found = await bench.until(`/api/v1/namespaces/${name}`, (object) => {
      assert.equal(conditionStatus(object, "NamespaceFinalizersRemaining"), "True");
      assert.equal(conditionStatus(object, "NamespaceContentRemaining"), "True");
    });
    const messages = mapsAt(found, "status", "conditions").map((one) => textAt(one, "message"));
    assert.ok(
      messages.includes("Some resources are remaining: configmaps. has 1 resource instances"),
    );
    assert.ok(
      messages.includes(
        "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
      ),
    );
    await release(bench, `${path}/held`);
    await gone(bench, `/api/v1/namespaces/${name}`);
  });

  proves(
    "a namespace's own finalizers are written through its finalize endpoint",
    async (bench) => {
      const path = `/api/v1/namespaces/${await bench.namespace()}`;
      const spec = { finalizers: ["kubernetes", hold] };
      const found = accepted(await bench.api.get(path), 200);
      const body = { ...found, spec };
      accepted(await bench.api.update(`${path}/finalize`, body), 200);
      const patched = await bench.api.patch("merge", path, { spec: { finalizers: [] } });
      assert.deepEqual(accepted(patched, 200)["spec"], spec);
      const before = accepted(await bench.api.get(path), 200);
      const back = { ...before, spec: { finalizers: ["kubernetes"] } };
      const object = accepted(await bench.api.update(`${path}/finalize`, back), 200);
      assert.deepEqual(at(object, "spec", "finalizers"), ["kubernetes"]);
    },
  );

  proves("the namespace default may not be deleted: 403", async ({ api }) => {
    const reply = await api.delete("/api/v1/namespaces/default");
    assert.deepEqual([reply.code, refusalOf(reply).reason], [403, "Forbidden"]);
    assert.match(messageOf(reply), /this namespace may not be deleted/);
  });

  provesWithControllers("a new namespace is furnished", async (bench) => {
    const name = await bench.namespace();
    await bench.until(`/api/v1/namespaces/${name}/serviceaccounts/default`, (_, reply) =>
      assert.equal(reply.code, 200),
    );
    const found = await bench.until(`${configMapsPath(name)}/kube-root-ca.crt`, (_, reply) =>
      assert.equal(reply.code, 200),
    );
    assert.match(textAt(found, "data", "ca.crt"), /BEGIN CERTIFICATE/);
  });
}
