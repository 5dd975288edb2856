import { addCluster, breakDeployment } from "./pokes.ts";
import { demoUsage, readDemoOptions } from "./options.ts";
import { runSpokes } from "./spokes.ts";
import { runFleet } from "./up.ts";

/** `wheelhouse demo`: starts the demo, or pokes at the one that runs. Returns the exit code. */
export async function runDemo(words: readonly string[]): Promise<number> {
  const [verb, ...rest] = words;
  switch (verb) {
    case "break":
      return breakDeployment(rest);
    case "add-cluster":
      return addCluster(rest);
    // Not for people: how the demo runs many spokes in few processes.
    case "spokes":
      return runSpokes(rest[0] ?? "");
    case "--help":
    case "-h":
      console.log(demoUsage);
      return 0;
    default: {
      const options = readDemoOptions(words);
      if (options.ok) return runFleet(options.value);
      for (const problem of options.problem) console.error(`demo: ${problem}`);
      console.error(demoUsage);
      return 2;
    }
  }
}
