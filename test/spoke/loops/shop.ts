import { afterEach } from "node:test";
import type { ObjectKey } from "../../../proto/words/object-key.ts";
import { keyOf, type FakeCluster } from "../../support/fake-cluster.ts";
import { spokeBench, type SpokeBench } from "../../support/spoke-bench.ts";
import { configMap, deployment, namespace, service } from "./manifests.ts";

/** The shop that the tests of the sync loop bring into a cluster, and its objects. */

export const web = keyOf("apps/v1", "Deployment", "shop", "web");
export const settings = keyOf("v1", "ConfigMap", "shop", "settings");
export const extra = keyOf("v1", "ConfigMap", "shop", "extra");

export const shopManifests = [
  namespace("shop"),
  deployment("web"),
  service("web"),
  configMap("settings"),
];

/** Somebody else's finalizers on an object, which then stays until they are taken away. */
export function setFinalizers(
  cluster: FakeCluster,
  key: ObjectKey,
  finalizers: readonly string[],
): void {
  cluster.edit(key, (object) => {
    object["metadata"] = { ...(object["metadata"] as object), finalizers };
  });
}

/** Benches that are stopped after each test of the suite that asks for them, whatever became of it. */
export function benchesOfSuite(): typeof spokeBench {
  const benches: SpokeBench[] = [];
  afterEach(async () => {
    await Promise.all(benches.splice(0).map((made) => made.stop()));
  });
  return (options) => {
    const made = spokeBench(options);
    benches.push(made);
    return made;
  };
}
