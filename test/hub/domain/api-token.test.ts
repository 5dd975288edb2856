import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import test, { suite } from "node:test";
import {
  apiTokenBytes,
  holdsSecret,
  makeApiToken,
  parseApiToken,
} from "../../../hub/domain/api-token.ts";
import { digestOfText } from "../../../proto/words/digest.ts";

suite("API tokens", () => {
  test("what is made can be read, and only the secret half is hashed", () => {
    const made = makeApiToken(randomBytes(apiTokenBytes));
    assert.match(made.text, /^wht_[a-z2-7]{8}_[a-z2-7]{52}$/);
    const secret = made.text.slice(made.id.length + 1);
    assert.deepEqual(parseApiToken(made.text), {
      ok: true,
      value: { id: made.id, secretHash: digestOfText(secret) },
    });
  });

  test("too few random bytes are a bug", () => {
    assert.throws(() => makeApiToken(new Uint8Array(32)), RangeError);
  });

  const bad = [
    "",
    "wht_",
    "wht_aaaaaaaa",
    `wht_aaaaaaaa.${"b".repeat(52)}`,
    `wht_AAAAAAAA_${"b".repeat(52)}`,
    `whj_aaaaaaaa_${"b".repeat(52)}`,
    `wht_aaaaaaaa_${"b".repeat(51)}`,
    ` wht_aaaaaaaa_${"b".repeat(52)}`,
  ];
  for (const text of bad) {
    test(`${JSON.stringify(text)} is none, and the answer does not repeat it`, () => {
      const parsed = parseApiToken(text);
      assert.equal(parsed.ok, false);
      if (!parsed.ok && text !== "" && text.length > 8) assert.ok(!parsed.problem.includes(text));
    });
  }

  test("a text that holds a secret of ours is noticed, an id alone is not", () => {
    const { id, text } = makeApiToken(randomBytes(apiTokenBytes));
    assert.equal(holdsSecret(`/v1/clusters?x=${text}`), true);
    assert.equal(holdsSecret("/v1/x?y=whj_aaaaaaaa.bbbb"), true);
    assert.equal(holdsSecret(`/v1/tokens/${id}`), false);
  });
});
