import assert from "node:assert/strict";
import { at, mapsAt } from "../../../support/cluster/json.ts";
import {
  accepted,
  claimOf,
  configMap,
  container,
  deployment,
  metadataOf,
  type Cases,
} from "../bench.ts";
import { configMapPlace, containersOf, deploymentPlace, withContainers } from "./place.ts";

/** Values that say nothing. */
export function silentValueCases({ proves }: Cases): void {
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
