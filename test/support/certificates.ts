// @peculiar/x509 resolves its algorithms through decorators' metadata and needs this first.
import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

/** A key and its certificate, both PEM. */
export type CertifiedKey = {
  readonly certificatePem: string;
  readonly keyPem: string;
};

export type LeafRequest = {
  readonly commonName: string;
  /** Host names and addresses the certificate is good for. */
  readonly hosts?: readonly string[];
  /** URIs, as identities in client certificates are. */
  readonly uris?: readonly string[];
  /** In the subject, as Kubernetes reads groups from client certificates. */
  readonly organizations?: readonly string[];
  readonly use: "server" | "client";
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
};

/** A certificate authority that lives as long as a test. */
export type CertificateAuthority = {
  readonly certificatePem: string;
  readonly issue: (request: LeafRequest) => Promise<CertifiedKey>;
};

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

const dayMs = 86_400_000;

/** Everything it issues is P-256 and, unless asked otherwise, good from yesterday until tomorrow. */
export async function createCertificateAuthority(
  commonName = "test authority",
): Promise<CertificateAuthority> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: `CN=${commonName}`,
      notBefore: new Date(Date.now() - dayMs),
      notAfter: new Date(Date.now() + 10 * dayMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return {
    certificatePem: `${certificate.toString("pem")}\n`,
    issue: (request) => issue(request, certificate, keys),
  };
}

async function issue(
  request: LeafRequest,
  authority: x509.X509Certificate,
  authorityKeys: webcrypto.CryptoKeyPair,
): Promise<CertifiedKey> {
  const keys = await newKeys();
  const names = [
    ...(request.hosts ?? []).map((value) => ({
      type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const),
      value,
    })),
    ...(request.uris ?? []).map((value) => ({ type: "url" as const, value })),
  ];
  const usage =
    request.use === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  const organizations = (request.organizations ?? []).map((value) => `O=${value}`);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: [`CN=${request.commonName}`, ...organizations].join(", "),
      issuer: authority.subject,
      notBefore: new Date(request.notBeforeMs ?? Date.now() - dayMs),
      notAfter: new Date(request.notAfterMs ?? Date.now() + dayMs),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: authorityKeys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([usage], false),
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names, false)]),
        await x509.AuthorityKeyIdentifierExtension.create(authority, false, webcrypto),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  return {
    certificatePem: `${certificate.toString("pem")}\n`,
    keyPem: `-----BEGIN PRIVATE KEY-----\n${wrapped(key.toString("base64"))}\n-----END PRIVATE KEY-----\n`,
  };
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

/** Positive, and never the same twice. */
const serialNumber = (): string => `00${randomBytes(15).toString("hex")}`;

const wrapped = (text: string): string => text.match(/.{1,64}/g)?.join("\n") ?? text;
