import { mapsAt, textAt, type JsonMap } from "../../../support/cluster/json.ts";
import { configMap, configMapsPath, deployment, deploymentsPath, type Bench } from "../bench.ts";

/** Where one object is applied again and again. */
export type Place = {
  readonly apply: (
    manager: string,
    object: JsonMap,
    query?: { readonly [name: string]: string },
  ) => ReturnType<Bench["api"]["apply"]>;
  readonly path: string;
  readonly bench: Bench;
};

export async function configMapPlace(bench: Bench): Promise<Place> {
  const path = `${configMapsPath(await bench.namespace())}/one`;
  return {
    path,
    bench,
    apply: (manager, object, query) => bench.api.apply(manager, path, object, query),
  };
}

export async function deploymentPlace(bench: Bench): Promise<Place> {
  const path = `${deploymentsPath(await bench.namespace())}/web`;
  return {
    path,
    bench,
    apply: (manager, object, query) => bench.api.apply(manager, path, object, query),
  };
}

export const data = (values: JsonMap): JsonMap => configMap("one", values);

export const withContainers = (...containers: readonly JsonMap[]): JsonMap =>
  deployment("web", {}, { containers });

export const containersOf = (object: JsonMap): readonly JsonMap[] =>
  mapsAt(object, "spec", "template", "spec", "containers");

export const names = (items: readonly JsonMap[]): readonly string[] =>
  items.map((item) => textAt(item, "name"));
