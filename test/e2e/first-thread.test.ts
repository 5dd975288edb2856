import { tellFirstThread } from "./stories/first-thread.ts";

tellFirstThread("the first thread", { dev: ["dev-1", "dev-2"], latecomer: "dev-3" });
