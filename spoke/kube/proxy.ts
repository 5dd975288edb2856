import { BlockList, isIP } from "node:net";
import type { Environment } from "../domain/cluster-access.ts";
import { CredentialUnusable } from "./trouble.ts";

/** A proxy that is asked for a tunnel to the API server. */
export type Proxy = {
  readonly host: string;
  readonly port: number;
  /** Whether the proxy itself is spoken to over TLS. */
  readonly isSecure: boolean;
  /** The whole `Proxy-Authorization` header; `undefined`: none. */
  readonly authorization: string | undefined;
};

/**
 * Reads a proxy's address. `where` says who gave it, for messages; a user and a password in it stay out of
 * them. Throws CredentialUnusable for anything but http and https.
 */
export function parseProxy(text: string, where: string): Proxy {
  const written = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url === undefined) throw new CredentialUnusable(`${where} is not a proxy's address`);
  const isSecure = url.protocol === "https:";
  if (!isSecure && url.protocol !== "http:")
    throw new CredentialUnusable(
      `${where} names a ${url.protocol.slice(0, -1)} proxy; only http and https proxies are spoken to`,
    );
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return {
    host: plainHost(url),
    port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port),
    isSecure,
    authorization:
      user === ":" ? undefined : `Basic ${Buffer.from(user, "utf8").toString("base64")}`,
  };
}

/** An address's host, without the brackets of IPv6. */
export const plainHost = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, "$1");

/** The proxy that HTTPS_PROXY names, unless NO_PROXY or the host itself says to go without. */
export function environmentProxy(
  host: string,
  port: number,
  environment: Environment,
): Proxy | undefined {
  const text = variable("HTTPS_PROXY", environment);
  if (text === "" || isLoopback(host)) return undefined;
  const without = variable("NO_PROXY", environment).split(",");
  if (without.some((entry) => excludes(entry.trim().toLowerCase(), host.toLowerCase(), port)))
    return undefined;
  return parseProxy(text, "HTTPS_PROXY");
}

const variable = (name: string, environment: Environment): string =>
  (environment[name] ?? environment[name.toLowerCase()] ?? "").trim();

/** What runs on this machine is never behind a proxy. */
const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));

/** One entry of NO_PROXY: `*`, an address, a range, a name and what is below it, each perhaps with a port. */
function excludes(entry: string, host: string, port: number): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  if (entry.includes("/")) return isInRange(entry, host);
  const [, bracketed, named, wantedPort] =
    /^(?:\[([^\]]+)\]|([^:]+|[^:]*:[^:]*:.*?))(?::(\d+))?$/.exec(entry) ?? [];
  if (wantedPort !== undefined && Number(wantedPort) !== port) return false;
  const name = (bracketed ?? named ?? entry).replace(/^\*(?=\.)/, "");
  if (isIP(name) !== 0) return name === host;
  // A leading dot leaves out the name itself.
  return name.startsWith(".") ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
}

function isInRange(entry: string, host: string): boolean {
  const [address = "", bits = ""] = entry.split("/");
  const family = isIP(address);
  if (family === 0 || isIP(host) !== family || !/^\d{1,3}$/.test(bits)) return false;
  if (Number(bits) > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const range = new BlockList();
  range.addSubnet(address, Number(bits), type);
  return range.check(host, type);
}
