import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { suite } from "node:test";
import { systemClock } from "../../../proto/kit/clock.ts";
import { silentLog } from "../../../proto/kit/log.ts";
import type { ApplicationName } from "../../../proto/words/ids.ts";
import { makeObjectKey } from "../../../proto/words/object-key.ts";
import type { WatchEvent } from "../../../spoke/domain/cluster.ts";
import { openCluster, type OpenCluster } from "../../../spoke/kube/open.ts";
import { ApiServerUnavailable } from "../../../spoke/kube/trouble.ts";
import {
  startSimulatedCluster,
  type SimulatedCluster,
  type SimulatedClusterOptions,
} from "../../support/cluster/server.ts";
import { eventually } from "../../support/eventually.ts";

const { signal } = new AbortController();
const forced = { force: true, dryRun: false };
const settingsMap = (a: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "settings", namespace: "shop", labels: { app: "web" } },
  data: { a },
});

suite("the spoke's cluster, as a pod sees it", () => {
  test("a token that was replaced is read again when the old one is refused", async () => {
    await inPod(async ({ cluster, simulated, token, writeToken }) => {
      assert.match(await cluster.api.serverVersion(signal), /^v1\./);
      simulated.revokeToken(token);
      await writeToken(simulated.addToken({ user: "spoke", groups: ["system:masters"] }));
      assert.equal((await cluster.api.apply(settingsMap("1"), forced, signal)).kind, "applied");
    });
  });

  test("a refused token is trouble, without the token in it", async () => {
    await inPod(async ({ cluster, simulated, token }) => {
      simulated.revokeToken(token);
      await assert.rejects(cluster.api.apply(settingsMap("1"), forced, signal), (error) => {
        assert.ok(error instanceof ApiServerUnavailable);
        assert.equal(error.status, 401);
        assert.ok(!JSON.stringify([error.message, String(error.cause)]).includes(token));
        return true;
      });
    });
  });

  test("a watch goes on where it was when the API server restarts under it", async () => {
    await inPod(async ({ cluster, simulated, counted }) => {
      const type = await cluster.api.resourceType("", "ConfigMap", signal);
      assert.ok(type);
      const before = simulated.openWatches();
      const stop = new AbortController();
      const told: string[] = [];
      const watching = (async () => {
        for await (const event of cluster.api.watch(type, "app=web", stop.signal))
          told.push(asText(event));
      })();
      await eventually(() => assert.ok(simulated.openWatches() > before));
      await cluster.api.apply(settingsMap("1"), forced, signal);
      await eventually(() => assert.deepEqual(told, ["listed", "present 1"]));
      simulated.faults.cutConnections();
      await cluster.api.apply(settingsMap("2"), forced, signal);
      await eventually(() => assert.deepEqual(told, ["listed", "present 1", "present 2"]));
      assert.equal(counted("list"), 1);
      stop.abort(new Error("the story is over"));
      await assert.rejects(watching, /the story is over/);
    });
  });

  test("an unknown field is refused with its path", async () => {
    await inPod(async ({ cluster }) => {
      const wrong = { ...settingsMap("1"), spec: { replicas: 1 } };
      const outcome = await cluster.api.apply(wrong, forced, signal);
      assert.equal(outcome.kind, "rejected");
      assert.match(outcome.kind === "rejected" ? outcome.message : "", /spec/);
    });
  });

  test("an API server that is away for a moment is waited for, then it is trouble", async () => {
    await inPod(async ({ cluster, simulated }) => {
      simulated.faults.reject({ status: 503, times: 2 });
      assert.equal((await cluster.api.apply(settingsMap("1"), forced, signal)).kind, "applied");
      simulated.faults.reject({ status: 500, times: 1 });
      await assert.rejects(
        cluster.api.apply(settingsMap("2"), forced, signal),
        ApiServerUnavailable,
      );
    });
  });

  test("identity and inventory make the spoke's namespace when it is missing", async () => {
    await inPod(async ({ cluster, open }) => {
      const identity = {
        privateKeyPem: "key",
        certificatePem: undefined,
        trustedPem: [],
        clusterId: "",
        clusterName: "",
        hubId: "",
      };
      assert.equal(await cluster.identity.read(signal), undefined);
      assert.deepEqual(await cluster.inventory.readAll(signal), new Map());
      await cluster.identity.write(identity, signal);
      const entry = {
        key: makeObjectKey({ group: "", kind: "ConfigMap", namespace: "shop", name: "settings" }),
        version: "v1",
        uid: "u",
        applied: "a",
        fingerprint: "f",
      };
      await cluster.inventory.write("web" as ApplicationName, [entry], signal);
      const later = open();
      assert.deepEqual(await later.identity.read(signal), identity);
      assert.deepEqual(await later.inventory.readAll(signal), new Map([["web", [entry]]]));
      await later.identity.write({ ...identity, hubId: "hub-1" }, signal);
      await assert.rejects(cluster.identity.write(identity, signal), ApiServerUnavailable);
      assert.equal((await open().identity.read(signal))?.hubId, "hub-1");
    });
  });
});

type Stage = {
  readonly simulated: SimulatedCluster;
  readonly cluster: OpenCluster;
  readonly open: () => OpenCluster;
  readonly token: string;
  readonly writeToken: (token: string) => Promise<void>;
  /** Requests of the verb that the clients have counted. */
  readonly counted: (verb: string) => number;
};

async function inPod(
  story: (stage: Stage) => Promise<void>,
  options: SimulatedClusterOptions = {},
): Promise<void> {
  const simulated = await startSimulatedCluster({ namespaces: ["shop"], ...options });
  const folder = await mkdtemp(join(tmpdir(), "wheelhouse-pod-"));
  const tokenFile = join(folder, "token");
  const authorityFile = join(folder, "ca.crt");
  const writeToken = async (token: string): Promise<void> => await writeFile(tokenFile, token);
  const token = simulated.addToken({ user: "spoke", groups: ["system:masters"] });
  await writeToken(token);
  await writeFile(authorityFile, simulated.caPem);
  const url = new URL(simulated.url);
  const counts = new Map<string, number>();
  const opened: OpenCluster[] = [];
  const open = (): OpenCluster => {
    const cluster = openCluster(
      {
        kind: "in-cluster",
        host: url.hostname,
        port: url.port,
        tokenFile,
        authorityFile,
        environment: {},
      },
      { namespace: "wheelhouse", version: "0.0.0" },
      {
        requests: {
          add: (amount, labels) => {
            const verb = labels?.["verb"] ?? "";
            counts.set(verb, (counts.get(verb) ?? 0) + amount);
          },
        },
        clock: systemClock,
        random: Math.random,
        log: silentLog,
      },
    );
    opened.push(cluster);
    return cluster;
  };
  try {
    const counted = (verb: string): number => counts.get(verb) ?? 0;
    await story({ simulated, cluster: open(), open, token, writeToken, counted });
  } finally {
    for (const cluster of opened) cluster.close();
    await simulated.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function asText(event: WatchEvent): string {
  if (event.kind === "listed")
    return ["listed", ...event.objects.map(({ metadata }) => metadata.name)].join(" ");
  const data = event.object["data"];
  const a = typeof data === "object" && data !== null && "a" in data ? String(data.a) : "";
  return `${event.kind} ${a}`;
}
