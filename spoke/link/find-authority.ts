import type { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:tls";
import { linkCodes } from "../../proto/words/coded.ts";
import { hubServerName } from "../../proto/words/spiffe.ts";
import { fingerprintOf, isSignedBy } from "./credential.ts";
import { hubAway, hubAwayCode, HubError, hubRefuses, tlsProblem } from "./hub-error.ts";

/**
 * The certificate authority with this fingerprint, as the hub shows it behind its own certificate.
 *
 * Nothing is sent but a greeting: the token goes out only over the next connection, which trusts this
 * authority and no other. Throws HubError with a code when the server is another hub.
 */
export async function findAuthority(
  settings: { readonly address: string; readonly connectMs: number },
  fingerprint: string,
  signal: AbortSignal,
): Promise<X509Certificate> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(settings.connectMs)]);
  const socket = connect({
    ...hostAndPort(settings.address),
    servername: hubServerName,
    ALPNProtocols: ["h2"],
    minVersion: "TLSv1.3",
    // What it shows is compared with the fingerprint below; no public authority has a say in it.
    rejectUnauthorized: false,
  });
  try {
    await once(socket, "secureConnect", { signal: limited });
    const server = socket.getPeerX509Certificate();
    const shown: X509Certificate[] = [];
    for (let next = server; next !== undefined && shown.length < 5; next = next.issuerCertificate)
      shown.push(next);
    const authority = shown.find((certificate) => fingerprintOf(certificate) === fingerprint);
    if (server === undefined || authority === undefined || !isSignedBy(server, authority))
      throw hubAway(
        linkCodes.otherHub,
        `the server at ${settings.address} is not the hub of this invitation: it does not show a certificate signed by ${fingerprint}`,
      );
    return authority;
  } catch (error) {
    signal.throwIfAborted();
    if (limited.aborted)
      throw hubAway(
        hubAwayCode,
        `${settings.address} did not answer within ${settings.connectMs} ms`,
      );
    if (error instanceof HubError || !(error instanceof Error)) throw error;
    const problem = tlsProblem(error.message);
    throw hubAway(problem.code, `${settings.address}: ${problem.sentence}`, error);
  } finally {
    socket.destroy();
  }
}

function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || port === undefined)
    throw hubRefuses(linkCodes.cannotJoin, `hub address ${address} is not host:port`);
  return { host, port: Number(port) };
}
