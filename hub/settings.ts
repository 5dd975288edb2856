import { join, resolve } from "node:path";
import { logLevels, type LogLevel } from "../proto/kit/log.ts";
import type { Result } from "../proto/kit/result.ts";
import { SettingsReader, type SettingSources } from "../proto/kit/settings.ts";

/** A credential for every repository whose URL is within `urlPrefix`. Files are read anew for each exchange. */
export type RepositoryCredentialSetting =
  | {
      readonly kind: "basic";
      readonly urlPrefix: string;
      readonly username: string;
      readonly passwordFile: string;
    }
  | { readonly kind: "bearer"; readonly urlPrefix: string; readonly tokenFile: string };

export type HostPort = { readonly host: string; readonly port: number };

export type HubSettings = {
  /** Database, certificate authority and mirrors. */
  readonly dataFolder: string;
  readonly fleetRepository: string;
  readonly fleetRevision: string;
  /** Folder of the fleet repository that is read; empty for all of it. */
  readonly fleetPath: string;
  /** What one element that cannot be generated keeps from changing: its own application, or its whole set. */
  readonly generationFailure: "element" | "set";
  /** How patterns of git files are read: as `git ls-files` does, or by Argo CD's newer dialect. */
  readonly gitFileDialect: "pathspec" | "doublestar";
  /** Elements that one ApplicationSet may have. */
  readonly setElementsMost: number;
  readonly pollMs: number;
  readonly gitTimeoutMs: number;
  readonly repositoryBytesMost: number;
  readonly credentials: readonly RepositoryCredentialSetting[];
  readonly linkListen: HostPort;
  /** What join commands tell spokes to dial: `host:port`. Empty: what the link listens on. */
  readonly linkPublicAddress: string;
  /** Further names and addresses in the link's certificate. */
  readonly linkNames: readonly string[];
  readonly heartbeatMs: number;
  readonly certificateLifeMs: number;
  readonly joinTokenLifeMs: number;
  readonly httpListen: HostPort;
  readonly httpTls: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  readonly metricsOpen: boolean;
  readonly webhookSecretFile: string | undefined;
  readonly adminTokenFile: string;
  readonly commandLifeMs: number;
  /** What join manifests run; empty: this release's image. */
  readonly spokeImage: string;
  /** What `helm install` is told to fetch, at this release's version. */
  readonly spokeChart: string;
  /** Written once everything listens: where, as JSON. For whoever starts the hub. */
  readonly readyFile: string | undefined;
  readonly logLevel: LogLevel;
};

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Every hub setting with its meaning, for `wheelhouse hub --help` and docs/settings.md. */
export const hubSettingHelp: readonly (readonly [name: string, help: string])[] = [
  [
    "fleet-repository",
    "URL of the repository with ApplicationSets, Applications and AppProjects (required)",
  ],
  ["fleet-revision", "branch, tag or commit to follow (HEAD)"],
  ["fleet-path", "folder of it to read (the whole repository)"],
  [
    "generation-failure",
    "what an element that cannot be generated keeps as it was: its own `element`, or the whole `set` as in Argo CD (element)",
  ],
  [
    "git-file-dialect",
    "how patterns of git files are read: `pathspec` as git does, where * matches / too, or `doublestar`, Argo CD's newer globbing (pathspec)",
  ],
  [
    "set-elements-most",
    "elements that one ApplicationSet may have, 1 to 500000; one with more keeps what it had (200000)",
  ],
  ["data-folder", "database, certificate authority and mirrors (./wheelhouse-data)"],
  ["settings-file", "JSON file with settings in camelCase"],
  ["poll-ms", "pause between two looks at a repository, 1000 to 3600000 (30000)"],
  ["git-timeout-ms", "most time for one fetch, 1000 to 3600000 (120000)"],
  [
    "repository-bytes-most",
    "largest snapshot of a repository that is kept, 1000000 to 17179869184 (536870912)",
  ],
  ["link-listen", "host:port spokes dial (0.0.0.0:7443)"],
  ["link-public-address", "host:port that join commands name (link-listen)"],
  ["link-names", "comma-separated further names and addresses in the link's certificate"],
  ["heartbeat-ms", "pause between heartbeats, 500 to 600000 (45000)"],
  ["certificate-life-ms", "life of a spoke's certificate, 60000 to 34560000000 (30 days)"],
  ["join-token-life-ms", "life of a join token, 1000 to 86400000 (1 hour)"],
  ["http-listen", "host:port of the HTTP API (127.0.0.1:8080)"],
  ["http-tls-certificate-file", "certificate of the HTTP API, PEM; needs http-tls-key-file"],
  ["http-tls-key-file", "key of the HTTP API, PEM"],
  ["metrics-open", "serve /metrics without a token (false)"],
  [
    "webhook-secret-file",
    "secret that signs POST /v1/webhooks/git; without it webhooks are refused",
  ],
  [
    "admin-token-file",
    "the admin token; the first start leaves one here, mode 0600, unless there is one (data-folder/admin-token)",
  ],
  [
    "command-life-ms",
    "how long a sync or refresh command waits for its spoke, 1000 to 604800000 (1 hour)",
  ],
  [
    "spoke-image",
    "container image named in join manifests (ghcr.io/wheelhouse/wheelhouse at the hub's version)",
  ],
  [
    "spoke-chart",
    "chart named in join commands (oci://ghcr.io/wheelhouse/charts/wheelhouse-spoke)",
  ],
  ["ready-file", "written once everything listens: addresses as JSON"],
  ["log-level", `${logLevels.join(", ")} (info)`],
];

