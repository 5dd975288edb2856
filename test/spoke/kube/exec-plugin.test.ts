import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { suite } from "node:test";
import { runExecPlugin, type ExecPlugin } from "../../../spoke/kube/exec-plugin.ts";
import { CredentialUnusable } from "../../../spoke/kube/trouble.ts";
import { eventually } from "../../support/eventually.ts";

const { signal } = new AbortController();
const environment = { PATH: process.env["PATH"], KEPT: "from outside", CHANGED: "old" };

suite("exec plug-in", () => {
  test("prints a token and when it expires", async () => {
    await inFolder(async (folder) => {
      const plugin = await script(
        folder,
        print({ token: "abc", expirationTimestamp: "2030-01-01T00:00:00Z" }),
      );
      assert.deepEqual(await runExecPlugin(plugin, environment, 10_000, signal), {
        token: "abc",
        certificate: undefined,
        key: undefined,
        expiresAtMs: Date.parse("2030-01-01T00:00:00Z"),
      });
    });
  });

  test("may print a client certificate, in the older version too", async () => {
    await inFolder(async (folder) => {
      const apiVersion = "client.authentication.k8s.io/v1beta1";
      const status = { clientCertificateData: "CERT", clientKeyData: "KEY" };
      const plugin = { ...(await script(folder, print(status, apiVersion))), apiVersion };
      assert.deepEqual(await runExecPlugin(plugin, environment, 10_000, signal), {
        token: undefined,
        certificate: "CERT",
        key: "KEY",
        expiresAtMs: undefined,
      });
    });
  });

  test("is given its arguments, its environment, no terminal, and the cluster when it asks", async () => {
    await inFolder(async (folder) => {
      const told = join(folder, "told");
      const plugin = await script(
        folder,
        `{ echo "$1|$2"; echo "$KEPT|$CHANGED|$ADDED"; echo "$KUBERNETES_EXEC_INFO"; cat; } >"${told}"
${print({ token: "abc" })}`,
      );
      const cluster = { server: "https://api.example.dev", config: { audience: "x" } };
      await runExecPlugin(
        { ...plugin, args: ["a b", "c"], env: { CHANGED: "new", ADDED: "yes" }, cluster },
        environment,
        10_000,
        signal,
      );
      const [words, variables, info, ...input] = (await readFile(told, "utf8")).split("\n");
      assert.equal(words, "a b|c");
      assert.equal(variables, "from outside|new|yes");
      assert.deepEqual(JSON.parse(info ?? ""), {
        apiVersion: plugin.apiVersion,
        kind: "ExecCredential",
        spec: { interactive: false, cluster },
      });
      assert.deepEqual(input, [""]);
    });
  });

  const failures: readonly {
    readonly name: string;
    readonly body: string;
    readonly says: RegExp;
  }[] = [
    {
      name: "that fails is quoted in its own words",
      body: 'echo "not logged in; run login first" >&2; exit 3',
      says: /failed with exit code 3: not logged in; run login first$/,
    },
    {
      name: "that prints a token where it complains does not get it into the message",
      body: 'echo "bad: Bearer s3cr3t, token=s3cr3t {\\"token\\": \\"s3cr3t\\"} eyJhbGciOi.s3cr3t.x" >&2; exit 1',
      says: /exit code 1: bad: Bearer \(token\)/,
    },
    {
      name: "that is ended by a signal says which",
      body: "kill -TERM $$",
      says: /was ended by SIGTERM$/,
    },
    { name: "that prints no JSON", body: "echo s3cr3t", says: /something that is not JSON$/ },
    {
      name: "that prints another version than asked for",
      body: print({ token: "s3cr3t" }, "client.authentication.k8s.io/v1alpha1"),
      says: /must print an ExecCredential of client.authentication.k8s.io\/v1$/,
    },
    {
      name: "that prints no status",
      body: `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential"}'`,
      says: /without status$/,
    },
    { name: "that prints nothing to be let in with", body: print({}), says: /neither a token nor/ },
    {
      name: "that prints half a client certificate",
      body: print({ clientKeyData: "s3cr3t" }),
      says: /clientCertificateData and clientKeyData together$/,
    },
    {
      name: "that prints a time that is none",
      body: print({ token: "s3cr3t", expirationTimestamp: "soon" }),
      says: /expirationTimestamp that is no time$/,
    },
    {
      name: "that prints without end",
      body: "exec yes s3cr3t",
      says: /printed more than 1048576 bytes$/,
    },
  ];
  for (const { name, body, says } of failures) {
    test(`one ${name}`, async () => {
      await inFolder(async (folder) => {
        const plugin = await script(folder, body);
        await assert.rejects(runExecPlugin(plugin, environment, 10_000, signal), (error) => {
          assert.ok(error instanceof CredentialUnusable);
          assert.match(error.message, says);
          assert.doesNotMatch(error.message, /s3cr3t/);
          return true;
        });
      });
    });
  }

  test("one that is not there says so, and how to get it", async () => {
    const missing: ExecPlugin = {
      ...plain,
      command: "no-such-plug-in",
      installHint: "get it at https://example.dev\n",
    };
    await assert.rejects(runExecPlugin(missing, environment, 10_000, signal), {
      message: "exec plug-in no-such-plug-in is not installed; get it at https://example.dev",
    });
  });

  test("a command with a slash is looked for beside the kubeconfig", async () => {
    await inFolder(async (folder) => {
      await script(folder, print({ token: "abc" }));
      const plugin = { ...plain, command: "./plug-in", folder };
      assert.equal((await runExecPlugin(plugin, environment, 10_000, signal)).token, "abc");
    });
  });

  test("one that takes too long is killed, with everything it started", async () => {
    await inFolder(async (folder) => {
      const plugin = await script(folder, lingering(folder));
      await assert.rejects(
        runExecPlugin(plugin, environment, 1_500, signal),
        /did not end within 1500 ms and was killed: waiting$/,
      );
      await assertEnded(folder);
    });
  });

  test("one that nobody waits for any more is killed too", async () => {
    await inFolder(async (folder) => {
      const plugin = await script(folder, lingering(folder));
      const leaving = new AbortController();
      const running = runExecPlugin(plugin, environment, 60_000, leaving.signal);
      const ended = assert.rejects(running, /left/);
      await eventually(() => assert.ok(existsSync(join(folder, "child"))));
      leaving.abort(new Error("left"));
      await ended;
      await assertEnded(folder);
    });
  });
});

