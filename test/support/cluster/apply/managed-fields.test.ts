import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { sameJson, type JsonMap } from "../json.ts";
import type { KubeObject } from "../object.ts";
import { objectSchema } from "../schema/meta.ts";
import { listMap, struct, text, textMap } from "../schema/schema.ts";
import { parseFieldSet, sameSet } from "./field-set.ts";
import { applied, sameButTimes, updated, type Author } from "./managed-fields.ts";
import { fieldSetOf } from "./walk.ts";

const schema = objectSchema(
  {
    data: textMap,
    items: listMap(["name"], struct({ name: text, value: text, note: text })),
  },
  [],
);

const author = (manager: string, operation: Author["operation"] = "Apply", second = 0): Author => ({
  manager,
  operation,
  apiVersion: "v1",
  subresource: "",
  time: `2026-01-01T00:00:${String(second).padStart(2, "0")}Z`,
});

const object = (content: JsonMap): KubeObject => ({
  apiVersion: "v1",
  kind: "Thing",
  metadata: { name: "one" },
  ...content,
});

function force(live: KubeObject | undefined, content: JsonMap, manager: string, second = 0) {
  const result = applied(live, object(content), schema, author(manager, "Apply", second), {
    force: true,
    unowned: [],
  });
  if (result.kind !== "applied") throw new Error("forced, and yet a conflict");
  return stored(result.object);
}

/** What lost all its content is nothing until it is stored, and then it is gone. */
const stored = (from: KubeObject): KubeObject => ({
  apiVersion: from.apiVersion,
  kind: from.kind,
  metadata: from.metadata,
  ...Object.fromEntries(Object.entries(from).filter(([, value]) => value !== null)),
});

const contentOf = ({ data, items }: KubeObject): JsonMap => ({
  ...(data === undefined ? {} : { data }),
  ...(items === undefined ? {} : { items }),
});

const names = fc.constantFrom("a", "b", "c");
const someContent: fc.Arbitrary<JsonMap> = fc.record(
  {
    data: fc.dictionary(names, names, { minKeys: 1, noNullPrototype: true }),
    items: fc.uniqueArray(
      fc
        .record({ value: names, note: names }, { requiredKeys: [], noNullPrototype: true })
        .chain((rest) => names.map((name) => ({ name, ...rest }))),
      { selector: (item) => item.name, minLength: 1 },
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** The order of items does not matter to who owns them. */
const inOrder = (content: JsonMap): JsonMap => ({
  ...content,
  ...(Array.isArray(content["items"])
    ? {
        items: content["items"].toSorted((a, b) =>
          JSON.stringify(a) < JSON.stringify(b) ? -1 : 1,
        ),
      }
    : {}),
});

suite("applying", () => {
  test("one applier alone gets just what it last said", () => {
    const law = fc.property(someContent, someContent, (first, second) => {
      const object = force(force(undefined, first, "a"), second, "a");
      assert.deepEqual(inOrder(contentOf(object)), inOrder(second));
    });
    fc.assert(law);
  });

  test("applying twice changes nothing but perhaps a time", () => {
    const law = fc.property(someContent, someContent, (other, content) => {
      const once = force(force(undefined, other, "b"), content, "a", 1);
      const twice = force(once, content, "a", 2);
      assert.ok(sameButTimes(once, twice));
      assert.ok(sameJson(once, twice));
    });
    fc.assert(law);
  });

  test("an applier's record is just what it said", () => {
    const law = fc.property(someContent, someContent, (other, content) => {
      const after = force(force(undefined, other, "b"), content, "a");
      const entry = after.metadata.managedFields?.find((one) => one.manager === "a");
      const expected = fieldSetOf(content, schema);
      assert.ok(sameSet(parseFieldSet(entry?.fieldsV1) ?? {}, expected));
    });
    fc.assert(law);
  });

  test("without force there is a conflict, or nobody lost anything", () => {
    const law = fc.property(someContent, someContent, (theirs, mine) => {
      const live = force(undefined, theirs, "b");
      const result = applied(live, object(mine), schema, author("a"), {
        force: false,
        unowned: [],
      });
      if (result.kind === "conflict") return;
      const before = live.metadata.managedFields?.find((one) => one.manager === "b");
      const after = result.object.metadata.managedFields?.find((one) => one.manager === "b");
      assert.deepEqual(after, before);
    });
    fc.assert(law);
  });

  test("an applier that leaves takes away only what nobody else has", () => {
    const law = fc.property(someContent, someContent, (theirs, mine) => {
      const shared = force(force(undefined, mine, "a"), theirs, "b");
      const left = force(shared, {}, "a");
      assert.deepEqual(inOrder(contentOf(left)), inOrder(theirs));
    });
    fc.assert(law);
  });

  test("a field nobody owns survives its neighbours' removal", () => {
    const live = force(undefined, { items: [{ name: "a", value: "1" }] }, "a");
    const withDefault: KubeObject = {
      ...live,
      items: [{ name: "a", value: "1", note: "default" }],
    };
    const changed = force(withDefault, { items: [{ name: "a" }] }, "a");
    assert.deepEqual(changed["items"], [{ name: "a", note: "default" }]);
  });

  test("an item's unowned fields go with the item", () => {
    const live = force(undefined, { items: [{ name: "a" }, { name: "b" }] }, "a");
    const withDefaults: KubeObject = {
      ...live,
      items: [
        { name: "a", note: "default" },
        { name: "b", note: "default" },
      ],
    };
    const changed = force(withDefaults, { items: [{ name: "a" }] }, "a");
    assert.deepEqual(changed["items"], [{ name: "a", note: "default" }]);
  });
});

suite("updating", () => {
  test("who changed a field owns it, and the applier no longer does", () => {
    const live = force(undefined, { data: { a: "1", b: "1" } }, "a");
    const next = updated(
      live,
      { ...live, data: { a: "2", b: "1" } },
      schema,
      author("hand", "Update", 1),
      [],
    );
    const claims = Object.fromEntries(
      (next.metadata.managedFields ?? []).map((entry) => [entry.manager, entry.fieldsV1]),
    );
    assert.deepEqual(claims, {
      a: { "f:data": { "f:b": {} } },
      hand: { "f:data": { "f:a": {} } },
    });
  });

  test("an update without a change keeps every record as it is", () => {
    const law = fc.property(someContent, (content) => {
      const live = force(undefined, content, "a");
      const copy: KubeObject = { ...live, ...structuredClone(contentOf(live)) };
      const next = updated(live, copy, schema, author("hand", "Update", 1), []);
      assert.equal(next.metadata.managedFields, live.metadata.managedFields);
    });
    fc.assert(law);
  });

  test("every field of a claimed object has an owner after any chain of writes", () => {
    const steps = fc.array(fc.tuple(fc.constantFrom("a", "b", "hand"), someContent), {
      minLength: 1,
      maxLength: 5,
    });
    const law = fc.property(steps, (chain) => {
      let live: KubeObject | undefined;
      for (const [manager, content] of chain) {
        live =
          manager === "hand"
            ? updated(
                live,
                {
                  ...object(content),
                  metadata: live?.metadata ?? { name: "one" },
                },
                schema,
                author("hand", "Update"),
                [],
              )
            : force(live, content, manager);
      }
      const entries = live?.metadata.managedFields;
      // What nobody claims any more stays unclaimed until somebody applies.
      if (live === undefined || entries === undefined) return;
      for (const field of Object.keys(contentOf(live)))
        assert.ok(
          entries.some(({ fieldsV1 = {} }) => `f:${field}` in fieldsV1),
          field,
        );
    });
    fc.assert(law);
  });
});
