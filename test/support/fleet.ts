import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSimulatedCluster, type SimulatedCluster } from "./cluster/server.ts";
import { eventually } from "./eventually.ts";
import { fleetRepository, type FleetRepository } from "./fleet-repository.ts";
import { startGitServer, type GitServer } from "./git-server.ts";
import { hubClient, type HubClient } from "./hub-client.ts";
import { kubeClient, type KubeClient } from "./kube-client.ts";
import { startHub, startSpoke, type RunningHub, type RunningProcess } from "./processes.ts";

/** A whole fleet for a story: a real Git server, a real hub process, real spoke processes, simulated clusters. */

export type FleetMember = {
  readonly name: string;
  readonly simulated: SimulatedCluster;
  readonly kube: KubeClient;
  /** State and log of its spoke. */
  readonly folder: string;
  readonly kubeconfig: string;
  spoke: RunningProcess;
};

export type Fleet = {
  readonly folder: string;
  readonly git: GitServer;
  readonly repository: FleetRepository;
  readonly repositoryUrl: string;
  hub: RunningHub;
  api: HubClient;
  readonly members: ReadonlyMap<string, FleetMember>;
  readonly member: (name: string) => FleetMember;
  readonly join: (name: string, labels: Readonly<Record<string, string>>) => Promise<FleetMember>;
  /** Kills the hub as a power cut would and starts it again on the same ports and data. */
  readonly restartHub: (end?: "kill" | "stop") => Promise<void>;
  readonly stopHub: () => Promise<void>;
  /** Starts the member's spoke again after it was killed or stopped. */
  readonly startSpokeOf: (name: string) => void;
  /** Commits files (undefined removes one) and tells nobody: the hub finds out by itself. */
  readonly push: (
    files: Readonly<Record<string, string | undefined>>,
    message?: string,
  ) => Promise<string>;
  readonly stop: () => Promise<void>;
};

export type FleetPlan = {
  readonly clusters: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly files: Readonly<Record<string, string>>;
  readonly hubSettings?: Readonly<Record<string, string>>;
};

const forever = new AbortController().signal;

/** `@REPOSITORY@` in pushed files becomes the address the repository is served at. */
export async function startFleet(plan: FleetPlan): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), "wheelhouse-fleet-"));
  const git = await startGitServer({ folder: join(folder, "git") }, forever);
  const bare = await git.addRepository("fleet", forever);
  const repositoryUrl = git.urlOf("fleet");
  const repository = fleetRepository(bare);
  const members = new Map<string, FleetMember>();
  const hubOptions = {
    folder,
    fleetRepository: repositoryUrl,
    settings: {
      "fleet-path": "fleet",
      "poll-ms": "1000",
      "heartbeat-ms": "1000",
      ...plan.hubSettings,
    },
  };

  const push: Fleet["push"] = (files, message) =>
    repository.commit(
      {
        files: Object.fromEntries(
          Object.entries(files).map(([path, text]) => [
            path,
            text?.replaceAll("@REPOSITORY@", repositoryUrl),
          ]),
        ),
        ...(message === undefined ? {} : { message }),
      },
      forever,
    );

  await push(plan.files, "the fleet");
  const hub = await startHub(hubOptions);
  const fleet: Fleet = {
    folder,
    git,
    repository,
    repositoryUrl,
    hub,
    api: hubClient(hub),
    members,
    member: (name) => {
      const member = members.get(name);
      if (member === undefined) throw new Error(`the fleet has no cluster ${name}`);
      return member;
    },
    join: async (name, labels) => {
      const simulated = await startSimulatedCluster({ name });
      const place = join(folder, "clusters", name);
      mkdirSync(place, { recursive: true });
      const kubeconfig = join(place, "kubeconfig");
      writeFileSync(kubeconfig, simulated.kubeconfig(), { mode: 0o600 });
      const added = await fleet.api.send<{ readonly join: { readonly token: string } }>(
        "POST",
        "/v1/clusters",
        { name, labels },
      );
      const spoke = startSpoke({
        folder: place,
        kubeconfig,
        hub: fleet.hub,
        joinToken: added.join.token,
        settings: { "log-level": "debug" },
      });
      const kube = kubeClient({
        url: simulated.url,
        caPem: simulated.caPem,
        token: simulated.adminToken,
      });
      const member: FleetMember = { name, simulated, kube, folder: place, kubeconfig, spoke };
      members.set(name, member);
      return member;
    },
    restartHub: async (end = "kill") => {
      await fleet.hub.process[end]();
      fleet.hub = await startHub({
        ...hubOptions,
        httpPort: fleet.hub.httpPort,
        linkPort: fleet.hub.linkPort,
      });
      fleet.api = hubClient(fleet.hub);
    },
    stopHub: () => fleet.hub.process.stop(),
    startSpokeOf: (name) => {
      const member = fleet.member(name);
      member.spoke = startSpoke({
        folder: member.folder,
        kubeconfig: member.kubeconfig,
        hub: fleet.hub,
        settings: { "log-level": "debug" },
      });
    },
    push,
    stop: async () => {
      await Promise.all([...members.values()].map((member) => member.spoke.stop()));
      await fleet.hub.process.stop();
      for (const member of members.values()) {
        member.kube.close();
        await member.simulated.stop();
      }
      await git.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    for (const [name, labels] of Object.entries(plan.clusters)) await fleet.join(name, labels);
  } catch (error) {
    await fleet.stop();
    throw error;
  }
  return fleet;
}

export type ApplicationView = {
  readonly name: string;
  readonly cluster?: string;
  readonly revision: string;
  readonly generation: number;
  readonly objects: number;
  readonly problem?: { readonly code: string; readonly message: string };
  readonly status: {
    readonly syncStatus: string;
    readonly health: { readonly state: string; readonly message: string };
    readonly appliedGeneration: number;
    readonly healthyGeneration: number;
  };
};

/**
 * Waits until the hub has published this commit, and these applications and no others run as it says: their
 * newest generation applied and then seen Healthy.
 */
export async function settled(
  fleet: Fleet,
  names: readonly string[],
  commit: string,
  withinMs = 60_000,
): Promise<readonly ApplicationView[]> {
  return eventually(
    async () => {
      const summary = await fleet.api.get<{ readonly published?: { readonly commit: string } }>(
        "/v1/fleet/summary",
      );
      if (summary.published?.commit !== commit)
        throw new Error(`published is ${summary.published?.commit}`);
      const applications = await fleet.api.all<ApplicationView>("/v1/applications");
      const found = applications.map((application) => application.name).toSorted();
      if (found.join() !== names.toSorted().join())
        throw new Error(`applications are ${found.join(", ")}`);
      for (const application of applications) {
        const { status } = application;
        if (
          application.problem !== undefined ||
          status.healthyGeneration !== application.generation ||
          status.syncStatus !== "Synced" ||
          status.health.state !== "Healthy"
        )
          throw new Error(JSON.stringify(application));
      }
      return applications;
    },
    { withinMs, everyMs: 100, what: `${names.length} applications settled at ${commit}` },
  );
}
