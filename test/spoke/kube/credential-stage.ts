import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog, type Fields, type Log } from "../../../proto/kit/log.ts";
import type { ClusterAccess } from "../../../spoke/domain/cluster-access.ts";
import { openCredential } from "../../../spoke/kube/credential.ts";
import { createCertificateAuthority, type CertifiedKey } from "../../support/certificates.ts";

/** Never aborted. */
export const { signal } = new AbortController();

export const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");

export type Given = {
  readonly acceptInsecure?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Collects what is logged. */
  readonly lines?: string[];
  readonly user?: { readonly [field: string]: unknown };
  readonly cluster?: { readonly [field: string]: unknown };
  readonly context?: string;
  readonly text?: string;
  /** The client certificate of the context `files`. */
  readonly files?: CertifiedKey;
};

export async function readConfig(given: Given) {
  const { user, cluster, context, text, acceptInsecure = false, environment = {} } = given;
  return await inFolder(async (folder) => {
    const file = join(folder, "config");
    await writeFile(join(folder, "ca.pem"), "CA FILE");
    await writeFile(join(folder, "cert.pem"), given.files?.certificatePem ?? "");
    await writeFile(join(folder, "token"), "TOKEN\n");
    // JSON is YAML too.
    await writeFile(file, text ?? JSON.stringify(config(user, cluster, given.files?.keyPem)));
    const access: ClusterAccess = {
      kind: "kubeconfig",
      file,
      context,
      acceptInsecure,
      environment,
    };
    const log = given.lines === undefined ? silentLog : recordingLog(given.lines);
    return await openCredential(access, clockAt(), log).current(signal);
  });
}

export const config = (
  user: Given["user"] = { token: "secret-token" },
  cluster: Given["cluster"] = {},
  filesKeyPem = "",
): unknown => ({
  apiVersion: "v1",
  kind: "Config",
  "current-context": "main",
  contexts: [
    { name: "main", context: { cluster: "one", user: "me" } },
    { name: "files", context: { cluster: "two", user: "files" } },
  ],
  clusters: [
    {
      name: "one",
      cluster: {
        server: "https://api.example.dev:6443/clusters/one/",
        "certificate-authority-data": base64("CA PEM"),
        ...cluster,
      },
    },
    {
      name: "two",
      cluster: {
        server: "https://[::1]",
        "certificate-authority": "ca.pem",
        "tls-server-name": "kubernetes",
        "insecure-skip-tls-verify": true,
      },
    },
  ],
  users: [
    { name: "me", user },
    {
      name: "files",
      user: { "client-certificate": "cert.pem", "client-key-data": base64(filesKeyPem) },
    },
  ],
});

export async function clientCertificate(): Promise<CertifiedKey> {
  const authority = await createCertificateAuthority();
  return await authority.issue({ commonName: "jane", use: "client" });
}

export const inCluster = (folder: string): ClusterAccess => ({
  kind: "in-cluster",
  host: "10.0.0.1",
  port: "443",
  tokenFile: join(folder, "token"),
  authorityFile: join(folder, "ca.crt"),
  environment: {},
});

export function clockAt(): {
  readonly nowMs: () => number;
  readonly pass: (forMs: number) => void;
} {
  let nowMs = 1_000;
  return {
    nowMs: () => nowMs,
    pass: (forMs) => {
      nowMs += forMs;
    },
  };
}

export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "wheelhouse-credential-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function recordingLog(lines: string[]): Log {
  const at =
    (level: string) =>
    (event: string, _fields?: Fields): void =>
      void lines.push(`${level} ${event}`);
  const log: Log = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: () => log,
  };
  return log;
}