/** Starts a child that would outlive it, notes both, and waits. */
const lingering = (folder: string): string =>
  `sleep 600 & echo "waiting" >&2; echo $$ >"${folder}/parent"; echo $! >"${folder}/.child"; mv "${folder}/.child" "${folder}/child"; wait`;

async function assertEnded(folder: string): Promise<void> {
  for (const name of ["parent", "child"]) {
    const id = Number(await readFile(join(folder, name), "utf8"));
    assert.ok(id > 1);
    await eventually(async () => assert.ok(await hasEnded(id)));
  }
}

/** Gone, or dead and not yet collected by whoever has to. */
async function hasEnded(id: number): Promise<boolean> {
  const stat = await readFile(`/proc/${id}/stat`, "utf8").catch(() => undefined);
  return stat === undefined || /^\d+ \(.*\) Z/.test(stat);
}

const plain: ExecPlugin = {
  apiVersion: "client.authentication.k8s.io/v1",
  command: "",
  args: [],
  env: {},
  installHint: "",
  cluster: undefined,
  folder: "/",
};

function print(status: unknown, apiVersion = "client.authentication.k8s.io/v1"): string {
  return `echo '${JSON.stringify({ apiVersion, kind: "ExecCredential", status })}'`;
}

async function script(folder: string, body: string): Promise<ExecPlugin> {
  const command = join(folder, "plug-in");
  await writeFile(command, `#!/bin/sh\n${body}\n`);
  await chmod(command, 0o755);
  return { ...plain, command };
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "wheelhouse-plug-in-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
