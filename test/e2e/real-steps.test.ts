import { onRealClusters } from "./stories/real.ts";
import { tellOfSteps } from "./stories/steps.ts";

tellOfSteps("a set that goes step by step on a real control plane", onRealClusters());
