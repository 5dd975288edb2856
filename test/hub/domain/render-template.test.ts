import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { canonicalJson, type Json } from "../../../proto/words/digest.ts";
import { readDocument } from "../../../hub/domain/document.ts";
import {
  documentNode,
  documentOf,
  freeJsonNode,
  Templates,
  type Node,
} from "../../../hub/domain/render-template.ts";
import { generateNeeds } from "./builders.ts";

const params = new Map([["name", "a"]]);

function rendered(document: Json, compile: (document: Json, templates: Templates) => Node): string {
  const templates = new Templates({ goTemplate: true, missingKey: "error" }, generateNeeds);
  const read = readDocument(document);
  assert.ok(read.ok);
  const made = documentOf(compile(read.value, templates))(params);
  return made.ok ? canonicalJson(made.value) : made.problem.message;
}

suite("a document rendered from params", () => {
  const missing =
    'failed to execute go template {{.no}}: template: base:1:2: executing "base" at <.no>: map has no entry for key "no"';
  const inJson = `failed to deeply replace JSON field contents: ${missing}`;
  const rows: readonly (readonly [name: string, document: Json, made: string])[] = [
    ["has its texts and keys put in", { "k-{{.name}}": ["{{.name}}"] }, '{"k-a":["a"]}'],
    ["keeps null", { a: null }, '{"a":null}'],
    [
      "drops the null entries of valuesObject",
      { valuesObject: { a: null, b: { c: null, d: "{{.name}}" } } },
      '{"valuesObject":{"b":{"d":"a"}}}',
    ],
    ["says what failed", { a: "{{.no}}" }, missing],
    ["says so of valuesObject", { valuesObject: { a: ["{{.no}}"] } }, inJson],
    ["says so once of one in another", { valuesObject: { valuesObject: "{{.no}}" } }, inJson],
    ["says so of its keys", { valuesObject: { "{{.no}}": 1 } }, inJson],
  ];
  for (const [name, document, made] of rows)
    test(name, () => assert.equal(rendered(document, documentNode), made));

  test("is all like valuesObject where it is JSON of any form", () => {
    assert.equal(rendered({ a: null, b: ["{{.name}}", null] }, freeJsonNode), '{"b":["a",null]}');
    assert.equal(rendered(["{{.no}}"], freeJsonNode), inJson);
  });
});
