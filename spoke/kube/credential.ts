import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import { describeError } from "../../proto/kit/trouble.ts";
import { unlessAborted } from "../../proto/kit/unless-aborted.ts";
import { digestOfText } from "../../proto/words/digest.ts";
import type { ClusterAccess, Environment } from "../domain/cluster-access.ts";
import { requireUsablePair } from "./client-certificate.ts";
import { runExecPlugin, type ExecCredential, type ExecPlugin } from "./exec-plugin.ts";
import { readKubeconfig, readText, type ActingAs } from "./kubeconfig.ts";
import { environmentProxy, type Proxy } from "./proxy.ts";
import { CredentialUnusable } from "./trouble.ts";

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
    /** Differs whenever anything above or the proxy does, so that connections made before can retire. */
    readonly version: string;
  };
  readonly proxy: Proxy | undefined;
  readonly bearer: string | undefined;
  /** Whom the kubeconfig says to act as; empty for most. */
  readonly actingAs: ActingAs;
};

export type Credential = {
  /** What to use now: read again when older than its source may change unseen. Throws CredentialUnusable. */
  readonly current: (signal: AbortSignal) => Promise<Access>;
  /** `access` did not work any more, or the server's certificate did not: the next `current` reads all again. */
  readonly refused: (access: Access) => void;
  /** Ends an exec plug-in that is under way. */
  readonly close: () => void;
};

/** Projected tokens are replaced in place by the kubelet well before they expire. */
const tokenAgeMsMost = 60_000;

/** People edit kubeconfig files and expect it to be noticed. */
const kubeconfigAgeMsMost = 10_000;

/** For one run of an exec plug-in, which may ask a login server far away. */
const pluginMsMost = 60_000;

/** A credential that expires this soon would expire on its way. */
const expiryMarginMs = 10_000;

/**
 * Credentials from a pod's mounted files or from a kubeconfig, read again as they change.
 *
 * When a file cannot be read any more, or a client certificate cannot be used with its key, what was read
 * before stays in use, all of it: a rotation caught half-way is no reason to stop. What an exec plug-in printed
 * is used until it expires or is refused, never after. Messages name files and fields, never what is in them.
 */
export function openCredential(
  access: ClusterAccess,
  clock: Pick<Clock, "nowMs">,
  log: Log,
): Credential {
  const closing = new AbortController();
  const plugins = pluginRunner(access.environment, clock, closing.signal);
  const ageMsMost = access.kind === "in-cluster" ? tokenAgeMsMost : kubeconfigAgeMsMost;
  let held: Access | undefined;
  let goodUntilMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<Access> | undefined;

  async function read(): Promise<Access> {
    const fresh =
      access.kind === "in-cluster"
        ? await readInCluster(access)
        : await accessFromKubeconfig(access, plugins);
    if (fresh.tls.skipVerify && held?.tls.version !== fresh.tls.version)
      log.warn("API server is not authenticated", {
        server: `${fresh.host}:${fresh.port}`,
        problem:
          "insecure-skip-tls-verify is set: whoever answers at this address gets the credential and is believed",
      });
    return fresh;
  }

  async function readAgain(): Promise<Access> {
    try {
      held = await read();
    } catch (error) {
      if (held === undefined || closing.signal.aborted || plugins.isNeeded()) throw error;
      log.warn("credential was not read again", { problem: describeError(error) });
    } finally {
      reading = undefined;
    }
    goodUntilMs = Math.min(clock.nowMs() + ageMsMost, plugins.renewAtMs());
    return held;
  }

  return {
    current: async (signal) => {
      signal.throwIfAborted();
      if (held !== undefined && clock.nowMs() < goodUntilMs) return held;
      reading ??= readAgain();
      return await unlessAborted(reading, signal);
    },
    refused: (used) => {
      if (held !== used) return;
      goodUntilMs = Number.NEGATIVE_INFINITY;
      plugins.forget();
    },
    close: () => closing.abort(new CredentialUnusable("the credential was closed")),
  };
}

