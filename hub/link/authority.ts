import { createPrivateKey, sign, verify, X509Certificate } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import type { Clock } from "../../proto/kit/clock.ts";
import { isMissing } from "../../proto/kit/is-missing.ts";
import type { Log } from "../../proto/kit/log.ts";
import { describeError } from "../../proto/kit/trouble.ts";
import { fail, ok, type Result } from "../../proto/kit/result.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { ClusterId } from "../../proto/words/ids.ts";
import { hubServerName } from "../../proto/words/spiffe.ts";
import {
  certifiedSpoke,
  fingerprintOf,
  lifeOf,
  newPrivateKey,
  provenKey,
  selfSigned,
  serverCertificate,
  spokeCertificate,
  type CertifiedKey,
  type Validity,
} from "./certificates.ts";

export type AuthoritySettings = {
  /** Where the authority's key and the server's lie, in files of mode 0600. Made when it is not there. */
  readonly folder: string;
  /** DNS names and IP addresses of the link besides `hubServerName`. */
  readonly names: readonly string[];
  /** Life of a spoke's certificate. */
  readonly certificateLifeMs: number;
};

export type IssuedCertificate = {
  /** In DER. */
  readonly certificate: Uint8Array;
  readonly serial: string;
  /** Of the public key in SPKI form. */
  readonly publicKey: Digest;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
};

/** What the server shows: PEM of its key, and of its certificate followed by the authority's. */
export type ServerIdentity = { readonly keyPem: string; readonly chainPem: string };

export type Authority = {
  /** `sha256:<hex>` of the authority's public key: what join commands carry and spokes pin. */
  readonly fingerprint: string;
  /** What spokes are to trust, in DER. */
  readonly trusted: readonly Uint8Array[];
  readonly trustedPem: string;
  readonly serverIdentity: () => ServerIdentity;
  /** Told of every new server identity. Returns what stops it. */
  readonly onServerIdentity: (listener: (identity: ServerIdentity) => void) => () => void;
  /** The digest of the key in a certificate request, or why the request is not accepted. */
  readonly readRequest: (request: Uint8Array) => Promise<Result<Digest, string>>;
  /** Signs a certificate for `cluster` and the key in `request`, whatever else the request says. */
  readonly issue: (
    request: Uint8Array,
    cluster: ClusterId,
  ) => Promise<Result<IssuedCertificate, string>>;
  /** A key and a certificate that nobody recorded, so that it opens nothing: for the hub to try its own door. */
  readonly certify: (cluster: ClusterId, validity: Validity) => Promise<CertifiedKey>;
  /** Renews the server's certificate in time, until aborted. */
  readonly run: (signal: AbortSignal) => Promise<never>;
};

/** What the authority's certificate and key are kept in, in its folder. */
export const authorityFile = "authority.pem";

const dayMs = 86_400_000;
const authorityLifeMs = 3_650 * dayMs;
const serverLifeMs = 90 * dayMs;
/** Clocks of hub and spoke differ a little. Never so much that a short-lived certificate is born old. */
const backdateMs = (lifeMs: number): number => Math.min(5 * 60_000, lifeMs / 10);
/** Timers longer than this lose precision, and a suspended machine should notice soon. */
const lookEveryMs = 3_600_000;

/**
 * Opens the hub's certificate authority, making it at the first start.
 *
 * Throws when its file is there and cannot be used: a new authority would lock out every spoke there is.
 */
