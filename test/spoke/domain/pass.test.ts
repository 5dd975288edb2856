import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { makeObjectKey, type ObjectKey } from "../../../proto/words/object-key.ts";
import type { ObjectProblem } from "../../../spoke/domain/conditions.ts";
import { failureAmong } from "../../../spoke/domain/pass.ts";

suite("failureAmong", () => {
  const key = (name: string): ObjectKey =>
    makeObjectKey({ group: "", kind: "ConfigMap", namespace: "shop", name });
  const failed: ObjectProblem = { kind: "dependency-failed", on: "Namespace shop" };
  const waiting: ObjectProblem = { kind: "awaits-definition", definition: "a definition" };

  const rows: readonly {
    readonly name: string;
    readonly keys: readonly string[];
    readonly problems: Readonly<Record<string, ObjectProblem>>;
    readonly message: string | undefined;
  }[] = [
    { name: "nothing without a problem", keys: ["a"], problems: {}, message: undefined },
    {
      name: "waiting is no failure",
      keys: ["a"],
      problems: { a: waiting },
      message: undefined,
    },
    {
      name: "one is told as it is",
      keys: ["a", "b"],
      problems: { a: waiting, b: failed },
      message: "ConfigMap shop/b: not tried, because Namespace shop failed",
    },
    {
      name: "of several the first by the order asked, and how many there are",
      keys: ["b", "c", "a"],
      problems: { a: failed, c: failed },
      message:
        "2 objects failed, the first: ConfigMap shop/c: not tried, because Namespace shop failed",
    },
    {
      name: "problems of other objects do not count",
      keys: ["a"],
      problems: { b: failed },
      message: undefined,
    },
  ];
  for (const { name, keys, problems, message } of rows)
    test(name, () => {
      const met = new Map(Object.entries(problems).map(([one, problem]) => [key(one), problem]));
      const expect = message === undefined ? undefined : { kind: "failed", message };
      assert.deepEqual(failureAmong(keys.map(key), met), expect);
    });
});
