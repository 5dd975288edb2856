import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { load } from "js-yaml";
import type { Clock } from "../../proto/kit/clock.ts";
import { digestOfText } from "../../proto/words/digest.ts";
import { isRecord, textOf, type JsonRecord } from "./json.ts";
import { CredentialUnusable } from "./trouble.ts";

/** How the spoke reaches the API server of its own cluster. */
export type ClusterAccess =
  | {
      readonly kind: "in-cluster";
      readonly host: string;
      readonly port: string;
      readonly tokenFile: string;
      readonly authorityFile: string;
    }
  | {
      readonly kind: "kubeconfig";
      readonly file: string;
      /** `undefined`: the file's current context. */
      readonly context: string | undefined;
    };

/** What one request needs to be let in. */
export type Access = {
  readonly host: string;
  readonly port: number;
  /** Goes before every path; empty for most servers. */
  readonly pathPrefix: string;
  readonly tls: {
    /** PEM; `undefined` trusts what Node trusts. */
    readonly authority: string | undefined;
    readonly certificate: string | undefined;
    readonly key: string | undefined;
    /** The name to verify instead of the host. */
    readonly serverName: string | undefined;
    readonly skipVerify: boolean;
    /** Differs whenever anything above does, so that connections made with older material can retire. */
    readonly version: string;
  };
  readonly bearer: string | undefined;
};

export type Credential = {
  /** What to use now: read again when older than its source may change unseen. Throws CredentialUnusable. */
  readonly current: (signal: AbortSignal) => Promise<Access>;
  /** The API server refused `access` with 401: the next `current` reads the files again. */
  readonly refused: (access: Access) => void;
};

/** Projected tokens are replaced in place by the kubelet well before they expire. */
const tokenAgeMsMost = 60_000;

/** People edit kubeconfig files and expect it to be noticed. */
const kubeconfigAgeMsMost = 10_000;

/**
 * Credentials from a pod's mounted files or from a kubeconfig, read again as they change.
 *
 * When a file cannot be read any more, what was read before stays in use: a rotation caught half-way is no
 * reason to stop. Messages name files and fields, never what is in them.
 */
export function openCredential(access: ClusterAccess, clock: Pick<Clock, "nowMs">): Credential {
  const read =
    access.kind === "in-cluster"
      ? () => readInCluster(access)
      : () => readKubeconfig(access.file, access.context);
  const ageMsMost = access.kind === "in-cluster" ? tokenAgeMsMost : kubeconfigAgeMsMost;
  let held: Access | undefined;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<Access> | undefined;

  async function readAgain(): Promise<Access> {
    try {
      const fresh = await read();
      held = fresh;
      readAtMs = clock.nowMs();
      return fresh;
    } catch (error) {
      if (held === undefined) throw error;
      readAtMs = clock.nowMs();
      return held;
    } finally {
      reading = undefined;
    }
  }

  return {
    current: async (signal) => {
      signal.throwIfAborted();
      if (held !== undefined && clock.nowMs() - readAtMs < ageMsMost) return held;
      reading ??= readAgain();
      return await reading;
    },
    refused: (used) => {
      if (held === used) readAtMs = Number.NEGATIVE_INFINITY;
    },
  };
}

