import { createPrivateKey, generateKeyPair, X509Certificate } from "node:crypto";
import { promisify } from "node:util";
import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { digestOfBytes } from "../../proto/words/digest.ts";
import type { ClusterId } from "../../proto/words/ids.ts";
import { clusterUri } from "../../proto/words/spiffe.ts";
import type { Issued } from "../../proto/wire/enrollment.ts";
import type { CertificateLife } from "../domain/identity-renewal.ts";

/** A new P-256 key as PKCS #8 PEM. */
export async function newPrivateKeyPem(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** Throws when the text is not a certificate. */
export function certificateLife(certificatePem: string): CertificateLife {
  const certificate = new X509Certificate(certificatePem);
  return {
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
  };
}

/** `sha256:<hex>` of the certificate's public key, as join commands write it. */
export const fingerprintOf = (certificate: X509Certificate): string =>
  `sha256:${digestOfBytes(certificate.publicKey.export({ type: "spki", format: "der" }))}`;

/** What a hub issued, as text to be kept, once it is what we asked for. Fails with a sentence otherwise. */
export function acceptIssued(
  issued: Issued,
  expected: { readonly privateKeyPem: string; readonly cluster: ClusterId },
): Result<{ readonly certificatePem: string; readonly trustedPem: readonly string[] }, string> {
  let certificate: X509Certificate;
  let trusted: readonly X509Certificate[];
  try {
    certificate = new X509Certificate(issued.certificate);
    trusted = issued.trusted.map((der) => new X509Certificate(der));
  } catch {
    return fail("the hub answered with something that is not a certificate");
  }
  if (!certificate.checkPrivateKey(createPrivateKey(expected.privateKeyPem)))
    return fail("the hub answered with a certificate for another key");
  if (certificate.subjectAltName !== `URI:${clusterUri(expected.cluster)}`)
    return fail("the hub answered with a certificate for another cluster");
  if (!trusted.some((authority) => isSignedBy(certificate, authority)))
    return fail("the hub answered with a certificate that none of its authorities signed");
  return ok({
    certificatePem: certificate.toString(),
    trustedPem: trusted.map((authority) => authority.toString()),
  });
}

export const isSignedBy = (certificate: X509Certificate, authority: X509Certificate): boolean =>
  authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
