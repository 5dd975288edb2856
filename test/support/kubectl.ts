import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { toolPath } from "./control-plane/binaries.ts";

/** Runs the real kubectl with `input` on its standard input. Throws with what it said on standard error. */
export async function kubectl(
  kubeconfigFile: string,
  words: readonly string[],
  input = "",
): Promise<string> {
  const ran = promisify(execFile)(toolPath("kubectl"), words, {
    maxBuffer: 16 * 1024 * 1024,
    // Nothing of this machine's configuration; discovery is asked each time, since the cluster changes.
    env: {
      PATH: process.env["PATH"],
      HOME: "/nonexistent",
      KUBECONFIG: kubeconfigFile,
      KUBECACHEDIR: `${kubeconfigFile}-cache`,
    },
  });
  ran.child.stdin?.end(input);
  const { stdout } = await ran;
  return stdout;
}
