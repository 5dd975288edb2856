import { fakeCluster } from "../../support/fake-cluster.ts";
import { isTree, type Tree } from "../../support/field-sets.ts";
import { clusterApiContract } from "./suite.ts";

clusterApiContract("the fake cluster", async () => {
  const cluster = fakeCluster({ namespaces: ["shop"] });
  return {
    api: cluster.api,
    inventory: cluster.inventory,
    anotherInventory: () => cluster.inventory,
    hand: {
      create: async (object) => void cluster.put(object, "visitor"),
      edit: async (key, patch) =>
        void cluster.edit(key, (object) => merge(object, patch), "visitor"),
      remove: async (key) => cluster.delete(key),
    },
    loseWatchPlaces: async () => cluster.relistWatches(),
    [Symbol.asyncDispose]: async () => {},
  };
});

function merge(into: Tree, patch: { readonly [field: string]: unknown }): void {
  for (const [field, value] of Object.entries(patch)) {
    const there = into[field];
    if (value === null) delete into[field];
    else if (isTree(value) && isTree(there)) merge(there, value);
    else into[field] = structuredClone(value);
  }
}
