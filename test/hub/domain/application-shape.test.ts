import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { inApplicationShape } from "../../../hub/domain/application-shape.ts";
import { isObject, readDocument } from "../../../hub/domain/document.ts";

/** The spec of an Application as it is written, without what every one has. */
function shaped(spec: object): unknown {
  const read = readDocument({ metadata: { name: "web" }, spec });
  assert.ok(read.ok && isObject(read.value));
  const document = JSON.parse(JSON.stringify(inApplicationShape(read.value))) as {
    spec: { project?: string; destination?: object };
  };
  const { project, destination, ...rest } = document.spec;
  assert.deepEqual([project, destination], ["", {}]);
  return rest;
}

const source = (fields: object) => ({ source: { repoURL: "r", ...fields } });

suite("the shape of an Application", () => {
  const rows: readonly (readonly [says: string, given: object, expected: object])[] = [
    [
      "a hydrator has both its sources",
      { sourceHydrator: { hydrateTo: {} } },
      {
        sourceHydrator: {
          drySource: { repoURL: "", targetRevision: "", path: "" },
          syncSource: { targetBranch: "", path: "" },
          hydrateTo: { targetBranch: "" },
        },
      },
    ],
    [
      "a hydrator's dry source is shaped like a source",
      {
        sourceHydrator: {
          drySource: {
            repoURL: "a",
            helm: { values: "", parameters: [] },
            kustomize: { namePrefix: "" },
            plugin: { env: [{}] },
          },
          syncSource: { targetBranch: "b", path: "p", repoURL: "" },
        },
      },
      {
        sourceHydrator: {
          drySource: {
            repoURL: "a",
            targetRevision: "",
            path: "",
            helm: {},
            kustomize: {},
            plugin: { env: [{ name: "", value: "" }] },
          },
          syncSource: { targetBranch: "b", path: "p" },
        },
      },
    ],
    [
      "a plugin's variables have name and value, unless they are null",
      source({ plugin: { name: "", env: [{ name: "a" }, { value: "b" }, null] } }),
      source({ plugin: { env: [{ name: "a", value: "" }, { name: "", value: "b" }, null] } }),
    ],
    [
      "a plugin's parameters have a name, and what they hold though it is empty",
      source({
        plugin: {
          env: [],
          parameters: [{ string: "" }, { map: {} }, { array: [] }, { map: null, array: null }],
        },
      }),
      source({
        plugin: {
          parameters: [
            { name: "", string: "" },
            { name: "", map: {} },
            { name: "", array: [] },
            { name: "", map: {}, array: [] },
          ],
        },
      }),
    ],
    [
      "Kustomize's replicas have name and count",
      source({ kustomize: { replicas: [{}, { name: "a", count: "3" }] } }),
      source({
        kustomize: {
          replicas: [
            { name: "", count: 0 },
            { name: "a", count: "3" },
          ],
        },
      }),
    ],
    [
      "Kustomize's patches have nothing empty",
      source({
        kustomize: {
          patches: [{ path: "", patch: "x", target: { kind: "", name: "y" }, options: {} }],
        },
      }),
      source({ kustomize: { patches: [{ patch: "x", target: { name: "y" } }] } }),
    ],
    [
      "no retries are left out, a factor of nothing is not",
      { syncPolicy: { retry: { limit: 0, backoff: { duration: "", factor: 0 } } } },
      { syncPolicy: { retry: { backoff: { factor: 0 } } } },
    ],
    ["a history of none stays", { revisionHistoryLimit: 0 }, { revisionHistoryLimit: 0 }],
    [
      "false stays where it is not the same as nothing",
      { syncPolicy: { automated: { prune: false, enabled: null } } },
      { syncPolicy: { automated: { prune: false } } },
    ],
    [
      "what is of a wrong type stays though it is empty of its own",
      source({ path: false, targetRevision: 0, helm: { skipCrds: "", passCredentials: 0 } }),
      source({ path: false, targetRevision: 0, helm: { skipCrds: "", passCredentials: 0 } }),
    ],
    [
      "a number of a wrong type stays",
      { syncPolicy: { retry: { limit: "", refresh: 0 } } },
      { syncPolicy: { retry: { limit: "", refresh: 0 } } },
    ],
    ["an unknown field stays", { unknown: "" }, { unknown: "" }],
    ["what is no mapping stays", { source: "r" }, { source: "r" }],
  ];
  for (const [says, given, expected] of rows)
    test(says, () => assert.deepEqual(shaped(given), expected));

  test("what has it is given back as it is", () => {
    const read = readDocument({
      metadata: { name: "web" },
      spec: { project: "p", destination: {}, info: [{ name: "a", value: "" }] },
    });
    assert.ok(read.ok && isObject(read.value));
    assert.equal(inApplicationShape(read.value), read.value);
  });
});
