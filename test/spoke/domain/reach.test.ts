import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { makeObjectKey } from "../../../proto/words/object-key.ts";
import { isWithinReach, reachOf } from "../../../spoke/domain/reach.ts";

suite("reach", () => {
  const inShop = makeObjectKey({ group: "", kind: "ConfigMap", namespace: "shop", name: "a" });
  const nowhere = makeObjectKey({ group: "", kind: "Namespace", namespace: "", name: "shop" });

  const rows = [
    { name: "without namespaces everything is within", namespaces: [], key: nowhere, expect: true },
    { name: "a namespace that was given", namespaces: ["blog", "shop"], key: inShop, expect: true },
    { name: "a namespace that was not", namespaces: ["blog"], key: inShop, expect: false },
    { name: "what lives in none", namespaces: ["shop"], key: nowhere, expect: false },
  ];
  for (const { name, namespaces, key, expect } of rows)
    test(name, () => assert.equal(isWithinReach(key, reachOf(namespaces)), expect));
});
