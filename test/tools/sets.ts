import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The programs built from the Go modules beside this file: what a real cluster is made of, and the oracles. */

export type ToolName =
  | "etcd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kubectl"
  | "kwok"
  | "helm"
  | "kustomize"
  | "go-templates";

export type ToolSet = {
  /** Also the folder of its `go.mod`. */
  readonly name: "etcd" | "kubernetes" | "kwok" | "helm" | "kustomize" | "templates";
  /** As in its `go.mod`; the build checks that they agree. */
  readonly version: string;
  readonly module: string;
  /** Below `toolsFolder`; named after the version, so that a new version is a new folder. */
  readonly folder: string;
  readonly tools: readonly { readonly name: ToolName; readonly package: string }[];
  /** The variable a release build writes its version into, where a program tells it to others. */
  readonly versionVariable?: string;
};

/** Ignored by Git; binaries stay until the folder is deleted. */
export const toolsFolder = join(import.meta.dirname, "../../.cache/tools");

function set(
  name: ToolSet["name"],
  module: string,
  version: string,
  tools: Readonly<Partial<Record<ToolName, string>>>,
): ToolSet {
  return {
    name,
    version,
    module,
    folder: `${name}-${version}`,
    tools: Object.entries(tools).map(([tool, path]) => ({
      name: tool as ToolName,
      // A path below the module, or a package of our own beside the go.mod.
      package: path.startsWith(".") ? path : `${module}${path}`,
    })),
  };
}

/** Our own program: a change to it is another folder, as another version of the others is. */
function templatesSet(): ToolSet {
  const source = readFileSync(join(import.meta.dirname, "templates/main.go"));
  const digest = createHash("sha256").update(source).digest("hex").slice(0, 8);
  const made = set("templates", "github.com/Masterminds/sprig/v3", "v3.3.0", {
    "go-templates": ".",
  });
  return { ...made, folder: `${made.folder}-${digest}` };
}

/** In the order they are built: what the first suites need comes first. */
export const toolSets: readonly ToolSet[] = [
  set("etcd", "go.etcd.io/etcd/server/v3", "v3.7.3", { etcd: "" }),
  {
    ...set("kubernetes", "k8s.io/kubernetes", "v1.36.3", {
      "kube-apiserver": "/cmd/kube-apiserver",
      "kube-controller-manager": "/cmd/kube-controller-manager",
      "kube-scheduler": "/cmd/kube-scheduler",
      kubectl: "/cmd/kubectl",
    }),
    versionVariable: "k8s.io/component-base/version.gitVersion",
  },
  set("kwok", "sigs.k8s.io/kwok", "v0.8.0", { kwok: "/cmd/kwok" }),
  templatesSet(),
  set("helm", "helm.sh/helm/v4", "v4.3.1", { helm: "/cmd/helm" }),
  set("kustomize", "sigs.k8s.io/kustomize/kustomize/v5", "v5.8.2", { kustomize: "" }),
];
