import { tellOfWorkloads } from "./stories/workloads.ts";

tellOfWorkloads("workloads");
