import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { canonicalJson, type Json } from "../../../../proto/words/digest.ts";
import { emptyObject } from "../../../../hub/domain/document.ts";
import { repositoryFactKey, type Facts } from "../../../../hub/domain/facts.ts";
import { readFleetDocuments, type FleetDocument } from "../../../../hub/domain/fleet-documents.ts";
import {
  compileTemplate,
  defaultTemplateLimits,
} from "../../../../hub/domain/template/evaluate.ts";
import { argoFunctions, refusedFunction } from "../../../../hub/domain/template/functions/index.ts";
import { ok } from "../../../../proto/kit/result.ts";
import { flawCharactersMost } from "../../../../hub/domain/flaws.ts";
import { generate } from "../../../../hub/domain/generate.ts";
import { codes, problem } from "../../../../hub/domain/problem.ts";
import { describeYamlProblem, parseDocuments } from "../../../../hub/git/yaml.ts";
import { clusterFact, generateNeeds as needs } from "../builders.ts";

/**
 * Input made to harm: each beside a good set in one fleet repository. It must fail by a limit that has a name,
 * and the good set must come out as if it were alone.
 */

const facts: Facts = {
  clusters: Array.from({ length: 1_000 }, (_, index) => clusterFact(`c-${index}`, { env: "dev" })),
  repositories: new Map([
    [
      repositoryFactKey("r", "HEAD"),
      {
        repoURL: "r",
        revision: "HEAD",
        commit: "c",
        directories: [],
        files: ["long.yaml"],
        documents: new Map([["long.yaml", ok(Array.from({ length: 150_000 }, emptyObject))]]),
      },
    ],
  ]),
};

type Text = string;

const head = (name: string): Text =>
  `apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: ${name}, namespace: argocd}\n`;

const application = (name: string, value: string): Json => ({
  metadata: { name },
  spec: {
    project: "default",
    source: { repoURL: "https://git.example.com/r.git", path: value, targetRevision: "HEAD" },
    destination: { name: "c-1", namespace: "ns" },
  },
});

const good = `${head("good")}spec: ${JSON.stringify({
  goTemplate: true,
  generators: [{ list: { elements: [{ name: "a" }, { name: "b" }] } }],
  template: application("good-{{.name}}", "{{.name | upper}}"),
})}\n`;

/** A set by the fields of its spec; without more it is good. */
const bad = (spec: { readonly [key: string]: Json }): Text =>
  `${head("bad")}spec: ${JSON.stringify({
    goTemplate: true,
    generators: [{ list: { elements: [{ name: "x" }] } }],
    template: application("bad-{{.name}}", "p"),
    ...spec,
  })}\n`;

const templated = (value: string): Text => bad({ template: application("bad-{{.name}}", value) });

/** The names of what a repository of these files generates, and everything that went wrong in it. */
function published(files: ReadonlyMap<string, Text>): {
  readonly applications: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
} {
  const documents = [...files].flatMap(([file, text]): readonly FleetDocument[] => {
    const parsed = parseDocuments(text);
    if (parsed.ok)
      return parsed.value.map(({ value }, index) => ({
        kind: "read",
        file,
        number: index + 1,
        value,
      }));
    const message = describeYamlProblem(parsed.problem);
    return [{ kind: "unreadable", file, problem: problem(codes.badFleetDocument, message) }];
  });
  const fleet = readFleetDocuments(documents);
  const problems = fleet.problems.map((found) => found.problem.message);
  const applications = new Map<string, string>();
  for (const { set } of fleet.sets) {
    const made = set.ok ? generate(set.value, facts, needs) : set;
    if (!made.ok) {
      problems.push(made.problem.message);
      continue;
    }
    problems.push(...made.value.flaws.map((flaw) => flaw.problem.message));
    for (const { name, document } of made.value.applications)
      applications.set(name, canonicalJson(document));
  }
  return { applications, problems };
}

