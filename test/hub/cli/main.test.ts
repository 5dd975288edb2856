import assert from "node:assert/strict";
import { createServer } from "node:http";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { after, suite } from "node:test";
import { parse } from "yaml";
import { atMs, clusterId, report, signal } from "../../contract/store/builders.ts";
import { eventually } from "../../support/eventually.ts";
import { selfSigned } from "../http/self-signed.ts";
import { openCli } from "./fixture.ts";

const words = (line: string): readonly string[] => line.split(" ");

suite("exit codes", async () => {
  const cli = await openCli();
  after(() => cli.close());

  const rows: readonly (readonly [code: number, line: string, why: string])[] = [
    [0, "status", "done"],
    [0, "--help", "help was asked for"],
    [0, "--version", "the version was asked for"],
    [0, "status --fail-on=offline -q --timeout 10s", "a condition that does not hold"],
    [1, "status --fail-on=degraded", "a condition holds"],
    [1, "status --fail-on=outofsync", "a condition holds"],
    [1, "status --fail-on=troubled", "a condition holds"],
    [2, "", "nothing was asked"],
    [2, "frobnicate", "an unknown command"],
    [2, "get", "a missing argument"],
    [2, "get things", "an unknown kind"],
    [2, "get apps --colour", "an unknown option"],
    [2, "get apps --limit many", "a limit that is no number"],
    [2, "get apps --image x", "a filter of another kind"],
    [2, "get apps --sort-by colour", "a column there is not"],
    [2, "get apps -o xml", "a format there is not"],
    [2, "get apps -l a=b=c", "a selector the hub cannot read"],
    [2, "get apps -w -o json", "a format that ends, watched"],
    [2, "status --fail-on=sad", "a condition there is not"],
    [2, "status --timeout soon", "a timeout that is no duration"],
    [2, "describe thing/x", "a reference of an unknown kind"],
    [2, "describe cluster/x@y", "a cluster in a cluster"],
    [2, "sync", "nothing to sync"],
    [2, "cluster add x --label nothing", "a label without a value"],
    [2, "cluster remove dev-1", "a question nobody can answer"],
    [2, "api FETCH /v1/version", "a method there is not"],
    [2, "hub", "a program that the front door starts"],
    [3, "get apps", "a token the hub does not take"],
    [4, "get apps nothing", "an application there is not"],
    [4, "describe nothing", "nothing by that name"],
    [4, "get apps --context nothing", "a context there is not"],
    [5, "cluster add dev-1", "a name that is taken"],
    [6, "get apps -w --timeout 200ms", "a watch that was given an end"],
    [8, "sync app/web-dev-1 app/nothing", "some of it was done"],
  ];
  for (const [code, line, why] of rows)
    test(`${code} for wheelhouse ${line}: ${why}`, async () => {
      const environment =
        why === "a token the hub does not take"
          ? { WH_TOKEN: `wht_aaaaaaaa_${"a".repeat(52)}` }
          : line.includes("--context")
            ? { WH_SERVER: undefined, WH_TOKEN: undefined }
            : {};
      if (why === "a condition that does not hold") await rejoinEverybody(cli);
      const ran = await cli.run(line === "" ? [] : words(line), { environment });
      assert.equal(ran.code, code, ran.stderr);
      if (code > 1 && line !== "") assert.notEqual(ran.stderr, "");
    });

  test("5 when all of several could not be done for that reason", async () => {
    const ran = await cli.run(words("sync app/lost"));
    assert.equal(ran.code, 5);
    assert.match(ran.stderr, /WH-API-4093/);
  });

  test("3 when not logged in, with what to do", async () => {
    const ran = await cli.run(["status"], { environment: { WH_SERVER: undefined } });
    assert.deepEqual([ran.code, ran.stdout], [3, ""]);
    assert.match(ran.stderr, /hint: wheelhouse login/);
  });

  test("7 when the hub is away, naming it", async () => {
    const ran = await cli.run(["status"], { environment: { WH_SERVER: "http://127.0.0.1:1" } });
    assert.equal(ran.code, 7);
    assert.match(ran.stderr, /http:\/\/127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/);
  });

  test("7 when something else answers", async () => {
    const other = createServer((_, response) => response.end("<html>hello</html>"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" ? address?.port : 0;
    const ran = await cli.run(["status"], {
      environment: { WH_SERVER: `http://127.0.0.1:${port}` },
    });
    other.close();
    other.closeAllConnections();
    assert.equal(ran.code, 7);
    assert.match(ran.stderr, /does not answer like a hub/);
  });

  test("6 when the hub does not answer in time", async () => {
    const other = createServer(() => {});
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" ? address?.port : 0;
    const ran = await cli.run(words("status --timeout 100ms"), {
      environment: { WH_SERVER: `http://127.0.0.1:${port}` },
    });
    other.closeAllConnections();
    other.close();
    assert.equal(ran.code, 6);
  });

  test("130 when interrupted", async () => {
    const interrupt = new AbortController();
    const ran = await cli.run(words("get apps -w"), {
      signal: interrupt.signal,
      onOutput: () => interrupt.abort(new Error("interrupted")),
    });
    assert.equal(ran.code, 130);
    assert.match(ran.stdout, /web-dev-1/);
  });

  test("10 for a bug, with where it happened", async () => {
    // Whatever breaks inside ends the same way.
    const ran = await cli.run(["get", "apps"], {
      onOutput: () => {
        throw new TypeError("a bug");
      },
    });
    assert.equal(ran.code, 10);
    assert.match(ran.stderr, /internal error: TypeError: a bug/);
  });
});

async function rejoinEverybody({ hub }: Awaited<ReturnType<typeof openCli>>): Promise<void> {
  await hub.store.sessions.open(
    {
      cluster: clusterId("prod-2"),
      sessionId: "again",
      epochSeen: 0,
      heldVersion: 0,
      spokeVersion: "0.1.0",
      kubernetesVersion: "v1.33.0",
      atMs,
    },
    signal,
  );
}

suite("contexts", async () => {
  const cli = await openCli();
  after(() => cli.close());
  const alone = { environment: { WH_SERVER: undefined, WH_TOKEN: undefined } };

  test("login tries the token, and keeps it in a file only its owner reads", async () => {
    const tokenFile = join(cli.folder, "token");
    writeFileSync(tokenFile, `${cli.hub.tokens.write}\n`);
    const ran = await cli.run(
      ["login", `${cli.url}/`, "--token-file", tokenFile, "--name", "test"],
      alone,
    );
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(statSync(cli.configFile).mode & 0o777, 0o600);
    assert.equal(statSync(join(cli.configFile, "..")).mode & 0o777, 0o700);
    assert.deepEqual(JSON.parse(readFileSync(cli.configFile, "utf8")), {
      current: "test",
      contexts: { test: { server: cli.url, token: cli.hub.tokens.write, caFile: "" } },
    });
    assert.equal((await cli.run(["status"], alone)).code, 0);
  });

  test("login with a wrong token keeps nothing", async () => {
    const before = readFileSync(cli.configFile, "utf8");
    const stdin = `wht_aaaaaaaa_${"a".repeat(52)}\n`;
    const ran = await cli.run(["login", cli.url, "--token-stdin"], { ...alone, stdin });
    assert.equal(ran.code, 3);
    assert.equal(readFileSync(cli.configFile, "utf8"), before);
    assert.ok(!ran.stderr.includes(stdin.trim()));
  });

  test("login takes the token from standard input, and its name from the address", async () => {
    const stdin = `${cli.hub.tokens.read}\n`;
    const ran = await cli.run(["login", cli.url, "--token-stdin"], { ...alone, stdin });
    assert.equal(ran.code, 0, ran.stderr);
    const host = new URL(cli.url).host;
    assert.equal((await cli.run(words("context current"), alone)).stdout, `${host}\n`);
    assert.equal((await cli.run(words("sync app/web-dev-1"), alone)).code, 3);
    assert.equal((await cli.run(words("sync app/web-dev-1 --context test"), alone)).code, 0);
    const environment = { ...alone.environment, WH_CONTEXT: "test" };
    assert.equal((await cli.run(words("sync app/web-dev-1"), { environment })).code, 0);
  });

  test("contexts are listed, chosen and removed", async () => {
    const host = new URL(cli.url).host;
    const listed = await cli.run(words("context list -o name"), alone);
    assert.deepEqual(listed.stdout.trim().split("\n"), ["test", host]);
    assert.equal((await cli.run(words("context use test"), alone)).code, 0);
    const table = await cli.run(words("context list"), alone);
    assert.match(table.stdout, /^\* +test +http/m);
    assert.ok(!table.stdout.includes("wht_"));
    assert.equal((await cli.run(words("context remove test"), alone)).code, 0);
    assert.equal((await cli.run(words("context current"), alone)).code, 4);
    assert.equal((await cli.run(words("context use test"), alone)).code, 4);
    assert.equal((await cli.run(["status"], alone)).code, 3);
  });

  test("a context's token is not sent to a server named otherwise", async () => {
    const seen: (string | undefined)[] = [];
    const other = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(401).end("{}");
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" ? address?.port : 0;
    const environment = { WH_SERVER: `http://127.0.0.1:${port}`, WH_TOKEN: undefined };
    await cli.run(["get", "apps"], { environment });
    other.close();
    other.closeAllConnections();
    assert.deepEqual(seen, [undefined]);
  });

  test("a file that is no configuration is named, not overwritten", async () => {
    writeFileSync(cli.configFile, "not json");
    const ran = await cli.run(["status"], alone);
    assert.equal(ran.code, 2);
    assert.ok(ran.stderr.includes(cli.configFile));
    assert.equal(readFileSync(cli.configFile, "utf8"), "not json");
  });

  const folder = cli.folder;
  for (const { what, line, environment } of [
    {
      what: "configuration",
      line: "status",
      environment: { WH_CONFIG: folder, WH_SERVER: undefined, WH_TOKEN: undefined },
    },
    {
      what: "authority",
      line: "status",
      environment: { WH_CA_FILE: folder, WH_SERVER: "https://h" },
    },
    { what: "token", line: `login ${cli.url} --token-file ${folder}`, environment: {} },
  ])
    test(`a file that cannot be read (${what}) is told with the reason, and whence when asked`, async () => {
      const ran = await cli.run([...words(line), "--verbose"], { environment });
      assert.equal(ran.code, 2);
      assert.match(ran.stderr, /^error: .* cannot be read: EISDIR: /m);
      assert.match(ran.stderr, /^ {2}from: Error: EISDIR/m);
    });

  const places = [
    [
      { WH_CONFIG: undefined, XDG_CONFIG_HOME: join(cli.folder, "xdg") },
      "xdg/wheelhouse/config.json",
    ],
  ] as const;
  for (const [environment, file] of places)
    test(`the configuration is at ${file} when nothing else is said`, async () => {
      const stdin = cli.hub.tokens.read;
      const both = { ...alone.environment, ...environment };
      const ran = await cli.run(["login", cli.url, "--token-stdin"], { environment: both, stdin });
      assert.equal(ran.code, 0, ran.stderr);
      assert.equal(statSync(join(cli.folder, file)).mode & 0o777, 0o600);
    });
});

suite("commands that change something", async () => {
  const cli = await openCli();
  after(() => cli.close());
  const { hub } = cli;

  test("sync --wait stays until the command is done and the application well", async () => {
    const waiting = cli.run(words("sync app/web-dev-1 --wait -o json"));
    const id = await eventually(async () => {
      const [command] = await hub.store.commands.waiting(
        clusterId("dev-1"),
        hub.clock.nowMs(),
        signal,
      );
      assert.ok(command);
      return command.id;
    });
    const result = { kind: "command-result", id, succeeded: true, message: "2 objects" } as const;
    await hub.store.commands.finish(clusterId("dev-1"), result, hub.clock.nowMs(), signal);
    const ran = await waiting;
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(JSON.parse(ran.stdout).items[0].state, "succeeded");
  });

  test("sync --wait ends with 1 when the sync failed", async () => {
    const waiting = cli.run(words("sync app/web-dev-1 --wait"));
    await eventually(async () => {
      const [command] = await hub.store.commands.waiting(
        clusterId("dev-1"),
        hub.clock.nowMs(),
        signal,
      );
      assert.ok(command);
      const { id } = command;
      const result = {
        kind: "command-result",
        id,
        succeeded: false,
        message: "forbidden",
      } as const;
      await hub.store.commands.finish(clusterId("dev-1"), result, hub.clock.nowMs(), signal);
    });
    const ran = await waiting;
    assert.equal(ran.code, 1);
    assert.match(ran.stdout, /failed .* forbidden/);
  });

  test("sync --prune says so to the hub, and -l chooses applications", async () => {
    const ran = await cli.run(words("sync -l app=tools --prune -o json"));
    assert.equal(ran.code, 0, ran.stderr);
    const { items } = JSON.parse(ran.stdout);
    assert.deepEqual(
      items.map((item: { application: string; prune: boolean }) => [item.application, item.prune]),
      [["tools", true]],
    );
    assert.equal((await cli.run(words("sync -l app=none"))).code, 4);
  });

  test("cluster label sets and removes labels", async () => {
    const ran = await cli.run(words("cluster label dev-1 tier=gold env- -o json"));
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual(JSON.parse(ran.stdout).items[0].labels, { tier: "gold" });
  });

  test("cluster add gives the whole answer, with labels, annotations and server, as JSON", async () => {
    const ran = await cli.run([
      ...words("cluster add eu-9 --label env=prod --label a=b=c --annotation"),
      "note=some words",
      ...words("--server https://eu-9.example --life 10m -o json"),
    ]);
    assert.equal(ran.code, 2, "a=b=c is no label value");
    const good = await cli.run([
      ...words("cluster add eu-9 --label env=prod --annotation"),
      "note=some words",
      ...words("--server https://eu-9.example --life 10m -o json"),
    ]);
    assert.equal(good.code, 0, good.stderr);
    const { cluster, join: joining } = JSON.parse(good.stdout);
    assert.deepEqual(
      [cluster.labels, cluster.annotations, cluster.server],
      [{ env: "prod" }, { note: "some words" }, "https://eu-9.example"],
    );
    assert.equal(joining.expiresAtMs, hub.clock.nowMs() + 600_000);
    const manifest = await cli.run(words("cluster join eu-9 --manifest"));
    const documents = manifest.stdout.split(/^---$/m).map((text) => parse(text));
    assert.deepEqual(documents, joining.manifest.items);
  });

  test("cluster lock, unlock and rejoin say what they did; rejoin asks first", async () => {
    const locked = await cli.run([...words("cluster lock lab-1 --reason"), "a laptop was lost"]);
    assert.equal(locked.code, 0, locked.stderr);
    assert.match(locked.stderr, /locked: by token:\S+: a laptop was lost/);
    assert.match((await cli.run(words("get clusters lab-1"))).stdout, /locked/);
    assert.match((await cli.run(words("describe cluster/lab-1"))).stdout, /LOCKED .*a laptop/);
    const refused = await cli.run(words("cluster rejoin lab-1"));
    assert.deepEqual([refused.code, /--yes/.test(refused.stderr)], [2, true]);
    const anew = await cli.run(words("cluster rejoin lab-1 --yes --command"));
    assert.equal(anew.code, 0, anew.stderr);
    assert.match(anew.stdout, /wheelhouse spoke/);
    assert.doesNotMatch((await cli.run(words("get clusters lab-1"))).stdout, /locked/);
    await cli.run(words("cluster lock lab-1"));
    const unlocked = await cli.run(words("cluster unlock lab-1 -o name"));
    assert.deepEqual([unlocked.code, unlocked.stdout], [0, "cluster/lab-1\n"]);
    assert.equal((await cli.run(words("cluster lock nowhere"))).code, 4);
  });

  test("cluster remove asks on a terminal, and takes only the name for an answer", async () => {
    const no = await cli.run(words("cluster remove eu-9"), { terminal: true, stdin: "yes\n" });
    assert.deepEqual([no.code, /nothing was changed/.test(no.stderr)], [2, true]);
    assert.equal((await cli.run(words("get clusters eu-9"))).code, 0);
    const yes = await cli.run(words("cluster remove eu-9"), { terminal: true, stdin: "eu-9\n" });
    assert.equal(yes.code, 0, yes.stderr);
    assert.equal((await cli.run(words("get clusters eu-9"))).code, 4);
    assert.equal((await cli.run(words("cluster remove prod-2 --yes"))).code, 0);
  });

  test("a token is printed alone, works, and is revoked by its id or by itself", async () => {
    const made = await cli.run(words("token create ci --scope read --life 1d"));
    assert.match(made.stdout, /^wht_[a-z2-7]{8}_[a-z2-7]{52}\n$/);
    const environment = { WH_TOKEN: made.stdout.trim() };
    assert.equal((await cli.run(["get", "apps"], { environment })).code, 0);
    assert.equal((await cli.run(["token", "revoke", made.stdout.trim()])).code, 0);
    assert.equal((await cli.run(["get", "apps"], { environment })).code, 3);
    assert.equal((await cli.run(words("token create ci --life soon"))).code, 2);
  });

  test("api sends a body, from the command line or from standard input", async () => {
    const sent = ["api", "PATCH", "/v1/clusters/lab-1", "--data"];
    const first = await cli.run([...sent, '{"labels":{"a":"1"}}']);
    assert.deepEqual(JSON.parse(first.stdout).labels, { a: "1" });
    const second = await cli.run([...sent, "-"], { stdin: '{"labels":{"a":null}}' });
    assert.deepEqual(JSON.parse(second.stdout).labels, {});
    assert.match((await cli.run(words("api GET /metrics"))).stdout, /wheelhouse_hub_spokes 2/);
  });

  test("version names both sides, or only itself without a hub", async () => {
    const both = await cli.run(["version"]);
    assert.match(both.stdout, /^wheelhouse 0\.1\.0-test\nhub 0\.1\.0-test at http/);
    const alone = { environment: { WH_SERVER: undefined } };
    const own = await cli.run(["version"], alone);
    assert.deepEqual([own.code, own.stdout], [0, "wheelhouse 0.1.0-test\n"]);
  });
});

suite("watching", async () => {
  const cli = await openCli();
  after(() => cli.close());

  /** Runs a watch, does something once the first rows are there, and ends it when `isEnough`. */
  async function watch(
    line: string,
    change: () => Promise<unknown>,
    isEnough: (stdout: string) => boolean,
  ) {
    const interrupt = new AbortController();
    let seen = "";
    let changed: Promise<unknown> | undefined;
    const ran = await cli.run(words(line), {
      signal: AbortSignal.any([interrupt.signal, AbortSignal.timeout(10_000)]),
      onOutput: (text) => {
        seen += text;
        changed ??= change();
        if (isEnough(seen)) interrupt.abort(new Error("enough"));
      },
    });
    await changed;
    assert.ok(isEnough(ran.stdout), ran.stdout + ran.stderr);
    return ran;
  }

  const degrade = () =>
    cli.hub.store.reports.record(
      [
        {
          cluster: clusterId("dev-1"),
          applications: [report("web-dev-1", { health: { state: "Degraded", message: "crash" } })],
          gone: [],
        },
      ],
      atMs + 30_000,
      signal,
    );

  test("get apps -w prints the list, and then only what changed", async () => {
    const ran = await watch("get apps -w", degrade, (stdout) => /Degraded .*crash/.test(stdout));
    assert.equal(ran.code, 130);
    const lines = ran.stdout.trim().split("\n");
    assert.equal(lines.length, 1 + 5 + 1, ran.stdout);
    assert.match(lines.at(-1) ?? "", /^web-dev-1 /);
  });

  test("get clusters -w -o jsonl prints one object a line", async () => {
    const relabel = () =>
      cli.hub.ask("PATCH", "/v1/clusters/lab-1", { body: { labels: { env: "lab" } } });
    const ran = await watch("get clusters -w -o jsonl", relabel, (stdout) =>
      stdout.includes('"lab"}'),
    );
    for (const line of ran.stdout.trim().split("\n"))
      assert.equal(typeof JSON.parse(line).name, "string");
  });

  test("events -w follows from where it is told to", async () => {
    const touch = () =>
      cli.hub.ask("PATCH", "/v1/clusters/lab-1", { body: { labels: { x: "1" } } });
    const line = "events -w --after 0 --kind cluster-added,cluster-changed";
    const ran = await watch(line, touch, (stdout) => stdout.includes("cluster-changed"));
    assert.match(ran.stdout, /cluster-added +dev-1/);
    assert.ok(!ran.stdout.includes("cluster-attached"));
  });

  test("status -w prints the whole again", async () => {
    const touch = () => cli.hub.ask("DELETE", "/v1/clusters/lab-1");
    const ran = await watch("status -w", touch, (stdout) => stdout.includes("3 clusters"));
    assert.match(ran.stdout, /live/);
  });
});

suite("a hub with TLS", async () => {
  const tls = await selfSigned();
  const cli = await openCli({
    tls: { certificateFile: tls.certificateFile, keyFile: tls.keyFile },
  });
  after(async () => {
    await cli.close();
    tls.remove();
  });

  test("is refused while its authority is not known, and trusted once it is", async () => {
    const stdin = cli.hub.tokens.read;
    const environment = { WH_SERVER: undefined, WH_TOKEN: undefined };
    const strange = await cli.run(["login", cli.url, "--token-stdin"], { environment, stdin });
    assert.equal(strange.code, 7);
    assert.match(strange.stderr, /certificate/);
    const known = await cli.run(
      ["login", cli.url, "--token-stdin", "--ca-file", tls.certificateFile],
      { environment, stdin },
    );
    assert.equal(known.code, 0, known.stderr);
    assert.equal((await cli.run(["status", "-q"], { environment })).code, 0);
    const byVariable = { WH_SERVER: cli.url, WH_CA_FILE: tls.certificateFile };
    assert.equal((await cli.run(["status", "-q"], { environment: byVariable })).code, 0);
  });
});
