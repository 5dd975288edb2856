// @peculiar/x509 finds its parts through reflected types; this import must come before it.
import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  type X509Certificate as GeneratedCertificate,
} from "@peculiar/x509";
import {
  createPublicKey,
  generateKeyPair,
  randomBytes,
  X509Certificate,
  type KeyObject,
  type webcrypto,
} from "node:crypto";
import { isIP } from "node:net";
import { promisify } from "node:util";
import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { digestOfBytes, type Digest } from "../../proto/words/digest.ts";
import type { ClusterId } from "../../proto/words/ids.ts";
import { clusterUri } from "../../proto/words/spiffe.ts";

/** A certificate and the key it was made for. */
export type CertifiedKey = {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
};

export type Validity = { readonly notBeforeMs: number; readonly notAfterMs: number };

const algorithm = { name: "ECDSA", namedCurve: "P-256" } as const;
const signing = { name: "ECDSA", hash: "SHA-256" } as const;

export async function newPrivateKey(): Promise<KeyObject> {
  const { privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
  return privateKey;
}

/** A certificate authority that signs leaves only. */
export async function selfSigned(privateKey: KeyObject, name: string, validity: Validity) {
  const publicKey = webKey(createPublicKey(privateKey), ["verify"]);
  const generated = await X509CertificateGenerator.createSelfSigned({
    keys: { privateKey: webKey(privateKey, ["sign"]), publicKey },
    name: `CN=${name}`,
    serialNumber: newSerial(),
    ...dates(validity),
    signingAlgorithm: signing,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return certified(generated, privateKey);
}

/** A server's certificate for DNS names and IP addresses. */
export async function serverCertificate(
  authority: CertifiedKey,
  names: readonly string[],
  validity: Validity,
): Promise<CertifiedKey> {
  const privateKey = await newPrivateKey();
  const alternatives = names.map((name) =>
    isIP(name) === 0
      ? ({ type: "dns", value: name } as const)
      : ({ type: "ip", value: name } as const),
  );
  const generated = await leaf(
    authority,
    webKey(createPublicKey(privateKey), ["verify"]),
    validity,
    {
      subject: `CN=${names[0] ?? ""}`,
      usage: ExtendedKeyUsage.serverAuth,
      names: new SubjectAlternativeNameExtension(alternatives),
    },
  );
  return certified(generated, privateKey);
}

/** A spoke's certificate: for clients only, with the cluster's URI as its one name. */
export async function spokeCertificate(
  authority: CertifiedKey,
  cluster: ClusterId,
  publicKey: webcrypto.CryptoKey,
  validity: Validity,
): Promise<X509Certificate> {
  const generated = await leaf(authority, publicKey, validity, {
    subject: `CN=${cluster}`,
    usage: ExtendedKeyUsage.clientAuth,
    names: new SubjectAlternativeNameExtension([{ type: "url", value: clusterUri(cluster) }]),
  });
  return new X509Certificate(Buffer.from(generated.rawData));
}

/** A key made here with a spoke's certificate: for a hub that tries its own door. */
export async function certifiedSpoke(
  authority: CertifiedKey,
  cluster: ClusterId,
  validity: Validity,
): Promise<CertifiedKey> {
  const privateKey = await newPrivateKey();
  const publicKey = webKey(createPublicKey(privateKey), ["verify"]);
  const certificate = await spokeCertificate(authority, cluster, publicKey, validity);
  return { certificate, privateKey };
}

async function leaf(
  authority: CertifiedKey,
  publicKey: webcrypto.CryptoKey,
  validity: Validity,
  of: {
    readonly subject: string;
    readonly usage: ExtendedKeyUsage;
    readonly names: SubjectAlternativeNameExtension;
  },
): Promise<GeneratedCertificate> {
  const authorityKey = webKey(createPublicKey(authority.privateKey), ["verify"]);
  return X509CertificateGenerator.create({
    publicKey,
    signingKey: webKey(authority.privateKey, ["sign"]),
    subject: of.subject,
    issuer: authority.certificate.subject,
    serialNumber: newSerial(),
    ...dates(validity),
    signingAlgorithm: signing,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([of.usage], true),
      of.names,
      await SubjectKeyIdentifierExtension.create(publicKey),
      await AuthorityKeyIdentifierExtension.create(authorityKey),
    ],
  });
}

/** A key somebody proved to hold. Names in the request are not even looked at. */
export type ProvenKey = { readonly key: webcrypto.CryptoKey; readonly digest: Digest };

/** Reads a PKCS #10 request in DER. Fails with a sentence unless it is signed by its own P-256 key. */
export async function provenKey(request: Uint8Array): Promise<Result<ProvenKey, string>> {
  try {
    const parsed = new Pkcs10CertificateRequest(Uint8Array.from(request));
    // Node's own reader refuses points that are not on the curve, and tells the curve.
    const spki = Buffer.from(parsed.publicKey.rawData);
    const publicKey = createPublicKey({ key: spki, format: "der", type: "spki" });
    if (
      publicKey.asymmetricKeyType !== "ec" ||
      publicKey.asymmetricKeyDetails?.namedCurve !== "prime256v1"
    )
      return fail("the certificate request is for another kind of key than P-256");
    if (!(await parsed.verify()))
      return fail("the certificate request is not signed by its own key");
    return ok({ key: webKey(publicKey, ["verify"]), digest: digestOfBytes(spki) });
  } catch {
    // The reader's words are about ASN.1 tags; nobody on the other side could act on them.
    return fail("the certificate request cannot be read (PKCS #10 in DER is expected)");
  }
}

/** `sha256:<hex>` of a certificate's public key: what a join command pins. */
export const fingerprintOf = (certificate: X509Certificate): string =>
  `sha256:${digestOfBytes(certificate.publicKey.export({ type: "spki", format: "der" }))}`;

export const lifeOf = (certificate: X509Certificate): Validity => ({
  notBeforeMs: certificate.validFromDate.getTime(),
  notAfterMs: certificate.validToDate.getTime(),
});

const webKey = (key: KeyObject, usages: readonly ("sign" | "verify")[]): webcrypto.CryptoKey =>
  key.toCryptoKey(algorithm, true, [...usages]);

const certified = (generated: GeneratedCertificate, privateKey: KeyObject): CertifiedKey => ({
  certificate: new X509Certificate(Buffer.from(generated.rawData)),
  privateKey,
});

const dates = ({ notBeforeMs, notAfterMs }: Validity) => ({
  notBefore: new Date(notBeforeMs),
  notAfter: new Date(notAfterMs),
});

// Positive and never all zeros: the first byte is from 1 to 127.
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01;
  return bytes.toString("hex");
}
