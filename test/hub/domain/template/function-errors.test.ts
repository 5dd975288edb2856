import assert from "node:assert/strict";
import test, { suite } from "node:test";
import {
  compileTemplate,
  defaultTemplateLimits,
} from "../../../../hub/domain/template/evaluate.ts";
import { argoFunctions, refusedFunction } from "../../../../hub/domain/template/functions/index.ts";
import { goValueOf, type GoMap } from "../../../../hub/domain/template/value.ts";
import { generateNeeds } from "../builders.ts";

const params = goValueOf({ m: { a: "x" }, l: ["b"] }) as GoMap;

function complaint(text: string): string {
  const template = compileTemplate(text, {
    functions: argoFunctions,
    refusedFunction,
    missingKey: "default",
    limits: defaultTemplateLimits,
    decodeYaml: generateNeeds.decodeYaml,
  });
  assert.ok(template.ok);
  const made = template.value(params);
  assert.ok(!made.ok, "no error");
  return /error calling \S+: (.*)$/s.exec(made.problem.message)?.[1] ?? made.problem.message;
}

const nilPointer = "runtime error: invalid memory address or nil pointer dereference";

/** What sprig 3.3 and Masterminds/semver 3.4 say. */
suite("what functions complain of", () => {
  const rows: readonly (readonly [template: string, message: string])[] = [
    ["{{concat .m}}", "Cannot concat type map as list"],
    ["{{concat nil}}", nilPointer],
    ["{{chunk 2 `a`}}", "Cannot chunk type string"],
    ["{{chunk 2 nil}}", nilPointer],
    ["{{rest .m}}", "Cannot find rest on type map"],
    ["{{push (semver `1.2.3`) 1}}", "Cannot push on type ptr"],
    ["{{compact 1.5}}", "Cannot compact on type float64"],
    ["{{slice nil 1}}", nilPointer],
    ["{{slice .m 1}}", "list should be type of slice or array but map"],
    ["{{deepCopy nil}}", "reflect: call of reflect.Value.Type on zero Value"],
    ["{{mustDeepCopy .nope}}", "reflect: call of reflect.Value.Type on zero Value"],
    ["{{dig 1 `d` 5}}", "interface conversion: interface {} is int, not map[string]interface {}"],
    ["{{dig 1 `d` .m}}", "interface conversion: interface {} is int, not string"],
    ["{{semver `x`}}", "invalid semantic version"],
    ["{{semverCompare `>1` ``}}", "invalid semantic version"],
    ["{{semver `1.2.3-01`}}", "version segment starts with 0"],
    [
      "{{semver `99999999999999999999`}}",
      'error parsing version segment: strconv.ParseUint: parsing "99999999999999999999": value out of range',
    ],
    ["{{semverCompare `>99999999999999999999` `1`}}", "constraint parser error"],
    ["{{(semver `1.2.3`).SetPrerelease `_`}}", "invalid prerelease string"],
    ["{{(semver `1.2.3`).SetMetadata `_`}}", "invalid metadata string"],
  ];
  for (const [template, message] of rows)
    test(template, () => assert.equal(complaint(template), message));
});