const nested = (depth: number, open: string, close: string): string =>
  open.repeat(depth) + close.repeat(depth);

const aliasBomb = [
  "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]",
  ...Array.from(
    { length: 9 },
    (_, index) => `a${index + 1}: &a${index + 1} [${`*a${index},`.repeat(9)}]`,
  ),
].join("\n");

const clustersTwice: Json = [{ matrix: { generators: [{ clusters: {} }, { clusters: {} }] } }];

type Hostile = {
  readonly name: string;
  readonly text: Text;
  /** What is said about it. */
  readonly says: RegExp;
};

const hostile: readonly Hostile[] = [
  {
    name: "a key that would change every object of a careless reader",
    text: bad({ generators: [{ list: { elements: [Object.fromEntries([["__proto__", "x"]])] } }] }),
    says: /the key "__proto__" is refused/,
  },
  {
    name: "YAML aliases that stand for a billion values",
    text: `${head("bad")}spec:\n  ${aliasBomb.replaceAll("\n", "\n  ")}\n`,
    says: /once aliases are written out/,
  },
  {
    name: "more aliases than anybody needs",
    text: `${head("bad")}spec: {a: &a x, list: [${"*a,".repeat(1_500)}]}\n`,
    says: /aliases/i,
  },
  {
    name: "an alias inside of what it names",
    text: `${head("bad")}spec: &s {generators: [*s]}\n`,
    says: /alias/,
  },
  {
    name: "YAML nested deeper than anybody writes",
    text: `${head("bad")}spec: ${nested(5_000, "[", "]")}\n`,
    says: /depth/i,
  },
  {
    name: "mappings nested deeper than anybody writes",
    text: `${head("bad")}spec: ${nested(5_000, "{a: ", "}")}\n`,
    says: /depth/i,
  },
  {
    name: "a file larger than a fleet repository's may be",
    text: `${head("bad")}spec: {a: "${"x".repeat(11 * 1024 * 1024)}"}\n`,
    says: /larger than|characters/,
  },
  {
    name: "merge keys piled up",
    text: `${head("bad")}spec:\n  a: &a {k: v}\n  b: {<<: [${"*a,".repeat(1_200)}]}\n`,
    says: /aliases|merge/i,
  },
  { name: "six thousand documents", text: "---\na: 1\n".repeat(6_000), says: /documents/ },
  {
    name: "a matrix of a million",
    text: bad({ generators: clustersTwice, template: application("bad-{{.name}}", "p") }),
    says: /more than 200000/,
  },
  {
    name: "a file of more objects than a stack holds",
    text: bad({
      generators: [{ git: { repoURL: "r", revision: "HEAD", files: [{ path: "long.yaml" }] } }],
      template: application("bad", "p"),
    }),
    says: /duplicate name: bad/,
  },
  { name: "text of any length", text: templated("{{repeat 999999999 .name}}"), says: /characters/ },
  {
    name: "text that doubles",
    text: templated(`{{$s := "x"}}${'{{$s = printf "%s%s" $s $s}}'.repeat(40)}{{len $s}}`),
    says: /characters/,
  },
  {
    name: "output of any length",
    text: templated(`{{range until 2000}}${"x".repeat(1_000)}{{end}}`),
    says: /writes more than 1000000 characters/,
  },
  {
    name: "a list of any length",
    text: templated("{{len (until 999999999)}}"),
    says: /more than 100000|too/,
  },
  {
    name: "a list by steps of any length",
    text: templated("{{len (untilStep 0 999999999 1)}}"),
    says: /more than 100000|too/,
  },
  {
    name: "numbers as text without end",
    text: templated("{{seq 1 999999999}}"),
    says: /more than|characters|too/,
  },
  {
    name: "loops in loops in loops",
    text: templated(
      "{{range until 1000}}{{range until 1000}}{{range until 1000}}{{end}}{{end}}{{end}}",
    ),
    says: /takes more than 1000000 steps/,
  },
  {
    name: "a range over a number without end",
    text: templated("{{range 999999999999}}{{end}}"),
    says: /takes more than 1000000 steps/,
  },
  {
    name: "loops that each of a thousand elements may have",
    text: bad({
      generators: [{ clusters: {} }],
      template: application(
        "bad-{{.name}}",
        "{{range until 900}}{{range until 900}}{{end}}{{end}}{{fail `here too`}}",
      ),
    }),
    says: /all the steps they may take together/,
  },
  {
    name: "text that each of a thousand elements may make",
    text: bad({
      generators: [{ clusters: {} }],
      template: application("bad-{{.name}}", "{{repeat 9000000 `x` | len}}{{fail `here too`}}"),
    }),
    says: /all the characters they may make together/,
  },
  {
    name: "a template that calls itself",
    text: templated('{{define "a"}}{{template "a" .}}{{end}}{{template "a" .}}'),
    says: /more than 100 deep/,
  },
  {
    name: "templates that call each other twice each",
    text: templated(
      `${Array.from({ length: 60 }, (_, index) => `{{define "t${index}"}}{{template "t${index + 1}"}}{{template "t${index + 1}"}}{{end}}`).join("")}{{define "t60"}}x{{end}}{{template "t0"}}`,
    ),
    says: /takes more than 1000000 steps|writes more than/,
  },
  {
    name: "blocks in blocks",
    text: templated("{{if .}}".repeat(10_000) + "{{end}}".repeat(10_000)),
    says: /deep/,
  },
  {
    name: "parentheses in parentheses",
    text: templated(`{{${"(".repeat(10_000)}1${")".repeat(10_000)}}}`),
    says: /deep/,
  },
  {
    name: "a width that fills memory",
    text: templated('{{printf "%999999999d" 1}}'),
    says: /a width or precision of more than 10000/,
  },
  {
    name: "a precision that fills memory",
    text: templated('{{printf "%.*f" 999999999 1.5}}'),
    says: /a width or precision of more than 10000/,
  },
  {
    name: "indentation that fills memory",
    text: templated("{{indent 999999999 .name}}"),
    says: /characters/,
  },
  {
    name: "wide columns",
    text: templated('{{printf "%9999d%9999d" 1 1 | repeat 9999}}'),
    says: /characters/,
  },
  {
    name: "a map that holds itself, as JSON",
    text: templated('{{$d := dict}}{{$_ := set $d "d" $d}}{{toJson $d}}'),
    says: /characters on the way/,
  },
  {
    name: "a map that holds itself, printed",
    text: templated('{{$d := dict}}{{$_ := set $d "d" $d}}{{$d}}'),
    says: /characters on the way/,
  },
  {
    name: "a map that holds itself, as YAML",
    text: templated('{{$d := dict}}{{$_ := set $d "d" $d}}{{toYaml $d}}'),
    says: /characters on the way/,
  },
  {
    name: "a map that holds itself, copied",
    text: templated('{{$d := dict}}{{$_ := set $d "d" $d}}{{deepCopy $d | len}}'),
    says: /characters on the way/,
  },
  {
    name: "maps that hold each other, merged",
    text: templated(
      '{{$d := dict}}{{$e := dict "d" $d}}{{$_ := set $d "d" $e}}{{merge $d $e | len}}',
    ),
    says: /characters on the way/,
  },
  {
    name: "maps that hold each other, compared",
    text: templated(
      '{{$d := dict}}{{$_ := set $d "d" $d}}{{$e := dict}}{{$_ := set $e "d" $e}}{{deepEqual $d $e}}',
    ),
    says: /characters on the way/,
  },
  {
    name: "a map shared so often that it fills memory as JSON",
    text: templated(
      `{{$d := dict "k" "v"}}${'{{$d = dict "a" $d "b" $d}}'.repeat(40)}{{toJson $d | len}}`,
    ),
    says: /characters|too much|steps/,
  },
  {
    name: "JSON nested deeper than anybody writes",
    text: templated(
      '{{fromJson (printf "%s%s" (repeat 5000 "[") (repeat 5000 "]")) | len}}{{mustFromJson (printf "%s%s" (repeat 5000 "[") (repeat 5000 "]")) | len}}',
    ),
    says: /max depth|len of/,
  },
  {
    name: "YAML nested deep in a template",
    text: templated('{{fromYaml (printf "a: %s%s" (repeat 5000 "[") (repeat 5000 "]")) | len}}'),
    says: /depth/i,
  },
  {
    name: "an alias bomb in a template",
    text: templated(`{{fromYaml ${JSON.stringify(aliasBomb)} | len}}`),
    says: /once aliases are written out/,
  },
  {
    name: "an alias bomb in elementsYaml",
    text: bad({ generators: [{ list: { elementsYaml: aliasBomb } }] }),
    says: /once aliases are written out/,
  },
  {
    name: "an alias bomb in a patch",
    text: bad({ templatePatch: aliasBomb }),
    says: /once aliases are written out/,
  },
  {
    name: "a long patch that none of a thousand elements can take",
    text: bad({
      generators: [{ clusters: {} }],
      templatePatch: `spec: {source: {$patch: foo, path: "${"x".repeat(5_000)}{{.name}}"}}`,
    }),
    says: /^error while applying templatePatch template to json ".*": unknown patch type: foo/m,
  },
  {
    name: "a long template that none of a thousand elements can fill in",
    text: bad({
      generators: [{ clusters: {} }],
      template: application("bad-{{.name}}", `${"x".repeat(5_000)}{{index .name "key"}}`),
    }),
    says: /error calling index/,
  },
  {
    name: "long complaints about each of a thousand elements",
    text: bad({
      generators: [{ clusters: {} }],
      template: application("bad-{{.name}}", "{{fail (repeat 20000 .name)}}"),
    }),
    says: /c-999c-999/,
  },
  {
    name: "a name of any length for each of a thousand elements",
    text: bad({
      generators: [{ clusters: {} }],
      template: application("{{repeat 20000 .name}}", "p"),
    }),
    says: /c-999c-999/,
  },
  {
    name: "half a character in a set",
    text: `${head("bad")}spec: {goTemplate: true, templatePatch: "\\udc80"}\n`,
    says: /half a character/,
  },
  {
    name: "half a character in a patch",
    text: bad({ templatePatch: 'metadata: {annotations: {a: "\\udc80"}}' }),
    says: /half a character/,
  },
  {
    name: "an expression that compiles to millions of steps",
    text: templated("{{mustRegexMatch `((((a{100}){100}){100}){100})` .name}}"),
    says: /invalid repeat count|too large/,
  },
  {
    name: "expressions nested deeper than anybody writes",
    text: templated(`{{mustRegexMatch (printf "%s%s" (repeat 5000 "(") (repeat 5000 ")")) .name}}`),
    says: /nests too deeply|nesting/,
  },
  {
    name: "a date whose layout repeats",
    text: templated('{{date (repeat 2000000 "January") 0 | len}}'),
    says: /characters/,
  },
  {
    name: "a long text that is hashed over and over",
    text: templated(
      "{{$long := repeat 900000 `a`}}{{range 1000000}}{{$_ := sha256sum $long}}{{end}}",
    ),
    says: /characters on the way/,
  },
  {
    name: "bytes that are no text, looked at over and over",
    text: templated(
      '{{$long := repeat 900000 "\\xff"}}{{range 1000000}}{{$_ := len $long}}{{end}}',
    ),
    says: /characters on the way/,
  },
  {
    name: "a hash that is made to be slow",
    text: templated("{{range $i := 100}}{{derivePassword 1 `long` `pw` (print $i) `site`}}{{end}}"),
    says: /from more than 4 pairs of password and user/,
  },
  {
    name: "chance",
    text: templated("{{randAlphaNum 999999999}}"),
    says: /another result every time/,
  },
  { name: "a clock", text: templated("{{now}}"), says: /another result every time/ },
  {
    name: "a secret of the hub",
    text: templated('{{env "HOME"}}'),
    says: /function "env" not defined/,
  },
];

