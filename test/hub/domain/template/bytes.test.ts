import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import {
  byteLength,
  bytesOf,
  encoded,
  finished,
  firstBytes,
  joined,
  splitText,
  textOfBytes,
} from "../../../../hub/domain/template/bytes.ts";
import { argoFunctions } from "../../../../hub/domain/template/functions/index.ts";
import { compareBytes } from "../../../../hub/domain/template/value.ts";

const bytes = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 2 }).map(bytesOf),
      fc.constantFrom("\xf0\x9f", "\xed\xa0\x80", "\xe2\x82", "\xc0\x80", "\xf4\x90\x80\x80"),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

suite("text that may hold bytes", () => {
  test("is the same bytes again", () => {
    fc.assert(
      fc.property(bytes, (made) => {
        const text = textOfBytes(made);
        assert.equal(bytesOf(text), made);
        assert.equal(byteLength(text), made.length);
        assert.equal(Buffer.from(encoded(text)).toString("latin1"), made);
      }),
    );
  });

  test("is one text, however it was put together", () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) =>
        assert.equal(joined(textOfBytes(a) + textOfBytes(b)), textOfBytes(a + b)),
      ),
    );
  });

  test("is cut between characters into what it was made of", () => {
    fc.assert(
      fc.property(bytes, fc.nat(12), (made, count) => {
        const characters = Array.from(textOfBytes(made));
        const part = characters.slice(0, count).join("");
        assert.equal(joined(part), part);
      }),
    );
  });

  test("is plain text when every byte belongs to a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        assert.equal(textOfBytes(Buffer.from(text, "utf8").toString("latin1")), text);
        assert.equal(finished(text), text);
      }),
    );
  });

  test("ends with one U+FFFD for each byte that belongs to none, where other decoders write one for several", () => {
    assert.equal(
      finished(textOfBytes("a\xe2\x82b\xf0\x9f\x98")),
      "a\uFFFD\uFFFDb\uFFFD\uFFFD\uFFFD",
    );
    assert.equal(firstBytes("héllo", 2), "h\uFFFD");
  });

  test("is ordered by its bytes", () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) =>
        assert.equal(
          Math.sign(compareBytes(textOfBytes(a), textOfBytes(b))),
          Buffer.compare(Buffer.from(a, "latin1"), Buffer.from(b, "latin1")),
        ),
      ),
    );
  });

  test("is split in the middle of a character by half of one", () => {
    assert.deepEqual(splitText("éaé", textOfBytes("\xc3")).map(bytesOf), ["", "\xa9a", "\xa9"]);
  });

  test("comes only from functions that say so", () => {
    const context = {
      charge: () => {},
      decodeYaml: () => ({ ok: false, problem: "none" }) as const,
      regexp: () => ({ ok: false, problem: "none" }) as const,
      derivedKey: () => new Uint8Array(64),
    };
    const holdsStrays = (value: unknown): boolean =>
      typeof value === "string"
        ? !value.isWellFormed()
        : (Array.isArray(value) || value instanceof Map) && [...value.values()].some(holdsStrays);
    const text = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 8 }),
      fc.constantFrom("é", "日本語 x", "w6k=", "/8Op", "/a%ff%C3", "76PQ===="),
    );
    const values = { string: text, int: fc.bigInt({ min: -3n, max: 9n }), any: text };
    let cut = 0;
    for (const [name, { parameters, rest, cuts, call }] of argoFunctions) {
      const types = rest === undefined ? parameters : [...parameters, rest, rest];
      if (!types.every((type) => type in values)) continue;
      const given = fc.tuple(...types.map((type) => values[type as keyof typeof values]));
      fc.assert(
        fc.property(given, (args) => {
          let made: unknown;
          try {
            made = call(args, context);
          } catch {
            return;
          }
          const has = holdsStrays(made);
          if (has) cut += 1;
          assert.ok(cuts || !has, name);
        }),
        { numRuns: 60 },
      );
    }
    assert.ok(cut > 20, `${cut} texts were cut`);
  });
});
