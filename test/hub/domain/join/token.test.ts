import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import {
  joinTokenBytes,
  makeJoinToken,
  parseJoinToken,
} from "../../../../hub/domain/join/token.ts";

suite("join tokens", () => {
  test("read back as they were made, without their secret", () => {
    const bytes = fc.uint8Array({ minLength: joinTokenBytes, maxLength: joinTokenBytes });
    const law = fc.property(bytes, (random) => {
      const { text, ...token } = makeJoinToken(random);
      assert.deepEqual(parseJoinToken(text), { ok: true, value: token });
      assert.deepEqual(parseJoinToken(` ${text}\n`), { ok: true, value: token });
      assert.ok(!JSON.stringify(token).includes(text.split(".")[1] ?? text));
    });
    fc.assert(law);
  });

  test("look as they are documented", () => {
    const { text } = makeJoinToken(
      Uint8Array.from({ length: joinTokenBytes }, (_, index) => index),
    );
    assert.equal(text, "whj_abcdefgh.ijklmnopqrstuvwxyz234567abcdefgh");
  });

  test("take as many random bytes as they are said to", () => {
    assert.throws(() => makeJoinToken(new Uint8Array(8)), RangeError);
  });

  for (const text of [
    "",
    "whj_abcdefgh",
    "wht_abcdefgh.ijklmnopqrstuvwxyz234567abcdefgh",
    "whj_ABCDEFGH.ijklmnopqrstuvwxyz234567abcdefgh",
    "whj_abcdefgh.ijklmnopqrstuvwxyz234567abcdefgh1",
  ]) {
    test(`${JSON.stringify(text)} is none, and is not repeated`, () => {
      const parsed = parseJoinToken(text);
      assert.ok(!parsed.ok && (text === "" || !parsed.problem.includes(text)));
    });
  }
});
