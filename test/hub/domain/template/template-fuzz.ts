import type { ParameterType } from "../../../../hub/domain/template/function.ts";
import { unreachable } from "../../../../proto/kit/unreachable.ts";
import { argoFunctions } from "../../../../hub/domain/template/functions/index.ts";

/** A template, what it is given, and how missing keys are met: a case for our engine and for Go's. */
export type TemplateCase = {
  readonly about: Topic;
  readonly template: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly option: "missingkey=default" | "missingkey=error" | "missingkey=zero";
};

/** What a template is about: some are full of bytes that are no text, of times, or read and write YAML and little else. */
type Topic = "anything" | "bytes" | "times" | "yaml";

/** Not for Go to judge: those whose order is another each time in Go and sorted in ours, and what takes long. */
const unjudged = new Set([
  "keys",
  "values",
  // A tenth of a second each.
  "derivePassword",
]);

/** A number as their argument is how much they make, so they get small ones only. */
const costly = new Map([
  ["repeat", "repeat 3"],
  ["until", "until 5"],
  ["untilStep", "untilStep 0 10"],
  ["seq", "seq 1 3"],
  ["indent", "indent 2"],
  ["nindent", "nindent 4"],
]);

/** The words a random template is made of. */
export function templateCases(random: () => number): () => TemplateCase {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const chance = (likely: number): boolean => random() < likely;
  const functions = [...argoFunctions.keys()].filter((name) => !unjudged.has(name));

  const texts = [
    "",
    "a",
    "Hello World",
    "héllo",
    "a,b,c",
    "1.2.3",
    "42",
    "-7",
    "0x1F",
    "3.5",
    "true",
    "/a/b.yaml",
    "%s-%d",
    "日本",
    "Ǆ ß İ ﬁ 😀💀",
    "naïve café",
    "foo-bar_baz",
    "a\\tb",
    "2h45m",
    "https://u:p@h.example:8443/p?q=1#f",
    ">=1.0.0",
    "[a-z]+",
    "(o)(.)",
    "$1-${1}",
    '{"k":[1,2.5,null]}',
    "Zm9v",
    "2024-02-29",
    "12.00.",
    "-feature/ABC_123--really.long. name of_a-branch that is cut",
  ];
  /** Bytes that are no UTF-8, by the ways to come by them; some are characters once they are put together. */
  const bytes = [
    '"\\xff"',
    '"a\\xc3"',
    '"\\xa9b"',
    '"\\xe2\\x82 \\xac"',
    '"\\xac\\xe2\\x82"',
    '"x\\xf0\\x9f\\x98\\x80\\xed\\xa0\\x80"',
    '"\\xF4\\x90\\200Ab"',
    "(b64dec `/8OpwyA=`)",
    "(b64dec `w6nD`)",
    "(b32dec `76PQ====`)",
    "(trunc 4 .text)",
    "(trunc -2 .name)",
    "(substr 1 3 .text)",
    "(abbrev 5 .text)",
    '(printf "%s%s" (trunc 1 "é") (trunc -1 "é"))',
    '(printf "%s%s" "\\xe2" "\\x82\\xac")',
    '(urlParse "/a%ffb%C3?c").path',
  ];
  const layouts = [
    "2006-01-02",
    "2006-01-02T15:04:05Z07:00",
    "Mon Jan _2 15:04:05 2006",
    "Monday, 02-Jan-06 15:04:05 MST",
    "02 Jan 06 15:04 -0700",
    "3:04PM",
    "03:04:05.000 pm",
    "2006 __2 002",
    "1/2/06 4:5",
    "Jan _2 15:04:05.999999",
    "-07 -07:00:00 Z070000 Z07",
    "January Mondays Janus _2006 5,000 .0001",
    "2006-01-02 15:04:05.999999999 -0700 MST",
  ];
  const times = [
    "2024-02-29",
    "2023-02-29",
    "2024-12-31T23:59:60Z",
    "2024-06-30T23:59:59+05:30",
    "1999-01-01T00:00:00.25Z",
    "Wed Jan  3 01:02:03 2018",
    "Tuesday, 05-Mar-24 10:11:12 CEST",
    "05 Mar 70 10:11 -0330",
    "9:05AM",
    "12:00:00,123 am",
    "2024 060 060",
    "12/31/69 7:8",
    "Feb 30 00:00:00",
    "-08 +00:00:00 Z +0",
    "0000-01-01 00:00:00 +0000 UTC",
    "2024-01-01 00:00:00.5 +0100 GMT+1",
    "yesterday",
    "",
  ];
  const zones = [
    "UTC",
    "",
    "Local",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Etc/GMT+5",
    "US/Pacific",
    "PST",
    "europe/berlin",
    "Mars/Olympus",
    "../etc",
  ];
  const durations = [
    "1h",
    "-1.5h",
    "2h45m10.5s",
    "300ms",
    "1us2ns",
    "100000h",
    "0",
    "1d",
    "",
    "1.h.5m",
    "9223372036s",
    "9999999999s",
  ];
  const quoted = (items: readonly string[]): string => JSON.stringify(pick(items));
  const moment = (): string =>
    pick([
      () => pick(["0", "1709208000", "-86400", "4102444800", "1720000000", "1700000000000"]),
      () => `(int64 ${pick(["1709208000", "1720000000"])})`,
      () => `(toDate ${quoted(layouts)} ${quoted(times)})`,
      () => '(toDate "2006-01-02T15:04:05Z07:00" "2024-06-30T23:59:59+05:30")',
    ])();
  /** Arguments that mean something to functions of dates. */
  const dateWords = (name: string): readonly string[] | undefined => {
    if (/^(must)?toDate$/i.test(name)) {
      const layout = pick(layouts);
      const same = chance(0.4) ? layout : pick(times);
      return [name, JSON.stringify(layout), JSON.stringify(same)];
    }
    if (/^date_?in_?zone$/i.test(name)) return [name, quoted(layouts), moment(), quoted(zones)];
    if (name === "htmlDateInZone") return [name, moment(), quoted(zones)];
    if (name === "date") return [name, quoted(layouts), moment()];
    if (name === "htmlDate") return [name, moment()];
    if (/date_?modify/i.test(name)) return [name, quoted(durations), typed("time", 0)];
    if (name.startsWith("duration")) return [name, quoted(durations)];
    return undefined;
  };
  /** Scalars as YAML writes them, which are a text to one reader and a number to the next. */
  const yamlScalar = (): string =>
    pick([
      "a",
      "yes",
      "Off",
      "~",
      "null",
      "",
      "012",
      "0o17",
      "0x1F",
      "1_000",
      "1e3",
      "1.",
      ".5",
      "-.inf",
      ".nan",
      "1:30",
      "123456789012345678",
      "18446744073709551616",
      "2024-01-01",
      "2024-01-01T00:00:00Z",
      "=",
      "<<",
      "'it''s'",
      '"\\u00e9\\n\\x41"',
      "héllo 日本 😀",
      "a: b",
      "a #b",
      "- a",
      "!!str 5",
      "!!int '5'",
      "!own x",
      "&x 1",
      "*x",
      "|\n  two\n  lines\n",
      ">-\n  two\n  lines\n",
      "@a",
      "[",
    ]);
  /** No two of them are one key: which of two values Go keeps is then chance, and what is wrong with the other is lost. */
  const yamlKeys = [
    "a",
    "yes",
    "Off",
    "012",
    "0x1F",
    "1_000",
    "1.",
    ".5",
    "-.inf",
    ".nan",
    "1:30",
    "123456789012345678",
    "18446744073709551616",
    "2024-01-01",
    "=",
    "<<",
    "'it''s'",
    "héllo 日本 😀",
    "!!str 5",
    "!own x",
    "a b",
  ];
  const yamlPairs = (make: () => string): readonly string[] =>
    [...new Set(many(3, () => pick(yamlKeys)))].map((key) => `${key}: ${make()}`);
  const yamlFlow = (depth: number): string => {
    const inner = (): string => (depth > 0 ? yamlFlow(depth - 1) : yamlScalar());
    return pick([
      yamlScalar,
      () => `[${many(3, inner).join(", ")}]`,
      () => `{${yamlPairs(inner).join(", ")}}`,
    ])();
  };
  const yamlText = (): string =>
    pick([
      () => yamlFlow(2),
      () => many(3, () => `- ${yamlFlow(1)}\n`).join(""),
      () => yamlPairs(() => yamlFlow(1)).join("\n"),
      () => `base: &x {a: 1}\nmade: {<<: *x, b: ${yamlScalar()}}\n`,
      () =>
        `${pick(["---\n", "# a\n", "%YAML 1.1\n---\n"])}${yamlFlow(1)}${pick(["", "\n---\na: 1"])}`,
    ])();
  const yamlWords = (name: string): readonly string[] => {
    if (name !== "toYaml") return [name, JSON.stringify(yamlText())];
    return [
      name,
      pick([
        () => JSON.stringify(pick([...texts, ...times, yamlScalar()])),
        () => `(list ${many(3, () => JSON.stringify(yamlScalar())).join(" ")})`,
        () => `(dict ${JSON.stringify(yamlScalar())} ${operand(0)} \`k\` ${operand(0)})`,
        () => `(${pick(["fromYaml", "fromYamlArray"])} ${JSON.stringify(yamlText())})`,
        () => operand(1),
      ])(),
    ];
  };
  const slugWords = (): readonly string[] => {
    const name = typed("string", 0);
    const limit = pick(["0", "1", "-1", "7", "12", "50", "300", ".count", "`5`"]);
    return [
      "slugify",
      ...pick([[], [limit], [limit], [limit, pick(["true", "false", ".flag", "1"])]]),
      ...(chance(0.05) ? ["1"] : []),
      name,
    ];
  };
  const data = (): Record<string, unknown> => ({
    name: pick(texts),
    text: pick(texts),
    empty: "",
    count: pick([0, 1, 3, -2, 7.5, 1234]),
    flag: chance(0.5),
    nothing: null,
    list: pick([[], ["a", "b", "c"], [1, 2, 3], ["x", 1, null, true], [["n"], ["m"]]]),
    map: pick([{}, { a: "1", b: "2" }, { k: { n: [1, { z: "deep" }] } }, { "a-b": 1, "": 2 }]),
    path: { path: "apps/web", basename: "web", segments: ["apps", "web"] },
  });

  const field = (): string =>
    pick([
      ".name",
      ".text",
      ".empty",
      ".count",
      ".flag",
      ".nothing",
      ".list",
      ".map",
      ".path",
      ".path.path",
      ".path.segments",
      ".path.basename",
      ".map.a",
      ".map.k",
      ".map.k.n",
      ".missing",
      ".missing.deep",
      ".name.x",
      ".list.x",
      ".",
      "$",
      "$.name",
      "$.map",
    ]);
  const literal = (): string =>
    pick([
      () => JSON.stringify(pick(texts)),
      () => `\`${pick(texts.filter((text) => !text.includes("`")))}\``,
      () =>
        pick([
          "0",
          "1",
          "2",
          "-1",
          "3",
          "10",
          "0x1f",
          "0b101",
          "0o17",
          "017",
          "1_000",
          "(max 0 (semver `18446744073709551615`).Major)",
          "(int (semver `18446744073709551614`).Major)",
          "(int `-00018446744073709551617`)",
          "1.5",
          "-2.25",
          "1e3",
          ".5",
          "'a'",
          "'\\n'",
        ]),
      () => pick(["true", "false", "nil"]),
      () => pick(bytes),
    ])();
  const variables: string[] = [];
  /** While what a `range` counts to is made: methods of times give numbers nobody lives to count to. */
  let counts = false;
  let about: Topic = "anything";
  const operand = (depth: number): string => {
    const kind = about === "times" && chance(0.5) ? 1 : random();
    if (about === "bytes" && chance(0.5)) return pick(bytes);
    if (kind < 0.42) return field();
    if (kind < 0.8 || depth <= 0) return literal();
    if (kind < 0.86 && variables.length > 0) return `${pick(variables)}${chance(0.2) ? ".a" : ""}`;
    if (!counts && chance(about === "times" ? 0.7 : 0.12)) return `(${methodCall()})`;
    return `(${pipeline(depth - 1)})${chance(0.1) ? ".a" : ""}`;
  };
  const timeValue = (depth = 1): string =>
    pick([
      () => `(toDate ${quoted(layouts)} ${quoted(times)})`,
      () => '(toDate "2006-01-02T15:04:05Z07:00" "2024-06-30T23:59:59.125Z")',
      () => '(toDate "2006-01-02T15:04:05Z07:00" "2024-06-30T23:59:59+05:30")',
      () => '(toDate "2006-01-02 MST" "1969-12-31 CEST")',
      () => `(toDate "2006-01-02" "2024-0${pick(["1", "2", "7"])}-29")`,
      () => `(dateModify ${quoted(durations)} (toDate "2006" "2024"))`,
      () => (depth > 0 ? `(${timeMethod(depth - 1)})` : '(toDate "2006" "1970")'),
    ])();
  const durationValue = (): string =>
    pick([
      () =>
        pick([
          "0",
          "1",
          "-1500",
          "60000000000",
          "3600000000000",
          "'a'",
          "1e9",
          "1.5",
          "0x7fffffffffffffff",
          "18446744073709551615",
        ]),
      () => `(${timeValue(0)}.Sub ${timeValue(0)})`,
      () => `((${timeValue(0)}.Sub ${timeValue(0)}).Truncate 1000000000)`,
    ])();
  const wholes = ["0", "1", "-1", "13", "-25", "31", "400", "-1000000", "(len .name)", "1e3"];
  /** A method of a time that gives a time. */
  const timeMethod = (depth: number): string =>
    pick([
      () => `${timeValue(depth)}.Add ${durationValue()}`,
      () => `${timeValue(depth)}.AddDate ${pick(wholes)} ${pick(wholes)} ${pick(wholes)}`,
      () => `${timeValue(depth)}.${pick(["UTC", "Local"])}`,
      () => `${timeValue(depth)}.In ${timeValue(0)}.Location`,
      () => `${timeValue(depth)}.${pick(["Round", "Truncate"])} ${durationValue()}`,
    ])();
  const version = (): string =>
    pick([
      () => "(semver `1.2.3`)",
      () => "(semver `v1.2.3-rc.1+b`)",
      () => "(semver `1.2`)",
      () => "(semver .name)",
      () => `(semver \`2.0.0-beta.${pick(["2", "10", "x"])}\`)`,
      () => `${version()}.Inc${pick(["Major", "Minor", "Patch"])}`,
      () => `(${version()}.SetPrerelease ${pick(['"rc.2"', '"01"', '"a..b"', '""', ".name"])})`,
      () => `(${version()}.SetMetadata ${pick(['"b7"', '"a+b"', ".name"])})`,
    ])();
  const methodCall = (): string =>
    pick([
      () => timeMethod(1),
      () => `${timeValue()}.Format ${quoted(layouts)}`,
      () => `${timeValue()}.${pick(["Before", "After", "Equal", "Compare", "Sub"])} ${timeValue()}`,
      () => `${timeValue()} | ${timeValue()}.${pick(["Before", "After", "Equal", "Sub"])}`,
      () => `eq ${timeValue()} ${timeValue()}`,
      () =>
        `${timeValue()}.${pick([
          "Year",
          "Month",
          "Weekday",
          "YearDay",
          "Nanosecond",
          "Unix",
          "UnixMilli",
          "UnixMicro",
          "UnixNano",
          "IsZero",
          "IsDST",
          "String",
          "GoString",
          "Location",
          "Location.String",
          "Month.String",
          "Clock",
          "ISOWeek",
          "Zone",
          "ZoneBounds",
          "Nothing",
          "wall",
        ])}`,
      () =>
        `${timeValue()}.${pick(["Format", "In nil", "Add", "AddDate 1 2", "Month 1", "Add nil", "Sub 1", "In 1"])}`,
      () =>
        `(${timeValue()}.Sub ${timeValue()}).${pick([
          "Hours",
          "Minutes",
          "Seconds",
          "Milliseconds",
          "Microseconds",
          "Nanoseconds",
          "String",
          "Abs",
          `Round ${durationValue()}`,
          `Truncate ${durationValue()}`,
        ])}`,
      () =>
        `${version()}.${pick([
          "Major",
          "Prerelease",
          "Metadata",
          "Original",
          "String",
          "Value",
          `Compare ${version()}`,
          `LessThan ${version()}`,
          `GreaterThanEqual ${version()}`,
          `Equal ${version()}`,
          "Equal nil",
          "Compare nil",
          ...(chance(0.05) ? ["Scan `1.2.3`", "UnmarshalText .name", "UnmarshalJSON"] : []),
        ])}`,
      () => `${version()} | ${version()}.Compare`,
    ])();
  const typed = (type: ParameterType, depth: number): string => {
    if (chance(0.12)) return operand(depth);
    if (!counts && chance(0.05)) return `(${methodCall()})`;
    switch (type) {
      case "any":
        return operand(depth);
      case "string":
        if (about === "bytes" && chance(0.6)) return pick(bytes);
        return pick([
          () => JSON.stringify(pick(texts)),
          () => pick([".name", ".text", ".path.path", ".path.basename"]),
          () => `(print ${operand(0)})`,
          () => pick(bytes),
        ])();
      case "int":
        return pick(["0", "1", "2", "3", "-1", "10", "(len .name)", "(int .count)"]);
      case "bool":
        return pick(["true", "false", ".flag", "(eq .name .text)"]);
      case "float64":
        return pick(["1.5", "2", "-0.25", "(float64 .count)"]);
      case "list":
        return pick([".list", ".path.segments", "(list 1 2 1)", "(list `b` `a` `b`)", "(until 3)"]);
      case "time":
        return timeValue();
      case "duration":
        return durationValue();
      case "location":
        return `${timeValue()}.Location`;
      case "version":
        return version();
      case "uint32":
        return pick(["0", "1", "4294967296"]);
      case "map":
        return pick([".map", ".path", "(dict `a` 1 `b` `x`)", "$.map"]);
      default:
        return unreachable(type, "type");
    }
  };
  const many = (most: number, make: () => string): readonly string[] =>
    Array.from({ length: Math.floor(random() * (most + 1)) }, make);
  /** A function and its arguments, a word each. */
  const callWords = (depth: number): readonly string[] => {
    const name = chance(0.35)
      ? pick([
          "printf",
          "print",
          "println",
          "index",
          "eq",
          "ne",
          "lt",
          "le",
          "gt",
          "ge",
          "len",
          "and",
          "or",
          "not",
          "list",
          "dict",
          "default",
          "get",
          "join",
          "slice",
          "html",
          "js",
          "urlquery",
          "quote",
          "toString",
          "int",
          "add",
          "ternary",
          "call",
          "dateInZone",
          "toDate",
          "date",
          "dateModify",
          "slugify",
          "toYaml",
          "fromYaml",
          "fromYamlArray",
        ])
      : pick(functions);
    const bounded = costly.get(name);
    if (bounded !== undefined)
      return /^(seq|until)$/.test(name) ? [bounded] : [bounded, pick([".name", ".list", "2"])];
    if (name === "printf" && chance(0.8))
      return [
        "printf",
        `"${pick(["%v", "%d", "%s", "%q", "%5d|%-5s|", "%x", "%T", "%05.2f", "%+v", "%#v", "%t", "%c", "%e", "%g", "%U", "%%", "% x", "%+q", "%#q", "%.2s", "%p", "%w", "%+d", "%6d", "%#x", "%o", "%#t", "%[2]v %[1]v", "%!", "%#08x", "%+#09b", "%#o", "%O", "%+.0d", "%#U", "%.6U", "%#10v", "%#-6.1v", "%[1"])} ${pick(["", "%v"])}"`,
        ...many(3, () => operand(depth)),
      ];
    const dated = chance(0.9) ? dateWords(name) : undefined;
    if (dated !== undefined) return dated;
    if (name === "slugify") return slugWords();
    if (/Yaml/.test(name) && chance(0.9)) return yamlWords(name);
    const known = argoFunctions.get(name);
    if (known === undefined || chance(0.08)) return [name, ...many(3, () => operand(depth))];
    const { parameters, rest } = known;
    return [
      name,
      ...parameters.map((type) => typed(type, depth)),
      ...(rest === undefined ? [] : many(3, () => typed(rest, depth))),
    ];
  };
  const call = (depth: number): string => callWords(depth).join(" ");
  const pipeline = (depth: number): string => {
    const first =
      !counts && chance(0.1) ? methodCall() : chance(0.5) ? call(depth) : operand(depth);
    return Array.from({ length: chance(0.75) ? 0 : 1 + Math.floor(random() * 2) }, () =>
      pipedCall(),
    ).reduce((made, next) => `${made} | ${next}`, first);
  };
  /** Takes its last argument from the pipe. */
  const pipedCall = (): string => {
    const words = callWords(0);
    return words.length > 1 && chance(0.9)
      ? words.slice(0, -1).join(" ")
      : pick([
          "quote",
          "upper",
          "toString",
          "len",
          "html",
          "trim",
          "default `x`",
          "toJson",
          "print",
          "not",
          "b64enc",
          "sha256sum",
          'printf "%x"',
          'printf "%q"',
          "kindOf",
          "typeOf",
          "deepEqual .name",
        ]);
  };
  const action = (inside: string): string =>
    `{{${chance(0.15) ? "- " : ""}${inside}${chance(0.15) ? " -" : ""}}}`;
  const scoped = <T>(make: () => T): T => {
    const known = variables.length;
    const made = make();
    variables.length = known;
    return made;
  };
  /** In a template of its own, which sees none of the variables around it. */
  const outside = <T>(make: () => T): T => {
    const known = variables.splice(0);
    const made = make();
    variables.splice(0, variables.length, ...known);
    return made;
  };
  const counted = (make: () => string): string => {
    counts = true;
    const made = make();
    counts = false;
    return made;
  };
  let parts = 0;
  const plain = (): string => pick(["", " ", "x", "\n", " text ", "a: ", "-", "}}", "{ { ", "\t"]);

  const piece = (depth: number): string => {
    const kind = random();
    if (depth <= 0 || kind < 0.45) return action(pipeline(2));
    if (kind < 0.53) return plain();
    if (kind < 0.6) {
      const name = `$v${variables.length}`;
      const made = action(`${name} := ${pipeline(1)}`);
      variables.push(name);
      return made;
    }
    if (kind < 0.63 && variables.length > 0) return action(`${pick(variables)} = ${pipeline(1)}`);
    if (kind < 0.66) return chance(0.5) ? "{{/* a comment */}}" : "{{- /* a comment */ -}}";
    if (kind < 0.78)
      return scoped(
        () =>
          `${action(`if ${pipeline(1)}`)}${body(depth - 1)}${chance(0.4) ? `${action(`else if ${pipeline(0)}`)}${body(depth - 1)}` : ""}${chance(0.5) ? `${action("else")}${body(depth - 1)}` : ""}${action("end")}`,
      );
    if (kind < 0.84)
      return scoped(
        () =>
          `${action(`with ${pipeline(1)}`)}${body(depth - 1)}${chance(0.3) ? `${action("else")}${body(depth - 1)}` : ""}${action("end")}`,
      );
    if (kind < 0.94)
      return scoped(() => {
        const header = pick(["range ", "range $i, $e := ", "range $e := "]);
        const over = chance(0.7)
          ? pick([".list", ".map", ".path.segments", "3", "(list 1 2)", "(dict `a` 1 `b` 2)"])
          : counted(() => pipeline(0));
        if (header.includes("$i")) variables.push("$i");
        if (header.includes("$e")) variables.push("$e");
        return `${action(`${header}${over}`)}${body(depth - 1)}${chance(0.15) ? action(pick(["break", "continue"])) : ""}${chance(0.3) ? `${action("else")}${body(depth - 1)}` : ""}${action("end")}`;
      });
    if (kind < 0.97) {
      const name = chance(0.9) ? `part${(parts += 1)}` : "part";
      return `${action(`define "${name}"`)}${outside(() => body(depth - 1))}${action("end")}${action(`template "${name}" ${field()}`)}`;
    }
    const name = chance(0.9) ? `other${(parts += 1)}` : "other";
    return `${action(`block "${name}" ${field()}`)}${outside(() => body(depth - 1))}${action("end")}`;
  };
  const body = (depth: number): string =>
    Array.from({ length: 1 + Math.floor(random() * 3) }, () => `${plain()}${piece(depth)}`).join(
      "",
    );

  /** Short, since the first failure ends a template. */
  const yamlBody = (): string => {
    const call = yamlWords(pick(["toYaml", "fromYaml", "fromYamlArray"])).join(" ");
    return `{{${call}${pick(["", " | toJson", " | toYaml", ' | printf "%v"', ' | printf "%#v"'])}}}`;
  };

  return () => {
    variables.length = 0;
    about = pick(["anything", "anything", "bytes", "times", "yaml"]);
    return {
      about,
      template: about === "yaml" ? yamlBody() : body(2),
      data: data(),
      option: pick(["missingkey=default", "missingkey=error", "missingkey=zero"]),
    };
  };
}
