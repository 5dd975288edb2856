import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { makeObjectKey } from "../../../proto/words/object-key.ts";
import {
  applyOrder,
  pruneOrder,
  removalSteps,
  type Orderable,
} from "../../../spoke/domain/order.ts";

const object = (
  kind: string,
  {
    group = "",
    namespace = "",
    name = "a",
    syncWave = 0,
    defines = undefined as Orderable["defines"],
  } = {},
): Orderable => ({ key: makeObjectKey({ group, kind, namespace, name }), syncWave, defines });

const lines = (objects: readonly Orderable[]): readonly string[] =>
  applyOrder(objects).flatMap(({ syncWave, groups }) =>
    groups.flatMap((group) => group.objects.map(({ key }) => `${syncWave} ${key}`)),
  );

suite("applyOrder", () => {
  test("goes by kind: definitions and namespaces first, what can stop everything last", () => {
    const shuffled = [
      object("ValidatingWebhookConfiguration", { group: "admissionregistration.k8s.io" }),
      object("Widget", { group: "example.com" }),
      object("Ingress", { group: "networking.k8s.io" }),
      object("Deployment", { group: "apps" }),
      object("APIService", { group: "apiregistration.k8s.io" }),
      object("Service"),
      object("Secret"),
      object("ConfigMap"),
      object("Namespace"),
      object("StorageClass", { group: "storage.k8s.io" }),
      object("FancyClass", { group: "example.com" }),
      object("CustomResourceDefinition", { group: "apiextensions.k8s.io" }),
    ];
    assert.deepEqual(lines(shuffled), [
      "0 apiextensions.k8s.io/CustomResourceDefinition//a",
      "0 /Namespace//a",
      "0 storage.k8s.io/StorageClass//a",
      "0 example.com/FancyClass//a",
      "0 /ConfigMap//a",
      "0 /Secret//a",
      "0 /Service//a",
      "0 apps/Deployment//a",
      "0 networking.k8s.io/Ingress//a",
      "0 example.com/Widget//a",
      "0 apiregistration.k8s.io/APIService//a",
      "0 admissionregistration.k8s.io/ValidatingWebhookConfiguration//a",
    ]);
  });

  test("a custom resource that borrows a built-in name does not borrow its place", () => {
    const objects = [
      object("Service", { group: "serving.knative.dev" }),
      object("Deployment", { group: "apps" }),
    ];
    assert.deepEqual(lines(objects), ["0 apps/Deployment//a", "0 serving.knative.dev/Service//a"]);
  });

  test("goes by wave before kind, and by namespace and name after it", () => {
    const objects = [
      object("ConfigMap", { syncWave: 1 }),
      object("Deployment", { group: "apps", syncWave: -1 }),
      object("Secret", { namespace: "b", name: "a" }),
      object("Secret", { namespace: "a", name: "b" }),
      object("Secret", { namespace: "a", name: "a" }),
    ];
    assert.deepEqual(lines(objects), [
      "-1 apps/Deployment//a",
      "0 /Secret/a/a",
      "0 /Secret/a/b",
      "0 /Secret/b/a",
      "1 /ConfigMap//a",
    ]);
  });

  test("a namespace and a definition come no later than the first who needs them", () => {
    const objects = [
      object("Namespace", { name: "shop", syncWave: 3 }),
      object("CustomResourceDefinition", {
        group: "apiextensions.k8s.io",
        syncWave: 5,
        defines: { group: "example.com", kind: "Widget" },
      }),
      object("Widget", { group: "example.com", namespace: "shop", syncWave: 1 }),
      object("ConfigMap", { namespace: "other" }),
    ];
    assert.deepEqual(lines(objects), [
      "0 /ConfigMap/other/a",
      "1 apiextensions.k8s.io/CustomResourceDefinition//a",
      "1 /Namespace//shop",
      "1 example.com/Widget/shop/a",
    ]);
  });

  const someObjects = fc.uniqueArray(
    fc
      .record({
        kind: fc.constantFrom("Namespace", "ConfigMap", "Deployment", "Widget", "Service"),
        namespace: fc.constantFrom("", "a", "b"),
        name: fc.constantFrom("x", "y", "z"),
        syncWave: fc.integer({ min: -2, max: 2 }),
      })
      .map(({ kind, ...rest }) => object(kind, rest)),
    { selector: ({ key }) => key },
  );

  test("neither loses nor repeats anything, whatever the order it comes in", () => {
    const law = fc.property(someObjects, (objects) => {
      assert.deepEqual(lines(objects), lines(objects.toReversed()));
      assert.equal(lines(objects).length, objects.length);
    });
    fc.assert(law, { numRuns: 300 });
  });

  test("pruning is the exact reverse", () => {
    const law = fc.property(someObjects, (objects) => {
      const pruned = pruneOrder(objects).flatMap(({ groups }) =>
        groups.flatMap((one) => one.objects),
      );
      const applied = applyOrder(objects).flatMap(({ groups }) =>
        groups.flatMap((one) => one.objects),
      );
      assert.deepEqual(pruned, applied.toReversed());
    });
    fc.assert(law, { numRuns: 300 });
  });
});

test("removalSteps ends with the namespaces, whatever their wave", () => {
  const objects = [
    object("Namespace", { name: "shop", syncWave: 4 }),
    object("ConfigMap", { namespace: "x", syncWave: 0 }),
    object("Deployment", { group: "apps", namespace: "x", syncWave: 0 }),
    object("Service", { namespace: "x", syncWave: 2 }),
  ];
  assert.deepEqual(
    removalSteps(objects).map((step) => step.map(({ key }) => key)),
    [["/Service/x/a"], ["apps/Deployment/x/a", "/ConfigMap/x/a"], ["/Namespace//shop"]],
  );
});
