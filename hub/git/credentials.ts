import { readFile } from "node:fs/promises";
import { mayCarrySecrets, type RepositoryUrl } from "./repository-url.ts";
import { RepositoryUnavailable } from "./repository-unavailable.ts";

/** How to sign in to repositories whose address begins with `urlPrefix`. Settings hold paths, never secrets. */
export type RepositoryCredential =
  | {
      readonly kind: "basic";
      readonly urlPrefix: string;
      readonly username: string;
      readonly passwordFile: string;
    }
  | { readonly kind: "bearer"; readonly urlPrefix: string; readonly tokenFile: string };

const secretBytesMost = 16 * 1024;

/**
 * The `Authorization` header for a repository; `undefined` when no credential is meant for it.
 *
 * The longest prefix wins, and a prefix ends at a slash. Files are read at each use, so a rotated secret
 * needs no restart. Throws RepositoryUnavailable when a file cannot be read, or when the secret would travel
 * in the clear; the message names the file, never what is in it.
 */
export function credentialReader(
  credentials: readonly RepositoryCredential[],
): (url: RepositoryUrl, signal: AbortSignal) => Promise<string | undefined> {
  return async (url, signal) => {
    const credential = credentials
      .filter(({ urlPrefix }) => isWithin(url, urlPrefix))
      .reduce<RepositoryCredential | undefined>(
        (best, next) =>
          best === undefined || next.urlPrefix.length > best.urlPrefix.length ? next : best,
        undefined,
      );
    if (credential === undefined) return undefined;
    if (!mayCarrySecrets(new URL(url)))
      throw new RepositoryUnavailable(
        url,
        "WH-GIT-3005",
        "credentials are only sent over https, or over http to this machine",
      );
    if (credential.kind === "bearer")
      return `Bearer ${await readSecret(url, credential.tokenFile, signal)}`;
    const password = await readSecret(url, credential.passwordFile, signal);
    return `Basic ${Buffer.from(`${credential.username}:${password}`).toString("base64")}`;
  };
}

function isWithin(url: string, prefix: string): boolean {
  const trimmed = prefix.replace(/\/+$/, "");
  return url === trimmed || url.startsWith(`${trimmed}/`);
}

async function readSecret(url: RepositoryUrl, path: string, signal: AbortSignal): Promise<string> {
  let text: string;
  try {
    text = (await readFile(path, { encoding: "utf8", signal })).trim();
  } catch (error) {
    signal.throwIfAborted();
    throw new RepositoryUnavailable(url, "WH-GIT-3009", error);
  }
  // A line break would end the header and begin another.
  if (text === "" || text.length > secretBytesMost || /[\r\n\0]/.test(text))
    throw new RepositoryUnavailable(
      url,
      "WH-GIT-3009",
      `file ${path} must hold one line of at most ${secretBytesMost} bytes`,
    );
  return text;
}
