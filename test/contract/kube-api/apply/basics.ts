import assert from "node:assert/strict";
import { at, mapsAt, textAt } from "../../../support/cluster/json.ts";
import {
  accepted,
  claimOf,
  configMap,
  deployment,
  messageOf,
  refusalOf,
  type Cases,
} from "../bench.ts";
import { configMapPlace, data, deploymentPlace } from "./place.ts";

/** What an apply makes of an object, there or not. */
export function basicCases({ proves }: Cases): void {
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