/** Lists and maps that nobody writes out: keeping or copying them is what costs. */
const hoards: readonly (readonly [name: string, template: string])[] = [
  ["a list that doubles", "{{$l := list 1}}{{range 40}}{{$l = concat $l $l}}{{end}}"],
  [
    "maps that are kept",
    '{{$l := list}}{{range 150}}{{$l = append $l (split "" (repeat 9000 "aaaaa"))}}{{end}}',
  ],
  [
    "lists of pieces that are kept",
    '{{$l := list}}{{$t := repeat 9000 "aaaaa"}}{{range 1000}}{{$l = append $l (splitList "" $t)}}{{end}}',
  ],
  [
    "a long list that is copied over and over",
    "{{$l := until 100000}}{{range 1000000}}{{$_ := reverse $l}}{{end}}",
  ],
  ["a list that grows by one", "{{$l := list}}{{range 1000000}}{{$l = append $l .}}{{end}}"],
  [
    "a long list in lists of one",
    "{{$l := list}}{{$t := until 20000}}{{range 1000}}{{$l = append $l (chunk 1 $t)}}{{end}}",
  ],
  [
    "a map whose keys are sorted over and over",
    '{{$m := split "" (repeat 100000 "a")}}{{range 300000}}{{range $m}}{{break}}{{end}}{{end}}',
  ],
  [
    "a map whose keys are listed over and over",
    "{{$m := dict}}{{range until 20000}}{{$_ := set $m (print .) .}}{{end}}{{range 300000}}{{$_ := keys $m}}{{end}}",
  ],
  [
    "JSON that is decoded over and over, and kept",
    '{{$l := list}}{{$t := print "[" (repeat 20000 "{},") "{}]"}}{{range 1000}}{{$l = append $l (fromJson $t)}}{{end}}',
  ],
  [
    "copies of many maps that are kept",
    '{{$l := list}}{{$t := fromJson (print "[" (repeat 2000 "{},") "{}]")}}{{range 1000}}{{$l = append $l (deepCopy $t)}}{{end}}',
  ],
  [
    "a list that is searched for many lists",
    "{{$l := list 1 2 3}}{{$t := until 100000}}{{range 1000}}{{$_ := without $t $l $l $l $l $l $l $l $l}}{{end}}",
  ],
  [
    "a long text many times in a list that is written out",
    '{{$t := repeat 900000 "a"}}{{$l := list $t $t $t $t $t $t $t $t}}{{$l = concat $l $l $l $l $l $l $l $l}}{{toJson $l | len}}',
  ],
];

