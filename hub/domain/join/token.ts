import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { digestOfText, type Digest } from "../../../proto/words/digest.ts";

/** What lets one cluster enroll, once, for a short time: `whj_<8 public>.<32 secret>`. */
export type JoinToken = {
  /** `whj_<8 public>`: safe to show and to log. */
  readonly id: string;
  /** All the hub keeps of the secret half. */
  readonly secretHash: Digest;
};

/** Life of a join token unless somebody says otherwise, and the longest anybody may say. */
export const joinTokenLifeMs = { usual: 3_600_000, most: 86_400_000 } as const;

/** How many random bytes `makeJoinToken` wants: five bits of each are used. */
export const joinTokenBytes = 8 + 32;

const letters = "abcdefghijklmnopqrstuvwxyz234567";
const form = /^(whj_[a-z2-7]{8})\.([a-z2-7]{32})$/;

/** Makes a token of `joinTokenBytes` random bytes. `text` is the only copy of the secret there will be. */
export function makeJoinToken(random: Uint8Array): JoinToken & { readonly text: string } {
  if (random.length !== joinTokenBytes)
    throw new RangeError(`a join token takes ${joinTokenBytes} random bytes, got ${random.length}`);
  const drawn = [...random].map((byte) => letters[byte & 31] ?? "").join("");
  const id = `whj_${drawn.slice(0, 8)}`;
  const secret = drawn.slice(8);
  return { id, secretHash: digestOfText(secret), text: `${id}.${secret}` };
}

/** Fails with a sentence that does not repeat the text: it may be a secret of something else. */
export function parseJoinToken(text: string): Result<JoinToken, string> {
  const [, id, secret] = form.exec(text.trim()) ?? [];
  if (id === undefined || secret === undefined)
    return fail("the join token is not of the form whj_<8 characters>.<32 characters>");
  return ok({ id, secretHash: digestOfText(secret) });
}
