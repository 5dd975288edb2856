import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { suite } from "node:test";
import { silentLog, type Fields, type Log } from "../../../proto/kit/log.ts";
import {
  openCredential,
  type ClusterAccess,
  type Credential,
} from "../../../spoke/kube/credential.ts";
import { CredentialUnusable } from "../../../spoke/kube/trouble.ts";
import { createCertificateAuthority, type CertifiedKey } from "../../support/certificates.ts";
import { eventually } from "../../support/eventually.ts";

const { signal } = new AbortController();
const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");

suite("credential of a pod", () => {
  test("token and authority come from the mounted files", async () => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, "token"), "abc\n");
      await writeFile(join(folder, "ca.crt"), "CA PEM");
      const access = await openCredential(inCluster(folder), clockAt(), silentLog).current(signal);
      assert.partialDeepStrictEqual(access, {
        host: "10.0.0.1",
        port: 443,
        pathPrefix: "",
        bearer: "abc",
      });
      assert.partialDeepStrictEqual(access.tls, { authority: "CA PEM", skipVerify: false });
    });
  });

  test("the token is read again after a minute, and at once when it was refused", async () => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, "token"), "one");
      await writeFile(join(folder, "ca.crt"), "CA");
      const clock = clockAt();
      const credential = openCredential(inCluster(folder), clock, silentLog);
      const first = await credential.current(signal);
      await writeFile(join(folder, "token"), "two");
      clock.pass(59_000);
      assert.equal((await credential.current(signal)).bearer, "one");
      clock.pass(1_000);
      const second = await credential.current(signal);
      assert.equal(second.bearer, "two");
      assert.equal(second.tls.version, first.tls.version);
      await writeFile(join(folder, "token"), "three");
      credential.refused(second);
      assert.equal((await credential.current(signal)).bearer, "three");
    });
  });

  test("a new authority gives the connections another version", async () => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, "token"), "one");
      await writeFile(join(folder, "ca.crt"), "CA");
      const clock = clockAt();
      const credential = openCredential(inCluster(folder), clock, silentLog);
      const before = await credential.current(signal);
      await writeFile(join(folder, "ca.crt"), "CA 2");
      clock.pass(60_000);
      assert.notEqual((await credential.current(signal)).tls.version, before.tls.version);
    });
  });

  test("files that cannot be read any more leave the last good credential in use", async () => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, "token"), "one");
      await writeFile(join(folder, "ca.crt"), "CA");
      const clock = clockAt();
      const credential = openCredential(inCluster(folder), clock, silentLog);
      await credential.current(signal);
      await rm(join(folder, "token"));
      clock.pass(60_000);
      assert.equal((await credential.current(signal)).bearer, "one");
    });
  });

  test("a missing file is trouble that names it, and heals when it comes", async () => {
    await inFolder(async (folder) => {
      const credential = openCredential(inCluster(folder), clockAt(), silentLog);
      await assert.rejects(credential.current(signal), CredentialUnusable);
      await writeFile(join(folder, "token"), "one");
      await writeFile(join(folder, "ca.crt"), "CA");
      assert.equal((await credential.current(signal)).bearer, "one");
    });
  });
});

