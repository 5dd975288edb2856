import assert from "node:assert/strict";
import test, { suite } from "node:test";
import {
  annotationProblems,
  labelKeyProblem,
  labelProblems,
} from "../../../hub/domain/label-syntax.ts";

suite("labels", () => {
  const goodKeys = ["env", "app.kubernetes.io/name", "a", "A_b-c.d", "a".repeat(63), "x.y/z"];
  for (const key of goodKeys)
    test(`${key} is a good key`, () => assert.equal(labelKeyProblem(key), undefined));

  const badKeys = ["", "-a", "a-", "a/b/c", "/a", "A.io/x", "a b", "a".repeat(64), "é", "x/"];
  for (const key of badKeys)
    test(`${JSON.stringify(key)} is no key`, () => assert.notEqual(labelKeyProblem(key) ?? "", ""));

  test("every problem is named, not only the first", () => {
    const problems = labelProblems({ "a b": "ok", env: "not ok!", fine: "yes", none: "" });
    assert.equal(problems.length, 2);
    assert.match(problems.join(), /"a b".*"not ok!" of "env"/s);
  });

  test("annotations take any text and have a limit on all of it", () => {
    assert.deepEqual(annotationProblems({ note: "any text at all, é\n" }), []);
    assert.equal(annotationProblems({ note: "x".repeat(300_000) }).length, 1);
  });
});
