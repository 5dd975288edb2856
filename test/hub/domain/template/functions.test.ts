import assert from "node:assert/strict";
import test, { suite } from "node:test";
import {
  compileTemplate,
  defaultTemplateLimits,
} from "../../../../hub/domain/template/evaluate.ts";
import { argoFunctions, refusedFunction } from "../../../../hub/domain/template/functions/index.ts";
import { goValueOf, type GoMap } from "../../../../hub/domain/template/value.ts";
import { generateNeeds } from "../builders.ts";

const params = goValueOf({
  uni: "héllo wörld",
  list: ["b", "a", "c"],
  nul: null,
  nums: [1, 2, 3.5],
  url: "https://user:pw@example.com:8443/a/b.git?x=1#f",
}) as GoMap;

const most = "9223372036854775807";
const least = "-9223372036854775808";

function evaluated(text: string): string {
  const template = compileTemplate(text, {
    functions: argoFunctions,
    refusedFunction,
    missingKey: "default",
    limits: defaultTemplateLimits,
    decodeYaml: generateNeeds.decodeYaml,
  });
  if (!template.ok) return `ERROR ${template.problem.message}`;
  const made = template.value(params);
  return made.ok ? made.value : `ERROR ${made.problem.message}`;
}

/** Functions the corpus does not reach; the expectations follow from sprig's documentation and Go's. */
suite("functions", () => {
  const rows: readonly (readonly [template: string, output: string])[] = [
    ["{{trunc 2 .uni}}", "h\uFFFD"],
    ["{{trunc -4 `hello`}}", "ello"],
    ["{{abbrevboth 5 10 `1234 5678 9123`}}", "...5678..."],
    ["{{untitle `First Try`}}", "first try"],
    ["{{swapcase `This Is.A.Test`}}", "tHIS iS.a.tEST"],
    ["{{nospace `h e l l o`}}", "hello"],
    ["{{trimAll `$` `$5.00$`}}", "5.00"],
    ["{{replace ` ` `-` `I Am Henry`}}", "I-Am-Henry"],
    ["{{wrapWith 5 `;` `Hello World`}}", "Hello;World"],
    ["{{adler32sum `hello`}}", "103547413"],
    ["{{sha256sum `x`}}", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"],
    ["{{b64enc .uni | b64dec}}", "héllo wörld"],
    [
      "{{b64dec `YQ=x`}}|{{b64dec `YQ=`}}",
      "illegal base64 data at input byte 2|illegal base64 data at input byte 3",
    ],
    [
      '{{b64dec "Y\\nWJ\\rj"}}|{{b64dec "YQ=\\n="}}|{{b64dec "YQ==x"}}',
      "abc|a|illegal base64 data at input byte 4",
    ],
    [
      "{{semverCompare ` >=  1.2   <3 ` `1.2.3`}} {{semverCompare `1.0   -  2.0` `2.1.0`}}",
      "true false",
    ],
    [
      "{{wrapWith 5 `,` `aaa bbb cccccccccc  d e f`}} {{wrapWith 3 `,` ` a b`}}",
      "aaa,bbb,ccccc,ccccc,d e f a b",
    ],
    ["{{b32enc `foob` }} {{b32enc `foob` | b32dec}}", "MZXW6YQ= foob"],
    [
      "{{b64dec `Zm9v`}}|{{b64dec `Zg==`}}|{{b64dec `Z`}}",
      "foo|f|illegal base64 data at input byte 0",
    ],
    [
      "{{seq 5}}|{{seq -3}}|{{seq 0 2 10}}|{{seq 5 1}}",
      "1 2 3 4 5|1 0 -1 -2 -3|0 2 4 6 8 10|5 4 3 2 1",
    ],
    ["{{untilStep 3 6 2}}{{until 3}}", "[3 5][0 1 2]"],
    [
      "{{addf 1.5 2 2}} {{subf 7.5 2 3}} {{mulf 1.5 2 2}} {{divf 8 2 4}} {{add1f 0.2}}",
      "5.5 2.5 6 1 1.2",
    ],
    ["{{round 123.555555 3}} {{ceil 123.001}} {{floor 123.9999}}", "123.556 124 123"],
    ["{{maxf 1 2.5}} {{minf 1 2.5}} {{biggest 1 3}} {{min 4 2}}", "2.5 1 3 2"],
    ["{{mul 9223372036854775807 2}}", "-2"],
    ["{{add1 5}} {{atoi `12`}} {{toDecimal `0777`}}", "6 12 511"],
    ["{{int 1e30}}", "ERROR"],
    ["{{without .list `a`}} {{has `a` .list}} {{append .list `d`}}", "[b c] true [b a c d]"],
    [
      "{{rest .list}}{{initial .list}}{{prepend .list `x`}}{{reverse .list}}",
      "[a c][b a][x b a c][c a b]",
    ],
    ["{{concat .list (list 1 2)}} {{chunk 2 .list}}", "[b a c 1 2] [[b a] [c]]"],
    ["{{pick (dict `a` 1 `b` 2) `a`}}{{omit (dict `a` 1 `b` 2) `a`}}", "map[a:1]map[b:2]"],
    ["{{pluck `a` (dict `a` 1) (dict `b` 2) (dict `a` 3)}}", "[1 3]"],
    ["{{keys (dict `b` 1 `a` 2)}}{{values (dict `b` 1 `a` 2)}}", "[a b][2 1]"],
    ["{{unset (dict `a` 1 `b` 2) `a`}}", "map[b:2]"],
    [
      "{{mergeOverwrite (dict `a` (dict `x` 1 `y` 2)) (dict `a` (dict `x` 9))}}",
      "map[a:map[x:9 y:2]]",
    ],
    ["{{all 1 `a` true}}{{any 0 ``}}{{empty 0.0}}", "truefalsetrue"],
    [
      "{{typeIs `float64` (index .nums 0)}}{{kindIs `slice` .list}}{{typeIsLike `int` 1}}",
      "truetruetrue",
    ],
    ["{{typeOf (splitList `,` `a`)}} {{typeOf (add 1 1)}}", "[]string int64"],
    [
      "{{(urlParse .url).host}} {{(urlParse .url).userinfo}} {{(urlParse .url).hostname}}",
      "example.com:8443 user:pw example.com",
    ],
    ["{{urlJoin (urlParse .url)}}", "https://user:pw@example.com:8443/a/b.git?x=1#f"],
    [
      "{{clean `/a/../b//c/.`}} {{ext `a/b.tar.gz`}} {{base `/a/b/`}} {{dir `/a/b`}} {{isAbs `a`}}",
      "/b/c .gz b /a false",
    ],
    ["{{duration `95`}} {{durationRound `2h10m5s`}} {{durationRound `8h`}}", "1m35s 2h 8h"],
    [
      "{{regexFind `[a-z]+` `12abc`}} {{regexFindAll `[0-9]` `a1b2` -1}} {{regexSplit `,` `a,b,c` 2}}",
      "abc [1 2] [a b,c]",
    ],
    ["{{regexReplaceAll `(?P<y>[0-9]+)-(?P<m>[0-9]+)` `2024-05` `${m}/${y}`}}", "05/2024"],
    ["{{regexQuoteMeta `1.2*`}}", "1\\.2\\*"],
    ["{{regexFind `[` `x`}}", "ERROR"],
    [
      "{{semverCompare `^1.2` `1.9.0`}}{{semverCompare `~1.2.3` `1.3.0`}}{{semverCompare `1.x || 3` `3.0.0`}}",
      "truefalsetrue",
    ],
    [
      "{{semverCompare `>=1.0 <2.0` `1.5.0`}}{{semverCompare `1.2 - 1.4` `1.3.1`}}{{semverCompare `*` `0.1.0`}}",
      "truetruetrue",
    ],
    ["{{(semver `v1.2.3-rc.1+b`).Minor}} {{semver `1.2`}}", "2 1.2.0"],
    ['{{fromJson `{"a":[1,{"b":null}]}`}}', "map[a:[1 map[b:<nil>]]]"],
    ["{{toPrettyJson (dict `a` 1)}}", '{\n  "a": 1\n}'],
    ["{{html `<a>`}}{{js `'`}}{{urlquery `a b`}}", "&lt;a&gt;\\'a+b"],
    ["{{slugify 10 false `feature/ABC_123`}} {{normalize `A_b.C-`}}", "feature-ab a-b.c"],
    ["{{dig `a` `b` `none` (dict `a` (dict `b` 1))}}", "1"],
    ["{{index `abc` 1}} {{len .uni}}", "98 13"],
    ["{{plural `one` `many` 1}} {{plural `one` `many` (len .list)}}", "one many"],
    ["{{coalesce 0 `` `x`}} {{ternary `a` `b` true}} {{default `d` ``}}", "x a d"],
    ["{{initials `First Try`}} {{title `foo bar-baz`}} {{cat 1 nil `a`}}", "FT Foo Bar-Baz 1 a"],
    ["{{call 1}}", "ERROR"],
    ['{{js "\\xe2" "\\x80\\xa8"}}', "\\u2028"],
    ['{{fromJson "\\"\\\\ud83d\\x80\\""}}', "\uFFFD\uFFFD"],
    ['{{fromJson "\\"\\\\ud83d\\\\ude00\\""}}', "\u{1F600}"],
    [
      "{{splitn `,` 2 `a,b,c`}}{{splitn `,` 0 `a,b`}}{{splitn `` 2 `ab`}}",
      "map[_0:a _1:b,c]map[]map[_0:a _1:b]",
    ],
  ];
  for (const [template, output] of rows) {
    test(template, () => {
      const made = evaluated(template);
      if (output === "ERROR") assert.match(made, /^ERROR .*error calling/s);
      else assert.equal(made, output);
    });
  }

  // Found by running thousands of random templates through Go's text/template and sprig.
  const judged: readonly (readonly [template: string, output: string])[] = [
    [
      "{{js nil}} {{html 1.5 nil}} {{urlquery nil}}",
      "\\u003Cno value\\u003E 1.5&lt;no value&gt; %3Cno+value%3E",
    ],
    ["{{cat `` 1}}|", " 1|"],
    [
      "{{rest list}}{{initial list}}{{toJson (rest list)}}{{toJson (regexFindAll `z` `a` -1)}}",
      "[][]nullnull",
    ],
    ["{{toJson (concat)}} {{toJson (regexSplit `,` `a` 0)}}", "null null"],
    ["{{snakecase `x=1`}} {{kebabcase `%d %s|`}} {{snakecase `a:-7`}}", "x_=1 %d-%s-| a:-7"],
    ["{{snakecase `Bld4Floor`}} {{snakecase `HTTP2xx`}}", "bld4_floor http_2xx"],
    [
      "{{camelcase `HTTPServer2Go`}} {{camelcase `feature/ABC_123`}}",
      "Httpserver2Go Feature/ABC123",
    ],
    ["{{nospace `hé é`}} {{nospace `héé`}} {{initials `ñ b`}}", "hÃ©Ã© héé Ãb"],
    ["{{wrapWith 1 `é` `aé`}}", "aé\uFFFDé\uFFFD"],
    ["{{range $i, $v := 3}}{{end}}", "ERROR"],
    ["{{get .nul `a`}}", "ERROR"],
    ["{{set nil `a` 1}}", "ERROR"],
    ["{{merge nil (dict `a` 1)}}{{pluck `a` nil}}", "map[a:1][]"],
    ["{{deepEqual (concat) (list)}}", "false"],
    ["{{toYaml (rest list)}} {{initial list | toYaml}} {{toYaml (concat list)}}", "null null null"],
    ["{{dict `a` (mustRest list) | toYaml}} {{list (rest list) | toYaml}}", "a: null - null"],
    ["{{toYaml (merge nil)}} {{toYaml (regexFindAll `z` `a` -1)}}", "null null"],
    [
      "{{deepCopy (list (rest list)) | toYaml}} {{deepCopy (list (merge nil)) | toYaml}}",
      "- null - null",
    ],
    ["{{regexSplit `[` `a` 0}}", "ERROR"],
  ];
  for (const [template, output] of judged) {
    test(template, () => {
      const made = evaluated(template);
      if (output === "ERROR") assert.match(made, /^ERROR failed to execute/);
      else assert.equal(made, output);
    });
  }

  // What Go's package time makes of them, in UTC.
  const dates: readonly (readonly [template: string, output: string])[] = [
    ["{{toDate `2006-01-02` `2024-02-29`}}", "2024-02-29 00:00:00 +0000 UTC"],
    ["{{toDate `2006-01-02` `2023-02-29`}}", "0001-01-01 00:00:00 +0000 UTC"],
    ["{{mustToDate `2006-01-02` `2023-02-29`}}", "ERROR"],
    [
      "{{toDate `Jan _2 2006 15:04 MST` `Mar  5 2024 10:11 CET` | date `2006-01-02T15:04:05Z07:00`}}",
      "2024-03-05T10:11:00Z",
    ],
    [
      "{{toDate `2006-01-02T15:04:05Z07:00` `2024-06-30T23:59:59+05:30` | unixEpoch}}",
      "1719772199",
    ],
    [
      "{{date `Monday, 02-Jan-06 15:04:05.000 MST` 1709208000}}",
      "Thursday, 29-Feb-24 12:00:00.000 UTC",
    ],
    [
      "{{dateInZone `2006-01-02 15:04 MST -07:00` 1720000000 `Europe/Berlin`}}",
      "2024-07-03 11:46 CEST +02:00",
    ],
    ["{{dateInZone `MST` 1720000000 `America/Sao_Paulo`}}", "-03"],
    ["{{dateInZone `3:04PM __2 002` 1720000000 `Asia/Kathmandu`}}", "3:31PM 185 185"],
    ["{{date_in_zone `15:04` 1720000000 `europe/berlin`}}", "09:46"],
    ["{{dateInZone `15:04 MST` 1720000000 `Nowhere`}}", "09:46 UTC"],
    ["{{htmlDate 0}} {{htmlDateInZone 0 `America/New_York`}}", "1970-01-01 1969-12-31"],
    ["{{toDate `2006` `2024` | dateModify `-1.5h` | date `2006-01-02 15:04`}}", "2023-12-31 22:30"],
    ["{{dateModify `soon` (toDate `2006` `2024`)}}", "2024-01-01 00:00:00 +0000 UTC"],
    ["{{mustDateModify `soon` (toDate `2006` `2024`)}}", "ERROR"],
    [
      "{{with toDate `2006` `2024`}}{{.Year}} {{.Month}} {{.Unix}} {{toJson .}}{{end}}",
      '2024 January 1704067200 "2024-01-01T00:00:00Z"',
    ],
    ["{{kindOf (toDate `2006` `2024`)}} {{typeOf (toDate `2006` `2024`)}}", "struct time.Time"],
    ["{{duration `95`}} {{duration 95}} {{durationRound `2400h10m5s`}}", "1m35s 0s 3mo"],
    // Go falls back to the time of day where there is none, and knows every abbreviation there ever was.
    ["{{date `2006` 1.5}}", "ERROR"],
    ["{{durationRound (toDate `2006` `2024`)}}", "ERROR"],
    ["{{dateInZone `MST` 0 `Europe/Berlin`}}", "ERROR"],
    ["{{unixEpoch 1}}", "ERROR"],
    ["{{sha1sum `hello`}}", "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"],
    ["{{sha512sum `` | trunc 16}}", "cf83e1357eefb8bd"],
    ["{{decryptAES `secretkey` `BwcHBwcHBwcHBwcHBwcHB6NabrNHfvPcKnkALAHB1I4=`}}", "plaintext é"],
    ["{{decryptAES `secretkey` `AA==`}}", "ERROR"],
  ];
  for (const [template, output] of dates)
    test(template, () => {
      const made = evaluated(template);
      if (output === "ERROR") assert.match(made, /^ERROR failed to execute/);
      else assert.equal(made, output);
    });

  test("passwords are derived by the Master Password algorithm, one key for all sites of a user", () => {
    const made = evaluated(
      '{{derivePassword 1 "long" "password" "user" "example.com"}} {{derivePassword 2 "maximum" "password" "user" "example.com"}} ' +
        '{{derivePassword 4294967297 "medium" "password" "user" "example.com"}} {{derivePassword 1 "basic" "password" "user" "example.com"}} ' +
        '{{derivePassword 0 "pin" "password" "user" "example.com"}}{{range $i := 9}}{{$_ := derivePassword 1 "pin" "password" "user" (print $i)}}{{end}}',
    );
    assert.equal(made, "ZedaFaxcZaso9* O8-6Bwz1*I5XVPPq)@H! ZedJuz8$ pIS54PLs 6612");
    assert.equal(
      evaluated('{{derivePassword 1 "none" "password" "user" "site"}}'),
      "cannot find password template none",
    );
    assert.match(
      evaluated('{{derivePassword (int 1) "pin" "p" "u" "s"}}'),
      /expected uint32; got int/,
    );
    assert.match(evaluated('{{derivePassword -1 "pin" "p" "u" "s"}}'), /expected unsigned integer/);
  });

  // What Go's package time and Masterminds/semver make of them.
  const methods: readonly (readonly [template: string, output: string])[] = [
    [
      "{{(toDate `2006` `2024`).Format `Jan 06`}} {{`06` | (toDate `2006` `2024`).Format}}",
      "Jan 24 24",
    ],
    ["{{(toDate `2006` `2024`).AddDate 0 1 30}}", "2024-03-02 00:00:00 +0000 UTC"],
    ["{{((toDate `2006` `2024`).Add 90000000000).Format `15:04:05`}}", "00:01:30"],
    ["{{((toDate `2006` `2025`).Sub (toDate `2006` `2024`)).Hours}}", "8784"],
    [
      "{{with (toDate `2006` `2025`).Sub (toDate `2006` `2024`)}}{{.}} {{.Round 100000000000000}} {{int64 .}} {{kindOf .}}{{end}}",
      "8784h0m0s 8777h46m40s 0 int64",
    ],
    ["{{(toDate `2006` `2024`).Before (toDate `2006` `2025`)}}", "true"],
    ["{{eq (toDate `2006` `2024`) (toDate `2006` `2024`)}}", "true"],
    ["{{eq (toDate `2006` `2024`) (toDate `2006` `2024`).UTC}}", "false"],
    [
      "{{((toDate `15:04` `10:20`).In (toDate `-0700` `+0530`).Location).Format `15:04 -0700`}}",
      "15:50 +0530",
    ],
    [
      "{{with (toDate `2006-01` `2024-02`).Month}}{{.}} {{add . 1}} {{printf `%02d` .}} {{eq . 2}}{{end}}",
      "February 3 02 true",
    ],
    ["{{toJson (toDate `2006-01` `2024-02`).Month}}", "2"],
    ["{{range (toDate `2006-01` `2024-02`).Month}}{{.}};{{end}}", "%!Month(0);January;"],
    ["{{printf `%d` (toDate `2006Z07:00` `2024Z`)}}", "{0 63839664000 0}"],
    [
      "{{printf `%#v` (toDate `2006` `2024`)}}",
      "time.Date(2024, time.January, 1, 0, 0, 0, 0, time.Local)",
    ],
    ["{{printf `%d` (toDate `2006` `2024`)}}", "ERROR"],
    ["{{(toDate `2006` `2024`).In nil}}", "ERROR"],
    ["{{(toDate `2006` `2024`).Date}}", "ERROR"],
    ["{{(toDate `2006` `2024`).MarshalText}}", "ERROR"],
    ["{{(toDate `2006` `2024`).AddDate 0 0 999999999999999}}", "ERROR"],
    ["{{toYaml (toDate `2006` `2024`)}}", '"2024-01-01T00:00:00Z"'],
    ["{{semver `1.4.3` | (semver `1.2.3`).Compare}}", "-1"],
    [
      "{{(semver `v1.2.3-rc.1`).IncMinor}} {{((semver `1.2.3`).SetPrerelease `b.2`)}}",
      "1.3.0 1.2.3-b.2",
    ],
    [
      "{{(semver `1.2.3`).LessThan (semver `1.10.0`)}} {{kindOf (semver `1`).Major}}",
      "true uint64",
    ],
    ["{{(semver `1`).Compare nil}}", "ERROR"],
    ["{{(semver `1`).IncMajor.Original}}", "ERROR"],
  ];
  for (const [template, output] of methods)
    test(template, () => {
      const made = evaluated(template);
      if (output === "ERROR") assert.match(made, /^ERROR failed to execute/);
      else assert.equal(made, output);
    });

  // Go keeps bytes that are no UTF-8, and whoever looks at them sees them; at the end each is U+FFFD.
  const bytes: readonly (readonly [template: string, output: string])[] = [
    ["{{trunc 2 .uni}}|{{trunc 2 .uni | b64enc}}|{{trunc 2 .uni | len}}", "h\uFFFD|aMM=|2"],
    ["{{trunc 2 .uni}}{{substr 2 3 .uni}}", "hé"],
    ['{{print "\\xe2" "\\x82\\xac" | quote}} {{"\\xff" | quote}}', '"€" "\\xff"'],
    [
      "{{b64dec `/8Op`}} {{b64dec `/8Op` | sha256sum | trunc 8}} {{b64dec `/w==` | len}}",
      "\uFFFDé 07424b12 1",
    ],
    ['{{upper "\\xff" | b64enc}} {{regexReplaceAll "." "\\xff\\xfe" "-"}}', "77+9 --"],
    ['{{contains "\\xc3" "é"}} {{splitList "\\xa9" "é!" | join "," | b64enc}}', "true wywh"],
    [
      '{{toJson "\\xff"}} {{toYaml "\\xff"}} {{fromJson "[\\x22\\xff\\x22]"}}',
      '"\\ufffd" \uFFFD [\uFFFD]',
    ],
    ['{{sortAlpha (list "\\xff" "😀" "\\uffff" "é") | join "" | b64enc}}', "w6nvv7/wn5iA/w=="],
    ['{{lt "\\xf0\\x9f" "\\uffff"}} {{eq (print "\\xc3" "\\xa9") "é"}}', "false true"],
    ['{{printf "%x %q %5.1s|" "é\\xff" "é\\xff" "\\xff\\xfe"}}', 'c3a9ff "é\\xff"     \uFFFD|'],
    ['{{fromYaml "\\xff"}}', "ERROR"],
    ['{{regexFind "\\xff" "a"}}', "ERROR"],
    ['{{fail "\\xff"}}', "ERROR"],
  ];
  for (const [template, output] of bytes)
    test(template, () => {
      const made = evaluated(template);
      assert.ok(made.isWellFormed());
      if (output === "ERROR") assert.match(made, /^ERROR failed to execute/);
      else assert.equal(made, output);
    });

  const integers: readonly (readonly [template: string, output: string])[] = [
    ["{{max 0 (semver `18446744073709551615`).Major}}", "0"],
    ["{{min 0 (semver `18446744073709551615`).Major}}", "-1"],
    ["{{int (semver `18446744073709551615`).Major}}", "-1"],
    ["{{int64 (semver `9223372036854775808`).Major}}", "-9223372036854775808"],
    ["{{float64 (semver `18446744073709551615`).Major}}", "1.8446744073709552e+19"],
    [
      "{{float64 -3}} {{int `12.0`}} {{int `12.00.`}} {{int `12.`}} {{int `1.0.0`}}",
      "-3 12 12 0 0",
    ],
    ["{{atoi `9223372036854775807`}} {{atoi `-0009223372036854775808`}}", `${most} ${least}`],
    ["{{atoi `9223372036854775808`}} {{atoi `-9223372036854775809`}}", `${most} ${least}`],
    ["{{int `9223372036854775807`}} {{int `9223372036854775808`}}", `${most} 0`],
    [
      "{{int `0x0_7f`}} {{int `-0b101`}} {{int `0o17`}} {{int `017`}} {{int `0`}}",
      "127 -5 15 15 0",
    ],
    ["{{toDecimal `777`}} {{toDecimal `-00017`}} {{toDecimal `8`}}", "511 -15 0"],
    ["{{toDecimal `777777777777777777777`}} {{toDecimal `1000000000000000000000`}}", `${most} 0`],
  ];
  for (const [template, output] of integers)
    test(template, () => assert.equal(evaluated(template), output));

  test("a text of hundreds of thousands of digits is out of range", () => {
    const nines = "9".repeat(900_000);
    assert.equal(evaluated(`{{atoi \`${nines}\`}} {{atoi \`-${nines}\`}}`), `${most} ${least}`);
    assert.equal(evaluated(`{{int \`${nines}\`}} {{int64 \`0x${nines}\`}}`), "0 0");
    assert.equal(evaluated(`{{toDecimal \`${"7".repeat(900_000)}\`}}`), "0");
    assert.equal(evaluated(`{{int \`${"0".repeat(900_000)}7\`}}`), "7");
    assert.match(evaluated(`{{int ${nines}}}`), /integer overflow/);
  });

  test("no big integer is made of a text that is out of range", () => {
    const nines = "9".repeat(900_000);
    const Real = globalThis.BigInt;
    let longest = 0;
    globalThis.BigInt = new Proxy(Real, {
      apply: (_, __, [value]: [Parameters<BigIntConstructor>[0]]) => {
        if (typeof value === "string") longest = Math.max(longest, value.length);
        return Real(value);
      },
    });
    try {
      for (const name of ["atoi", "int"]) evaluated(`{{${name} \`${nines}\`}}{{${name} \`7\`}}`);
    } finally {
      globalThis.BigInt = Real;
    }
    assert.ok(longest > 0 && longest < 100, `one was made of ${longest} characters`);
  });

  test("slugify of nothing is nothing", () => assert.equal(evaluated("{{slugify}}"), ""));

  for (const method of ["Scan `2.0.0`", "UnmarshalText `2.0.0`", "UnmarshalJSON `2.0.0`"])
    test(`a version has no ${method}, which would change it`, () => {
      assert.match(
        evaluated(`{{(semver \`1.2.3\`).${method}}}`),
        /error calling \w+: it would change the version, which nothing here may: make another/,
      );
      assert.match(
        evaluated(`{{(semver \`1.2.3\`).IncMajor.${method}}}`),
        /can't evaluate field \w+/,
      );
    });

  test("a slug has a limit of its own", () => {
    assert.equal(
      evaluated("{{slugify 0 true `hello world`}} {{slugify -1 `a b`}}"),
      "hello-world a-b",
    );
    assert.equal(evaluated("{{slugify 0 false `hello world`}}"), "");
    assert.match(
      evaluated("{{slugify -1 false `a`}}"),
      /error calling slugify: cannot cut a slug at -1: the limit is at least 0/,
    );
  });

  test("every function that Argo CD has is there, or refused by name", () => {
    const names =
      `and or not eq ne lt le gt ge len index slice print printf println html js urlquery call normalize slugify
      toYaml fromYaml fromYamlArray abbrev abbrevboth trunc trim upper lower title untitle substr repeat trimall
      trimAll trimSuffix trimPrefix nospace initials randAlphaNum randAlpha randAscii randNumeric swapcase shuffle
      snakecase camelcase kebabcase wrap wrapWith contains hasPrefix hasSuffix quote squote cat indent nindent
      replace plural sha1sum sha256sum sha512sum adler32sum toString atoi int int64 float64 toDecimal seq until
      untilStep add1 add sub div mod mul randInt add1f addf subf divf mulf biggest max min maxf minf ceil floor
      round split splitList splitn toStrings join sortAlpha list tuple append prepend first rest last initial
      reverse uniq without has concat chunk compact mustAppend mustPrepend mustFirst mustRest mustLast mustInitial
      mustReverse mustUniq mustWithout mustHas mustSlice mustChunk mustCompact push mustPush dict get set unset
      hasKey pluck keys pick omit merge mergeOverwrite values dig deepCopy deepEqual mustMerge mustMergeOverwrite
      mustDeepCopy default empty coalesce all any ternary fail typeOf typeIs typeIsLike kindOf kindIs ago date
      date_in_zone date_modify dateInZone dateModify duration durationRound htmlDate htmlDateInZone must_date_modify
      mustDateModify mustToDate now toDate unixEpoch b64enc b64dec b32enc b32dec toJson toPrettyJson toRawJson
      fromJson mustToJson mustToPrettyJson mustToRawJson mustFromJson base dir clean ext isAbs osBase osClean osDir
      osExt osIsAbs urlParse urlJoin regexMatch regexFindAll regexFind regexReplaceAll regexReplaceAllLiteral
      regexSplit regexQuoteMeta mustRegexMatch mustRegexFindAll mustRegexFind mustRegexReplaceAll
      mustRegexReplaceAllLiteral mustRegexSplit semver semverCompare bcrypt htpasswd genPrivateKey derivePassword
      buildCustomCert genCA genCAWithKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert
      genSignedCertWithKey encryptAES decryptAES hello uuidv4 randBytes`
        .trim()
        .split(/\s+/);
    const missing = names.filter(
      (name) =>
        name !== "and" &&
        name !== "or" &&
        !argoFunctions.has(name) &&
        refusedFunction(name) === undefined,
    );
    assert.deepEqual(missing, []);
    for (const name of ["env", "expandenv", "getHostByName", "tpl", "include", "lookup"])
      assert.ok(!argoFunctions.has(name) && refusedFunction(name) === undefined, name);
  });
});
