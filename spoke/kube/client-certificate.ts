import { createSecureContext } from "node:tls";
import { CredentialUnusable } from "./trouble.ts";

/**
 * Throws CredentialUnusable unless a client certificate and its key can be used together.
 *
 * While they are rotated one may be half-written, still empty, or newer than the other.
 * `from` says where they come from; the message has that, and nothing of what they are.
 */
export function requireUsablePair(
  certificate: string | undefined,
  key: string | undefined,
  from: string,
): void {
  if (certificate === undefined && key === undefined) return;
  // Node takes an empty one for none, and the API server would take us for nobody.
  if (!certificate || !key) throw new CredentialUnusable(`${from} must not be empty`);
  try {
    createSecureContext({ cert: certificate, key });
  } catch (error) {
    throw new CredentialUnusable(`${from} cannot be used together`, { cause: error });
  }
}
