import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import type { Result } from "../../../../proto/kit/result.ts";
import {
  type TemplateBudget,
  compileTemplate,
  defaultTemplateBudget,
  defaultTemplateLimits,
  type TemplateLimits,
  type TemplateProblem,
} from "../../../../hub/domain/template/evaluate.ts";
import { argoFunctions, refusedFunction } from "../../../../hub/domain/template/functions/index.ts";
import { goValueOf, nilList, type GoMap } from "../../../../hub/domain/template/value.ts";
import type { Json } from "../../../../proto/words/digest.ts";
import { generateNeeds } from "../builders.ts";

type Manner = {
  readonly missingKey?: "default" | "zero" | "error";
  readonly limits?: Partial<TemplateLimits>;
  readonly budget?: TemplateBudget;
};

/** What a template gives, or the problem it fails with. */
function run(text: string, params: Json, manner: Manner = {}): string | TemplateProblem {
  const template = compileTemplate(text, {
    functions: argoFunctions,
    refusedFunction,
    missingKey: manner.missingKey ?? "default",
    limits: { ...defaultTemplateLimits, ...manner.limits },
    decodeYaml: generateNeeds.decodeYaml,
    ...(manner.budget === undefined ? {} : { budget: manner.budget }),
  });
  if (!template.ok) return template.problem;
  const made = template.value(goValueOf(params) as GoMap);
  return made.ok ? made.value : made.problem;
}

function problemOf(text: string, params: Json, manner?: Manner): TemplateProblem {
  const made = run(text, params, manner);
  assert.ok(typeof made !== "string", `expected a problem, got ${JSON.stringify(made)}`);
  return made;
}

const params = {
  s: "hello",
  n: 3,
  big: 1000000,
  t: true,
  nul: null,
  list: ["b", "a"],
  map: { b: "2", a: "1" },
  deep: { list: [{ n: "x" }, { n: "y" }] },
};

