import { onRealClusters } from "./stories/real.ts";
import { tellOfOwnership } from "./stories/ownership.ts";

tellOfOwnership("ownership on a real control plane", onRealClusters());
