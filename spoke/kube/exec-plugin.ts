import { spawn, type ChildProcess } from "node:child_process";
import { isAbsolute, resolve, sep } from "node:path";
import type { Environment } from "../domain/cluster-access.ts";
import { isRecord, recordOf, textOf, type JsonRecord } from "./json.ts";
import { CredentialUnusable } from "./trouble.ts";

/** A program that prints a credential, as a kubeconfig describes it. */
export type ExecPlugin = {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the environment of this process, or put in the place of what it has. */
  readonly env: Readonly<Record<string, string>>;
  readonly installHint: string;
  /** What it is told of the cluster; `undefined`: nothing. */
  readonly cluster: JsonRecord | undefined;
  /** Commands with a slash are looked for from here. */
  readonly folder: string;
};

export type ExecCredential = {
  readonly token: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** `undefined`: good until it is refused. */
  readonly expiresAtMs: number | undefined;
};

export const execVersions = [
  "client.authentication.k8s.io/v1",
  "client.authentication.k8s.io/v1beta1",
] as const;

const outputBytesMost = 1024 * 1024;
const complaintCharsMost = 1_000;

/**
 * Runs the plug-in once, without a terminal, and reads what it prints.
 *
 * Throws CredentialUnusable with the plug-in's own complaint, with what looks like a token taken out of it.
 * One that takes longer than `limitMs` is killed with every process it started in its group; so is one that
 * is under way when `signal` aborts.
 */
export async function runExecPlugin(
  plugin: ExecPlugin,
  environment: Environment,
  limitMs: number,
  signal: AbortSignal,
): Promise<ExecCredential> {
  signal.throwIfAborted();
  const output = await outputOf(start(plugin, environment), plugin, limitMs, signal);
  return readCredential(output, plugin);
}

function start(plugin: ExecPlugin, environment: Environment): ChildProcess {
  const told = {
    apiVersion: plugin.apiVersion,
    kind: "ExecCredential",
    spec: {
      interactive: false,
      ...(plugin.cluster === undefined ? {} : { cluster: plugin.cluster }),
    },
  };
  const { command, folder } = plugin;
  const hasFolder = command.includes(sep) && !isAbsolute(command);
  return spawn(hasFolder ? resolve(folder, command) : command, [...plugin.args], {
    // A group of its own, so that nothing it started is left behind when it is killed.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...environment, ...plugin.env, KUBERNETES_EXEC_INFO: JSON.stringify(told) },
  });
}

async function outputOf(
  child: ChildProcess,
  plugin: ExecPlugin,
  limitMs: number,
  signal: AbortSignal,
): Promise<string> {
  const { promise, resolve: end, reject } = Promise.withResolvers<string>();
  const output: Buffer[] = [];
  let outputBytes = 0;
  let complaint = "";

  const say = (problem: string): CredentialUnusable =>
    new CredentialUnusable(`exec plug-in ${plugin.command} ${problem}${quoted(complaint)}`);
  const give = (reason: unknown): void => {
    killGroup(child);
    reject(reason);
  };
  const onAbort = (): void => give(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const deadline = setTimeout(
    () => give(say(`did not end within ${limitMs} ms and was killed`)),
    limitMs,
  );

  child.stdout?.on("data", (chunk: Buffer) => {
    outputBytes += chunk.length;
    if (outputBytes > outputBytesMost) give(say(`printed more than ${outputBytesMost} bytes`));
    else output.push(chunk);
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    // The last words are the ones that say why.
    complaint = `${complaint}${chunk.toString("utf8")}`.slice(-4 * complaintCharsMost);
  });
  child.once("error", (error: NodeJS.ErrnoException) => {
    const isMissing = error.code === "ENOENT";
    const hint = isMissing && plugin.installHint !== "" ? `; ${plugin.installHint.trim()}` : "";
    reject(say(`${isMissing ? "is not installed" : `could not be run (${error.code})`}${hint}`));
  });
  child.once("close", (code, killedBy) => {
    if (code === 0) end(Buffer.concat(output).toString("utf8"));
    else reject(say(code === null ? `was ended by ${killedBy}` : `failed with exit code ${code}`));
  });
  try {
    return await promise;
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener("abort", onAbort);
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

const quoted = (complaint: string): string => {
  const text = withoutSecrets(complaint).trim().replaceAll(/\s+/g, " ").slice(-complaintCharsMost);
  return text === "" ? "" : `: ${text}`;
};

/** Keys, tokens and ExecCredentials do not belong into a complaint; some plug-ins print them all the same. */
const withoutSecrets = (text: string): string =>
  text
    .replaceAll(/-----BEGIN [^-]+-----[\s\S]*?(-----END [^-]+-----|$)/g, "(PEM)")
    .replaceAll(/\b(bearer\s+)\S+/gi, "$1(token)")
    .replaceAll(
      /("\w*(?:token|password|secret|key|certificate)\w*"\s*:\s*)"[^"]*"?/gi,
      "$1(secret)",
    )
    .replaceAll(/(\b\w*(?:token|password|secret|key)\w*=)\S+/gi, "$1(secret)")
    .replaceAll(/\beyJ[\w-]+(\.[\w-]+)*/g, "(token)")
    .replaceAll(/[\w-]{40,}/g, "(token)");

function readCredential(text: string, plugin: ExecPlugin): ExecCredential {
  const wrong = (problem: string): CredentialUnusable =>
    new CredentialUnusable(`exec plug-in ${plugin.command} ${problem}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw wrong("printed something that is not JSON");
  }
  const printed = recordOf(parsed);
  if (printed["kind"] !== "ExecCredential" || printed["apiVersion"] !== plugin.apiVersion)
    throw wrong(`must print an ExecCredential of ${plugin.apiVersion}`);
  const status = printed["status"];
  if (!isRecord(status)) throw wrong("printed an ExecCredential without status");
  const credential: ExecCredential = {
    token: textOf(status["token"]).trim() || undefined,
    certificate: textOf(status["clientCertificateData"]) || undefined,
    key: textOf(status["clientKeyData"]) || undefined,
    expiresAtMs: expiryOf(status["expirationTimestamp"], wrong),
  };
  if ((credential.certificate === undefined) !== (credential.key === undefined))
    throw wrong("must print clientCertificateData and clientKeyData together");
  if (credential.token === undefined && credential.certificate === undefined)
    throw wrong("printed neither a token nor a client certificate");
  return credential;
}

function expiryOf(value: unknown, wrong: (problem: string) => Error): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const atMs = Date.parse(textOf(value));
  if (Number.isNaN(atMs)) throw wrong("printed an expirationTimestamp that is no time");
  return atMs;
}
