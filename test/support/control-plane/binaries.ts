import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { toolSets, toolsFolder, type ToolName } from "../../tools/sets.ts";

/** Where the programs of a real cluster, and the oracles, are on this machine. */

const controlPlaneTools: readonly ToolName[] = ["kube-apiserver", "etcd"];
const workloadTools: readonly ToolName[] = ["kube-controller-manager", "kube-scheduler", "kwok"];

/** `undefined` when a control plane with workloads can run here; otherwise what to do about it, in words. */
export function whyNoControlPlane(
  needed: readonly ToolName[] = [...controlPlaneTools, ...workloadTools],
): string | undefined {
  const missing = needed.filter((tool) => findTool(tool) === undefined);
  return missing.length === 0
    ? undefined
    : `needs ${missing.join(", ")}: run "npm run tools" (Go 1.26 or newer, about ten minutes, once), or point KUBEBUILDER_ASSETS at a folder with them`;
}

/** `undefined` when the program is here; otherwise what to do about it, in words. */
export const whyNoTool = (name: ToolName): string | undefined => whyNoControlPlane([name]);

/** The program's path. Throws when there is none: ask `whyNoTool` first. */
export function toolPath(name: ToolName): string {
  const found = findTool(name);
  if (found === undefined) throw new Error(whyNoTool(name));
  return found;
}

/** A kubectl, helm or kustomize on the PATH may be of any age, and would judge what only recent ones can. */
const takenFromPath: readonly ToolName[] = [...controlPlaneTools, ...workloadTools];

/** The folder the user points at wins, then what `npm run tools` built, then the PATH. */
function findTool(name: ToolName): string | undefined {
  const set = toolSets.find(({ tools }) => tools.some((tool) => tool.name === name));
  if (set === undefined) throw new Error(`no tool set builds ${name}`);
  const folders = [
    process.env["KUBEBUILDER_ASSETS"] ?? "",
    join(toolsFolder, set.folder),
    ...(takenFromPath.includes(name) ? (process.env["PATH"] ?? "").split(delimiter) : []),
  ];
  return folders
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}