suite("credential of a kubeconfig", () => {
  test("token, authority and server come from the current context", async () => {
    const access = await readConfig({});
    assert.partialDeepStrictEqual(access, {
      host: "api.example.dev",
      port: 6443,
      pathPrefix: "/clusters/one",
      bearer: "secret-token",
    });
    assert.partialDeepStrictEqual(access.tls, { authority: "CA PEM", certificate: undefined });
  });

  test("another context can be chosen, with a client certificate from files beside it", async () => {
    const files = await clientCertificate();
    const access = await readConfig({ context: "files", acceptInsecure: true, files });
    assert.partialDeepStrictEqual(access, {
      host: "::1",
      port: 443,
      pathPrefix: "",
      bearer: undefined,
    });
    assert.partialDeepStrictEqual(access.tls, {
      authority: "CA FILE",
      certificate: files.certificatePem,
      key: files.keyPem,
      serverName: "kubernetes",
      skipVerify: true,
    });
  });

  test("a token file wins over a token", async () => {
    assert.equal((await readConfig({ user: { token: "a", tokenFile: "token" } })).bearer, "TOKEN");
  });

  test("it may say to act as somebody else", async () => {
    const user = {
      token: "a",
      as: "jane",
      "as-groups": ["a", "b"],
      "as-uid": "7",
      "as-user-extra": { "Example.dev/Scopes": ["x", "y"] },
    };
    assert.deepEqual((await readConfig({ user })).actingAs, {
      "impersonate-user": "jane",
      "impersonate-group": ["a", "b"],
      "impersonate-uid": "7",
      "impersonate-extra-example.dev%2Fscopes": ["x", "y"],
    });
    assert.deepEqual((await readConfig({})).actingAs, {});
  });

  test("it may name a proxy, which wins over the environment's", async () => {
    const environment = { HTTPS_PROXY: "http://other.example:1" };
    const cluster = { "proxy-url": "https://me:pass@proxy.example:8443" };
    const { proxy } = await readConfig({ cluster, environment });
    assert.deepEqual(proxy, {
      host: "proxy.example",
      port: 8443,
      isSecure: true,
      authorization: "Basic bWU6cGFzcw==",
    });
    const direct = await readConfig({});
    const proxied = await readConfig({ environment });
    assert.equal(proxied.proxy?.host, "other.example");
    assert.notEqual(proxied.tls.version, direct.tls.version);
    const noProxy = "a, .example.dev";
    const left = await readConfig({ environment: { ...environment, NO_PROXY: noProxy } });
    assert.equal(left.proxy, undefined);
  });

  test("a server that is not verified is accepted only when told, and loudly", async () => {
    const cluster = { "insecure-skip-tls-verify": true, "certificate-authority-data": undefined };
    await assert.rejects(readConfig({ cluster }), /sets insecure-skip-tls-verify, which the spoke/);
    const lines: string[] = [];
    const access = await readConfig({ cluster, acceptInsecure: true, lines });
    assert.equal(access.tls.skipVerify, true);
    assert.deepEqual(lines, ["warn API server is not authenticated"]);
  });

  const refusals: readonly ({ readonly name: string; readonly says: RegExp } & Given)[] = [
    {
      name: "an auth provider",
      user: { "auth-provider": { name: "oidc", config: { "id-token": "secret-token" } } },
      says: /uses the auth-provider "oidc", which Kubernetes has removed; replace it with an exec/,
    },
    { name: "a password", user: { username: "a", password: "b" }, says: /username and password/ },
    {
      name: "groups without somebody to act as",
      user: { token: "a", "as-groups": ["system:masters"] },
      says: /as-groups, as-uid and as-user-extra need as$/,
    },
    { name: "no way to be let in", user: {}, says: /neither a token nor a client certificate/ },
    {
      name: "an exec plug-in of a version that is gone",
      user: { exec: { apiVersion: "client.authentication.k8s.io/v1alpha1", command: "aws" } },
      says: /exec has apiVersion "client.authentication.k8s.io\/v1alpha1", expected/,
    },
    {
      name: "an exec plug-in without a command",
      user: { exec: { apiVersion: "client.authentication.k8s.io/v1" } },
      says: /exec has no command$/,
    },
    {
      name: "an exec plug-in that wants a terminal",
      user: {
        exec: {
          apiVersion: "client.authentication.k8s.io/v1",
          command: "aws",
          interactiveMode: "Always",
        },
      },
      says: /interactiveMode Always, and a spoke has no terminal/,
    },
    {
      name: "half a client certificate",
      user: { "client-certificate-data": base64("x") },
      says: /must come together/,
    },
    {
      name: "a proxy",
      cluster: { "proxy-url": "socks5://me:secret-token@localhost" },
      says: /^proxy-url of kubeconfig \S+ names a socks5 proxy/,
    },
    {
      name: "a server without TLS",
      cluster: { server: "http://localhost:8001" },
      says: /must be an https address, got "http:\/\/localhost:8001"/,
    },
    { name: "a context that is not there", context: "nope", says: /has no context named "nope"/ },
    { name: "text that is not YAML", text: "a: [secret-token", says: /is not YAML$/ },
    { name: "a list", text: "- a", says: /is not a YAML mapping/ },
    { name: "no current context", text: "apiVersion: v1", says: /has no current-context/ },
  ];
  for (const { name, says, ...given } of refusals) {
    test(`${name} is refused by name, without a secret in the message`, async () => {
      await assert.rejects(readConfig(given), (error) => {
        assert.ok(error instanceof CredentialUnusable);
        assert.match(error.message, says);
        assert.doesNotMatch(error.message, /secret-token/);
        return true;
      });
    });
  }

  test("a changed file is noticed", async () => {
    await inFolder(async (folder) => {
      const file = join(folder, "config");
      const clock = clockAt();
      await writeFile(file, JSON.stringify(config({ token: "one" }, {})));
      const credential = openCredential(
        { kind: "kubeconfig", file, context: undefined },
        clock,
        silentLog,
      );
      assert.equal((await credential.current(signal)).bearer, "one");
      await writeFile(file, JSON.stringify(config({ token: "two" }, {})));
      clock.pass(10_000);
      assert.equal((await credential.current(signal)).bearer, "two");
    });
  });

  const halfWay: readonly {
    readonly name: string;
    readonly mix: (before: CertifiedKey, after: CertifiedKey) => CertifiedKey;
  }[] = [
    {
      name: "a certificate that is half-written",
      mix: (_, { certificatePem, keyPem }) => ({
        certificatePem: certificatePem.slice(0, 200),
        keyPem,
      }),
    },
    {
      name: "a certificate file that is still empty",
      mix: (_, { keyPem }) => ({ certificatePem: "", keyPem }),
    },
    {
      name: "a key that is half-written",
      mix: (_, { certificatePem, keyPem }) => ({ certificatePem, keyPem: keyPem.slice(0, 100) }),
    },
    {
      name: "a certificate and a key of different rotations",
      mix: (before, after) => ({
        certificatePem: after.certificatePem,
        keyPem: before.keyPem,
      }),
    },
  ];
  for (const { name, mix } of halfWay) {
    test(`${name} leaves the last good ones in use, and is trouble where there are none`, async () => {
      await inFolder(async (folder) => {
        const [before, after] = [await clientCertificate(), await clientCertificate()];
        const file = join(folder, "config");
        const write = async ({ certificatePem, keyPem }: CertifiedKey): Promise<void> => {
          await writeFile(join(folder, "cert.pem"), certificatePem);
          await writeFile(join(folder, "key.pem"), keyPem);
        };
        const user = { "client-certificate": "cert.pem", "client-key": "key.pem" };
        await writeFile(file, JSON.stringify(config(user)));
        const lines: string[] = [];
        const clock = clockAt();
        const from: ClusterAccess = { kind: "kubeconfig", file, context: undefined };
        const credential = openCredential(from, clock, recordingLog(lines));
        await write(before);
        const held = await credential.current(signal);
        await write(mix(before, after));
        clock.pass(10_000);
        assert.equal(await credential.current(signal), held);
        assert.deepEqual(lines, ["warn credential was not read again"]);

        await assert.rejects(openCredential(from, clock, silentLog).current(signal), (error) => {
          assert.ok(error instanceof CredentialUnusable);
          assert.ok(
            error.message.startsWith(`client-certificate and client-key of kubeconfig ${file} `),
          );
          return true;
        });

        await write(after);
        credential.refused(held);
        const { tls } = await credential.current(signal);
        assert.deepEqual([tls.certificate, tls.key], [after.certificatePem, after.keyPem]);
      });
    });
  }
});

