import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import {
  difference,
  emptySet,
  intersection,
  isEmptySet,
  isSubset,
  keyElement,
  parseFieldSet,
  pathsOf,
  pathText,
  sameSet,
  setOfPath,
  sortedSet,
  union,
  valueElement,
  withoutBelow,
  type FieldSet,
} from "./field-set.ts";

/** The slow, obvious form of a field set: its paths as text. */
const asTexts = (set: FieldSet): Set<string> => new Set(pathsOf(set).map((path) => path.join("/")));

const both = (a: Set<string>, b: Set<string>): Set<string> => new Set([...a, ...b]);
const common = (a: Set<string>, b: Set<string>): Set<string> =>
  new Set([...a].filter((one) => b.has(one)));
const without = (a: Set<string>, b: Set<string>): Set<string> =>
  new Set([...a].filter((one) => !b.has(one)));

const ofPaths = (paths: readonly (readonly string[])[]): FieldSet =>
  paths.map(setOfPath).reduce(union, emptySet);

const somePaths = fc.array(
  fc.array(fc.constantFrom("f:a", "f:b", 'k:{"name":"x"}', 'v:"y"'), {
    minLength: 1,
    maxLength: 4,
  }),
  { maxLength: 8 },
);

const someSets = somePaths.map(ofPaths);

suite("field sets", () => {
  test("a union of paths holds just those paths", () => {
    const law = fc.property(somePaths, (paths) => {
      const texts = new Set(paths.map((path) => path.join("/")));
      assert.deepEqual(asTexts(ofPaths(paths)), texts);
    });
    fc.assert(law);
  });

  test("union, intersection and difference are those of the paths", () => {
    const law = fc.property(someSets, someSets, (a, b) => {
      assert.deepEqual(asTexts(union(a, b)), both(asTexts(a), asTexts(b)));
      assert.deepEqual(asTexts(intersection(a, b)), common(asTexts(a), asTexts(b)));
      assert.deepEqual(asTexts(difference(a, b)), without(asTexts(a), asTexts(b)));
    });
    fc.assert(law);
  });

  test("a subset is a subset of the paths", () => {
    const law = fc.property(someSets, someSets, (a, b) => {
      assert.equal(isSubset(a, b), without(asTexts(a), asTexts(b)).size === 0);
      assert.ok(isSubset(intersection(a, b), b));
    });
    fc.assert(law);
  });

  test("what does not change stays the same set", () => {
    const law = fc.property(someSets, someSets, (a, b) => {
      const rest = difference(a, b);
      assert.equal(difference(rest, b), rest);
      assert.equal(isEmptySet(difference(a, a)), true);
    });
    fc.assert(law);
  });

  test("the written form can be read, whatever its order", () => {
    const law = fc.property(someSets, (set) => {
      const written = sortedSet(set);
      const read = parseFieldSet(JSON.parse(JSON.stringify(written)));
      assert.ok(read !== undefined && sameSet(read, set));
      assert.deepEqual(Object.keys(written), Object.keys(written).toSorted());
    });
    fc.assert(law);
  });

  test("a whole subtree can be left out", () => {
    const set = ofPaths([["f:a"], ["f:a", "f:b"], ["f:c"]]);
    assert.deepEqual(withoutBelow(set, "f:a"), { "f:c": {} });
  });

  test("keys are written in alphabetical order", () => {
    assert.equal(
      keyElement({ protocol: "TCP", containerPort: 80 }),
      'k:{"containerPort":80,"protocol":"TCP"}',
    );
  });

  const written: readonly (readonly [path: readonly string[], text: string])[] = [
    [["f:spec", "f:replicas"], ".spec.replicas"],
    [["f:spec", 'k:{"name":"web"}', "f:image"], '.spec[name="web"].image'],
    [["f:ports", 'k:{"port":80,"protocol":"TCP"}'], '.ports[port=80,protocol="TCP"]'],
    [["f:finalizers", valueElement("a/b")], '.finalizers[="a/b"]'],
  ];
  for (const [path, text] of written)
    test(`${text} is how a conflict names it`, () => assert.equal(pathText(path), text));

  const malformed = [null, 1, [], { x: {} }, { "f:a": 1 }, { "f:a": { y: {} } }];
  for (const value of malformed)
    test(`${JSON.stringify(value)} is no field set`, () =>
      assert.equal(parseFieldSet(value), undefined));
});
