import { decrypted, hexDigestOf } from "../../../../proto/words/ciphers.ts";
import {
  cutting,
  FunctionError,
  takes,
  type CallContext,
  type TemplateFunction,
} from "../function.ts";
import { bytesOf, encoded, textOfBytes } from "../bytes.ts";
import { decodeBase64 } from "./encodings.ts";

/** Checksums, and the one cipher whose result depends on nothing but its input. */
export const hashFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ["sha1sum", takes(["string"], ([text]) => hexDigestOf("sha1", encoded(text)))],
  ["sha256sum", takes(["string"], ([text]) => hexDigestOf("sha256", encoded(text)))],
  ["sha512sum", takes(["string"], ([text]) => hexDigestOf("sha512", encoded(text)))],
  [
    "adler32sum",
    takes(["string"], ([text], { charge }) => {
      charge(text.length);
      return adler32(text);
    }),
  ],
  [
    "decryptAES",
    cutting(
      takes(["string", "string"], ([password, text], { charge }) =>
        decryptAes(password, text, charge),
      ),
    ),
  ],
];

function adler32(text: string): string {
  let a = 1;
  let b = 0;
  for (const byte of bytesOf(text)) {
    a = (a + byte.charCodeAt(0)) % 65521;
    b = (b + a) % 65521;
  }
  return String(b * 65536 + a);
}

const blockBytes = 16;

/** AES-256 in CBC mode: the first block is the vector, the last byte says how much padding there is. */
function decryptAes(password: string, text: string, charge: CallContext["charge"]): string {
  if (text === "") return "";
  const read = decodeBase64(text, charge);
  if (!read.ok) throw new FunctionError(read.problem);
  const sealed = Buffer.from(read.value, "latin1");
  if (sealed.length < 2 * blockBytes || sealed.length % blockBytes !== 0)
    throw new FunctionError(
      `wants a vector and whole blocks of ${blockBytes} bytes, got ${sealed.length} bytes`,
    );
  const plain = decrypted(Buffer.from(bytesOf(password), "latin1"), sealed);
  const padding = plain.at(-1) ?? 0;
  if (padding > plain.length)
    throw new FunctionError("the padding is longer than the text: is the password right?");
  return textOfBytes(plain.subarray(0, plain.length - padding).toString("latin1"));
}