suite("credential of an exec plug-in", () => {
  test("what it prints is used until it is about to expire, then it is asked again", async () => {
    await withPlugin(async ({ credential, clock, runs, printTokens }) => {
      await printTokens({ lifeMs: 100_000 });
      assert.equal((await credential.current(signal)).bearer, "token-1");
      // The kubeconfig is read again meanwhile, and that is no reason to ask.
      clock.pass(60_000);
      assert.equal((await credential.current(signal)).bearer, "token-1");
      assert.equal(await runs(), 1);
      clock.pass(30_000);
      assert.equal((await credential.current(signal)).bearer, "token-2");
      assert.equal(await runs(), 2);
    });
  });

  test("one without an end is used until it is refused", async () => {
    await withPlugin(async ({ credential, clock, runs, printTokens }) => {
      await printTokens({});
      const first = await credential.current(signal);
      clock.pass(30 * 24 * 3_600_000);
      assert.equal((await credential.current(signal)).bearer, "token-1");
      const held = await credential.current(signal);
      credential.refused(held);
      // Somebody who is late with the same news does not ask again.
      const second = await credential.current(signal);
      credential.refused(first);
      assert.equal((await credential.current(signal)).bearer, "token-2");
      assert.equal(second.bearer, "token-2");
      assert.equal(await runs(), 2);
    });
  });

  test("many who ask at once run it once, and one who leaves takes it from nobody", async () => {
    await withPlugin(async ({ credential, runs, printTokens }) => {
      await printTokens({});
      const leaving = new AbortController();
      const left = credential.current(leaving.signal);
      const others = Promise.all([1, 2, 3].map(async () => await credential.current(signal)));
      leaving.abort(new Error("left"));
      await assert.rejects(left, /left/);
      assert.deepEqual(
        (await others).map(({ bearer }) => bearer),
        ["token-1", "token-1", "token-1"],
      );
      assert.equal(await runs(), 1);
    });
  });

  test("what has expired or was refused is never used again when it fails", async () => {
    await withPlugin(async ({ credential, clock, printTokens, fail }) => {
      await printTokens({ lifeMs: 100_000 });
      await credential.current(signal);
      await fail("the login server is away");
      // Good until its end, whatever the plug-in would say now.
      clock.pass(80_000);
      assert.equal((await credential.current(signal)).bearer, "token-1");
      clock.pass(20_000);
      await assert.rejects(credential.current(signal), /the login server is away$/);
      await printTokens({ lifeMs: 100_000 });
      assert.equal((await credential.current(signal)).bearer, "token-2");
    });
  });

  test("one that prints what has expired says so", async () => {
    await withPlugin(async ({ credential, printTokens }) => {
      await printTokens({ lifeMs: -1_000 });
      await assert.rejects(credential.current(signal), /has expired; compare the clocks$/);
    });
  });

  test("one that prints a certificate that is not its key's says so, and is asked again", async () => {
    await withPlugin(async ({ credential, printStatus }) => {
      const [one, two] = [await clientCertificate(), await clientCertificate()];
      const status = ({ certificatePem }: CertifiedKey, { keyPem }: CertifiedKey): unknown => ({
        clientCertificateData: certificatePem,
        clientKeyData: keyPem,
      });
      await printStatus(status(one, two));
      await assert.rejects(
        credential.current(signal),
        /^CredentialUnusable: clientCertificateData and clientKeyData of exec plug-in \.\/plug-in /,
      );
      await printStatus(status(two, two));
      assert.equal((await credential.current(signal)).tls.key, two.keyPem);
    });
  });

  test("nothing of it stays when a token takes its place", async () => {
    await withPlugin(async ({ credential, clock, printTokens, writeConfig, writeHalf }) => {
      await printTokens({ lifeMs: 100_000 });
      await credential.current(signal);
      await writeConfig({ token: "fixed" });
      clock.pass(10_000);
      assert.equal((await credential.current(signal)).bearer, "fixed");
      // What the plug-in printed would have ended long ago.
      clock.pass(200_000);
      const held = await credential.current(signal);
      await writeHalf();
      clock.pass(9_999);
      assert.equal(await credential.current(signal), held, "not read again before its time");
      clock.pass(1);
      assert.equal(await credential.current(signal), held, "kept while the file cannot be read");
      await writeConfig({ token: "next" });
      clock.pass(9_999);
      assert.equal(await credential.current(signal), held, "not read again before its time");
      clock.pass(1);
      assert.equal((await credential.current(signal)).bearer, "next");
    });
  });

  test("closing ends one that is under way", async () => {
    await withPlugin(async ({ credential, hang, isStarted }) => {
      await hang();
      const waiting = assert.rejects(credential.current(signal), /was closed$/);
      await eventually(async () => assert.ok(await isStarted()));
      credential.close();
      await waiting;
    });
  });

  test("it is told of the cluster when it asks, and its certificate is used", async () => {
    await withPlugin(
      async ({ credential, printStatus, told }) => {
        const { certificatePem, keyPem } = await clientCertificate();
        await printStatus({ clientCertificateData: certificatePem, clientKeyData: keyPem });
        const { tls, bearer } = await credential.current(signal);
        assert.deepEqual([tls.certificate, tls.key, bearer], [certificatePem, keyPem, undefined]);
        assert.deepEqual((await told()).spec.cluster, {
          server: "https://api.example.dev:6443/clusters/one/",
          "tls-server-name": "kubernetes",
          "certificate-authority-data": base64("CA PEM"),
          config: { audience: "x" },
          "disable-compression": false,
        });
      },
      {
        "tls-server-name": "kubernetes",
        extensions: [
          { name: "other", extension: 1 },
          { name: "client.authentication.k8s.io/exec", extension: { audience: "x" } },
        ],
      },
    );
  });
});

