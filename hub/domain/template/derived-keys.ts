import { masterKey } from "../../../proto/words/ciphers.ts";
import { bytesOf } from "./bytes.ts";

/** How many keys the templates of one set may make together: each holds up everybody for about 0.2 s. */
export const derivedKeysMost = 4;

/** Keys made out of passwords. Each pair of password and salt is worked out once. */
export class DerivedKeys {
  readonly #byPair = new Map<string, Uint8Array>();

  /** `salt` is bytes, one character each. `undefined` when it would be one key too many. */
  get(password: string, salt: string): Uint8Array | undefined {
    const pair = JSON.stringify([password, salt]);
    const known = this.#byPair.get(pair);
    if (known !== undefined || this.#byPair.size >= derivedKeysMost) return known;
    const made = masterKey(Buffer.from(bytesOf(password), "latin1"), Buffer.from(salt, "latin1"));
    this.#byPair.set(pair, made);
    return made;
  }
}
