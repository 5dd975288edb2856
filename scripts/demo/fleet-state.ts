import type { HubClient } from "../../test/support/hub-client.ts";
import { applicationsPerCluster, type DemoCluster } from "./sample.ts";
import type { ClusterLine } from "./table.ts";

/** What the demo reads from the hub's API. */
type ClusterView = {
  readonly name: string;
  readonly connection: { readonly kind: string };
  readonly applications: {
    readonly total: number;
    readonly sync: { readonly Synced?: number };
    readonly health: { readonly Healthy?: number };
  };
};

/** The clusters as the hub reports them now, in the order they were made. */
export async function readFleet(
  api: HubClient,
  clusters: readonly DemoCluster[],
): Promise<readonly ClusterLine[]> {
  const views = new Map(
    (await api.all<ClusterView>("/v1/clusters")).map((view) => [view.name, view]),
  );
  return clusters.map(({ name, environment }) => {
    const view = views.get(name);
    return {
      name,
      environment,
      attached: view?.connection.kind === "attached",
      applications: Math.max(view?.applications.total ?? 0, applicationsPerCluster[environment]),
      synced: view?.applications.sync.Synced ?? 0,
      healthy: view?.applications.health.Healthy ?? 0,
    };
  });
}

export const isConverged = (fleet: readonly ClusterLine[]): boolean =>
  fleet.length > 0 &&
  fleet.every(
    (line) =>
      line.attached &&
      line.applications > 0 &&
      line.synced === line.applications &&
      line.healthy === line.applications,
  );

/** How many objects the fleet's applications have. */
export async function countObjects(api: HubClient): Promise<number> {
  const applications = await api.all<{ readonly objects: number }>("/v1/applications");
  return applications.reduce((sum, application) => sum + application.objects, 0);
}