/** What only looks harmful: it costs little, and does what Go does. */
const harmless: readonly (readonly [template: string, output: string])[] = [
  ["{{regexMatch `^(a+)+$` .a}}", "false"],
  ["{{regexMatch `^(a|aa)+$` .a}}", "false"],
  ["{{regexFind `(.*)(.*)(.*)(.*)(.*)(.*)x` .a}}", ""],
  ["{{regexReplaceAll `(a*)*` .a `x`}}", "x!x"],
  ["{{regexMatch `((((a{100}){100}){100}){100})` .a}}", "false"],
  ["{{len (until -5)}} {{range -3}}x{{end}}", "5 "],
  ["{{repeat 0 .a}}", ""],
  ['{{get (set (dict) "__proto__" .a) "polluted"}}{{(dict).polluted}}', "<no value>"],
];

suite("hostile input fails its own set only", () => {
  const alone = published(new Map([["good.yaml", good]]));

  test("the good set generates when it is alone", () => {
    assert.deepEqual(alone.problems, []);
    assert.deepEqual([...alone.applications.keys()], ["good-a", "good-b"]);
  });

  const refused = hoards.map(([name, template]): Hostile => {
    return { name, text: templated(template), says: /more than 10000000 characters on the way/ };
  });

  for (const { name, text, says } of [...hostile, ...refused])
    test(name, () => {
      const made = published(
        new Map([
          ["bad.yaml", text],
          ["good.yaml", good],
        ]),
      );
      assert.deepEqual([...made.applications], [...alone.applications]);
      assert.ok(made.problems.length > 0 && made.problems.length <= facts.clusters.length);
      assert.match(made.problems.join("\n"), says);
      assert.ok(made.problems.every(({ length }) => length <= flawCharactersMost));
    });

  for (const [template, output] of harmless)
    test(`${template} costs little`, () => {
      const compiled = compileTemplate(template, {
        functions: argoFunctions,
        refusedFunction,
        missingKey: "default",
        limits: { outputMost: 1_000, workMost: 20_000, stepsMost: 100, depthMost: 10 },
        decodeYaml: needs.decodeYaml,
      });
      assert.ok(compiled.ok, compiled.ok ? "" : compiled.problem.message);
      assert.deepEqual(compiled.value(new Map([["a", `${"a".repeat(40)}!`]])), ok(output));
    });
});

