import "reflect-metadata";
import { Pkcs10CertificateRequest } from "@peculiar/x509";
import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import test, { suite } from "node:test";
import { newPrivateKeyPem } from "../../../spoke/link/credential.ts";
import { certificateRequest } from "../../../spoke/link/csr.ts";

suite("certificateRequest", () => {
  test("is read and verified by a reader that is not ours", async () => {
    const pem = await newPrivateKeyPem();
    const request = new Pkcs10CertificateRequest(Uint8Array.from(certificateRequest(pem)));
    assert.equal(await request.verify(), true);
    assert.equal(request.subject, "CN=wheelhouse spoke");
    assert.deepEqual(request.extensions, []);
    const spki = createPublicKey(pem).export({ type: "spki", format: "der" });
    assert.deepEqual(Buffer.from(request.publicKey.rawData), spki);
  });

  test("holds whatever the key: lengths of signatures and points differ", async () => {
    for (let index = 0; index < 30; index += 1) {
      const request = certificateRequest(await newPrivateKeyPem());
      assert.equal(await new Pkcs10CertificateRequest(Uint8Array.from(request)).verify(), true);
    }
  });

  for (const [kind, pem] of [
    ["RSA", generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey],
    ["Ed25519", generateKeyPairSync("ed25519").privateKey],
    ["P-384", generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey],
  ] as const) {
    test(`is not made for a key of kind ${kind}`, () => {
      const text = pem.export({ type: "pkcs8", format: "pem" }).toString();
      assert.throws(() => certificateRequest(text), /P-256 keys only/);
    });
  }
});
