import assert from "node:assert/strict";
import { mapAt, mapsAt, textAt, type JsonMap } from "../../../support/cluster/json.ts";
import { accepted, container, deployment, messageOf, refusalOf, type Cases } from "../bench.ts";
import { containersOf, deploymentPlace, names, withContainers } from "./place.ts";

/** How lists of several appliers are merged. */
export function listCases({ proves }: Cases): void {
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