const tooMuch = /it makes more than 10000000 characters on the way/;

/**
 * What takes the square of a text's length, or what no piece of it seems to cost, when it is done without care: each
 * ends, by its result or by the limit.
 */
const squares: readonly (readonly [template: string, ends: string | RegExp])[] = [
  ['{{printf (repeat 450000 "%[") | trunc 12}}', "%[%[%[%[%[%["],
  ['{{printf (repeat 120000 "%[1].1s") (repeat 900000 "a")}}', tooMuch],
  ['{{printf (repeat 120000 "%[1]5s") (repeat 90000 "a")}}', tooMuch],
  ['{{printf (repeat 90000 "%[1]s") (repeat 900000 "a")}}', tooMuch],
  ['{{printf (repeat 90000 "%[1].0x") (repeat 900000 "é")}}', tooMuch],
  ['{{printf (repeat 90000 "%[1].9999g") 1e-300}}', tooMuch],
  ['{{printf (repeat 90000 "%[1]s") (until 100000)}}', tooMuch],
  ['{{regexMatch (repeat 200000 "a{") ""}}', "false"],
  ['{{regexMatch (repeat 200000 "(?i") ""}}', "false"],
  ['{{regexMatch (repeat 200000 "[[:a") ""}}', "false"],
  ['{{regexMatch (print `\\Q` (repeat 900000 "a")) ""}}', "false"],
  ['{{regexMatch "(?:(?:(?:(?:){1000}){1000}){1000}){1000}" ""}}', "true"],
  ['{{regexMatch (printf "%sx" (repeat 6000 "$b|")) (repeat 900000 "a")}}', tooMuch],
  ['{{regexMatch (repeat 6000 "()") (repeat 900000 "a")}}', tooMuch],
  ['{{regexMatch (printf "[%s]" (repeat 15000 "b")) (repeat 900000 "a")}}', tooMuch],
  ['{{regexMatch (printf "(?i)[%s]" (repeat 15000 "b")) (repeat 900000 "a")}}', tooMuch],
  ['{{regexFindAll (printf "a|%s" (repeat 15000 "b")) (repeat 900000 "a") -1 | len}}', tooMuch],
  ['{{regexReplaceAll ".*" (repeat 900000 "a") (repeat 90000 "$0")}}', tooMuch],
  ['{{range $i := 900000}}{{$_ := regexMatch (printf "(x{900}){20}y{%d}" $i) ""}}{{end}}', tooMuch],
  ['{{$l := repeat 900000 "a"}}{{range 140}}{{$_ := regexFind "b" $l}}{{end}}', tooMuch],
  ['{{wrapWith 1 "," (repeat 900000 "a") | len}}', "1799999"],
  ['{{semverCompare (repeat 900000 " ") "1.2.3"}}', /improper constraint/],
  ['{{semverCompare (repeat 900000 "1") "1.2.3"}}', /a constraint of more than 500 characters/],
  [
    '{{$c := repeat 240 "1-"}}{{range 100000}}{{$_ := semverCompare (print $c "1") "1.2.3"}}{{end}}',
    tooMuch,
  ],
  ['{{(toDate (repeat 200000 "1 ") (repeat 200000 "1 ")).Month}}', "January"],
  ['{{$l := repeat 200000 "1 "}}{{range 140}}{{$_ := toDate $l $l}}{{end}}', tooMuch],
  ["{{toYaml (until 100000) | len}}", "788889"],
  ['{{$l := repeat 900000 "a"}}{{range 140}}{{$_ := toYaml $l}}{{end}}', tooMuch],
  ['{{$l := repeat 900000 "!"}}{{range 140}}{{$_ := b64dec $l}}{{end}}', tooMuch],
  ['{{$l := repeat 900000 "!"}}{{range 140}}{{$_ := b32dec $l}}{{end}}', tooMuch],
  ['{{$l := repeat 900000 "!"}}{{range 140}}{{$_ := adler32sum $l}}{{end}}', tooMuch],
];

