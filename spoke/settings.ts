import { resolve } from "node:path";
import { logLevels, type LogLevel } from "../proto/kit/log.ts";
import type { Result } from "../proto/kit/result.ts";
import { SettingsReader, type SettingSources } from "../proto/kit/settings.ts";
import { isDnsLabel } from "../proto/words/dns-label.ts";
import type { ClusterAccess, Environment } from "./domain/cluster-access.ts";

export type SpokeSettings = {
  /** `host:port` of the hub's link. */
  readonly hubAddress: string;
  /** `sha256:<hex>` of the hub CA's public key. Needed until the spoke has enrolled. */
  readonly hubFingerprint: string | undefined;
  readonly joinToken:
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "file"; readonly file: string }
    | undefined;
  /** Where the desired set and blobs outlive a restart. */
  readonly stateFolder: string;
  /** The spoke's own namespace: its identity and its inventories. */
  readonly namespace: string;
  /** The only namespaces it manages objects in; empty for the whole cluster. */
  readonly namespaces: readonly string[];
  readonly access: ClusterAccess;
  readonly syncsAtOnce: number;
  /** Port of /livez, /readyz and /metrics; 0 picks a free one. */
  readonly probePort: number;
  readonly probeHost: string;
  readonly logLevel: LogLevel;
};

const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Every spoke setting with its meaning, for `wheelhouse spoke --help` and docs/settings.md. */
export const spokeSettingHelp: readonly (readonly [name: string, help: string])[] = [
  ["hub-address", "host:port of the hub's link (required)"],
  ["hub-fingerprint", "sha256:… of the hub's CA key; needed to enroll"],
  ["join-token", "single-use token to enroll with"],
  ["join-token-file", "file that holds it"],
  ["state-folder", "where the desired set and blobs outlive a restart (./wheelhouse-spoke-data)"],
  ["kubeconfig", "kubeconfig file; without it the pod's service account is used"],
  ["kubeconfig-context", "context in it (the current one)"],
  [
    "kubeconfig-insecure",
    "obey insecure-skip-tls-verify in it, so that anyone may answer as the API server (false)",
  ],
  ["namespace", "the spoke's own namespace (wheelhouse)"],
  [
    "namespaces",
    "comma-separated namespaces it manages, and nothing outside them (the whole cluster)",
  ],
  ["syncs-at-once", "applications synced side by side, 1 to 64 (4)"],
  ["probe-host", "address of /livez, /readyz and /metrics (0.0.0.0)"],
  ["probe-port", "port of them; 0 picks a free one (8081)"],
  ["settings-file", "JSON file with settings in camelCase"],
  ["log-level", `${logLevels.join(", ")} (info)`],
];

/** Reads all settings and every problem with them, one sentence each. Relative paths are from `folder`. */
export function readSpokeSettings(
  sources: SettingSources,
  folder: string,
): Result<SpokeSettings, readonly string[]> {
  const read = new SettingsReader(sources);
  read.text("settings-file");
  const hubAddress = read.required("hub-address");
  if (hubAddress !== "" && !/^(\[[0-9a-fA-F:]+\]|[^:\s/]+):\d{1,5}$/.test(hubAddress))
    read.addProblem(`hub-address must be host:port, got ${JSON.stringify(hubAddress)}`);
  const hubFingerprint = read.text("hub-fingerprint");
  if (hubFingerprint !== undefined && !/^sha256:[0-9a-f]{64}$/.test(hubFingerprint))
    read.addProblem(
      `hub-fingerprint must be sha256: and 64 hexadecimal digits, got ${JSON.stringify(hubFingerprint)}`,
    );
  const settings: SpokeSettings = {
    hubAddress,
    hubFingerprint,
    joinToken: joinToken(read, folder),
    stateFolder: resolve(folder, read.textOr("state-folder", "wheelhouse-spoke-data")),
    namespace: read.textOr("namespace", "wheelhouse"),
    namespaces: namespaces(read),
    access: clusterAccess(read, sources.environment, folder),
    syncsAtOnce: read.wholeNumber("syncs-at-once", 4, 1, 64),
    probePort: read.wholeNumber("probe-port", 8081, 0, 65_535),
    probeHost: read.textOr("probe-host", "0.0.0.0"),
    logLevel: read.oneOf("log-level", logLevels, "info"),
  };
  return read.finish(settings);
}

function namespaces(read: SettingsReader): readonly string[] {
  const text = read.text("namespaces");
  if (text === undefined) return [];
  const names = [...new Set(text.split(",").map((name) => name.trim()))];
  // Nothing named must not come to mean everything.
  for (const name of names)
    if (!isDnsLabel(name))
      read.addProblem(
        `namespaces must be DNS labels with commas between, got ${JSON.stringify(name)}`,
      );
  return names;
}

function joinToken(read: SettingsReader, folder: string): SpokeSettings["joinToken"] {
  const text = read.text("join-token");
  const file = read.text("join-token-file");
  if (text !== undefined && file !== undefined)
    read.addProblem("join-token and join-token-file exclude each other");
  if (file !== undefined) return { kind: "file", file: resolve(folder, file) };
  return text === undefined ? undefined : { kind: "text", text };
}

function clusterAccess(
  read: SettingsReader,
  environment: Environment,
  folder: string,
): ClusterAccess {
  const file = read.text("kubeconfig");
  const context = read.text("kubeconfig-context");
  const acceptInsecure = read.flag("kubeconfig-insecure", false);
  if (file !== undefined)
    return {
      kind: "kubeconfig",
      file: resolve(folder, file),
      context,
      acceptInsecure,
      environment,
    };
  if (context !== undefined) read.addProblem("kubeconfig-context needs kubeconfig");
  if (acceptInsecure) read.addProblem("kubeconfig-insecure needs kubeconfig");
  const host = environment["KUBERNETES_SERVICE_HOST"];
  const port = environment["KUBERNETES_SERVICE_PORT"];
  if (host === undefined || port === undefined)
    read.addProblem(
      "there is no cluster to manage: outside a pod, give --kubeconfig FILE (KUBERNETES_SERVICE_HOST is not set)",
    );
  return {
    kind: "in-cluster",
    host: host ?? "",
    port: port ?? "",
    tokenFile: `${serviceAccountFolder}/token`,
    authorityFile: `${serviceAccountFolder}/ca.crt`,
    environment,
  };
}
