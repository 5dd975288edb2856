import { fail, ok, type Result } from "../../proto/kit/result.ts";
import type { ServiceAccount } from "../../proto/words/service-account.ts";
import { defaultProject, projectAllows, type AppProject } from "./app-project.ts";
import type { Application } from "./application.ts";
import { serviceAccountFor } from "./destination-service-account.ts";
import type { ClusterFact } from "./facts.ts";
import { codes, problem, type ProblemDraft } from "./problem.ts";
import { withoutTrailingSlashes } from "./trailing-slashes.ts";

/** Where an application may go. */
export type Admitted = {
  readonly cluster: ClusterFact;
  /** Whose rights it gets there; `undefined`: the spoke's own. */
  readonly serviceAccount: ServiceAccount | undefined;
};

/** A question that is asked of many applications: where may this one go? */
export type Admission = (application: Application) => Result<Admitted, ProblemDraft>;

/** Prepares `admit` for many applications of one fleet. */
export function admission(
  clusters: readonly ClusterFact[],
  projects: ReadonlyMap<string, AppProject>,
): Admission {
  const byName = new Map<string, ClusterFact>(clusters.map((cluster) => [cluster.name, cluster]));
  const byServer = new Map(
    clusters.map((cluster) => [withoutTrailingSlashes(cluster.server), cluster]),
  );
  return (application) => {
    if (application.problem !== undefined) return fail(application.problem);
    const { name, server } = application.destination;
    const cluster = name === "" ? byServer.get(withoutTrailingSlashes(server)) : byName.get(name);
    if (cluster === undefined) return fail(unknownCluster(name, server));
    const project =
      projects.get(application.project) ??
      (application.project === defaultProject.name ? defaultProject : undefined);
    if (project === undefined)
      return fail(
        problem(
          codes.unknownProject,
          `application references project ${application.project} which does not exist`,
        ),
      );
    const allowed = projectAllows(project, application, cluster);
    if (!allowed.ok) return allowed;
    const { namespace } = application.destination;
    const account = serviceAccountFor(project, { server: cluster.server, namespace });
    return account.ok ? ok({ cluster, serviceAccount: account.value }) : account;
  };
}

/** Where an application goes, or why it cannot be offered: ask before rendering, `planOrigin` asks again. */
export const admit = (
  application: Application,
  clusters: readonly ClusterFact[],
  projects: ReadonlyMap<string, AppProject>,
): Result<Admitted, ProblemDraft> => admission(clusters, projects)(application);

const unknownCluster = (name: string, server: string): ProblemDraft =>
  problem(
    codes.unknownCluster,
    `application destination spec is invalid: ${
      name === ""
        ? `there are no clusters with this server: ${server}`
        : `there are no clusters with this name: ${name}`
    }`,
  );
