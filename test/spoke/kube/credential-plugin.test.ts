import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { suite } from "node:test";
import { silentLog } from "../../../proto/kit/log.ts";
import { openCredential, type Credential } from "../../../spoke/kube/credential.ts";
import type { CertifiedKey } from "../../support/certificates.ts";
import { eventually } from "../../support/eventually.ts";
import { kubeconfigAccess } from "../../support/kubeconfig-access.ts";
import {
  base64,
  clientCertificate,
  clockAt,
  config,
  inFolder,
  signal,
  type Given,
} from "./credential-stage.ts";

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
    const credential = openCredential(kubeconfigAccess(file, environment), clock, silentLog);
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