suite("what reads a long text over and over ends", () => {
  for (const [template, ends] of squares)
    test(template, () => {
      const compiled = compileTemplate(template, {
        functions: argoFunctions,
        refusedFunction,
        missingKey: "default",
        limits: defaultTemplateLimits,
        decodeYaml: needs.decodeYaml,
      });
      assert.ok(compiled.ok, compiled.ok ? "" : compiled.problem.message);
      const made = compiled.value(new Map());
      if (typeof ends === "string") assert.deepEqual(made, ok(ends));
      else assert.match(made.ok ? made.value : made.problem.message, ends);
    });
});

/** Keys that mean something to JavaScript, wherever an author can put one. */
suite("names of JavaScript are names like any other", () => {
  const names = ["constructor", "prototype", "toString", "hasOwnProperty"];
  const own = (name: string, value: Json): Json => Object.fromEntries([[name, value]]);

  for (const name of names)
    test(name, () => {
      const text = bad({
        generators: [
          {
            matrix: {
              generators: [
                { list: { elements: [own(name, { polluted: "yes" })] } },
                { clusters: { values: own(name, "v"), selector: { matchLabels: { env: "dev" } } } },
              ],
            },
          },
        ],
        template: {
          metadata: { name: "bad-{{.name}}", labels: own(name, "l") },
          spec: {
            project: "default",
            source: {
              repoURL: "https://git.example.com/r.git",
              path: `{{index . "${name}" "polluted"}}-{{index .values "${name}"}}{{.polluted}}`,
              helm: { valuesObject: own(name, { polluted: "yes" }) },
            },
            destination: { name: "c-1", namespace: "ns" },
          },
        },
        templatePatch: JSON.stringify(own("metadata", { annotations: own(name, "a") })),
      });
      const made = published(new Map([["bad.yaml", text]]));
      assert.deepEqual(made.problems, []);
      const document = made.applications.get("bad-c-7") ?? "";
      for (const written of [
        `"labels":{"${name}":"l"}`,
        `"annotations":{"${name}":"a"}`,
        `"valuesObject":{"${name}":{"polluted":"yes"}}`,
        `"path":"yes-v<no value>"`,
      ])
        assert.ok(document.includes(written), `${written} in ${document}`);
      assert.ok(!("polluted" in {}), "every object has it");
    });
});
