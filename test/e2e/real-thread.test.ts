import { tellFirstThread } from "./stories/first-thread.ts";
import { onRealClusters } from "./stories/real.ts";

tellFirstThread(
  "the first thread on real control planes",
  { dev: ["dev-1"], latecomer: "dev-2" },
  onRealClusters(),
);
