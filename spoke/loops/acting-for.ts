import type { ClusterApi } from "../domain/cluster.ts";
import type { ApplicationWork } from "./application-work.ts";

/** The cluster with the rights an application is looked after with, or removed with. */
export function actingFor(work: ApplicationWork, cluster: ClusterApi): ClusterApi {
  const account = (work.tombstone ?? work.desired)?.serviceAccount;
  return account === undefined ? cluster : cluster.as(account);
}
