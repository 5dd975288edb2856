import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { Json } from "../../../../proto/words/digest.ts";
import { failureOf, generatedParams, list, matrix } from "./generated-params.ts";

suite("a child that names two generators", () => {
  const gone = { git: { repoURL: "gone", revision: "HEAD", directories: [{ path: "*" }] } };
  const both = (one: Json, other: Json): Json => ({ ...(one as object), ...(other as object) });
  const merge = (...generators: readonly Json[]): Json => ({
    merge: { mergeKeys: ["a"], generators },
  });
  const other = list({ a: "1" });
  const first = "error failed to get params for first generator in matrix generator: ";
  const second = "failed to get params for second generator in the matrix generator: ";
  const merged =
    "error getting param sets from generators: error getting params from generator 1 of 2: ";
  const tooMany = "found more than one generator in matrix.Generators";
  const failing =
    'child generator returned an error on parameter generation: error generating params from git: error getting directories from repo: repository "gone" could not be read at "HEAD"';
  const rows: readonly (readonly [name: string, generators: Json, says: string])[] = [
    ["is refused first", matrix(both(other, { clusters: {} }), other), `${first}${tooMany}`],
    ["is refused second", matrix(other, both(other, { clusters: {} })), `${second}${tooMany}`],
    ["is refused in a merge", merge(both(other, { clusters: {} }), other), `${merged}${tooMany}`],
    ["says first what fails in one", matrix(both(other, gone), other), `${first}${failing}`],
    ["says it second, too", matrix(other, both(other, gone)), `${second}${failing}`],
    ["says it in a merge, too", merge(both(other, gone), other), `${merged}${failing}`],
  ];
  for (const [name, generators, says] of rows)
    test(name, () => assert.equal(generatedParams([generators]), says));
});

suite("elementsYaml", () => {
  const yaml = (elementsYaml: string): Json => ({ list: { elements: [], elementsYaml } });
  const rows: readonly (readonly [name: string, generators: Json, made: Json])[] = [
    ["an item that is null is an empty set", yaml("- null\n- a: 1\n- ~\n"), [{}, { a: 1 }, {}]],
    ["so it is in a matrix", matrix(yaml("-"), list({ b: "1" })), [{ b: "1" }]],
    ["null for the whole is no set", yaml("null"), []],
  ];
  for (const goTemplate of [true, false])
    for (const [name, generators, made] of rows)
      test(`${name}, ${goTemplate ? "with" : "without"} Go templates`, () =>
        assert.deepEqual(generatedParams([generators], { goTemplate }), made));

  test("an item that is text is refused", () =>
    assert.match(failureOf([yaml("- a")]), /^error unmarshling decoded ElementsYaml /));
});
