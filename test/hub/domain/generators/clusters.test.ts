import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { made } from "./made.ts";

const secretType = "argocd.argoproj.io/secret-type";

suite("clusters", () => {
  const names = (selector: Parameters<typeof made>[1]): unknown => {
    const sets = made("clusters", { selector }, undefined);
    return typeof sets === "string"
      ? sets
      : sets.map((set) => (set as { readonly name: string }).name);
  };

  test("what matchLabels says of the label that all of them have is overruled", () => {
    assert.deepEqual(names({ matchLabels: { [secretType]: "other" } }), ["one", "two"]);
    assert.deepEqual(names({ matchLabels: { [secretType]: "no value", a: "b" } }), []);
    assert.deepEqual(
      names({ matchExpressions: [{ key: secretType, operator: "In", values: ["other"] }] }),
      [],
    );
  });

  test("a selector that is none is told as Argo CD tells it", () =>
    assert.equal(
      names({ matchExpressions: [{ key: "a", operator: "Gt", values: ["1"] }] }),
      'error getting cluster secrets: error converting label selector: "Gt" is not a valid label selector operator',
    ));

  test("a list of none of them is null", () => {
    const body = { flatList: true, selector: { matchLabels: { a: "b" } } };
    for (const goTemplate of [true, false])
      assert.deepEqual(made("clusters", body, undefined, { goTemplate }), [{ clusters: null }]);
  });

  test("to a selector a list of them is one text", () => {
    const isThere = (key: string): boolean =>
      made("clusters", { flatList: true }, undefined, {
        selector: { matchExpressions: [{ key, operator: "Exists" }] },
      }).length === 1;
    assert.ok(isThere("clusters"));
    assert.ok(!isThere("clusters.0.name"));
  });
});
