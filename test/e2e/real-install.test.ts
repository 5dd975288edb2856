import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { apiTokenBytes, makeApiToken } from "../../hub/domain/api-token.ts";
import { toolPath, whyNoControlPlane, whyNoTool } from "../support/control-plane/binaries.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { kubeconfigFor } from "../support/control-plane/kubeconfig.ts";
import { eventually } from "../support/eventually.ts";
import { fleetRepository, type FleetRepository } from "../support/fleet-repository.ts";
import { startGitServer, type GitServer } from "../support/git-server.ts";
import { chartFolder } from "../support/helm.ts";
import { hubClient, type HubClient } from "../support/hub-client.ts";
import { kubeClient, type KubeClient } from "../support/kube-client.ts";
import { kubectl } from "../support/kubectl.ts";
import { frontDoor, startProcess, type RunningProcess } from "../support/processes.ts";
import type { ApplicationView } from "../support/fleet.ts";
import { launchFor, podSpecOf } from "./install/kubelet.ts";
import { definitionOf } from "./install/samples.ts";
import { applicationFor, manifestsOf } from "./stories/documents.ts";

/**
 * Installed as users install it: the hub by its chart, one spoke by the helm command that the hub prints, another by
 * the plain manifest, into real clusters that hold their namespaces to the strictest pod security. Then the real
 * processes run with what those objects say: their arguments, their environment, their volumes, and for a spoke the
 * token of its service account and nothing else.
 */

const skip = whyNoControlPlane() ?? whyNoTool("helm") ?? whyNoTool("kubectl") ?? false;