type PluginStage = {
  readonly credential: Credential;
  readonly clock: ReturnType<typeof clockAt>;
  readonly runs: () => Promise<number>;
  readonly isStarted: () => Promise<boolean>;
  /** `token-N`, N being the run it is. */
  readonly printTokens: (options: { readonly lifeMs?: number }) => Promise<void>;
  readonly printStatus: (status: unknown) => Promise<void>;
  readonly fail: (complaint: string) => Promise<void>;
  readonly hang: () => Promise<void>;
  /** Replaces the user of the kubeconfig. */
  readonly writeConfig: (user: Given["user"]) => Promise<void>;
  /** Leaves the kubeconfig as an editor does that is not done. */
  readonly writeHalf: () => Promise<void>;
  readonly told: () => Promise<{ readonly spec: { readonly cluster: unknown } }>;
};

async function withPlugin(
  story: (stage: PluginStage) => Promise<void>,
  cluster: Given["cluster"] = {},
): Promise<void> {
  await inFolder(async (folder) => {
    const clock = clockAt();
    const apiVersion = "client.authentication.k8s.io/v1";
    const count = `echo "$KUBERNETES_EXEC_INFO" >${folder}/told; echo run >>${folder}/runs`;
    const body = async (text: string): Promise<void> => {
      await writeFile(join(folder, "plug-in"), `#!/bin/sh\n${count}\n${text}\n`, { mode: 0o755 });
    };
    const printing = (status: string): string =>
      `cat <<END\n{"apiVersion":"${apiVersion}","kind":"ExecCredential","status":${status}}\nEND`;
    const file = join(folder, "config");
    const exec = { apiVersion, command: "./plug-in", provideClusterInfo: true };
    await writeFile(file, JSON.stringify(config({ exec }, cluster)));
    const environment = { PATH: process.env["PATH"] };
    const credential = openCredential(
      { kind: "kubeconfig", file, context: undefined, environment },
      clock,
      silentLog,
    );
    const runs = async (): Promise<number> => {
      const text = await readFile(join(folder, "runs"), "utf8").catch(() => "");
      return text.split("\n").length - 1;
    };
    await story({
      credential,
      clock,
      runs,
      isStarted: async () => (await runs()) > 0,
      printTokens: async ({ lifeMs }) => {
        const ends = lifeMs === undefined ? "" : new Date(clock.nowMs() + lifeMs).toISOString();
        const number = `$(grep -c ok ${folder}/ok)`;
        await body(
          `echo ok >>${folder}/ok\n${printing(`{"token":"token-${number}","expirationTimestamp":"${ends}"}`)}`,
        );
      },
      printStatus: async (status) => await body(printing(JSON.stringify(status))),
      fail: async (complaint) => await body(`echo "${complaint}" >&2; exit 1`),
      hang: async () => await body("sleep 600"),
      writeConfig: async (user) => await writeFile(file, JSON.stringify(config(user, cluster))),
      writeHalf: async () => await writeFile(file, "apiVersion: v1"),
      told: async () => JSON.parse(await readFile(join(folder, "told"), "utf8")),
    });
    credential.close();
  });
}

