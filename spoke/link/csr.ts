import { createPrivateKey, createPublicKey, sign } from "node:crypto";

// Enough of DER to write one structure: every element is a tag, a length and content.

const element = (tag: number, ...content: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
};

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes = length < 0x100 ? [length] : [length >> 8, length & 0xff];
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

const sequence = (...content: readonly Uint8Array[]): Buffer => element(0x30, ...content);
const set = (...content: readonly Uint8Array[]): Buffer => element(0x31, ...content);
const oid = (hex: string): Buffer => element(0x06, Buffer.from(hex, "hex"));
const version1 = element(0x02, Buffer.from([0]));
/** No extensions are asked for: names are the hub's to give. */
const noAttributes = element(0xa0);
const commonName = oid("550403");
const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"));

/**
 * A request for a certificate for this key, PKCS #10 in DER, signed with it as proof of possession.
 *
 * The subject is a constant; the hub ignores it. Throws when the PEM is not a P-256 key.
 */
export function certificateRequest(privateKeyPem: string): Uint8Array {
  const privateKey = createPrivateKey(privateKeyPem);
  if (privateKey.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    throw new TypeError("a certificate request is made for P-256 keys only");
  const subject = sequence(
    set(sequence(commonName, element(0x0c, Buffer.from("wheelhouse spoke")))),
  );
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const info = sequence(version1, subject, publicKey, noAttributes);
  const signature = sign("sha256", info, privateKey);
  const unusedBits = Buffer.from([0]);
  return sequence(info, ecdsaWithSha256, element(0x03, unusedBits, signature));
}