suite("templates", () => {
  const rows: readonly (readonly [template: string, output: string])[] = [
    ["plain", "plain"],
    ["a {{- .s -}} b", "ahellob"],
    ["{{/* said to nobody */}}x", "x"],
    ["x {{- /* and trimmed */ -}} y", "xy"],
    ["{{.big}} {{.n}} {{.nul}} {{.missing}}", "1e+06 3 <no value> <no value>"],
    ["{{range $i, $v := .list}}{{$i}}={{$v}};{{end}}", "0=b;1=a;"],
    ["{{range $k, $v := .map}}{{$k}}={{$v}};{{end}}", "a=1;b=2;"],
    ["{{range .missing}}x{{else}}none{{end}}", "none"],
    ["{{range 3}}{{.}}{{end}}", "012"],
    ["{{range .list}}{{if eq . `a`}}{{break}}{{end}}{{.}}{{end}}", "b"],
    ["{{range .list}}{{if eq . `b`}}{{continue}}{{end}}{{.}}{{end}}", "a"],
    ["{{with .s}}{{.}}{{$.n}}{{end}}", "hello3"],
    ["{{with .nul}}x{{else with .n}}{{.}}{{end}}", "3"],
    ["{{if .nul}}1{{else if .s}}2{{else}}3{{end}}", "2"],
    ["{{$x := 1}}{{if .t}}{{$x = 2}}{{end}}{{$x}}", "2"],
    ["{{$x := 1}}{{if .t}}{{$x := 2}}{{end}}{{$x}}", "1"],
    ["{{define `d`}}<{{.}}>{{end}}{{template `d` .s}}", "<hello>"],
    ["{{block `b` .n}}[{{.}}]{{end}}", "[3]"],
    [
      "{{define `r`}}{{if gt (len .) 0}}{{first .}}{{template `r` rest .}}{{end}}{{end}}{{template `r` .list}}",
      "ba",
    ],
    ["{{(index .deep.list 1).n}}", "y"],
    ["{{.s | printf `%s-%s` `a`}}", "a-hello"],
    ["{{'a'}} {{0x10}} {{1_000}} {{1e3}} {{07}} {{-3}}", "97 16 1000 1000 7 -3"],
    ['{{`raw {{ .x }}`}}{{"\\u00e9\\x41\\n"}}', "raw {{ .x }}éA\n"],
    ["{{if and .t (or .nul .s)}}y{{end}}", "y"],
    ["{{if or true (fail `never`)}}y{{end}}", "y"],
    ["{{ $a := dict `k` 1 }}{{ $_ := set $a `k` 2 }}{{ $a.k }}", "2"],
  ];
  for (const [template, output] of rows) {
    test(`${template} gives ${JSON.stringify(output)}`, () =>
      assert.equal(run(template, params), output));
  }

  const failures: readonly (readonly [
    template: string,
    kind: TemplateProblem["kind"],
    reason: string,
  ])[] = [
    ["{{nosuch}}", "parse", 'base:1: function "nosuch" not defined'],
    ["{{if false}}{{nosuch}}{{end}}", "parse", 'function "nosuch" not defined'],
    ["{{now}}", "parse", 'function "now" is not supported: it gives another result every time'],
    ["{{if .t}}x", "parse", "unexpected EOF"],
    ["x{{end}}", "parse", "unexpected {{end}}"],
    ["{{break}}", "parse", "{{break}} outside {{range}}"],
    ["{{.s}", "parse", "bad character U+007D '}'"],
    ["{{ }}", "parse", "missing value for command"],
    ["{{(.s}}", "parse", "unclosed left paren"],
    ["{{$x}}", "parse", 'undefined variable "$x"'],
    ["{{.s | 1}}", "parse", "non executable command in pipeline stage 2"],
    ['{{"abc}}', "parse", "unterminated quoted string"],
    ["{{1.2.3}}", "parse", "unexpected"],
    ["{{/* x}}", "parse", "unclosed comment"],
    ["{{-1a}}", "parse", 'bad number syntax: "-1a"'],
    ["{{define `a`}}x", "parse", "unexpected EOF"],
    ["{{template}}", "parse", "in template clause"],
    ["{{.s.foo}}", "execute", "can't evaluate field foo in type interface {}"],
    ["{{.nul.foo}}", "execute", "nil pointer evaluating interface {}.foo"],
    ["{{eq .n 3}}", "execute", "error calling eq: incompatible types for comparison"],
    ["{{.s 1}}", "execute", "s is not a method but has arguments"],
    ["{{upper 1}}", "execute", "expected string; found 1"],
    ["{{upper .n}}", "execute", "wrong type for value; expected string; got float64"],
    ["{{.missing | upper}}", "execute", "invalid value; expected string"],
    ["{{repeat (add 1 1) `x`}}", "execute", "wrong type for value; expected int; got int64"],
    ["{{nil}}", "execute", "nil is not a command"],
    ["{{1 2}}", "execute", "can't give argument to non-function 1"],
    ["{{range .s}}{{end}}", "execute", "range can't iterate over hello"],
    ["{{template `x`}}", "execute", 'template "x" not defined'],
    ['{{template "\\xff"}}', "execute", 'at <{{template "\\xff"}}>'],
    ["{{regexFind `(` `x`}}", "execute", "regexp: Compile(`(`): "],
    ['{{regexFind "(`\\xff" `x`}}', "execute", 'regexp: Compile("(`\\xff"): '],
    ["{{fail `boom`}}", "execute", "error calling fail: boom"],
    ["{{18446744073709551615}}", "execute", "18446744073709551615 overflows int"],
    ["{{18446744073709551616}}", "parse", "integer overflow"],
    ["{{(toDate `2006` `2024`).Format}}", "execute", "args for Format: want 1 got 0"],
    ["{{(toDate `2006` `2024`).Format 1}}", "execute", "expected string; found 1"],
    ["{{(toDate `2006` `2024`).Add .n}}", "execute", "expected time.Duration; got float64"],
    ["{{(toDate `2006` `2024`).Year 1}}", "execute", "args for Year: want 0 got 1"],
    ["{{.deep.list 1}}", "execute", "list is not a method but has arguments"],
  ];
  for (const [template, kind, reason] of failures) {
    test(`${template} fails: ${reason}`, () => {
      const found = problemOf(template, params);
      assert.equal(found.kind, kind);
      assert.ok(found.message.includes(reason), found.message);
    });
  }

  test("a problem says where it is, to the line and column", () => {
    assert.deepEqual(problemOf("one\ntwo {{ .s.foo.bar }}", params), {
      kind: "execute",
      line: 2,
      column: 9,
      message:
        "failed to execute go template one\ntwo {{ .s.foo.bar }}: template: base:2:9: executing " +
        '"base" at <.s.foo.bar>: can\'t evaluate field foo in type interface {}',
    });
    const parse = problemOf("one\n\n  {{ nosuch }}", params);
    assert.deepEqual([parse.line, parse.column], [3, 5]);
  });

  test("missingkey=error makes a missing key an error, and zero nothing at all", () => {
    assert.match(
      problemOf("{{.nope}}", params, { missingKey: "error" }).message,
      /map has no entry for key "nope"/,
    );
    assert.equal(run("{{.nul}}", params, { missingKey: "error" }), "<no value>");
    assert.equal(run("{{.nope}}", params, { missingKey: "zero" }), "<no value>");
  });

  const endless: readonly (readonly [name: string, template: string])[] = [
    ["calls itself", "{{define `a`}}{{template `a` .}}{{end}}{{template `a` .}}"],
    ["writes too much", "{{range untilStep 0 99999 1}}{{repeat 100 `x`}}{{end}}"],
    ["makes too much on the way", "{{$x := `x`}}{{range until 60}}{{$x = cat $x $x}}{{end}}"],
    ["takes too many steps", "{{range until 90000}}{{range until 90000}}{{end}}{{end}}"],
    ["repeats without measure", "{{repeat 1000000000000 `x`}}"],
    ["counts without measure", "{{range 999999999999}}{{end}}"],
    ["pads without measure", "{{range until 5000}}{{printf `%9999d` 1}}{{end}}"],
    ["indents without measure", "{{indent 1000000000 `x`}}"],
  ];
  for (const [name, template] of endless) {
    test(`a template that ${name} ends as a problem`, () => {
      const found = problemOf(template, params, { limits: { stepsMost: 200_000 } });
      assert.match(found.kind, /limit|execute/);
    });
  }

  test("templates of one set share the work they may do, and what is left refuses no other", () => {
    const budget = { ...defaultTemplateBudget(), workLeft: 2_500 };
    const made = (text: string): string | TemplateProblem =>
      run(text, {}, { limits: { workMost: 1_000 }, budget });
    const long = "{{repeat 450 `x` | len}}";
    assert.equal(made(long), "450");
    assert.ok(budget.workLeft > 1_500 && budget.workLeft < 1_700, `${budget.workLeft}`);
    assert.match(
      problemOf("{{repeat 600 `x`}}", {}, { limits: { workMost: 1_000 }, budget }).message,
      /it makes more than 1000 characters on the way/,
    );
    const last = problemOf(long, {}, { limits: { workMost: 1_000 }, budget });
    assert.equal(last.kind, "limit");
    assert.match(last.message, /the templates of the set have made all the characters they may/);
    assert.equal(budget.workLeft, 0);
    assert.equal(made("{{len `x`}}{{if true}}y{{end}}"), "1y");
  });

  test("fifteen fields over a cluster of fifty labels leave a set room for fifty thousand clusters", () => {
    const labels = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [
        `example.com/label-${index}`,
        `a value of label ${index}`,
      ]),
    );
    const budget = defaultTemplateBudget();
    const fields = [
      "{{.name}}-{{index .metadata.labels `example.com/label-7` | lower | trunc 20}}",
      "{{range $key, $value := .metadata.labels}}{{$key}}={{$value}},{{end}}",
      "{{toYaml .metadata.labels | nindent 4}}",
      "{{keys .metadata.labels | sortAlpha | join `,`}}",
      "{{(split `-` .name)._0}}-{{splitList `-` .name | last}}",
      ...Array.from(
        { length: 10 },
        (_, index) =>
          `{{if hasKey .metadata.labels "example.com/label-${index}"}}` +
          `{{get .metadata.labels "example.com/label-${index}" | default "none" | quote}}{{end}}`,
      ),
    ];
    assert.equal(fields.length, 15);
    const params = { name: "a-b", metadata: { labels } };
    for (const field of fields) assert.equal(typeof run(field, params, { budget }), "string");
    const spent = defaultTemplateBudget().workLeft - budget.workLeft;
    assert.ok(spent > 0 && spent * 50_000 < defaultTemplateBudget().workLeft, `${spent} spent`);
  });

  test("looking one thing up in a large map or list costs nothing for its size", () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`k${at}`, `${at}`]));
    const list = Object.values(many);
    const lookUps =
      "{{get .many `k7`}}{{index .many `k8`}}{{dig `k9` `` .many}}{{hasKey .many `k1`}}{{first .list}}{{len .list}}" +
      "{{(dict `many` .many).many.k3}}";
    assert.equal(run(lookUps, { many, list }, { limits: { workMost: 100 } }), "789true010003");
  });

  test("bytes in one evaluation make the next one no dearer", () => {
    const template = compileTemplate("{{trunc 1 .text | len}}{{len .long}}", {
      functions: argoFunctions,
      refusedFunction,
      missingKey: "default",
      limits: { ...defaultTemplateLimits, workMost: 1_000 },
      decodeYaml: generateNeeds.decodeYaml,
    });
    assert.ok(template.ok);
    const over = (text: string): Result<string, TemplateProblem> =>
      template.value(goValueOf({ text, long: "x".repeat(2_000) }) as GoMap);
    const dear = over("é");
    assert.ok(!dear.ok && dear.problem.kind === "limit");
    assert.deepEqual(over("e"), { ok: true, value: "12000" });
  });

  test("an address makes texts dearer only when there are bytes in it", () => {
    const lookAfter = (address: string): string | TemplateProblem =>
      run(
        `{{$_ := urlParse "${address}"}}{{len .long}}`,
        { long: "x".repeat(2_000) },
        { limits: { workMost: 1_000 } },
      );
    assert.equal(lookAfter("https://example.com/a?b#c"), "2000");
    assert.equal(lookAfter("https://example.com/é"), "2000");
    const dear = lookAfter("https://example.com/%ff");
    assert.ok(typeof dear !== "string" && dear.kind === "limit");
  });

  test("deep parentheses are refused instead of overflowing", () => {
    const text = `{{${"(".repeat(5000)}1${")".repeat(5000)}}}`;
    assert.match(problemOf(text, params).message, /nested deeper/);
  });

  test("a template that changes its params changes nobody else's", () => {
    const data = goValueOf({ m: { a: "1" } }) as GoMap;
    const template = compileTemplate("{{$_ := set .m `a` `2`}}{{.m.a}}", {
      functions: argoFunctions,
      refusedFunction,
      missingKey: "default",
      limits: defaultTemplateLimits,
      decodeYaml: generateNeeds.decodeYaml,
    });
    assert.ok(template.ok);
    assert.deepEqual(template.value(data), { ok: true, value: "2" });
    assert.deepEqual(data, goValueOf({ m: { a: "1" } }));
  });

  test("a list that was never made is none either where a template changes its params", () => {
    for (const text of ["{{toYaml .labels}}", "{{$_ := set . `a` `b`}}{{toYaml .labels}}"]) {
      const template = compileTemplate(text, {
        functions: argoFunctions,
        refusedFunction,
        missingKey: "default",
        limits: defaultTemplateLimits,
        decodeYaml: generateNeeds.decodeYaml,
      });
      assert.ok(template.ok);
      const params = new Map([["labels", nilList("string")]]);
      assert.deepEqual(template.value(params), { ok: true, value: "null" });
    }
  });

  test("names of JavaScript's own properties are names like any other", () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "length"];
    for (const name of names) {
      assert.equal(run(`{{.${name}}}`, {}), "<no value>");
      assert.equal(run(`{{(dict "${name}" "x").${name}}}`, {}), "x");
      assert.equal(run(`{{hasKey . "${name}"}}`, {}), "false");
    }
    const polluted = JSON.parse('{"__proto__":{"x":"y"}}') as Json;
    assert.equal(run("{{.__proto__.x}}{{merge (dict) .}}", polluted), "ymap[__proto__:map[x:y]]");
    assert.equal(({} as Record<string, unknown>)["x"], undefined);
  });

  test("any text is a template or a problem, never a crash", () => {
    const pieces = fc.constantFrom(
      ..."{{ }} {{- -}} if else end range with define template block break $x := = | ( ) . .a .a.b \"s\" `r` 1 1.5 nil true , 'c' upper dict printf /* */ \n eq".split(
        " ",
      ),
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 14 }), (parts) => {
        const made = run(parts.join(" "), { a: { b: "x" } }, { limits: { stepsMost: 1000 } });
        assert.ok(typeof made === "string" || made.message !== "");
      }),
      { numRuns: 2000 },
    );
  });
});
