import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { parseApplicationSet } from "../../../../hub/domain/application-set.ts";
import { askedRequeueMs } from "../../../../hub/domain/generators/index.ts";
import type { Json } from "../../../../proto/words/digest.ts";

const git = (more: Readonly<Record<string, Json>> = {}): Json => ({
  git: { repoURL: "r", revision: "HEAD", directories: [{ path: "*" }], ...more },
});

suite("how soon a set asks to be looked at again", () => {
  const rows: readonly {
    readonly name: string;
    readonly generators: readonly Json[];
    readonly expect: number | undefined;
  }[] = [
    {
      name: "lists and clusters do not ask",
      generators: [{ list: { elements: [] } }, { clusters: {} }],
      expect: undefined,
    },
    { name: "who says nothing does not ask", generators: [git()], expect: undefined },
    { name: "0 is not asked", generators: [git({ requeueAfterSeconds: 0 })], expect: undefined },
    {
      name: "seconds become milliseconds",
      generators: [git({ requeueAfterSeconds: 20 })],
      expect: 20_000,
    },
    {
      name: "of several the soonest counts",
      generators: [
        git({ requeueAfterSeconds: 60 }),
        git({ requeueAfterSeconds: 0 }),
        git({ requeueAfterSeconds: 15 }),
      ],
      expect: 15_000,
    },
    {
      name: "children of a matrix or merge count like others",
      generators: [
        { matrix: { generators: [git({ requeueAfterSeconds: 40 }), { clusters: {} }] } },
        { merge: { mergeKeys: ["path"], generators: [git({ requeueAfterSeconds: 30 }), git()] } },
      ],
      expect: 30_000,
    },
  ];
  for (const { name, generators, expect } of rows)
    test(name, () => {
      const set = parseApplicationSet({
        apiVersion: "argoproj.io/v1alpha1",
        kind: "ApplicationSet",
        metadata: { name: "web" },
        spec: { generators, template: { metadata: { name: "web" }, spec: {} } },
      });
      assert.ok(set.ok);
      assert.equal(askedRequeueMs(set.value.generators), expect);
    });
});
