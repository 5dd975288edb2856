import assert from "node:assert/strict";
import { at } from "../../../support/cluster/json.ts";
import {
  accepted,
  claimOf,
  configMap,
  container,
  managersOf,
  messageOf,
  refusalOf,
  versionOf,
  type Cases,
} from "../bench.ts";
import { configMapPlace, data, deploymentPlace, withContainers } from "./place.ts";

/** What happens between two who want the same field. */
export function conflictCases({ proves }: Cases): void {
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
