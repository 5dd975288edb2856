import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { suite } from "node:test";
import { silentLog } from "../../../proto/kit/log.ts";
import { openCredential } from "../../../spoke/kube/credential.ts";
import { CredentialUnusable } from "../../../spoke/kube/trouble.ts";
import type { CertifiedKey } from "../../support/certificates.ts";
import { kubeconfigAccess } from "../../support/kubeconfig-access.ts";
import {
  base64,
  clientCertificate,
  clockAt,
  config,
  inFolder,
  readConfig,
  recordingLog,
  signal,
  type Given,
} from "./credential-stage.ts";

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
      const credential = openCredential(kubeconfigAccess(file), clock, silentLog);
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
        const from = kubeconfigAccess(file);
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
