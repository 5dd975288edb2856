import type { ApplicationName, ClusterName } from "../../proto/words/ids.ts";
import type { ResourceReport } from "../../proto/words/report.ts";

/** One object somewhere in the fleet. */
export type FleetResource = {
  readonly cluster: ClusterName;
  readonly application: ApplicationName;
  readonly resource: ResourceReport;
};
