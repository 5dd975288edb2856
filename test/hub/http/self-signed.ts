import { webcrypto } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import "reflect-metadata";
import {
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** A certificate for 127.0.0.1 that vouches for itself, and its key, as files. */
export async function selfSigned() {
  const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const made = await X509CertificateGenerator.createSelfSigned(
    {
      name: "CN=localhost",
      keys,
      signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
      notAfter: new Date(Date.now() + 3_600_000),
      extensions: [new SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }])],
    },
    webcrypto,
  );
  const folder = mkdtempSync(join(tmpdir(), "wheelhouse-tls-"));
  const certificateFile = join(folder, "cert.pem");
  const keyFile = join(folder, "key.pem");
  const certificate = made.toString("pem");
  writeFileSync(certificateFile, certificate);
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  writeFileSync(keyFile, PemConverter.encode(key, "PRIVATE KEY"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  return { certificateFile, keyFile, certificate, remove };
}