type Given = {
  readonly acceptInsecure?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Collects what is logged. */
  readonly lines?: string[];
  readonly user?: { readonly [field: string]: unknown };
  readonly cluster?: { readonly [field: string]: unknown };
  readonly context?: string;
  readonly text?: string;
  /** The client certificate of the context `files`. */
  readonly files?: CertifiedKey;
};

async function readConfig(given: Given) {
  const { user, cluster, context, text, acceptInsecure = false, environment = {} } = given;
  return await inFolder(async (folder) => {
    const file = join(folder, "config");
    await writeFile(join(folder, "ca.pem"), "CA FILE");
    await writeFile(join(folder, "cert.pem"), given.files?.certificatePem ?? "");
    await writeFile(join(folder, "token"), "TOKEN\n");
    // JSON is YAML too.
    await writeFile(file, text ?? JSON.stringify(config(user, cluster, given.files?.keyPem)));
    const access: ClusterAccess = {
      kind: "kubeconfig",
      file,
      context,
      acceptInsecure,
      environment,
    };
    const log = given.lines === undefined ? silentLog : recordingLog(given.lines);
    return await openCredential(access, clockAt(), log).current(signal);
  });
}

const config = (
  user: Given["user"] = { token: "secret-token" },
  cluster: Given["cluster"] = {},
  filesKeyPem = "",
): unknown => ({
  apiVersion: "v1",
  kind: "Config",
  "current-context": "main",
  contexts: [
    { name: "main", context: { cluster: "one", user: "me" } },
    { name: "files", context: { cluster: "two", user: "files" } },
  ],
  clusters: [
    {
      name: "one",
      cluster: {
        server: "https://api.example.dev:6443/clusters/one/",
        "certificate-authority-data": base64("CA PEM"),
        ...cluster,
      },
    },
    {
      name: "two",
      cluster: {
        server: "https://[::1]",
        "certificate-authority": "ca.pem",
        "tls-server-name": "kubernetes",
        "insecure-skip-tls-verify": true,
      },
    },
  ],
  users: [
    { name: "me", user },
    {
      name: "files",
      user: { "client-certificate": "cert.pem", "client-key-data": base64(filesKeyPem) },
    },
  ],
});

async function clientCertificate(): Promise<CertifiedKey> {
  const authority = await createCertificateAuthority();
  return await authority.issue({ commonName: "jane", use: "client" });
}

const inCluster = (folder: string): ClusterAccess => ({
  kind: "in-cluster",
  host: "10.0.0.1",
  port: "443",
  tokenFile: join(folder, "token"),
  authorityFile: join(folder, "ca.crt"),
});

function clockAt(): { readonly nowMs: () => number; readonly pass: (forMs: number) => void } {
  let nowMs = 1_000;
  return {
    nowMs: () => nowMs,
    pass: (forMs) => {
      nowMs += forMs;
    },
  };
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "wheelhouse-credential-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function recordingLog(lines: string[]): Log {
  const at =
    (level: string) =>
    (event: string, _fields?: Fields): void =>
      void lines.push(`${level} ${event}`);
  const log: Log = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: () => log,
  };
  return log;
}
