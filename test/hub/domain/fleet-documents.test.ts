import assert from "node:assert/strict";
import test, { suite } from "node:test";
import {
  readFleetDocuments,
  removedOrigins,
  type FleetDocument,
} from "../../../hub/domain/fleet-documents.ts";
import { problem } from "../../../hub/domain/problem.ts";
import type { Origin } from "../../../hub/domain/origin.ts";

const argo = (kind: string, name: string | undefined, spec: unknown = {}): unknown => ({
  apiVersion: "argoproj.io/v1alpha1",
  kind,
  metadata: name === undefined ? {} : { name },
  spec,
});

const set = (name: string | undefined): unknown =>
  argo("ApplicationSet", name, {
    generators: [{ list: {} }],
    template: { metadata: { name: "x" } },
  });

const inFile = (file: string, ...values: readonly unknown[]): readonly FleetDocument[] =>
  values.map((value, index) => ({ kind: "read", file, number: index + 1, value }));

const known: readonly Origin[] = [
  { kind: "application-set", name: "web" },
  { kind: "application", name: "web" },
];

suite("readFleetDocuments", () => {
  test("sorts documents by what they are, and notes the rest", () => {
    const fleet = readFleetDocuments(
      inFile(
        "fleet/all.yaml",
        set("web"),
        argo("Application", "plain"),
        argo("AppProject", "team"),
        { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } },
        argo("Workflow", "w"),
        null,
        "hello",
      ),
    );
    assert.deepEqual(
      fleet.sets.map(({ name, file, set: read }) => [name, file, read.ok]),
      [["web", "fleet/all.yaml", true]],
    );
    assert.deepEqual(
      fleet.applications.map(({ application }) => application.name),
      ["plain"],
    );
    assert.deepEqual([...fleet.projects.keys()].toSorted(), ["default", "team"]);
    assert.deepEqual(fleet.problems, []);
    assert.deepEqual(fleet.notes, [
      'fleet/all.yaml (document 4) is a "ConfigMap" of "v1"; ignored',
      'fleet/all.yaml (document 5) is a "Workflow" of argoproj.io/v1alpha1; ignored',
      'fleet/all.yaml (document 7) is "hello", not a Kubernetes object; ignored',
    ]);
  });

  test("takes lists apart", () => {
    const fleet = readFleetDocuments(
      inFile("l.yaml", { apiVersion: "v1", kind: "List", items: [set("a"), set("b")] }),
    );
    assert.deepEqual(
      fleet.sets.map(({ name }) => name),
      ["a", "b"],
    );
  });

  test("a name defined twice is a problem of that name, with both files", () => {
    const fleet = readFleetDocuments([
      ...inFile("a.yaml", set("web"), argo("Application", "web"), argo("AppProject", "team")),
      ...inFile("b.yaml", set("web"), argo("Application", "web"), argo("AppProject", "team")),
    ]);
    const [found] = fleet.sets;
    assert.ok(found && !found.set.ok);
    assert.equal(
      found.set.problem.message,
      "ApplicationSet web is defined 2 times: a.yaml, b.yaml",
    );
    assert.equal(fleet.applications[0]?.application.problem?.code, "WH-GEN-3111");
    assert.equal(fleet.projects.has("team"), false);
    assert.equal(fleet.problems[0]?.problem.code, "WH-GEN-3111");
  });

  test("a set that cannot be read is still there", () => {
    const fleet = readFleetDocuments(
      inFile(
        "a.yaml",
        argo("ApplicationSet", "web", { generators: [{ nosuch: {} }], template: {} }),
      ),
    );
    const [found] = fleet.sets;
    assert.ok(found && !found.set.ok);
    assert.equal(
      found.set.problem.message,
      "ApplicationSet web contains unrecognized generators: nosuch",
    );
    assert.deepEqual(removedOrigins(known, fleet), [{ kind: "application", name: "web" }]);
  });
});

suite("removedOrigins", () => {
  test("names what is gone", () =>
    assert.deepEqual(removedOrigins(known, readFleetDocuments([])), known));

  const unreadable: readonly (readonly [name: string, documents: readonly FleetDocument[]])[] = [
    [
      "a file that cannot be read",
      [{ kind: "unreadable", file: "a.yaml", problem: problem("WH-YAML-3301", "no") }],
    ],
    ["a set without a name", inFile("a.yaml", set(undefined))],
    ["an application without a name", inFile("a.yaml", argo("Application", undefined))],
    ["a project that is malformed", inFile("a.yaml", argo("AppProject", "x", { sourceRepos: 1 }))],
    ["a document JSON cannot hold", inFile("a.yaml", { a: Number.NaN })],
  ];
  for (const [name, documents] of unreadable) {
    test(`takes nothing for gone beside ${name}`, () => {
      const fleet = readFleetDocuments(documents);
      assert.equal(fleet.problems.length, 1);
      assert.deepEqual(removedOrigins(known, fleet), []);
    });
  }
});
