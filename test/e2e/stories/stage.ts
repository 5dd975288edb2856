import { startFleet, type Fleet, type FleetCluster, type FleetPlan } from "../../support/fleet.ts";
import type { KubeClient } from "../../support/kube-client.ts";

/**
 * Where a story is told: on simulated clusters unless it says how to open others. The text of a story is the
 * same everywhere.
 */
export type Stage = {
  /** Of the story's suite: whether it can be told here at all. */
  readonly options?: { readonly skip: string | false };
  readonly openCluster?: (name: string) => Promise<FleetCluster>;
  /** Its scheduler minds where pods want to be, and nobody brings addresses and volumes unasked. */
  readonly isReal?: boolean;
};

export type StoryPlan = Omit<FleetPlan, "openCluster"> & {
  /** Clusters that join while the story is told. */
  readonly latecomers?: readonly string[];
};

export type Story = { readonly fleet: Fleet; readonly end: () => Promise<void> };

/** Opens a story of one cluster, `one`, which has no applications yet: each test brings its own. */
export async function openOneCluster(stage: Stage): Promise<Story & { readonly kube: KubeClient }> {
  const story = await openStory(stage, {
    clusters: { one: {} },
    files: { "fleet/readme.txt": "applications come with their stories" },
  });
  return { ...story, kube: story.fleet.member("one").kube };
}

/** Opens all clusters of a story side by side, and starts its fleet on them. */
export async function openStory({ openCluster }: Stage, plan: StoryPlan): Promise<Story> {
  const { latecomers = [], ...fleetPlan } = plan;
  if (openCluster === undefined) {
    const fleet = await startFleet(fleetPlan);
    return { fleet, end: fleet.stop };
  }
  const names = [...Object.keys(plan.clusters), ...latecomers];
  const opening = new Map(names.map((name) => [name, openCluster(name)]));
  const closeAll = async (): Promise<void> => {
    const opened = await Promise.allSettled(opening.values());
    await Promise.all(
      opened.flatMap((cluster) => (cluster.status === "fulfilled" ? [cluster.value.stop()] : [])),
    );
  };
  try {
    await Promise.all(opening.values());
    const fleet = await startFleet({
      ...fleetPlan,
      openCluster: async (name) => {
        const cluster = opening.get(name);
        if (cluster === undefined) throw new Error(`the story has no cluster ${name}`);
        return await cluster;
      },
    });
    return {
      fleet,
      end: async () => {
        await fleet.stop();
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
