import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { digestOfText, type Digest } from "../../proto/words/digest.ts";

/** What proves a caller of the HTTP API: `wht_<8 public>_<52 secret>`. */
export type ApiToken = {
  /** `wht_<8 public>`: safe to show and to log. */
  readonly id: string;
  /** All the hub keeps of the secret half. */
  readonly secretHash: Digest;
};

/** How many random bytes `makeApiToken` wants: five bits of each are used, so the secret has 260. */
export const apiTokenBytes = 8 + 52;

const letters = "abcdefghijklmnopqrstuvwxyz234567";
const form = /^(wht_[a-z2-7]{8})_([a-z2-7]{52})$/;

/** Makes a token of `apiTokenBytes` random bytes. `text` is the only copy of the secret there will be. */
export function makeApiToken(random: Uint8Array): ApiToken & { readonly text: string } {
  if (random.length !== apiTokenBytes)
    throw new RangeError(`an API token takes ${apiTokenBytes} random bytes, got ${random.length}`);
  const drawn = [...random].map((byte) => letters[byte & 31] ?? "").join("");
  const id = `wht_${drawn.slice(0, 8)}`;
  const secret = drawn.slice(8);
  return { id, secretHash: digestOfText(secret), text: `${id}_${secret}` };
}

/** Fails with a sentence that does not repeat the text: it may be a secret of something else. */
export function parseApiToken(text: string): Result<ApiToken, string> {
  const [, id, secret] = form.exec(text) ?? [];
  if (id === undefined || secret === undefined)
    return fail("the API token is not of the form wht_<8 characters>_<52 characters>");
  return ok({ id, secretHash: digestOfText(secret) });
}

/** Whether a text holds something that looks like a secret of ours, to keep it out of URLs and logs. */
export const holdsSecret = (text: string): boolean => /wh[tj]_[a-z0-9]{8}[._][a-z0-9]/.test(text);
