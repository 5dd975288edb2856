import { tellOfSteps } from "./stories/steps.ts";

tellOfSteps("a set that goes step by step");
