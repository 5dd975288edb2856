import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { Json } from "../../../../proto/words/digest.ts";
import type { Labels } from "../../../../hub/domain/records.ts";
import type { RemoteFact } from "../../../../hub/domain/remote-facts.ts";
import { made } from "./made.ts";

const configured: Labels = { baseUrl: "http://p", token: "$other:key" };

const answered = (body: string, status = 200, configMap: Labels = configured): RemoteFact => ({
  kind: "plugin",
  configMap,
  secrets: new Map([["other", { key: "t" }]]),
  response: { status, body },
});

suite("plugin", () => {
  const ask = { configMapRef: { name: "p" }, input: { parameters: { a: 1 } } };
  const generator = { input: { parameters: { a: 1 } } };

  test("objects it answers, with what it was asked", () => {
    const answer = answered('{"output":{"parameters":[{"n":1000000,"o":{"x":[true]}}]}}');
    assert.deepEqual(made("plugin", ask, answer), [{ n: 1_000_000, o: { x: [true] }, generator }]);
    assert.deepEqual(made("plugin", ask, answer, { goTemplate: false }), [
      { n: "1e+06", "o.x.0": "true", generator },
    ]);
  });

  test("asked without input, there is null where it would be", () => {
    const answer = answered('{"output":{"parameters":[{}]}}');
    assert.deepEqual(made("plugin", { configMapRef: { name: "p" } }, answer), [
      { generator: { input: { parameters: null } } },
    ]);
  });

  test("beside other params of a matrix, there is an empty map where it would be", () => {
    const answer = answered('{"output":{"parameters":[{}]}}');
    const other = { list: { elements: [{ b: "c" }] } };
    const matrix = (body: Json) => ({ generators: [other, { plugin: body }] });
    const name = { configMapRef: { name: "p" } };
    const empty = { generator: { input: { parameters: {} } }, b: "c" };
    for (const body of [name, { ...name, input: null }, { ...name, input: { parameters: null } }])
      assert.deepEqual(made("matrix", matrix(body), answer), [empty]);
    assert.deepEqual(made("matrix", matrix({ ...name, ...generator }), answer), [
      { generator, b: "c" },
    ]);
  });

  test("a matrix without Go templates prints what it was asked, byte by byte", () => {
    const answer = answered('{"output":{"parameters":[{}]}}');
    const texts = (body: Json): unknown =>
      made(
        "matrix",
        { generators: [{ plugin: body }, { list: { elements: [{ b: "c" }] } }] },
        answer,
        {
          goTemplate: false,
        },
      );
    assert.deepEqual(
      texts({ configMapRef: { name: "p" }, input: { parameters: { b: "<", a: 1 } } }),
      [
        {
          generator: "map[input:map[parameters:map[a:{[49]} b:{[34 92 117 48 48 51 99 34]}]]]",
          b: "c",
        },
      ],
    );
    assert.deepEqual(texts({ configMapRef: { name: "p" } }), [
      { generator: "map[input:map[parameters:map[]]]", b: "c" },
    ]);
  });

  test("a selector does not look into what it was asked", () => {
    const answer = answered('{"output":{"parameters":[{}]}}');
    const isThere = (key: string): boolean =>
      made("plugin", ask, answer, {
        selector: { matchExpressions: [{ key, operator: "Exists" }] },
      }).length === 1;
    assert.ok(isThere("generator.input"));
    assert.ok(!isThere("generator.input.parameters"));
    assert.ok(!isThere("generator.input.parameters.a"));
  });

  const read: readonly (readonly [body: string, sets: readonly Json[]])[] = [
    ["", []],
    [" \n", []],
    ["null", []],
    ["{}", []],
    ['{"output":null}', []],
    ['{"output":{"parameters":null}}', []],
    ['{"Output":{"PARAMETERS":[{"b":1}]}}', [{ b: 1, generator }]],
    ['{"output":{"parameters":[{"b":1}]}} and more', [{ b: 1, generator }]],
    ['{"output":{"parameters":[null]}}', [{ generator }]],
  ];
  for (const [body, sets] of read)
    test(`${JSON.stringify(body)} is ${JSON.stringify(sets)}`, () =>
      assert.deepEqual(made("plugin", ask, answered(body)), sets));

  const parameters = "Go struct field Output.output.parameters of type";
  const refused: readonly (readonly [body: string, says: string])[] = [
    ["<html>", "invalid character '<' looking for beginning of value"],
    ['{"output":', "unexpected EOF"],
    ["[]", "json: cannot unmarshal array into Go value of type plugin.ServiceResponse"],
    ['"x"', "json: cannot unmarshal string into Go value of type plugin.ServiceResponse"],
    ["1", "json: cannot unmarshal number into Go value of type plugin.ServiceResponse"],
    [
      '{"output":true}',
      "json: cannot unmarshal bool into Go struct field ServiceResponse.output of type plugin.Output",
    ],
    [
      '{"output":{"parameters":{}}}',
      `json: cannot unmarshal object into ${parameters} []map[string]interface {}`,
    ],
    [
      '{"output":{"parameters":[{},1]}}',
      `json: cannot unmarshal number into ${parameters} map[string]interface {}`,
    ],
  ];
  for (const [body, says] of refused)
    test(`${JSON.stringify(body)} is no answer`, () =>
      assert.equal(
        made("plugin", ask, answered(body)),
        `error listing params: error get api 'web': ${says}: ${body}`,
      ));

  const complaints: readonly (readonly [body: string, says: string])[] = [
    ['{"message":"no","error":"e"}', "no"],
    ['{"message":1,"error":"e"}', "e"],
    ['{"message":"","error":"e"}', ""],
    ["{}", ""],
    ["null", ""],
    ["[]", "[]"],
    ["gone", "gone"],
    ["", ""],
  ];
  for (const [body, says] of complaints)
    test(`an error of ${JSON.stringify(body)} says ${JSON.stringify(says)}`, () =>
      assert.equal(
        made("plugin", ask, answered(body, 403)),
        `error listing params: error get api 'web': API error with status code 403: ${says}`,
      ));

  const unasked: readonly (readonly [over: Labels, says: string | undefined])[] = [
    [{ baseUrl: "" }, "fetching ConfigMap: baseUrl not found in ConfigMap"],
    [{ token: "" }, "fetching ConfigMap: token not found in ConfigMap"],
    [
      { token: "k" },
      "fetching Secret token: token is empty, or does not reference a secret key starting with '$': k",
    ],
    [
      { token: "$key" },
      'fetching Secret token: error fetching secret default/argocd-secret: secrets "argocd-secret" not found',
    ],
    [{ token: "$other:absent" }, undefined],
    [{ requestTimeout: "+05" }, undefined],
    [{ requestTimeout: "x" }, 'set requestTimeout : strconv.Atoi: parsing "x": invalid syntax'],
    [{ requestTimeout: "" }, 'set requestTimeout : strconv.Atoi: parsing "": invalid syntax'],
    [
      { requestTimeout: "9223372036854775808" },
      'set requestTimeout : strconv.Atoi: parsing "9223372036854775808": value out of range',
    ],
  ];
  for (const [over, says] of unasked)
    test(`with ${JSON.stringify(over)} it is ${says === undefined ? "" : "not "}asked`, () =>
      assert.deepEqual(
        made("plugin", ask, answered("", 200, { ...configured, ...over })),
        says === undefined ? [] : `error getting plugin from generator: error ${says}`,
      ));
});