const forever = new AbortController().signal;
const deployments = (namespace: string, name: string): string =>
  `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
const configMapPath = (namespace: string, name: string): string =>
  `/api/v1/namespaces/${namespace}/configmaps/${name}`;

describe("installed as users install it", { skip }, () => {
  let folder: string;
  let git: GitServer;
  let repository: FleetRepository;
  let hubPlane: Place;
  let teamPlane: Place;
  let hub: RunningProcess;
  let api: HubClient;
  const processes: RunningProcess[] = [];
  let failed: string | undefined;

  /** A real cluster with an administrator's ways in. */
  type Place = {
    readonly plane: ControlPlane;
    readonly kube: KubeClient;
    readonly kubeconfig: string;
    readonly folder: string;
  };

  const openPlace = async (name: string): Promise<Place> => {
    const plane = await startControlPlane({ name, workloads: true });
    const place = join(folder, name);
    mkdirSync(place, { recursive: true });
    const kubeconfig = join(place, "admin");
    writeFileSync(kubeconfig, plane.kubeconfig(), { mode: 0o600 });
    const kube = kubeClient({ url: plane.url, caPem: plane.caPem, token: plane.adminToken });
    return { plane, kube, kubeconfig, folder: place };
  };

  const applyAs = (place: Place, objects: readonly object[]): Promise<string> =>
    kubectl(
      place.kubeconfig,
      ["apply", "--server-side", "--filename", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
    );

  /** A shell command as people paste it, with helm and kubectl pointed at a cluster. */
  const paste = async (place: Place, command: string): Promise<void> => {
    const tools = [dirname(toolPath("helm")), dirname(toolPath("kubectl"))];
    await promisify(execFile)("sh", ["-c", command], {
      env: {
        PATH: [...tools, process.env["PATH"] ?? ""].join(delimiter),
        HOME: place.folder,
        KUBECONFIG: place.kubeconfig,
      },
    });
  };

  const push = (files: Readonly<Record<string, string | undefined>>): Promise<string> =>
    repository.commit(
      {
        files: Object.fromEntries(
          Object.entries(files).map(([path, text]) => [
            path,
            text?.replaceAll("@REPOSITORY@", git.urlOf("fleet")),
          ]),
        ),
      },
      forever,
    );

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "wheelhouse-install-"));
    git = await startGitServer({ folder: join(folder, "git") }, forever);
    repository = fleetRepository(await git.addRepository("fleet", forever));
    await push({ "fleet/README.md": "the fleet" });
    [hubPlane, teamPlane] = await Promise.all([openPlace("home"), openPlace("team")]);
    for (const place of [hubPlane, teamPlane])
      await applyAs(place, [
        {
          apiVersion: "v1",
          kind: "Namespace",
          metadata: {
            name: "wheelhouse",
            labels: { "pod-security.kubernetes.io/enforce": "restricted" },
          },
        },
      ]);
  });
  after(async () => {
    await Promise.all(processes.map((one) => one.stop()));
    await git.stop();
    for (const { plane, kube } of [hubPlane, teamPlane]) {
      kube.close();
      await plane.stop();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  /** Each stands on the ones before it: when one fails, there is nothing to be learnt from the rest. */
  const chapter = (name: string, work: () => Promise<void>): void => {
    test(name, async (context) => {
      if (failed !== undefined) return context.skip(`${failed} failed`);
      failed = name;
      await work();
      failed = undefined;
      return undefined;
    });
  };

  chapter("the hub's chart installs, and the hub runs with what it says", async () => {
    const [httpPort, linkPort] = [await freePort(), await freePort()];
    const token = makeApiToken(randomBytes(apiTokenBytes));
    await applyAs(hubPlane, [
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "hub-admin", namespace: "wheelhouse" },
        stringData: { token: token.text },
      },
    ]);
    const values = {
      fleet: { repository: git.urlOf("fleet"), path: "fleet" },
      git: { pollEvery: "1s" },
      link: { publicAddress: `127.0.0.1:${linkPort}`, heartbeatEvery: "1s" },
      adminToken: { existingSecret: "hub-admin" },
      spoke: { chart: chartFolder("wheelhouse-spoke") },
      metrics: { open: true },
    };
    await paste(
      hubPlane,
      `helm upgrade --install wheelhouse-hub ${chartFolder("wheelhouse-hub")} --namespace wheelhouse --create-namespace --values - <<'EOF'\n${JSON.stringify(values)}\nEOF\n`,
    );
    const workload = await hubPlane.kube.get(
      "/apis/apps/v1/namespaces/wheelhouse/statefulsets/wheelhouse-hub",
    );
    assert.ok(workload);
    const launch = await launchFor(hubPlane.kube, workload, join(hubPlane.folder, "hub"));
    const readyFile = join(folder, "ready.json");
    // Where it listens is this machine's to say; the pod has addresses of its own.
    const places = [
      "--http-listen",
      `127.0.0.1:${httpPort}`,
      "--link-listen",
      `127.0.0.1:${linkPort}`,
    ];
    hub = startProcess(
      frontDoor,
      [...launch.words, ...places, "--ready-file", readyFile],
      join(folder, "hub.log"),
      launch.environment,
    );
    processes.push(hub);
    await eventually(
      () => {
        assert.ok(hub.isRunning(), hub.log());
        assert.ok(existsSync(readyFile));
      },
      { withinMs: 30_000, what: "a ready hub" },
    );
    api = hubClient({ url: `http://127.0.0.1:${httpPort}`, adminToken: token.text });
    for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"] as const)
      assert.equal(
        (await fetch(`http://127.0.0.1:${httpPort}${probePath(workload, probe)}`)).status,
        200,
      );
    assert.deepEqual(await api.all("/v1/clusters"), []);
  });

  chapter(
    "the printed helm command installs a spoke for a whole cluster, and it joins",
    async () => {
      const registered = await api.send<Registered>("POST", "/v1/clusters", {
        name: "home",
        labels: { env: "prod" },
        role: { customResourceGroups: ["stable.example.com"] },
      });
      await paste(hubPlane, `${registered.join.helmCommand}\n`);
      await runSpoke(hubPlane, "home");
    },
  );

  chapter("the printed manifest installs a spoke for one namespace, and it joins", async () => {
    await applyAs(teamPlane, [
      ...["team-a", "team-b"].map((name) => ({
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name },
      })),
      definitionOf("stable.example.com", "Widget"),
    ]);
    const registered = await api.send<Registered>("POST", "/v1/clusters", {
      name: "team",
      role: { namespaces: ["team-a"], customResourceGroups: ["stable.example.com"] },
    });
    await applyAs(teamPlane, registered.join.manifest.items);
    await runSpoke(teamPlane, "team");
  });

  chapter("the pods of the spokes are admitted where only the strictest are", async () => {
    for (const { kube } of [hubPlane, teamPlane])
      await eventually(
        async () => {
          const deployment = await kube.get(deployments("wheelhouse", "wheelhouse-spoke"));
          const { availableReplicas } = (deployment?.["status"] ?? {}) as Record<string, number>;
          assert.equal(availableReplicas, 1, JSON.stringify(deployment?.["status"]));
        },
        { withinMs: 60_000, everyMs: 100, what: "an available spoke" },
      );
    const pods = await hubPlane.kube.list("/api/v1/namespaces/wheelhouse/pods");
    assert.ok(pods.some(({ metadata }) => metadata.name === "wheelhouse-hub-0"));
  });

  chapter(
    "the whole cluster: namespace, definition, custom resource and Deployment in one commit",
    async () => {
      await push({
        ...applicationFor("shop", "home"),
        ...manifestsOf("shop", {
          kind: definitionOf("stable.example.com", "Gadget"),
          gadget: {
            apiVersion: "stable.example.com/v1",
            kind: "Gadget",
            metadata: { name: "one" },
            spec: { size: 1 },
          },
          web: webDeployment,
          settings: configMap("settings", { color: "blue" }),
          leftover: configMap("leftover", { a: "b" }),
          other: {
            apiVersion: "v1",
            kind: "Namespace",
            metadata: { name: "shop-extra" },
          },
        }),
      });
      await settles(["shop"]);
      const { kube } = hubPlane;
      assert.ok(await kube.get("/apis/stable.example.com/v1/namespaces/shop/gadgets/one"));
      assert.ok(await kube.get("/api/v1/namespaces/shop-extra"));
      await hasReadyPods(kube, "shop");
    },
  );

  chapter(
    "one namespace: Deployment and custom resource in it, and nothing outside it",
    async () => {
      await push({
        ...applicationFor("web", "team", "team-a"),
        ...manifestsOf("web", {
          web: webDeployment,
          settings: configMap("settings", { color: "blue" }),
          leftover: configMap("leftover", { a: "b" }),
          widget: {
            apiVersion: "stable.example.com/v1",
            kind: "Widget",
            metadata: { name: "one" },
            spec: { size: 1 },
          },
        }),
        ...applicationFor("greedy", "team", "team-a"),
        ...manifestsOf("greedy", {
          neighbour: {
            ...configMap("theirs", { a: "b" }),
            metadata: { name: "theirs", namespace: "team-b" },
          },
          role: {
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "ClusterRole",
            metadata: { name: "greedy" },
            rules: [],
          },
        }),
      });
      await settles(["web"]);
      await hasReadyPods(teamPlane.kube, "team-a");
      await eventually(
        async () => {
          const greedy = await api.get<Described>("/v1/applications/greedy");
          const said = greedy.status.conditions.map(({ code, message }) => `${code} ${message}`);
          assert.equal(said.length, 2, JSON.stringify(greedy));
          for (const one of said) assert.match(one, /^WH-APP-1028 .* manages only: team-a$/);
        },
        { withinMs: 30_000, everyMs: 100, what: "two refusals" },
      );
      assert.equal(await teamPlane.kube.get(configMapPath("team-b", "theirs")), undefined);
    },
  );

  chapter(
    "drift is repaired, and what Git removes is pruned, with those rights alone",
    async () => {
      const homes = [
        [hubPlane.kube, "shop"],
        [teamPlane.kube, "team-a"],
      ] as const;
      for (const [kube, namespace] of homes) {
        await kube.edit(configMapPath(namespace, "settings"), { data: { color: "red" } });
        await kube.remove(deployments(namespace, "web"));
      }
      for (const [kube, namespace] of homes)
        await eventually(
          async () => {
            const settings = await kube.get(configMapPath(namespace, "settings"));
            assert.deepEqual(settings?.["data"], { color: "blue" });
            await hasReadyPods(kube, namespace);
          },
          { withinMs: 60_000, everyMs: 100, what: `${namespace} as Git has it` },
        );
      await push({ "apps/shop/leftover.yaml": undefined, "apps/web/leftover.yaml": undefined });
      for (const [kube, namespace] of homes)
        await eventually(
          async () => assert.equal(await kube.get(configMapPath(namespace, "leftover")), undefined),
          { withinMs: 60_000, everyMs: 100, what: `${namespace} without what Git removed` },
        );
      await settles(["shop", "web"]);
    },
  );

  chapter("a second sync writes nothing", async () => {
    for (const [name, cluster] of [
      ["shop", "home"],
      ["web", "team"],
    ] as const) {
      const before = await writesOf(cluster);
      const ordered = await api.send<{ readonly id: string }>(
        "POST",
        `/v1/applications/${name}/sync`,
        {},
      );
      await eventually(
        async () => {
          const command = await api.get<{ readonly state: string }>(`/v1/commands/${ordered.id}`);
          assert.equal(command.state, "succeeded", JSON.stringify(command));
        },
        { withinMs: 30_000, what: `sync of ${name}` },
      );
      assert.deepEqual(await writesOf(cluster), before);
    }
  });

  chapter(
    "what needs a right the spoke was not given says which one, and the rest goes on",
    async () => {
      await push({
        ...manifestsOf("shop", {
          password: {
            apiVersion: "v1",
            kind: "Secret",
            metadata: { name: "password" },
            stringData: { password: "hunter2" },
          },
          settings: configMap("settings", { color: "green" }),
        }),
      });
      await eventually(
        async () => {
          const shop = await api.get<Described>("/v1/applications/shop");
          const said = shop.status.conditions.map(({ code, message }) => `${code} ${message}`);
          assert.match(said.join("\n"), /cannot list resource "secrets" in API group ""/);
          const settings = await hubPlane.kube.get(configMapPath("shop", "settings"));
          assert.deepEqual(settings?.["data"], { color: "green" });
        },
        { withinMs: 60_000, everyMs: 100, what: "the missing right by name" },
      );
      // Given it, by the value that the notes name, it goes on by itself.
      await paste(
        hubPlane,
        `helm upgrade wheelhouse-spoke ${chartFolder("wheelhouse-spoke")} --namespace wheelhouse --reuse-values --set role.secrets=true\n`,
      );
      await settles(["shop"], 150_000);
      assert.ok(await hubPlane.kube.get("/api/v1/namespaces/shop/secrets/password"));
    },
  );

  chapter(
    "uninstalled, a spoke leaves what it applied, and its identity for the next one",
    async () => {
      await paste(hubPlane, "helm uninstall wheelhouse-spoke --namespace wheelhouse\n");
      const { kube } = hubPlane;
      assert.equal(await kube.get(deployments("wheelhouse", "wheelhouse-spoke")), undefined);
      assert.ok(await kube.get(deployments("shop", "web")));
      assert.ok(await kube.get("/api/v1/namespaces/wheelhouse/secrets/wheelhouse-spoke-identity"));
    },
  );

  /** Runs the spoke as its Deployment says, with the token of its service account. */
  async function runSpoke(place: Place, cluster: string): Promise<void> {
    const workload = await place.kube.get(deployments("wheelhouse", "wheelhouse-spoke"));
    assert.ok(workload);
    const launch = await launchFor(place.kube, workload, join(place.folder, "spoke"));
    const tokenFile = join(place.folder, "token");
    const account = podSpecOf(workload).serviceAccountName;
    writeFileSync(tokenFile, await place.plane.serviceAccountToken("wheelhouse", account));
    const kubeconfig = join(place.folder, "spoke-kubeconfig");
    const { url, caPem } = place.plane;
    writeFileSync(kubeconfig, kubeconfigFor({ name: cluster, url, caPem, user: { tokenFile } }));
    const spoke = startProcess(
      frontDoor,
      [...withoutProbePort(launch.words), "--probe-host", "127.0.0.1", "--kubeconfig", kubeconfig],
      join(place.folder, "spoke.log"),
      launch.environment,
    );
    processes.push(spoke);
    await eventually(
      async () => {
        assert.ok(spoke.isRunning(), spoke.log());
        const found = await api.get<{ readonly connection: { readonly kind: string } }>(
          `/v1/clusters/${cluster}`,
        );
        assert.equal(found.connection.kind, "attached", spoke.log());
      },
      { withinMs: 60_000, everyMs: 100, what: `${cluster} attached` },
    );
  }

  /** Two spokes on one machine cannot both have the pod's port: any other does. */
  const withoutProbePort = (words: readonly string[]): readonly string[] =>
    words.map((word, index) => (words[index - 1] === "--probe-port" ? "0" : word));

  async function settles(names: readonly string[], withinMs = 60_000): Promise<void> {
    await eventually(
      async () => {
        const head = await repository.head("main", forever);
        const summary = await api.get<{ readonly published?: { readonly commit: string } }>(
          "/v1/fleet/summary",
        );
        assert.equal(summary.published?.commit, head);
        for (const name of names) {
          const { status, generation } = await api.get<ApplicationView>(`/v1/applications/${name}`);
          const shown = JSON.stringify(status);
          assert.equal(status.syncStatus, "Synced", shown);
          assert.equal(status.health.state, "Healthy", shown);
          assert.equal(status.healthyGeneration, generation, shown);
        }
      },
      { withinMs, everyMs: 100, what: `${names.join(", ")} settled` },
    );
  }

  async function hasReadyPods(kube: KubeClient, namespace: string): Promise<void> {
    const deployment = await kube.get(deployments(namespace, "web"));
    const { readyReplicas } = (deployment?.["status"] ?? {}) as Record<string, number>;
    assert.equal(readyReplicas, 2, JSON.stringify(deployment?.["status"]));
  }

  /** How often the spoke has written to its cluster, by its own count. */
  async function writesOf(cluster: string): Promise<readonly string[]> {
    const log = readFileSync(join(folder, cluster, "spoke.log"), "utf8");
    const port = /"probePort":(\d+)/.exec(log)?.[1] ?? "";
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const lines = text.split("\n").filter((line) => line.includes("kubernetes_requests_total{"));
    assert.ok(lines.length > 0);
    return lines.filter((line) => /verb="(apply|create|update|delete)"/.test(line));
  }
});

type Registered = {
  readonly join: {
    readonly helmCommand: string;
    readonly manifest: { readonly items: readonly object[] };
  };
};

type Described = ApplicationView & {
  readonly status: {
    readonly conditions: readonly { readonly code: string; readonly message: string }[];
  };
};

const configMap = (name: string, data: Readonly<Record<string, string>>) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});

const webDeployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "main", image: "registry.example/web:1" }] },
    },
  },
};

/** A port nobody listens on now. The one who asked takes it a moment later. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<unknown>((resolve) => server.close(resolve));
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}

type Probe = "startupProbe" | "livenessProbe" | "readinessProbe";

function probePath(workload: Parameters<typeof podSpecOf>[0], probe: Probe): string {
  const [container] = podSpecOf(workload).containers as readonly {
    readonly [name in Probe]?: { readonly httpGet: { readonly path: string } };
  }[];
  return container?.[probe]?.httpGet.path ?? "";
}
