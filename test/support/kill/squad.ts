import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startSimulatedCluster } from "../cluster/server.ts";
import { kubeconfigFor } from "../control-plane/kubeconfig.ts";
import { eventually } from "../eventually.ts";
import type { FaultProxy } from "../fault-proxy.ts";
import {
  startFleet,
  type ApplicationView,
  type Fleet,
  type FleetCluster,
  type FleetMember,
  type FleetPlan,
} from "../fleet.ts";
import { publishProgram } from "./bundle.ts";
import { applicationIn, estateLabels, firstRound, objectsPassing, roundFiles } from "./estate.ts";
import { estateOracle, type Controllers, type EstateOracle } from "./estate-oracle.ts";
import { startRequestProxy, type RequestProxy } from "./request-proxy.ts";

/** A fleet made to be killed: the published program, an estate in every cluster, and eyes on every request. */
export type Squad = {
  readonly fleet: Fleet;
  readonly members: readonly SquadMember[];
  /** The newest round, and the commit that brought it. */
  readonly round: () => number;
  /** Commits the next round and tells the hub, if it is there, to look now. */
  readonly pushRound: (filler?: string) => Promise<void>;
  /**
   * The same, unless some cluster has yet to remove what more than one round left. Spokes that never live long
   * enough to get to the removals would be left with so many that they rightly wait for consent.
   */
  readonly pushRoundInStep: () => Promise<void>;
  /** Waits until the hub says that every estate is at the newest round and well, then has every oracle check its cluster. */
  readonly checkAll: (withinMs?: number, controllers?: Controllers) => Promise<void>;
  /** Whether the hub says so within this time. */
  readonly settledWithin: (withinMs: number) => Promise<boolean>;
  readonly stop: () => Promise<void>;
};

export type SquadMember = {
  readonly name: string;
  readonly application: string;
  readonly member: FleetMember;
  readonly requests: RequestProxy;
  readonly oracle: EstateOracle;
  /** What the hub says of its application is at the newest commit, and well. Throws with what it says otherwise. */
  readonly settledNow: () => Promise<void>;
  /** SIGKILL, and waits for the end. Nothing the hub was told is stored may be missing from the disk. */
  readonly killSpoke: () => Promise<void>;
  /** To be called once the spoke is dead, whoever killed it. */
  readonly checkNothingAcknowledgedIsLost: () => Promise<void>;
  readonly startSpoke: () => void;
};

export type SquadPlan = Omit<FleetPlan, "clusters" | "files" | "openCluster" | "program"> & {
  readonly clusters: readonly string[];
  /** Simulated unless given. */
  readonly openCluster?: (name: string) => Promise<FleetCluster>;
  /** A line between a member's spoke and its API server, when there is to be one. Its far end is aimed here. */
  readonly apiLine?: (name: string) => FaultProxy;
  /** Where a member's spoke keeps its state, when that is not beside its log. */
  readonly stateFolder?: (name: string) => string | undefined;
};

/** The name and value of a spoke's first desired set, before anything was stored. */
const nothingStored = 0;

export async function startSquad(plan: SquadPlan): Promise<Squad> {
  const program = await publishProgram();
  const proxies = new Map<string, RequestProxy>();
  let round = 0;
  let commit = "";

  const openCluster = async (name: string): Promise<FleetCluster> => {
    const cluster = await (plan.openCluster?.(name) ?? startSimulatedCluster({ name }));
    const requests = await startRequestProxy(cluster);
    proxies.set(name, requests);
    const line = plan.apiLine?.(name);
    line?.aim(requests.port);
    const port = line?.port ?? requests.port;
    return {
      url: cluster.url,
      caPem: cluster.caPem,
      adminToken: cluster.adminToken,
      // The spoke goes through the proxy; whoever looks at the cluster from a test does not.
      kubeconfig: () =>
        kubeconfigFor({
          name,
          url: `https://127.0.0.1:${port}`,
          caPem: requests.caPem,
          user: { token: cluster.adminToken },
        }),
      stop: async () => {
        await requests.stop();
        await cluster.stop();
      },
    };
  };

  const fleet = await startFleet({
    ...plan,
    clusters: Object.fromEntries(plan.clusters.map((name) => [name, estateLabels])),
    files: firstRound,
    program,
    openCluster,
    spokeSettings: (name): Readonly<Record<string, string>> => {
      const stateFolder = plan.stateFolder?.(name);
      return stateFolder === undefined ? {} : { "state-folder": stateFolder };
    },
  });
  commit = await fleet.repository.head("main", AbortSignal.timeout(10_000));

  const members = plan.clusters.map((name): SquadMember => {
    const member = fleet.member(name);
    const requests = proxies.get(name);
    if (requests === undefined) throw new TypeError(`${name} has no proxy`);
    const application = applicationIn(name);

    const checkNothingAcknowledgedIsLost = async (): Promise<void> => {
      const cluster = await fleet.api.get<{ readonly storedVersion: number }>(
        `/v1/clusters/${name}`,
      );
      const onDisk = versionOnDisk(plan.stateFolder?.(name) ?? join(member.folder, "spoke"));
      assert.ok(
        onDisk >= cluster.storedVersion,
        `${name}: version ${cluster.storedVersion} was acknowledged, version ${onDisk} is on disk`,
      );
    };
    return {
      name,
      application,
      member,
      requests,
      oracle: estateOracle(name, member.kube, requests.seen),
      settledNow: async () => {
        const view = await fleet.api.get<ApplicationView>(`/v1/applications/${application}`);
        const { status } = view;
        const isSettled =
          view.revision === commit &&
          view.problem === undefined &&
          status.healthyGeneration === view.generation &&
          status.syncStatus === "Synced" &&
          status.health.state === "Healthy";
        if (!isSettled) throw new Error(`round ${round}, ${commit}: ${JSON.stringify(view)}`);
      },
      killSpoke: async () => {
        await member.spoke.kill();
        await checkNothingAcknowledgedIsLost();
      },
      checkNothingAcknowledgedIsLost,
      startSpoke: () => fleet.startSpokeOf(name),
    };
  });

  const allSettled = async (withinMs: number): Promise<void> => {
    await Promise.all(
      members.map(({ name, settledNow }) =>
        eventually(settledNow, { withinMs, everyMs: 50, what: `${name} settled` }),
      ),
    );
  };

  const pushRound = async (filler?: string): Promise<void> => {
    round += 1;
    commit = await fleet.push(roundFiles(round, filler), `round ${round}`);
    await fleet.api
      .send("POST", "/v1/repositories/refresh", { url: fleet.repositoryUrl })
      // A hub that is away finds out by itself when it is back.
      .catch(() => undefined);
  };

  return {
    fleet,
    members,
    round: () => round,
    pushRound,
    pushRoundInStep: async () => {
      const behind = await Promise.all(members.map(({ oracle }) => oracle.leftovers(round)));
      if (Math.max(...behind) <= objectsPassing) await pushRound();
    },
    settledWithin: (withinMs) =>
      allSettled(withinMs).then(
        () => true,
        () => false,
      ),
    checkAll: async (withinMs = 60_000, controllers = "at-work") => {
      await allSettled(withinMs);
      for (const { oracle } of members) await oracle.check(round, controllers);
    },
    stop: async () => {
      await fleet.stop();
      program.remove();
    },
  };
}

/** The version of the desired set that lies on the spoke's disk. */
function versionOnDisk(folder: string): number {
  let text: string;
  try {
    text = readFileSync(join(folder, "desired-set"), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return nothingStored;
    throw error;
  }
  return (JSON.parse(text.slice(text.indexOf("\n") + 1)) as { readonly version: number }).version;
}