export async function openAuthority(
  settings: AuthoritySettings,
  needs: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Promise<Authority> {
  const { clock, log } = needs;
  await mkdir(settings.folder, { recursive: true, mode: 0o700 });
  const authorityPath = join(settings.folder, authorityFile);
  const serverPath = join(settings.folder, "server.pem");
  const names = [...new Set([hubServerName, ...settings.names])];

  const authority =
    (await readAuthority(authorityPath, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new Error(
        `${authorityPath} cannot be used (${describeError(error)}); restore a backup of it, ` +
          `since with a new authority every cluster would have to join again`,
        { cause: error },
      );
    })) ??
    (await writeCertifiedKey(
      authorityPath,
      await selfSigned(await newPrivateKey(), "wheelhouse hub", {
        notBeforeMs: clock.nowMs() - backdateMs(authorityLifeMs),
        notAfterMs: clock.nowMs() + authorityLifeMs,
      }),
    ));

  const newServer = async (): Promise<CertifiedKey> =>
    writeCertifiedKey(
      serverPath,
      await serverCertificate(authority, names, {
        notBeforeMs: clock.nowMs() - backdateMs(serverLifeMs),
        notAfterMs: clock.nowMs() + serverLifeMs,
      }),
    );

  const isGood = ({ certificate }: CertifiedKey): boolean =>
    clock.nowMs() < renewServerAtMs(certificate) &&
    certificate.checkIssued(authority.certificate) &&
    certificate.verify(authority.certificate.publicKey) &&
    names.every((name) => carriesName(certificate, name));

  // The server's key protects nothing that lasts: a file that cannot be read is simply made anew.
  const kept = await readCertifiedKey(serverPath, signal).catch(() => undefined);
  let server = kept !== undefined && isGood(kept) ? kept : await newServer();

  const listeners = new Set<(identity: ServerIdentity) => void>();
  const serverIdentity = (): ServerIdentity => ({
    keyPem: pemOfKey(server),
    chainPem: server.certificate.toString() + authority.certificate.toString(),
  });

  return {
    fingerprint: fingerprintOf(authority.certificate),
    trusted: [authority.certificate.raw],
    trustedPem: authority.certificate.toString(),
    serverIdentity,
    onServerIdentity(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async readRequest(request) {
      const proven = await provenKey(request);
      return proven.ok ? ok(proven.value.digest) : proven;
    },
    async issue(request, cluster) {
      const proven = await provenKey(request);
      if (!proven.ok) return fail(proven.problem);
      const certificate = await spokeCertificate(authority, cluster, proven.value.key, {
        notBeforeMs: clock.nowMs() - backdateMs(settings.certificateLifeMs),
        notAfterMs: clock.nowMs() + settings.certificateLifeMs,
      });
      return ok({
        certificate: certificate.raw,
        serial: certificate.serialNumber,
        publicKey: proven.value.digest,
        // As the certificate says it, in whole seconds.
        ...lifeOf(certificate),
      });
    },
    certify: (cluster, validity) => certifiedSpoke(authority, cluster, validity),
    async run(signal) {
      for (;;) {
        const dueInMs = renewServerAtMs(server.certificate) - clock.nowMs();
        await clock.sleep(Math.max(0, Math.min(dueInMs, lookEveryMs)), signal);
        if (clock.nowMs() < renewServerAtMs(server.certificate)) continue;
        server = await newServer();
        for (const listener of listeners) listener(serverIdentity());
        log.info("server certificate renewed", {
          expires: server.certificate.validToDate.toISOString(),
        });
      }
    },
  };
}

function renewServerAtMs(certificate: X509Certificate): number {
  const { notBeforeMs, notAfterMs } = lifeOf(certificate);
  return notBeforeMs + ((notAfterMs - notBeforeMs) * 2) / 3;
}

const carriesName = (certificate: X509Certificate, name: string): boolean =>
  (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;

/** As `readCertifiedKey`. Throws too when the certificate is not that of an authority, signed by its own key. */
async function readAuthority(file: string, signal: AbortSignal): Promise<CertifiedKey | undefined> {
  const read = await readCertifiedKey(file, signal);
  if (read === undefined) return undefined;
  const { certificate } = read;
  // Spokes trust the bytes they joined with: one changed bit in a name or a date makes them another authority.
  const isWhole =
    certificate.ca &&
    certificate.checkIssued(certificate) &&
    certificate.verify(certificate.publicKey);
  if (!isWhole) throw new Error(`${file} holds a certificate that its own key has not signed`);
  return read;
}

// Key and certificate share a file, so that a crash can never leave one without the other.
async function readCertifiedKey(
  file: string,
  signal: AbortSignal,
): Promise<CertifiedKey | undefined> {
  let text: string;
  try {
    text = await readFile(file, { encoding: "utf8", signal });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/.exec(text);
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(text);
  if (key === null || certificate === null)
    throw new Error(`${file} does not hold a private key and a certificate`);
  const read = {
    certificate: new X509Certificate(certificate[0]),
    privateKey: createPrivateKey(key[0]),
  };
  if (!read.certificate.checkPrivateKey(read.privateKey) || !signsFor(read))
    throw new Error(`${file} holds a certificate of another key`);
  return read;
}

/** Whether what the private key signs verifies. Comparing keys looks at public halves only, and a key's file has its own. */
function signsFor({ privateKey, certificate }: CertifiedKey): boolean {
  const words = Buffer.from("wheelhouse");
  return verify("sha256", words, certificate.publicKey, sign("sha256", words, privateKey));
}

async function writeCertifiedKey(file: string, made: CertifiedKey): Promise<CertifiedKey> {
  const unfinished = `${file}.new`;
  const handle = await open(unfinished, "w", 0o600);
  try {
    await handle.writeFile(pemOfKey(made) + made.certificate.toString());
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
  const folder = await open(join(file, ".."), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
  return made;
}

const pemOfKey = ({ privateKey }: CertifiedKey): string =>
  privateKey.export({ type: "pkcs8", format: "pem" }).toString();