async function readInCluster(
  access: Extract<ClusterAccess, { kind: "in-cluster" }>,
): Promise<Access> {
  const [token, authority] = await Promise.all([
    readText(access.tokenFile, "service account token"),
    readText(access.authorityFile, "cluster authority"),
  ]);
  const port = Number(access.port);
  if (access.host === "" || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw new CredentialUnusable(
      `the API server's address must be a host and a port, got ${JSON.stringify(`${access.host}:${access.port}`)}`,
    );
  if (token.trim() === "") throw new CredentialUnusable(`file ${access.tokenFile} is empty`);
  return makeAccess({
    host: access.host,
    port,
    pathPrefix: "",
    bearer: token.trim(),
    tls: {
      authority,
      certificate: undefined,
      key: undefined,
      serverName: undefined,
      skipVerify: false,
    },
  });
}

async function readKubeconfig(file: string, contextName: string | undefined): Promise<Access> {
  const config = parseKubeconfig(await readText(file, "kubeconfig"), file);
  const name = contextName ?? textOf(config["current-context"]);
  if (name === "")
    throw new CredentialUnusable(`kubeconfig ${file} has no current-context and none was chosen`);
  const context = namedEntry(config, "contexts", name, "context", file);
  const cluster = namedEntry(config, "clusters", textOf(context["cluster"]), "cluster", file);
  const user = namedEntry(config, "users", textOf(context["user"]), "user", file);
  refuseUnsupported(cluster, user, file);

  const server = serverOf(cluster, file);
  const from = dirname(file);
  const [authority, certificate, key, token] = await Promise.all([
    inlineOrFile(cluster, "certificate-authority", from),
    inlineOrFile(user, "client-certificate", from),
    inlineOrFile(user, "client-key", from),
    tokenOf(user, from),
  ]);
  if ((certificate === undefined) !== (key === undefined))
    throw new CredentialUnusable(
      `kubeconfig ${file}: client-certificate and client-key must come together`,
    );
  if (certificate === undefined && token === undefined)
    throw new CredentialUnusable(
      `kubeconfig ${file}: the user of context ${JSON.stringify(name)} has neither a token nor a client certificate`,
    );
  return makeAccess({
    ...server,
    bearer: token,
    tls: {
      authority,
      certificate,
      key,
      serverName: textOf(cluster["tls-server-name"]) || undefined,
      skipVerify: cluster["insecure-skip-tls-verify"] === true,
    },
  });
}

function parseKubeconfig(text: string, file: string): JsonRecord {
  let parsed: unknown;
  try {
    parsed = load(text);
  } catch {
    // The parser quotes the line it stumbled over, which may hold a token.
    throw new CredentialUnusable(`kubeconfig ${file} is not YAML`);
  }
  if (!isRecord(parsed)) throw new CredentialUnusable(`kubeconfig ${file} is not a YAML mapping`);
  return parsed;
}

/** The `part` of the entry called `name` in one of kubeconfig's lists of `{name, part}`. */
function namedEntry(
  config: JsonRecord,
  list: string,
  name: string,
  part: string,
  file: string,
): JsonRecord {
  const entries = config[list];
  const found = (Array.isArray(entries) ? (entries as readonly unknown[]) : []).find(
    (entry) => isRecord(entry) && entry["name"] === name,
  );
  const value = isRecord(found) ? found[part] : undefined;
  if (!isRecord(value))
    throw new CredentialUnusable(`kubeconfig ${file} has no ${part} named ${JSON.stringify(name)}`);
  return value;
}

function refuseUnsupported(cluster: JsonRecord, user: JsonRecord, file: string): void {
  const refuse = (field: string, instead: string): never => {
    throw new CredentialUnusable(`kubeconfig ${file} uses ${field}, ${instead}`);
  };
  if (isRecord(user["exec"]))
    refuse("an exec plug-in", "which the spoke does not run; use a token or a client certificate");
  if (isRecord(user["auth-provider"]))
    refuse(
      "an auth-provider",
      "which the spoke does not have; use a token or a client certificate",
    );
  if (textOf(user["username"]) !== "")
    refuse("username and password", "which Kubernetes no longer accepts");
  for (const field of ["as", "as-uid"])
    if (textOf(user[field]) !== "") refuse(field, "and the spoke does not impersonate");
  if (textOf(cluster["proxy-url"]) !== "")
    refuse("proxy-url", "and the spoke connects to its API server directly");
}

function serverOf(cluster: JsonRecord, file: string): Pick<Access, "host" | "port" | "pathPrefix"> {
  const text = textOf(cluster["server"]);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:")
    throw new CredentialUnusable(
      `kubeconfig ${file}: server must be an https address, got ${JSON.stringify(text)}`,
    );
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? 443 : Number(url.port),
    pathPrefix: url.pathname.replace(/\/+$/, ""),
  };
}

/** `<field>-data` in base64, or the file `<field>` names; data wins, as everywhere. */
async function inlineOrFile(
  record: JsonRecord,
  field: string,
  folder: string,
): Promise<string | undefined> {
  const inline = textOf(record[`${field}-data`]);
  if (inline !== "") return Buffer.from(inline, "base64").toString("utf8");
  const path = textOf(record[field]);
  return path === "" ? undefined : await readText(resolve(folder, path), field);
}

/** A token file wins over a token, as the file is the one that gets replaced. */
async function tokenOf(user: JsonRecord, folder: string): Promise<string | undefined> {
  const path = textOf(user["tokenFile"]);
  const token =
    path === "" ? textOf(user["token"]) : await readText(resolve(folder, path), "token");
  return token.trim() === "" ? undefined : token.trim();
}

async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new CredentialUnusable(`${what} file ${file} could not be read`, { cause: error });
  }
}

function makeAccess(
  parts: Omit<Access, "tls"> & { readonly tls: Omit<Access["tls"], "version"> },
): Access {
  const { tls, host, port } = parts;
  const version = digestOfText(JSON.stringify([host, port, tls]));
  return { ...parts, tls: { ...tls, version }, host, port };
}
