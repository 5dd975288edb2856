import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { formatFloat, printFloat } from "../../../../hub/domain/template/floats.ts";
import { goQuote, printValue } from "../../../../hub/domain/template/print.ts";
import { sprintf } from "../../../../hub/domain/template/sprintf.ts";
import {
  GoInteger,
  int64,
  stringList,
  StringMap,
  type GoValue,
} from "../../../../hub/domain/template/value.ts";

suite("printFloat", () => {
  const rows: readonly (readonly [value: number, text: string])[] = [
    [0, "0"],
    [-0, "-0"],
    [3, "3"],
    [1.5, "1.5"],
    [100000, "100000"],
    [999999.5, "999999.5"],
    [1000000, "1e+06"],
    [-1000000, "-1e+06"],
    [1234567, "1.234567e+06"],
    [12345678901, "1.2345678901e+10"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [1e20, "1e+20"],
    [1e21, "1e+21"],
    [5e-324, "5e-324"],
    [Number.POSITIVE_INFINITY, "+Inf"],
    [Number.NaN, "NaN"],
  ];
  for (const [value, text] of rows) {
    test(`${value} is ${text}`, () => assert.equal(printFloat(value), text));
  }

  test("reads back as the same number", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
        assert.ok(Object.is(Number(printFloat(value)), value)),
      ),
    );
  });
});

suite("formatFloat", () => {
  test("rounds the exact value, ties to even", () => {
    assert.equal(formatFloat(0.5, "f", 0), "0");
    assert.equal(formatFloat(1.5, "f", 0), "2");
    assert.equal(formatFloat(2.5, "f", 0), "2");
    assert.equal(formatFloat(1.005, "f", 2), "1.00");
    assert.equal(formatFloat(1e22, "f", 1), "10000000000000000000000.0");
    assert.equal(formatFloat(123456, "e", 2), "1.23e+05");
    assert.equal(formatFloat(100, "g", 3), "100");
    assert.equal(formatFloat(0.00001234, "g", 2), "1.2e-05");
  });

  test("agrees with toFixed where no tie is involved", () => {
    // Multiples of a thousand-and-twenty-fourth end within ten places, so there is nothing to round.
    const exact = fc.integer().map((whole) => whole / 1024);
    fc.assert(
      fc.property(exact, fc.integer({ min: 10, max: 20 }), (value, places) =>
        assert.equal(formatFloat(value, "f", places), value.toFixed(places)),
      ),
    );
  });
});

const free = (): void => {};

suite("sprintf", () => {
  const rows: readonly (readonly [format: string, operands: readonly GoValue[], text: string])[] = [
    ["%d", [3], "%!d(float64=3)"],
    ["%d", [3n], "3"],
    ["%03d|%-4d|%+d", [7n, 7n, 7n], "007|7   |+7"],
    [
      "%x %X %o %b %c %U %q",
      [255n, 255n, 8n, 5n, 65n, 0x1f600n, 65n],
      "ff FF 10 101 A U+1F600 'A'",
    ],
    ["%5s|%-5s|%.2s", ["ab", "ab", "abc"], "   ab|ab   |ab"],
    ["%q %v", ['a"b', stringList(["a", "b"])], '"a\\"b" [a b]'],
    ["%s", [[1n, "a"]], "[%!s(int=1) a]"],
    [
      "%v",
      [
        new StringMap([
          ["b", "2"],
          ["a", "1"],
        ]),
      ],
      "map[a:1 b:2]",
    ],
    ["%T %T %T %T", [1n, int64(1n), null, new StringMap()], "int int64 <nil> map[string]string"],
    ["%s", [], "%!s(MISSING)"],
    ["x", ["y"], "x%!(EXTRA string=y)"],
    ["%z", [1n], "%!z(int=1)"],
    ["%s %v %d", [null, null, null], "%!s(<nil>) <nil> %!d(<nil>)"],
    ["%[2]s %[1]s", ["a", "b"], "b a"],
    ["%[3]s", ["a"], "%!s(BADINDEX)"],
    ["%*d|%-*d|", [5n, 42n, 5n, 42n], "   42|42   |"],
    ["%.2f %8.3f %g %e", [2.71559, 2.5, 1e7, 1.5], "2.72    2.500 1e+07 1.500000e+00"],
    ["%d%%", [50n], "50%"],
    ["%", [], "%!(NOVERB)"],
    ["%t %v", [true, false], "true false"],
    ["%#v %#v", ["a", [1n]], '"a" []interface {}{1}'],
    ["%v", [new GoInteger("uint8", 98n)], "98"],
    [
      "%#08x|%#8x|%#-8x|%+08d|%#08b",
      [255n, 255n, 255n, 7n, 5n],
      "0x000000ff|    0xff|0xff    |+0000007|0b00000101",
    ],
    ["%#o %#o %#.3o %#O %08O", [0n, 8n, 8n, 8n, 8n], "0 010 010 0o010 0o00000010"],
    ["%+.0d|%3.0d|%#.0x|%03.0d", [0n, 0n, 0n, 0n], "|   ||   "],
    [
      "%#U %.6U %#U %#.6U %#08U|%U",
      [97n, 97n, 7n, 97n, 97n, -1n],
      "U+0061 'a' U+000061 U+0007 U+000061 'a' U+0061 'a'|U+FFFFFFFFFFFFFFFF",
    ],
    ["%#10v|%#-5v|%#.1v|%#08v", ["a", "a", "abc", "a"], '       "a"|"a"  |"a"|00000"a"'],
    [
      "%#10v|%#.4v|%#08v",
      [new GoInteger("uint8", 98n), new GoInteger("uint8", 98n), new GoInteger("uint8", 98n)],
      "      0x62|0x0062|0x00000062",
    ],
    ["%.2s|%.1q|%3.1s", ["é€a", "€a", "😀b"], 'é€|"€"|  😀'],
    ["%[d %[1]d %[x", [1n], "%!d(BADINDEX) %!x(BADINDEX)"],
  ];
  for (const [format, operands, text] of rows) {
    test(`${format} gives ${text}`, () => assert.equal(sprintf(format, operands, free), text));
  }
});

test("an operand is paid for as often as a verb picks it", () => {
  for (const verb of ["s", "v", ".1s", "q", "x", "#v", "5s"]) {
    const work = (times: number): number => {
      let paid = 0;
      sprintf(`%[1]${verb}`.repeat(times), ["a".repeat(1_000)], (units) => (paid += units));
      return paid;
    };
    assert.ok(work(20) - work(10) >= 10_000, `${verb}: ${work(10)} and ${work(20)}`);
  }
});

test("values print with their keys sorted by bytes", () =>
  assert.equal(
    printValue(
      new Map<string, GoValue>([
        ["9", 1n],
        ["10", 2n],
        ["é", null],
        ["b", [true]],
      ]),
    ),
    "map[10:2 9:1 b:[true] é:<nil>]",
  ));

test("quoting escapes what cannot be seen", () =>
  assert.equal(goQuote("a\n\u0000\u200b\u{1F600}é"), '"a\\n\\x00\\u200b\u{1F600}é"'));
