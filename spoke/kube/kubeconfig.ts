import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { load } from "js-yaml";
import { execVersions, type ExecPlugin } from "./exec-plugin.ts";
import { isRecord, listOf, recordOf, textOf, type JsonRecord } from "./json.ts";
import { parseProxy, plainHost, type Proxy } from "./proxy.ts";
import { CredentialUnusable } from "./trouble.ts";

/** Header names and values that say whom to act as. */
export type ActingAs = Readonly<Record<string, string | readonly string[]>>;

/** One context of a kubeconfig, files read. */
export type Kubeconfig = {
  readonly host: string;
  readonly port: number;
  readonly pathPrefix: string;
  readonly authority: string | undefined;
  readonly serverName: string | undefined;
  readonly skipVerify: boolean;
  /** `undefined`: what the environment says. */
  readonly proxy: Proxy | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly token: string | undefined;
  readonly plugin: ExecPlugin | undefined;
  readonly actingAs: ActingAs;
};

/**
 * Reads one context of a kubeconfig and the files it names.
 *
 * Throws CredentialUnusable naming file and field, never what is in them, also for ways to be let in that are
 * not spoken here.
 */
export async function readKubeconfig(
  file: string,
  contextName: string | undefined,
): Promise<Kubeconfig> {
  const config = parseKubeconfig(await readText(file, "kubeconfig"), file);
  const name = contextName ?? textOf(config["current-context"]);
  if (name === "")
    throw new CredentialUnusable(`kubeconfig ${file} has no current-context and none was chosen`);
  const context = namedEntry(config, "contexts", name, "context", file);
  const cluster = namedEntry(config, "clusters", textOf(context["cluster"]), "cluster", file);
  const user = namedEntry(config, "users", textOf(context["user"]), "user", file);
  refuseUnsupported(user, file);

  const server = serverOf(cluster, file);
  const from = dirname(file);
  const [authority, certificate, key, token] = await Promise.all([
    inlineOrFile(cluster, "certificate-authority", from),
    inlineOrFile(user, "client-certificate", from),
    inlineOrFile(user, "client-key", from),
    tokenOf(user, from),
  ]);
  const plugin = isRecord(user["exec"])
    ? pluginOf(user["exec"], cluster, authority, from, file)
    : undefined;
  if ((certificate === undefined) !== (key === undefined))
    throw new CredentialUnusable(
      `kubeconfig ${file}: client-certificate and client-key must come together`,
    );
  if (certificate === undefined && token === undefined && plugin === undefined)
    throw new CredentialUnusable(
      `kubeconfig ${file}: the user of context ${JSON.stringify(name)} has neither a token nor a client certificate nor an exec plug-in`,
    );
  const proxy = textOf(cluster["proxy-url"]);
  return {
    ...server,
    authority,
    serverName: textOf(cluster["tls-server-name"]) || undefined,
    skipVerify: cluster["insecure-skip-tls-verify"] === true,
    proxy: proxy === "" ? undefined : parseProxy(proxy, `proxy-url of kubeconfig ${file}`),
    certificate,
    key,
    token,
    plugin,
    actingAs: actingAs(user, file),
  };
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
  const found = listOf(config[list]).find((entry) => isRecord(entry) && entry["name"] === name);
  const value = isRecord(found) ? found[part] : undefined;
  if (!isRecord(value))
    throw new CredentialUnusable(`kubeconfig ${file} has no ${part} named ${JSON.stringify(name)}`);
  return value;
}

function refuseUnsupported(user: JsonRecord, file: string): void {
  const provider = user["auth-provider"];
  if (isRecord(provider))
    throw new CredentialUnusable(
      `kubeconfig ${file} uses the auth-provider ${JSON.stringify(textOf(provider["name"]))}, which Kubernetes has removed; replace it with an exec plug-in (users[].user.exec) or a token`,
    );
  if (textOf(user["username"]) !== "")
    throw new CredentialUnusable(
      `kubeconfig ${file} uses username and password, which Kubernetes no longer accepts`,
    );
}

function serverOf(
  cluster: JsonRecord,
  file: string,
): Pick<Kubeconfig, "host" | "port" | "pathPrefix"> {
  const text = textOf(cluster["server"]);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:")
    throw new CredentialUnusable(
      `kubeconfig ${file}: server must be an https address, got ${JSON.stringify(text)}`,
    );
  return {
    host: plainHost(url),
    port: url.port === "" ? 443 : Number(url.port),
    pathPrefix: url.pathname.replace(/\/+$/, ""),
  };
}

function pluginOf(
  exec: JsonRecord,
  cluster: JsonRecord,
  authority: string | undefined,
  folder: string,
  file: string,
): ExecPlugin {
  const refuse = (problem: string): never => {
    throw new CredentialUnusable(`kubeconfig ${file}: exec ${problem}`);
  };
  const apiVersion = textOf(exec["apiVersion"]);
  if (!execVersions.some((version) => version === apiVersion))
    refuse(`has apiVersion ${JSON.stringify(apiVersion)}, expected ${execVersions.join(" or ")}`);
  const command = textOf(exec["command"]);
  if (command === "") refuse("has no command");
  if (exec["interactiveMode"] === "Always")
    refuse("has interactiveMode Always, and a spoke has no terminal; use Never or IfAvailable");
  const env = listOf(exec["env"]).map(recordOf);
  return {
    apiVersion,
    command,
    args: listOf(exec["args"]).map(textOf),
    env: Object.fromEntries(env.map(({ name, value }) => [textOf(name), textOf(value)])),
    installHint: textOf(exec["installHint"]),
    cluster:
      exec["provideClusterInfo"] === true ? clusterInfo(cluster, authority, apiVersion) : undefined,
    folder,
  };
}

/** The cluster as plug-ins are told of it. */
function clusterInfo(
  cluster: JsonRecord,
  authority: string | undefined,
  apiVersion: string,
): JsonRecord {
  const extension = listOf(cluster["extensions"]).find(
    (entry) => recordOf(entry)["name"] === "client.authentication.k8s.io/exec",
  );
  const kept = ["server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url"];
  return {
    ...Object.fromEntries(kept.flatMap((key) => (key in cluster ? [[key, cluster[key]]] : []))),
    ...(authority === undefined
      ? {}
      : { "certificate-authority-data": Buffer.from(authority, "utf8").toString("base64") }),
    ...(extension === undefined ? {} : { config: recordOf(extension)["extension"] ?? null }),
    ...(apiVersion.endsWith("/v1") ? { "disable-compression": false } : {}),
  };
}

function actingAs(user: JsonRecord, file: string): ActingAs {
  const name = textOf(user["as"]);
  const groups = listOf(user["as-groups"]).map(textOf);
  const uid = textOf(user["as-uid"]);
  const extra = Object.entries(recordOf(user["as-user-extra"]));
  if (name === "") {
    if (groups.length > 0 || uid !== "" || extra.length > 0)
      throw new CredentialUnusable(
        `kubeconfig ${file}: as-groups, as-uid and as-user-extra need as`,
      );
    return {};
  }
  return {
    "impersonate-user": name,
    ...(groups.length === 0 ? {} : { "impersonate-group": groups }),
    ...(uid === "" ? {} : { "impersonate-uid": uid }),
    ...Object.fromEntries(
      extra.map(([key, values]) => [
        `impersonate-extra-${encodeURIComponent(key.toLowerCase())}`,
        listOf(values).map(textOf),
      ]),
    ),
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

/** Throws CredentialUnusable that names what the file is for. */
export async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new CredentialUnusable(`${what} file ${file} could not be read`, { cause: error });
  }
}
