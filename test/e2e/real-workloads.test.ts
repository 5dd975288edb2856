import { onRealClusters } from "./stories/real.ts";
import { tellOfWorkloads } from "./stories/workloads.ts";

tellOfWorkloads("workloads on a real control plane", onRealClusters());
