import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSimulatedCluster, type SimulatedCluster } from "./cluster/server.ts";
import { eventually } from "./eventually.ts";
import { fleetRepository, type FleetRepository } from "./fleet-repository.ts";
import { startGitServer, type GitServer } from "./git-server.ts";
import { hubClient, type HubClient } from "./hub-client.ts";
import { kubeClient, type KubeClient } from "./kube-client.ts";
import {
  launchHub,
  startHub,
  startSpoke,
  type LaunchedHub,
  type RunningHub,
  type RunningProcess,
} from "./processes.ts";

/** A whole fleet for a story: a real Git server, a real hub process, real spoke processes, simulated clusters. */

/** What a member of the fleet runs on: a simulated cluster or a real control plane. */
export type FleetCluster = {
  readonly url: string;
  readonly caPem: string;
  readonly adminToken: string;
  /** The administrator's, by token. */
  readonly kubeconfig: () => string;
  readonly stop: () => Promise<void>;
};

export type FleetMember = {
  readonly name: string;
  readonly cluster: FleetCluster;
  /** The simulated cluster it runs on, with its counters and faults. Throws for any other. */
  readonly simulated: () => SimulatedCluster;
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
  /** Starts the hub that was killed or stopped, on the same ports and data; `fleet.hub` is the new one once it is ready. */
  readonly launchHub: () => LaunchedHub;
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
  readonly hubSettings?:
    | Readonly<Record<string, string>>
    | ((place: {
        readonly folder: string;
        readonly repositoryUrl: string;
      }) => Readonly<Record<string, string>>);
  /** What the Git server asks of who reads. */
  readonly gitCredential?: { readonly username: string; readonly password: string };
  /** Opens the cluster a member runs on: simulated unless given. */
  readonly openCluster?: (name: string) => Promise<FleetCluster>;
  /** What hub and spokes run: the sources unless given. */
  readonly program?: {
    readonly front: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
  };
  /** Where a member's spoke dials, when there is something between it and the hub. */
  readonly linkAddress?: (hub: RunningHub, name: string) => string;
  /** Further settings of a member's spoke, by name. */
  readonly spokeSettings?: (name: string) => Readonly<Record<string, string>>;
};

const forever = new AbortController().signal;

/** `@REPOSITORY@` in pushed files becomes the address the repository is served at. */
export async function startFleet(plan: FleetPlan): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), "wheelhouse-fleet-"));
  const { gitCredential, hubSettings } = plan;
  const git = await startGitServer(
    {
      folder: join(folder, "git"),
      ...(gitCredential === undefined ? {} : { basicAuth: gitCredential }),
    },
    forever,
  );
  const bare = await git.addRepository("fleet", forever);
  const repositoryUrl = git.urlOf("fleet");
  const repository = fleetRepository(bare);
  const members = new Map<string, FleetMember>();
  const hubOptions = {
    ...plan.program,
    folder,
    fleetRepository: repositoryUrl,
    settings: {
      "fleet-path": "fleet",
      "poll-ms": "1000",
      "heartbeat-ms": "1000",
      ...(typeof hubSettings === "function" ? hubSettings({ folder, repositoryUrl }) : hubSettings),
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

  const spokeOf = (
    name: string,
    place: { readonly folder: string; readonly kubeconfig: string; readonly joinToken?: string },
  ): RunningProcess => {
    const { fingerprint, linkAddress } = fleet.hub;
    return startSpoke({
      ...plan.program,
      ...place,
      hub: {
        fingerprint,
        linkAddress: plan.linkAddress?.(fleet.hub, name) ?? linkAddress,
      },
      settings: { "log-level": "debug", ...plan.spokeSettings?.(name) },
    });
  };

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
      let simulated: SimulatedCluster | undefined;
      const cluster =
        plan.openCluster === undefined
          ? (simulated = await startSimulatedCluster({ name }))
          : await plan.openCluster(name);
      const place = join(folder, "clusters", name);
      mkdirSync(place, { recursive: true });
      const kubeconfig = join(place, "kubeconfig");
      writeFileSync(kubeconfig, cluster.kubeconfig(), { mode: 0o600 });
      const added = await fleet.api.send<{ readonly join: { readonly token: string } }>(
        "POST",
        "/v1/clusters",
        { name, labels },
      );
      const spoke = spokeOf(name, { folder: place, kubeconfig, joinToken: added.join.token });
      const kube = kubeClient({
        url: cluster.url,
        caPem: cluster.caPem,
        token: cluster.adminToken,
      });
      const member: FleetMember = {
        name,
        cluster,
        simulated: () => {
          if (simulated === undefined)
            throw new Error(`${name} does not run on a simulated cluster`);
          return simulated;
        },
        kube,
        folder: place,
        kubeconfig,
        spoke,
      };
      members.set(name, member);
      return member;
    },
    restartHub: async (end = "kill") => {
      await fleet.hub.process[end]();
      await fleet.launchHub().ready;
    },
    launchHub: () => {
      const { httpPort, linkPort } = fleet.hub;
      const launched = launchHub({ ...hubOptions, httpPort, linkPort });
      const ready = launched.ready.then((again) => {
        fleet.hub = again;
        fleet.api = hubClient(again);
        return again;
      });
      return { process: launched.process, ready };
    },
    stopHub: () => fleet.hub.process.stop(),
    startSpokeOf: (name) => {
      const member = fleet.member(name);
      member.spoke = spokeOf(name, member);
    },
    push,
    stop: async () => {
      await Promise.all([...members.values()].map((member) => member.spoke.stop()));
      await fleet.hub.process.stop();
      for (const member of members.values()) {
        member.kube.close();
        await member.cluster.stop();
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
  readonly origin: { readonly kind: string; readonly name: string };
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
