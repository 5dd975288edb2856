import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCertificateAuthority } from "../certificates.ts";
import { eventually } from "../eventually.ts";
import { kubeClient, type KubeClient } from "../kube-client.ts";
import { auditLog, type AuditedRequest } from "./audit.ts";
import { toolPath } from "./binaries.ts";
import { startGuard } from "./guard.ts";
import { kubeconfigFor, type KubeconfigUser } from "./kubeconfig.ts";
import { startPart, type Part } from "./part.ts";
import { stageFile } from "./stages.ts";

/**
 * A throw-away Kubernetes control plane on loopback: a real API server on a real etcd, with RBAC, service-account
 * tokens and TLS by a CA of its own; with `workloads` also the controllers, the scheduler and fake nodes whose
 * pods become ready, complete, or fail on purpose (see `stages.ts`).
 */
export type ControlPlane = {
  readonly name: string;
  /** `https://127.0.0.1:PORT`, the same for as long as it lives. */
  readonly url: string;
  readonly caPem: string;
  /** Of a user in `system:masters`. */
  readonly adminToken: string;
  /** Its data, certificates and logs; removed by `stop`. */
  readonly folder: string;
  /** The administrator's, by token. */
  readonly kubeconfig: () => string;
  /** With a client certificate for this user in these groups. */
  readonly certificateKubeconfig: (user: string, groups: readonly string[]) => Promise<string>;
  /** A token of this service account, by the TokenRequest API. */
  readonly serviceAccountToken: (
    namespace: string,
    name: string,
    options?: { readonly expirationSeconds?: number },
  ) => Promise<string>;
  readonly apiServer: {
    readonly kill: () => Promise<void>;
    readonly stop: () => Promise<void>;
    /** Resolves once it is ready again. */
    readonly start: () => Promise<void>;
  };
  readonly etcd: { readonly pause: () => void; readonly resume: () => void };
  /** What the API server was asked since the last call. Nothing unless `audited`. */
  readonly audited: () => readonly AuditedRequest[];
  /** A new serving certificate of the same CA, in force once this resolves. */
  readonly rotateServingCertificate: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export type ControlPlaneOptions = {
  /** In kubeconfigs. Default `real`. */
  readonly name?: string;
  /** Controllers, scheduler and fake nodes. Default false. */
  readonly workloads?: boolean;
  /** Fake nodes, when there are workloads. Default 1. */
  readonly nodes?: number;
  /** Keeps an audit log of every request. Default false. */
  readonly audited?: boolean;
  /** How often history is forgotten, with which old continue tokens and watch places go. Default five minutes. */
  readonly forgetEverySeconds?: number;
};

/** Throws with the end of the failing program's log. `whyNoControlPlane` says beforehand whether it can work. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  for (let triesLeft = 3; ; triesLeft -= 1) {
    try {
      return await start(options);
    } catch (error) {
      // A port that was free when we looked may be taken when the program gets there.
      const portTaken = /address already in use/.test(String(error));
      if (!portTaken || triesLeft === 0) throw error;
    }
  }
}

const readyWithinMs = 120_000;
/** An API server with open watches, or without its etcd, takes long to obey. */
const stopGraceMs = 5_000;

async function start(options: ControlPlaneOptions): Promise<ControlPlane> {
  const name = options.name ?? "real";
  const folder = mkdtempSync(join(tmpdir(), "wheelhouse-control-plane-"));
  const guard = startGuard(folder);
  const parts: Part[] = [];
  const run = (part: string, words: Readonly<Record<string, string>>): Part => {
    const started = startPart(
      part,
      toolPath(part as Parameters<typeof toolPath>[0]),
      Object.entries(words).map(([flag, value]) => `--${flag}=${value}`),
      join(folder, `${part}.log`),
      guard,
    );
    parts.push(started);
    return started;
  };
  const stop = async (): Promise<void> => {
    // Nothing here needs a farewell, and an API server that has lost its etcd takes long over one.
    await Promise.all(parts.map((part) => part.kill()));
    guard.release();
  };

  try {
    const secrets = await writeSecrets(folder);
    const [etcdPort, peerPort, apiPort] = await threeFreePorts();
    const url = `https://127.0.0.1:${apiPort}`;
    const etcdUrl = `http://127.0.0.1:${etcdPort}`;
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    const { caPem } = secrets;
    const kubeconfig = (user: KubeconfigUser): string => kubeconfigFor({ name, url, caPem, user });

    const etcd = run("etcd", {
      name: "one",
      "data-dir": join(folder, "etcd"),
      "listen-client-urls": etcdUrl,
      "advertise-client-urls": etcdUrl,
      "listen-peer-urls": peerUrl,
      "initial-advertise-peer-urls": peerUrl,
      "initial-cluster": `one=${peerUrl}`,
      // A test's data need not outlive the machine.
      "unsafe-no-fsync": "true",
      "log-level": "warn",
    });
    const audit = options.audited === true ? auditLog(folder) : undefined;
    const startApiServer = (): Part =>
      run("kube-apiserver", {
        ...apiServerFlags(etcdUrl, apiPort, secrets),
        ...audit?.flags,
        "etcd-compaction-interval": `${options.forgetEverySeconds ?? 300}s`,
      });
    let apiServer = startApiServer();
    const visitor = kubeClient({ url, caPem, token: secrets.adminToken });
    const ready = async (): Promise<void> => {
      await eventually(
        async () => {
          for (const part of parts) if (!part.isRunning()) throw new PartEnded(part);
          await visitor.raw("GET", "/readyz");
        },
        {
          withinMs: readyWithinMs,
          everyMs: 50,
          what: `a ready API server (log: ${join(folder, "kube-apiserver.log")})`,
          giveUp: (error) => error instanceof PartEnded,
        },
      );
    };
    const endApiServer = async (how: "kill" | "stop"): Promise<void> => {
      await (how === "kill" ? apiServer.kill() : apiServer.stop(stopGraceMs));
      parts.splice(parts.indexOf(apiServer), 1);
    };
    const beginApiServer = async (): Promise<void> => {
      apiServer = startApiServer();
      await ready();
    };
    await ready();
    if (options.workloads === true) {
      startWorkloads(run, folder, kubeconfig({ token: secrets.adminToken }), secrets);
      await addNodes(visitor, options.nodes ?? 1);
      await workloadsReady(visitor, parts);
    }

    return {
      name,
      url,
      caPem,
      adminToken: secrets.adminToken,
      folder,
      kubeconfig: () => kubeconfig({ token: secrets.adminToken }),
      certificateKubeconfig: async (user, groups) =>
        kubeconfig(
          await secrets.authority.issue({
            commonName: user,
            organizations: groups,
            use: "client",
          }),
        ),
      serviceAccountToken: async (namespace, account, { expirationSeconds = 3_600 } = {}) => {
        const answer = await visitor.raw(
          "POST",
          `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
          {
            apiVersion: "authentication.k8s.io/v1",
            kind: "TokenRequest",
            spec: { expirationSeconds },
          },
        );
        return (JSON.parse(answer) as { status: { token: string } }).status.token;
      },
      apiServer: {
        kill: () => endApiServer("kill"),
        stop: () => endApiServer("stop"),
        start: beginApiServer,
      },
      etcd: { pause: () => etcd.signal("SIGSTOP"), resume: () => etcd.signal("SIGCONT") },
      audited: () => audit?.read() ?? [],
      rotateServingCertificate: async () => {
        await writeServingCertificate(secrets);
        await endApiServer("kill");
        await beginApiServer();
      },
      stop: async () => {
        visitor.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

class PartEnded extends Error {
  constructor(part: Part) {
    super(`${part.name} ended; its log ends with:\n${part.logEnd()}`);
  }
}

type Secrets = Awaited<ReturnType<typeof writeSecrets>>;

async function writeSecrets(folder: string) {
  const place = (file: string): string => join(folder, "pki", file);
  mkdirSync(place(""), { recursive: true });
  const write = (file: string, text: string): string => {
    writeFileSync(place(file), text, { mode: 0o600 });
    return place(file);
  };
  const authority = await createCertificateAuthority("control plane");
  const accounts = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "sec1", format: "pem" },
  });
  const adminToken = randomBytes(24).toString("base64url");
  const secrets = {
    authority,
    caPem: authority.certificatePem,
    adminToken,
    caFile: write("ca.crt", authority.certificatePem),
    tokenFile: write("tokens.csv", `${adminToken},admin,admin,"system:masters"\n`),
    accountKeyFile: write("accounts.key", accounts.privateKey),
    accountPublicKeyFile: write("accounts.pub", accounts.publicKey),
    certificateFile: place("server.crt"),
    keyFile: place("server.key"),
  };
  await writeServingCertificate(secrets);
  return secrets;
}

async function writeServingCertificate(
  secrets: Pick<Secrets, "authority" | "certificateFile" | "keyFile">,
): Promise<void> {
  const { certificatePem, keyPem } = await secrets.authority.issue({
    commonName: "kube-apiserver",
    hosts: ["127.0.0.1", "localhost", "kubernetes", "kubernetes.default.svc", "10.96.0.1"],
    use: "server",
  });
  writeFileSync(secrets.certificateFile, certificatePem);
  writeFileSync(secrets.keyFile, keyPem, { mode: 0o600 });
}

const apiServerFlags = (
  etcdUrl: string,
  port: number,
  secrets: Secrets,
): Readonly<Record<string, string>> => ({
  "etcd-servers": etcdUrl,
  "bind-address": "127.0.0.1",
  "secure-port": String(port),
  "tls-cert-file": secrets.certificateFile,
  "tls-private-key-file": secrets.keyFile,
  "client-ca-file": secrets.caFile,
  "token-auth-file": secrets.tokenFile,
  "authorization-mode": "RBAC",
  "service-account-issuer": "https://kubernetes.default.svc",
  "service-account-key-file": secrets.accountPublicKeyFile,
  "service-account-signing-key-file": secrets.accountKeyFile,
  "service-cluster-ip-range": "10.96.0.0/16",
  "allow-privileged": "true",
});

function startWorkloads(
  run: (part: string, words: Readonly<Record<string, string>>) => Part,
  folder: string,
  kubeconfig: string,
  secrets: Secrets,
): void {
  const file = join(folder, "kubeconfig");
  writeFileSync(file, kubeconfig, { mode: 0o600 });
  const stages = join(folder, "stages.yaml");
  writeFileSync(stages, stageFile());
  // Quick reactions rather than politeness: nobody else uses this API server.
  const eager = { "kube-api-qps": "500", "kube-api-burst": "1000" };
  run("kube-controller-manager", {
    kubeconfig: file,
    "leader-elect": "false",
    "secure-port": "0",
    "service-account-private-key-file": secrets.accountKeyFile,
    "root-ca-file": secrets.caFile,
    "pvclaimbinder-sync-period": "1s",
    // Fake nodes speak up about once in this time's default; a busy machine would lose them and their pods.
    "node-monitor-grace-period": "1h",
    ...eager,
  });
  run("kube-scheduler", {
    kubeconfig: file,
    "leader-elect": "false",
    "secure-port": "0",
    ...eager,
  });
  run("kwok", { kubeconfig: file, config: stages, "manage-all-nodes": "true", v: "WARN" });
}

async function addNodes(visitor: KubeClient, count: number): Promise<void> {
  for (let index = 1; index <= count; index += 1)
    await visitor.create("/api/v1/nodes", {
      apiVersion: "v1",
      kind: "Node",
      metadata: {
        name: `node-${index}`,
        labels: { "kubernetes.io/hostname": `node-${index}`, "kubernetes.io/os": "linux" },
      },
    });
}

/** The nodes are ready and `default` has its service account, without which no pod is admitted. */
async function workloadsReady(visitor: KubeClient, parts: readonly Part[]): Promise<void> {
  await eventually(
    async () => {
      for (const part of parts) if (!part.isRunning()) throw new PartEnded(part);
      const account = await visitor.get("/api/v1/namespaces/default/serviceaccounts/default");
      if (account === undefined) throw new Error("default has no service account yet");
      for (const node of await visitor.list("/api/v1/nodes")) {
        const { conditions = [] } = (node["status"] ?? {}) as {
          readonly conditions?: readonly { readonly type: string; readonly status: string }[];
        };
        if (!conditions.some(({ type, status }) => type === "Ready" && status === "True"))
          throw new Error(`${node.metadata.name} is not ready`);
      }
    },
    {
      withinMs: readyWithinMs,
      everyMs: 50,
      what: "ready nodes",
      giveUp: (error) => error instanceof PartEnded,
    },
  );
}

/** Ports that were free a moment ago, all different: they are held until all three are known. */
async function threeFreePorts(): Promise<readonly [number, number, number]> {
  const [first, second, third] = [createServer(), createServer(), createServer()];
  const ports = await Promise.all([listen(first), listen(second), listen(third)]);
  await Promise.all(
    [first, second, third].map((server) => new Promise((resolve) => server.close(resolve))),
  );
  return ports;
}

const listen = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
