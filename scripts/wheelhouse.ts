/**
 * The `wheelhouse` command: picks which program to be by the first word. The hub, the spoke and the demo are
 * loaded only when asked for, so a spoke never carries the hub's memory.
 */

import { becomeLean } from "./lean.ts";

const [program, ...rest] = process.argv.slice(2);
const code = await run();
// A program that has ended must not be kept alive by what it left open. The command line may still be writing.
if (program === "hub" || program === "spoke" || program === "demo") process.exit(code);
process.exitCode = code;

async function run(): Promise<number> {
  switch (program) {
    case "hub":
      return (await import("../hub/main.ts")).runHub(rest);
    case "spoke":
      // From the sources, where types are stripped in memory, nothing would be gained.
      if (!import.meta.filename.endsWith(".ts")) becomeLean();
      return (await import("../spoke/main.ts")).runSpoke(rest);
    case "demo":
      return (await import("./demo/command.ts")).runDemo(rest);
    default:
      return (await import("../hub/cli/main.ts")).runCli(process.argv.slice(2));
  }
}
