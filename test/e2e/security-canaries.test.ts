import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import test, { suite } from "node:test";
import Sqlite from "better-sqlite3";
import { runCli } from "../../hub/cli/main.ts";
import { systemClock } from "../../proto/kit/clock.ts";
import { eventually } from "../support/eventually.ts";
import { settled, startFleet, type Fleet } from "../support/fleet.ts";
import type { RunningProcess } from "../support/processes.ts";
import { webFolder, webSet } from "../support/story-files.ts";

/** Secrets planted where they belong, and looked for everywhere after a whole story. */
suite("canaries", () => {
  test("after a whole story, each of ten secrets is where it belongs and nowhere else", async () => {
    const line = await recordingLine();
    const gitPassword = "canary-git-4f1b6d0a93";
    const webhookSecret = "canary-webhook-c5e8217b6f";
    const manifestSecret = "canary-manifest-90d2ab4c71";
    const fleet = await startFleet({
      clusters: { "dev-1": { env: "dev", web: "yes" } },
      files: {
        "fleet/web.yaml": webSet(),
        ...webFolder("dev"),
        "apps/web/dev/secret.yaml": `apiVersion: v1\nkind: Secret\nmetadata: {name: app}\nstringData: {password: ${manifestSecret}}\n`,
      },
      gitCredential: { username: "hub", password: gitPassword },
      linkAddress: (hub) => {
        line.dials(hub.linkAddress);
        return line.address;
      },
      hubSettings: ({ folder, repositoryUrl }) => {
        const secrets = join(folder, "secrets");
        mkdirSync(secrets, { mode: 0o700 });
        const file = (name: string, text: string): string => {
          writeFileSync(join(secrets, name), text, { mode: 0o600 });
          return join(secrets, name);
        };
        return {
          "log-level": "debug",
          "webhook-secret-file": file("webhook", webhookSecret),
          "settings-file": file(
            "settings.json",
            JSON.stringify({
              repositoryCredentials: [
                {
                  urlPrefix: new URL(repositoryUrl).origin,
                  username: "hub",
                  passwordFile: file("git", gitPassword),
                },
              ],
            }),
          ),
        };
      },
    });
    try {
      const { kube, cluster, spoke } = fleet.member("dev-1");
      const head = () => fleet.repository.head("main", AbortSignal.timeout(10_000));
      await settled(fleet, ["web-dev-1"], await head());
      const made = await fleet.api.send<{ readonly token: string; readonly id: string }>(
        "POST",
        "/v1/tokens",
        { name: "ci", scope: "read" },
      );
      const joined = await fleet.api.send<{ readonly join: { readonly token: string } }>(
        "POST",
        "/v1/clusters",
        { name: "spare", labels: {} },
      );
      await story(fleet, webhookSecret);
      await settled(fleet, ["web-dev-1"], await head());

      const identity = (await kube.list("/api/v1/namespaces/wheelhouse/secrets")).at(0);
      const privateKey = Object.values((identity?.["data"] ?? {}) as Record<string, string>)
        .map((value) => Buffer.from(value, "base64").toString("utf8"))
        .find((text) => text.includes("PRIVATE KEY"));
      assert.ok(privateKey);
      const authority = readFileSync(join(fleet.folder, "hub/authority/authority.pem"), "utf8");
      const secretHalf = (token: string): string => token.split(/[._]/).at(-1) ?? token;
      const secrets = new Map<string, readonly string[]>([
        ["the Git password", spellings(gitPassword)],
        ["the webhook secret", spellings(webhookSecret)],
        ["the value of a Secret in Git", spellings(manifestSecret)],
        ["the admin token", [secretHalf(fleet.hub.adminToken)]],
        ["another API token", [secretHalf(made.token)]],
        ["an unused join token", [secretHalf(joined.join.token)]],
        ["the spoke's key", [bodyOf(privateKey)]],
        ["the cluster's own token", spellings(cluster.adminToken)],
        ["the authority's key", [bodyOf(authority)]],
        ["the secret half of the join token that was used", [secretHalf(await usedToken(fleet))]],
      ]);

      const places = new Map<string, string>([
        ["the hub's log", fleet.hub.process.log()],
        ["the spoke's log", spoke.log()],
        ["the bytes of the link", line.bytes()],
        ["the answers of the API", await answers(fleet)],
        ["the command line", await commandLine(fleet)],
        ["the database, blobs aside", database(fleet.folder)],
      ]);
      for (const [name, text] of places) assert.ok(text.length > 1_000, `${name} is empty`);
      places.set("the spoke's metrics", await metricsOf(spoke));
      for (const [what, texts] of secrets)
        for (const [place, text] of places)
          for (const spelled of texts) assert.ok(!text.includes(spelled), `${what} is in ${place}`);

      // Where they belong, and where the search must find them, or it proves nothing.
      assert.match(blobs(fleet.folder), new RegExp(manifestSecret));
      const applied = await kube.get("/api/v1/namespaces/web/secrets/app");
      assert.ok(JSON.stringify(applied).includes(Buffer.from(manifestSecret).toString("base64")));
      for (const file of filesBelow(join(fleet.folder, "hub")))
        for (const [what, texts] of secrets) {
          const isHome =
            (what === "the admin token" && file.endsWith("/admin-token")) ||
            (what === "the authority's key" && file.endsWith("/authority.pem")) ||
            (what === "the value of a Secret in Git" && /hub\.sqlite|\/mirrors\//.test(file));
          const text = readFileSync(file, "latin1");
          if (!isHome)
            for (const spelled of texts)
              assert.ok(!text.includes(spelled), `${what} is in ${file}`);
        }
      // What holds one is for its owner's eyes.
      for (const folder of ["hub", "clusters/dev-1/spoke"])
        for (const file of filesBelow(join(fleet.folder, folder)))
          if (/admin-token|\.pem$|blobs\//.test(file))
            assert.equal(statSync(file).mode & 0o077, 0, file);
      assert.equal(statSync(join(fleet.folder, "hub")).mode & 0o077, 0);
    } finally {
      await fleet.stop();
      line.stop();
    }
  });
});

/** As it is, and as YAML, headers and URLs would spell it. */
const spellings = (secret: string): readonly string[] => [
  secret,
  Buffer.from(secret).toString("base64"),
  Buffer.from(secret).toString("base64url"),
  Buffer.from(secret).toString("hex"),
  encodeURIComponent(secret),
];

const bodyOf = (pem: string): string => pem.match(/[A-Za-z0-9+/=]{40,}/)?.[0] ?? "no key";

/** Everything that goes wrong and right in a day: errors are where secrets come out. */
async function story(fleet: Fleet, webhookSecret: string): Promise<void> {
  const { createHmac } = await import("node:crypto");
  const body = JSON.stringify({ repositories: [fleet.repositoryUrl] });
  for (const secret of [webhookSecret, "wrong"])
    await fetch(`${fleet.hub.url}/v1/webhooks/git`, {
      method: "POST",
      body,
      headers: {
        "content-type": "application/json",
        "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
      },
    });
  await fetch(`${fleet.hub.url}/v1/clusters?token=${fleet.hub.adminToken}`);
  await fetch(`${fleet.hub.url}/v1/clusters/${fleet.hub.adminToken}`, {
    headers: { authorization: `Bearer ${fleet.hub.adminToken}x` },
  });
  const broken = "apps/web/dev/broken.yaml";
  // The API server refuses it, and would quote it.
  await fleet.push({
    [broken]: `apiVersion: v1\nkind: Secret\nmetadata: {name: broken}\ndata: {password: "not base64 !"}\n`,
  });
  await eventually(async () => {
    const text = JSON.stringify(await fleet.api.get("/v1/applications/web-dev-1"));
    assert.match(text, /WH-(APP|RND)-\d+/);
  });
  await fleet.push({ [broken]: undefined });
  fleet.git.setFault({ kind: "down" });
  await eventually(async () =>
    assert.match(JSON.stringify(await fleet.api.get("/v1/repositories")), /WH-GIT-\d+/),
  );
  fleet.git.setFault({ kind: "none" });
  await fleet.restartHub();
}

/** The token the spoke was started with, from its own command line. */
async function usedToken(fleet: Fleet): Promise<string> {
  const { pid } = fleet.member("dev-1").spoke;
  const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\u0000");
  const at = words.indexOf("--join-token");
  assert.ok(at >= 0, "the spoke was started without a join token");
  const token = words[at + 1];
  assert.ok(token !== undefined && token !== "", "--join-token has no value");
  return token;
}

/** What the spoke shows whoever asks at its probe port, which it chose itself. */
async function metricsOf(spoke: RunningProcess): Promise<string> {
  const [, port] = /"probePort":(\d+)/.exec(spoke.log()) ?? assert.fail("no probe port in its log");
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  assert.match(text, /^wheelhouse_spoke_/m);
  return text;
}

/** Every page of the API that can be read, found by its own document; what makes tokens is what shows them. */
async function answers(fleet: Fleet): Promise<string> {
  const document = await fleet.api.get<{ readonly paths: Record<string, Record<string, unknown>> }>(
    "/v1/openapi.json",
  );
  const texts: string[] = [];
  for (const [path, methods] of Object.entries(document.paths)) {
    if (!("get" in methods)) continue;
    const name = path.includes("applicationsets")
      ? "web"
      : path.includes("applications")
        ? "web-dev-1"
        : "dev-1";
    const query = path.endsWith("/events")
      ? "?after=0&limit=500"
      : path.endsWith("/by-url")
        ? `?url=${encodeURIComponent(fleet.repositoryUrl)}`
        : "";
    const response = await fetch(`${fleet.hub.url}${path.replaceAll(/\{[^}]+\}/g, name)}${query}`, {
      headers: {
        authorization: `Bearer ${fleet.hub.adminToken}`,
        accept: "application/json",
      },
    });
    texts.push(`${path} ${response.status} ${await response.text()}`);
  }
  assert.ok(texts.length >= 15, `${texts.length} pages`);
  return texts.join("\n");
}

async function commandLine(fleet: Fleet): Promise<string> {
  let text = "";
  const output = { write: (more: string) => (text += more) };
  for (const words of [
    "status -o json",
    "get apps -o yaml",
    "get clusters -o wide",
    "get resources -o json",
    "get events -o json",
    "get repos",
    "describe app/web-dev-1 cluster/dev-1 set/web",
    "token list -o json",
    "get nothing",
    "describe app/nothing",
  ])
    await runCli([...words.split(" "), "-v"], {
      environment: { WH_SERVER: fleet.hub.url, WH_TOKEN: fleet.hub.adminToken },
      homeFolder: fleet.folder,
      stdin: (async function* () {})(),
      stdout: output,
      stderr: output,
      clock: systemClock,
      random: () => 1,
      version: "0",
      signal: AbortSignal.timeout(30_000),
    });
  return text;
}

const opened = (folder: string): Sqlite.Database =>
  new Sqlite(join(folder, "hub/hub.sqlite"), { readonly: true });

/** Every row of every table but the one that holds manifests. */
function database(folder: string): string {
  const sqlite = opened(folder);
  const tables = sqlite
    .prepare("select name from sqlite_schema where type = 'table' and name not like '%_search%'")
    .pluck()
    .all()
    .map(String);
  assert.ok(tables.length > 10);
  const text = tables
    .filter((table) => table !== "blobs")
    .map((table) => JSON.stringify(sqlite.prepare(`select * from "${table}"`).all()))
    .join("\n");
  sqlite.close();
  return text;
}

function blobs(folder: string): string {
  const sqlite = opened(folder);
  const rows = sqlite.prepare("select bytes from blobs").pluck().all() as Buffer[];
  sqlite.close();
  return rows.map((bytes) => bytes.toString("utf8")).join("\n");
}

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** A line that passes on and writes down what travels, both ways. */
async function recordingLine() {
  const heard: Buffer[] = [];
  const sockets = new Set<Socket>();
  let target = "";
  const server = createServer((near) => {
    const [host = "", port = ""] = target.split(":");
    const far = connect(Number(port), host);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => {});
      from.on("close", () => to.destroy());
      from.on("data", (bytes: Buffer) => {
        heard.push(bytes);
        to.write(bytes);
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("a line has a port");
  return {
    address: `127.0.0.1:${bound.port}`,
    dials: (address: string): void => {
      target = address;
    },
    bytes: (): string => Buffer.concat(heard).toString("latin1"),
    stop: (): void => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
