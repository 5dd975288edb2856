import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { suite } from "node:test";
import { openCredential, type ClusterAccess } from "../../../spoke/kube/credential.ts";
import { CredentialUnusable } from "../../../spoke/kube/trouble.ts";

const { signal } = new AbortController();
const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");

suite("credential of a pod", () => {
  test("token and authority come from the mounted files", async () => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, "token"), "abc\n");
      await writeFile(join(folder, "ca.crt"), "CA PEM");
      const access = await openCredential(inCluster(folder), clockAt()).current(signal);
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
      const credential = openCredential(inCluster(folder), clock);
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
      const credential = openCredential(inCluster(folder), clock);
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
      const credential = openCredential(inCluster(folder), clock);
      await credential.current(signal);
      await rm(join(folder, "token"));
      clock.pass(60_000);
      assert.equal((await credential.current(signal)).bearer, "one");
    });
  });

  test("a missing file is trouble that names it, and heals when it comes", async () => {
    await inFolder(async (folder) => {
      const credential = openCredential(inCluster(folder), clockAt());
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
    const access = await readConfig({ context: "files" });
    assert.partialDeepStrictEqual(access, {
      host: "::1",
      port: 443,
      pathPrefix: "",
      bearer: undefined,
    });
    assert.partialDeepStrictEqual(access.tls, {
      authority: "CA FILE",
      certificate: "CERT FILE",
      key: "KEY DATA",
      serverName: "kubernetes",
      skipVerify: true,
    });
  });

  test("a token file wins over a token", async () => {
    assert.equal((await readConfig({ user: { token: "a", tokenFile: "token" } })).bearer, "TOKEN");
  });

  const refusals = [
    { name: "an exec plug-in", user: { exec: { command: "aws" } }, says: /uses an exec plug-in/ },
    {
      name: "an auth provider",
      user: { "auth-provider": { name: "oidc" } },
      says: /uses an auth-provider/,
    },
    { name: "a password", user: { username: "a", password: "b" }, says: /username and password/ },
    { name: "impersonation", user: { token: "a", as: "root" }, says: /uses as, / },
    { name: "no way to be let in", user: {}, says: /neither a token nor a client certificate/ },
    {
      name: "half a client certificate",
      user: { "client-certificate-data": base64("x") },
      says: /must come together/,
    },
    {
      name: "a proxy",
      cluster: { "proxy-url": "socks5://localhost" },
      says: /uses proxy-url/,
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
      const credential = openCredential({ kind: "kubeconfig", file, context: undefined }, clock);
      assert.equal((await credential.current(signal)).bearer, "one");
      await writeFile(file, JSON.stringify(config({ token: "two" }, {})));
      clock.pass(10_000);
      assert.equal((await credential.current(signal)).bearer, "two");
    });
  });
});

type Given = {
  readonly user?: { readonly [field: string]: unknown };
  readonly cluster?: { readonly [field: string]: unknown };
  readonly context?: string;
  readonly text?: string;
};

async function readConfig({ user, cluster, context, text }: Given) {
  return await inFolder(async (folder) => {
    const file = join(folder, "config");
    await writeFile(join(folder, "ca.pem"), "CA FILE");
    await writeFile(join(folder, "cert.pem"), "CERT FILE");
    await writeFile(join(folder, "token"), "TOKEN\n");
    // JSON is YAML too.
    await writeFile(file, text ?? JSON.stringify(config(user, cluster)));
    const access: ClusterAccess = { kind: "kubeconfig", file, context };
    return await openCredential(access, clockAt()).current(signal);
  });
}

const config = (
  user: Given["user"] = { token: "secret-token" },
  cluster: Given["cluster"] = {},
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
      user: { "client-certificate": "cert.pem", "client-key-data": base64("KEY DATA") },
    },
  ],
});

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