type PluginRunner = {
  /** What the plug-in printed last while that is good, else what it prints now. */
  readonly credential: (plugin: ExecPlugin) => Promise<ExecCredential>;
  readonly forget: () => void;
  /** There is no plug-in any more: what is used now has nothing to do with one. */
  readonly leave: () => void;
  /** Whether there is a plug-in and nothing good of it. */
  readonly isNeeded: () => boolean;
  readonly renewAtMs: () => number;
};

function pluginRunner(
  environment: Environment,
  clock: Pick<Clock, "nowMs">,
  signal: AbortSignal,
): PluginRunner {
  let ran: ExecPlugin | undefined;
  let printed: ExecCredential | undefined;
  let renewAtMs = Number.POSITIVE_INFINITY;
  const isGood = (): boolean => printed !== undefined && clock.nowMs() < renewAtMs;

  return {
    credential: async (plugin) => {
      if (printed !== undefined && isGood() && isDeepStrictEqual(ran, plugin)) return printed;
      ran = plugin;
      printed = undefined;
      const fresh = await runExecPlugin(plugin, environment, pluginMsMost, signal);
      const nowMs = clock.nowMs();
      const lifeMs = (fresh.expiresAtMs ?? Number.POSITIVE_INFINITY) - nowMs;
      if (lifeMs <= 0)
        throw new CredentialUnusable(
          `exec plug-in ${plugin.command} printed a credential that has expired; compare the clocks`,
        );
      requireUsablePair(
        fresh.certificate,
        fresh.key,
        `clientCertificateData and clientKeyData of exec plug-in ${plugin.command}`,
      );
      renewAtMs = nowMs + lifeMs - Math.min(expiryMarginMs, lifeMs / 2);
      printed = fresh;
      return fresh;
    },
    forget: () => {
      printed = undefined;
    },
    leave: () => {
      ran = undefined;
      printed = undefined;
    },
    isNeeded: () => ran !== undefined && !isGood(),
    renewAtMs: () => (printed === undefined ? Number.POSITIVE_INFINITY : renewAtMs),
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
    proxy: environmentProxy(access.host, port, access.environment),
    bearer: token.trim(),
    actingAs: {},
    tls: {
      authority,
      certificate: undefined,
      key: undefined,
      serverName: undefined,
      skipVerify: false,
    },
  });
}

async function accessFromKubeconfig(
  access: Extract<ClusterAccess, { kind: "kubeconfig" }>,
  plugins: PluginRunner,
): Promise<Access> {
  const config = await readKubeconfig(access.file, access.context);
  const { host, port, pathPrefix, authority, serverName, skipVerify, actingAs } = config;
  if (skipVerify && !access.acceptInsecure)
    throw new CredentialUnusable(
      `kubeconfig ${access.file} sets insecure-skip-tls-verify, which the spoke refuses; give certificate-authority-data, or start it with kubeconfig-insecure`,
    );
  // A token in the file itself wins over what a plug-in would print.
  const printed =
    config.plugin === undefined || config.token !== undefined
      ? undefined
      : await plugins.credential(config.plugin);
  // One that is printed was looked at then.
  if (printed?.certificate === undefined)
    requireUsablePair(
      config.certificate,
      config.key,
      `client-certificate and client-key of kubeconfig ${access.file}`,
    );
  if (printed === undefined) plugins.leave();
  return makeAccess({
    host,
    port,
    pathPrefix,
    proxy: config.proxy ?? environmentProxy(host, port, access.environment),
    bearer: config.token ?? printed?.token,
    actingAs,
    tls: {
      authority,
      certificate: printed?.certificate ?? config.certificate,
      key: printed?.key ?? config.key,
      serverName,
      skipVerify,
    },
  });
}

function makeAccess(
  parts: Omit<Access, "tls"> & { readonly tls: Omit<Access["tls"], "version"> },
): Access {
  const { tls, host, port, proxy } = parts;
  const version = digestOfText(JSON.stringify([host, port, tls, proxy ?? null]));
  return { ...parts, tls: { ...tls, version } };
}
