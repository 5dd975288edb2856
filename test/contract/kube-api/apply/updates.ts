import assert from "node:assert/strict";
import { at, mapsAt, type Json } from "../../../support/cluster/json.ts";
import {
  accepted,
  claimOf,
  configMapsPath,
  deployment,
  deploymentsPath,
  managersOf,
  metadataOf,
  refusalOf,
  rescaled,
  type Cases,
} from "../bench.ts";
import { configMapPlace, data, deploymentPlace } from "./place.ts";

/** What is recorded of those who do not apply, and what an apply may do to it. */
export function updateCases({ proves }: Cases): void {
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
