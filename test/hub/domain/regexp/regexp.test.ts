import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { compileRegexp, quoteMeta, type Regexp } from "../../../../hub/domain/regexp/regexp.ts";

const free = (): void => {};

function regexp(pattern: string): Regexp {
  const made = compileRegexp(pattern);
  assert.ok(made.ok, made.ok ? "" : made.problem);
  return made.value;
}

suite("compileRegexp", () => {
  const finds: readonly (readonly [pattern: string, text: string, found: string | undefined])[] = [
    ["a|ab", "ab", "a"],
    ["(a|ab)(c|bcd)", "abcd", "abcd"],
    ["a*?b", "aab", "aab"],
    ["(?U)a+", "aaa", "a"],
    ["x*", "aaa", ""],
    ["^b", "a\nb", undefined],
    ["(?m)^b$", "a\nb\nc", "b"],
    ["a.c", "a\nc", undefined],
    ["(?s)a.c", "a\nc", "a\nc"],
    ["(?i)hELLO", "Hello", "Hello"],
    ["(?i)k", "\u212a", "\u212a"],
    ["[[:alpha:]]+", "12ab3", "ab"],
    ["[^\\d]+", "12ab3", "ab"],
    ["\\pL+", "1é日2", "é日"],
    ["\\p{Greek}", "aβ", "β"],
    ["\\bfoo\\b", "a foo b", "foo"],
    ["\\x41\\x{1F600}", "A😀", "A😀"],
    ["\\Qa.b\\E+", "xa.bb", "a.bb"],
    ["a{2,3}", "aaaa", "aaa"],
    ["a{2}?", "aaaa", "aa"],
    ["a{,2}", "a{,2}", "a{,2}"],
    ["(a*)*", "aab", "aa"],
    ["(a|b*)*c", "ababc", "ababc"],
    ["\\d", "٣", undefined],
    ["a(?i){2}B", "aab", "aab"],
    ["😀{2}[é-€]", "a😀😀é", "😀😀é"],
    ["\\Q😀.\\E.(?P<n>€)", "😀.😀€", "😀.😀€"],
    ["[[:alpha:]é[:]+", "1a[:é", "a[:é"],
    ["a{1,x}", "a{1,x}", "a{1,x}"],
    ["(?:(?:(?:(?:){1000}){1000}){1000}){1000}a", "ba", "a"],
    ["(?:a{0}b{0,0}(?:)*){1000}c", "bc", "c"],
  ];
  for (const [pattern, text, found] of finds) {
    test(`${pattern} finds ${JSON.stringify(found)} in ${JSON.stringify(text)}`, () =>
      assert.equal(regexp(pattern).find(text, free), found));
  }

  const bad: readonly (readonly [pattern: string, says: string])[] = [
    ["(?=x)", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"],
    ["(?<!x)", "error parsing regexp: invalid or unsupported Perl syntax: `(?<`"],
    ["(a", "error parsing regexp: missing closing ): `(a`"],
    ["a)", "error parsing regexp: unexpected ): `a)`"],
    ["[a", "error parsing regexp: missing closing ]: `[a`"],
    ["*a", "error parsing regexp: missing argument to repetition operator: `*`"],
    ["a**", "error parsing regexp: invalid nested repetition operator: `**`"],
    ["\\8", "error parsing regexp: invalid escape sequence: `\\8`"],
    ["a\\", "error parsing regexp: trailing backslash at end of expression: ``"],
    ["a{1001}", "error parsing regexp: invalid repeat count: `{1001}`"],
    ["[z-a]", "error parsing regexp: invalid character class range: `z-a`"],
    ["é)€", "error parsing regexp: unexpected ): `é)€`"],
    ["😀[€-é]", "error parsing regexp: invalid character class range: `€-é`"],
    ["😀(?€)", "error parsing regexp: invalid or unsupported Perl syntax: `(?€`"],
    ["a\\😀b", "error parsing regexp: invalid escape sequence: `\\😀`"],
    ["((a{100}){100}){100}", "error parsing regexp: expression too large: `((a{100}){100}){100}`"],
  ];
  for (const [pattern, says] of bad) {
    test(`${pattern} is refused`, () => {
      const made = compileRegexp(pattern);
      assert.ok(!made.ok);
      assert.equal(made.problem, says);
    });
  }

  test("replaces, splits and finds all as Go does", () => {
    assert.equal(regexp("a(x*)b").replaceAll("-ab-axxb-", "$1W", false, free), "---");
    assert.equal(regexp("a(x*)b").replaceAll("-ab-axxb-", "${1}W", false, free), "-W-xxW-");
    assert.equal(regexp("a(x*)b").replaceAll("-ab-", "${1}", true, free), "-${1}-");
    assert.equal(regexp("x*").replaceAll("abc", "-", false, free), "-a-b-c-");
    assert.deepEqual(regexp("a*").findAll("baac", -1, free), ["", "aa", ""]);
    assert.deepEqual(regexp("z+").split("pizza", -1, free), ["pi", "a"]);
    assert.deepEqual(regexp("a").split("", -1, free), [""]);
    assert.deepEqual(regexp("").split("abc", -1, free), ["a", "b", "c"]);
  });

  test("agrees with JavaScript wherever both mean the same", () => {
    // No empty alternatives under a star: there the two engines differ on purpose.
    const atom = fc.constantFrom("a", "b", "[ab]", "[^a]", ".", "(a)", "(?:ab|b)", "(a|ab)");
    const repeated = fc
      .tuple(atom, fc.constantFrom("", "*", "+", "?", "*?", "+?", "??", "{1,2}"))
      .map((parts) => parts.join(""));
    const pattern = fc
      .array(fc.array(repeated, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 })
      .map((choices) => choices.map((parts) => parts.join("")).join("|"));
    const text = fc
      .array(fc.constantFrom("a", "b", "c"), { maxLength: 10 })
      .map((letters) => letters.join(""));
    fc.assert(
      fc.property(pattern, text, (expression, subject) => {
        const model = new RegExp(expression, "u");
        const ours = regexp(expression);
        assert.equal(ours.find(subject, free), model.exec(subject)?.[0], expression);
        assert.equal(
          ours.replaceAll(subject, "<${1}>", false, free),
          goReplace(subject, expression),
          expression,
        );
      }),
      { numRuns: 2000 },
    );
  });

  test("a pattern made to be slow takes steps in proportion to the text", () => {
    const slow = regexp("(a|aa|a?)*(a*)*$");
    const stepsFor = (length: number): number => {
      let steps = 0;
      assert.equal(
        slow.matches(`${"a".repeat(length)}b`, (units) => (steps += units)),
        true,
      );
      return steps;
    };
    assert.ok(stepsFor(4000) < 2.5 * stepsFor(2000));
  });

  const paidFor = (pattern: string, text: string): number => {
    let paid = 0;
    regexp(pattern).findAll(text, -1, (units) => (paid += units));
    return paid;
  };

  test("each instruction visited is paid for, whether or not it reads a character", () => {
    const extra = paidFor(`${"$b|".repeat(200)}x`, "a".repeat(100)) - paidFor("x", "a".repeat(100));
    assert.ok(extra >= 200 * 100, `${extra}`);
  });

  test("a class is paid for by what is in it, and a copy of captures by how many there are", () => {
    const text = "a".repeat(100);
    assert.ok(paidFor(`[${"b".repeat(50)}]`, text) >= 50 * 100);
    assert.ok(paidFor("()".repeat(20), text) >= 20 * 2 * 20 * 2 * 100);
  });

  test("many searches in one text are not paid for by the length of the pattern", () => {
    const rest = "b".repeat(1_000);
    assert.ok(paidFor(`a|${rest}`, "a".repeat(1_000)) < 50 * 1_000);
  });

  test("compiling is paid for by what repetitions come to, and nothing that is too large is laid out", () => {
    const paidToCompile = (pattern: string): number => {
      let paid = 0;
      compileRegexp(pattern, (units) => (paid += units));
      return paid;
    };
    assert.ok(paidToCompile("(a{100}){100}") >= 10_000);
    assert.ok(paidToCompile("abc") < 20);
    assert.equal(paidToCompile("(?:(?:){1000}){1000}"), paidToCompile(""));
    assert.equal(paidToCompile("((a{1000}){1000}){0}((a{1000}){1000}){1000}"), 0);
  });

  test("quoted text matches itself and nothing else", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) =>
        assert.equal(regexp(`^${quoteMeta(a)}$`).matches(b, free), a === b),
      ),
    );
  });
});

/** JavaScript's replaceAll, without the empty match that Go drops right behind another one. */
function goReplace(subject: string, expression: string): string {
  let end = -1;
  return subject.replace(new RegExp(expression, "gu"), (...found: readonly unknown[]) => {
    const whole = String(found[0]);
    const offset = Number(found.findLast((part) => typeof part === "number"));
    const skipped = whole === "" && offset === end;
    end = offset + whole.length;
    const groups = (new RegExp(`${expression}|`, "u").exec("")?.length ?? 1) - 1;
    const first = groups > 0 && typeof found[1] === "string" ? found[1] : "";
    return skipped ? "" : `<${first}>`;
  });
}