/** Reads all settings and every problem with them, one sentence each. Relative paths are from `folder`. */
export function readHubSettings(
  sources: SettingSources,
  folder: string,
): Result<HubSettings, readonly string[]> {
  const read = new SettingsReader(sources);
  read.text("settings-file");
  const path = (name: string): string | undefined => {
    const given = read.text(name);
    return given === undefined ? undefined : resolve(folder, given);
  };
  const dataFolder = resolve(folder, read.textOr("data-folder", "wheelhouse-data"));
  const linkListen = hostPort(read, "link-listen", "0.0.0.0:7443");
  const settings: HubSettings = {
    dataFolder,
    fleetRepository: fleetRepository(read),
    fleetRevision: read.textOr("fleet-revision", "HEAD"),
    fleetPath: read.textOr("fleet-path", "").replace(/^\.?\/+|\/+$|^\.$/g, ""),
    generationFailure: read.oneOf("generation-failure", ["element", "set"], "element"),
    setElementsMost: read.wholeNumber("set-elements-most", 200_000, 1, 500_000),
    gitFileDialect: read.oneOf("git-file-dialect", ["pathspec", "doublestar"], "pathspec"),
    pollMs: read.wholeNumber("poll-ms", 30_000, 1_000, 3_600_000),
    gitTimeoutMs: read.wholeNumber("git-timeout-ms", 120_000, 1_000, 3_600_000),
    repositoryBytesMost: read.wholeNumber("repository-bytes-most", 2 ** 29, 1_000_000, 2 ** 34),
    credentials: readCredentials(read, folder),
    linkListen,
    linkPublicAddress: read.textOr("link-public-address", ""),
    linkNames: read
      .textOr("link-names", "")
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== ""),
    heartbeatMs: read.wholeNumber("heartbeat-ms", 45_000, 500, 600_000),
    certificateLifeMs: read.wholeNumber("certificate-life-ms", 30 * dayMs, 60_000, 400 * dayMs),
    joinTokenLifeMs: read.wholeNumber("join-token-life-ms", 60 * minuteMs, 1_000, dayMs),
    httpListen: hostPort(read, "http-listen", "127.0.0.1:8080"),
    httpTls: httpTls(read, path("http-tls-certificate-file"), path("http-tls-key-file")),
    metricsOpen: read.flag("metrics-open", false),
    webhookSecretFile: path("webhook-secret-file"),
    adminTokenFile: path("admin-token-file") ?? join(dataFolder, "admin-token"),
    commandLifeMs: read.wholeNumber("command-life-ms", 60 * minuteMs, 1_000, 7 * dayMs),
    spokeImage: read.textOr("spoke-image", ""),
    spokeChart: read.textOr("spoke-chart", "oci://ghcr.io/wheelhouse/charts/wheelhouse-spoke"),
    readyFile: path("ready-file"),
    logLevel: read.oneOf("log-level", logLevels, "info"),
  };
  return read.finish(settings);
}

/** Said without repeating the address: it may hold a password. */
function fleetRepository(read: SettingsReader): string {
  const text = read.required("fleet-repository");
  if (text === "") return text;
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:"))
    read.addProblem("fleet-repository must be an http or https URL");
  else if (url.username !== "" || url.password !== "")
    read.addProblem(
      "fleet-repository must not hold a user or password; give them as repositoryCredentials in the settings file",
    );
  return text;
}

function hostPort(read: SettingsReader, name: string, fallback: string): HostPort {
  const text = read.textOr(name, fallback);
  const match = /^(\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2] ?? Number.NaN);
  if (match === null || port > 65_535) {
    read.addProblem(`${name} must be host:port, got ${JSON.stringify(text)}`);
    return { host: "127.0.0.1", port: 0 };
  }
  return { host: (match[1] ?? "").replace(/^\[|\]$/g, ""), port };
}

function httpTls(
  read: SettingsReader,
  certificateFile: string | undefined,
  keyFile: string | undefined,
): HubSettings["httpTls"] {
  if (certificateFile === undefined && keyFile === undefined) return undefined;
  if (certificateFile !== undefined && keyFile !== undefined) return { certificateFile, keyFile };
  read.addProblem("http-tls-certificate-file and http-tls-key-file must be given together");
  return undefined;
}

/** `repositoryCredentials` in the settings file: {urlPrefix, username, passwordFile} or {urlPrefix, tokenFile}. */
function readCredentials(
  read: SettingsReader,
  folder: string,
): readonly RepositoryCredentialSetting[] {
  const given = read.structure("repository-credentials");
  if (given === undefined) return [];
  if (!Array.isArray(given)) {
    read.addProblem(`repositoryCredentials must be a list of ${credentialForms}`);
    return [];
  }
  return given.flatMap((entry: unknown, index) => {
    const credential = readCredential(entry, folder);
    if (credential !== undefined) return [credential];
    read.addProblem(
      `repositoryCredentials[${index}] must be ${credentialForms}, with an http or https URL`,
    );
    return [];
  });
}

const credentialForms = "{urlPrefix, username, passwordFile} or {urlPrefix, tokenFile}";

function readCredential(entry: unknown, folder: string): RepositoryCredentialSetting | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const fields = new Map(Object.entries(entry).map(([name, value]) => [name, String(value)]));
  const urlPrefix = fields.get("urlPrefix") ?? "";
  if (!/^https?:\/\//.test(urlPrefix)) return undefined;
  const username = fields.get("username");
  const passwordFile = fields.get("passwordFile");
  const tokenFile = fields.get("tokenFile");
  if (fields.size === 3 && username !== undefined && passwordFile !== undefined)
    return { kind: "basic", urlPrefix, username, passwordFile: resolve(folder, passwordFile) };
  if (fields.size === 2 && tokenFile !== undefined)
    return { kind: "bearer", urlPrefix, tokenFile: resolve(folder, tokenFile) };
  return undefined;
}
