import type { KubeObject } from "./kube-object.ts";

/** What an object says about its own synchronisation, in Argo CD's and Helm's annotations. */
export type SyncOptions = {
  readonly syncWave: number;
  readonly prune: "unsaid" | "yes" | "no" | "confirm";
  /** False: the object stays when its whole application is removed. */
  readonly deleteWithApplication: boolean;
  /** Left out of the roll-up of health. */
  readonly ignoreHealth: boolean;
  readonly adopt: AdoptPolicy;
};

/** Whether an object that is in the cluster already, and nobody of ours made, may become ours. */
export type AdoptPolicy = "always" | "if-equal" | "never";

/** On a manifest: what to do when somebody else made its object. `if-equal` where it says nothing. */
const adoptAnnotation = "wheelhouse.dev/adopt";

export function syncOptionsOf(object: KubeObject): SyncOptions {
  const annotations = object.metadata.annotations ?? {};
  const options = new Set(
    (annotations["argocd.argoproj.io/sync-options"] ?? "").split(",").map((text) => text.trim()),
  );
  const keep = annotations["helm.sh/resource-policy"] === "keep";
  return {
    syncWave:
      wholeNumber(annotations["argocd.argoproj.io/sync-wave"]) ??
      wholeNumber(annotations["helm.sh/hook-weight"]) ??
      0,
    prune: pruneOption(options, keep),
    deleteWithApplication: !(keep || options.has("Delete=false")),
    ignoreHealth: annotations["argocd.argoproj.io/ignore-healthcheck"] === "true",
    adopt: adoptPolicy(annotations[adoptAnnotation]),
  };
}

/** A word that is none of ours gives no leave to take over anything. */
function adoptPolicy(text: string | undefined): AdoptPolicy {
  if (text === undefined) return "if-equal";
  return text === "always" || text === "if-equal" ? text : "never";
}

function pruneOption(options: ReadonlySet<string>, keep: boolean): SyncOptions["prune"] {
  if (keep || options.has("Prune=false")) return "no";
  if (options.has("Prune=confirm")) return "confirm";
  return options.has("Prune=true") ? "yes" : "unsaid";
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^[+-]?\d+$/.test(text.trim()) ? Number(text) : undefined;
}
