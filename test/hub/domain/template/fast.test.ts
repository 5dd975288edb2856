import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { compileFastTemplate } from "../../../../hub/domain/template/fast.ts";
import type { GoValue } from "../../../../hub/domain/template/value.ts";

suite("compileFastTemplate", () => {
  const params = new Map<string, GoValue>([
    ["name", "app"],
    ["n", 5],
    ["path[0]", "p"],
    ["again", "{{name}}"],
  ]);
  const rows: readonly (readonly [template: string, output: string])[] = [
    ["{{ name }}{{name}}", "appapp"],
    ["{{ missing }}", "{{ missing }}"],
    ["{{n}}", "{{n}}"],
    ["{{.name}} {{name | upper}} {{Name}}", "{{.name}} {{name | upper}} {{Name}}"],
    ["{{{name}}}", "{{{name}}}"],
    ["{{name", "{{name"],
    ["}} {{", "}} {{"],
    ["{{path[0]}}", "p"],
    ["{{again}}", "{{name}}"],
    ["{{\nname\n}}", "{{\nname\n}}"],
    ["{{\nname\n}}{{name}}", "appapp"],
    ["{{}}", "{{}}"],
    ["{{\u0085name\u00a0}}", "app"],
    ["{{\ufeffname}}", "{{\ufeffname}}"],
    ["", ""],
  ];
  for (const [template, output] of rows) {
    test(`${JSON.stringify(template)} gives ${JSON.stringify(output)}`, () => {
      const made = compileFastTemplate(template);
      assert.ok(made.ok);
      assert.equal(made.value(params), output);
    });
  }

  test("an opening without an end is an error once anything is a placeholder", () =>
    assert.deepEqual(compileFastTemplate("{{name}} {{x}"), {
      ok: false,
      problem:
        'invalid template: Cannot find end tag="}}" in the template="{{name}} {{x}" starting from "x}"',
    }));
});
