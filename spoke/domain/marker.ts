import { parseApplicationName, type ApplicationName } from "../../proto/words/ids.ts";
import type { ObjectKey } from "../../proto/words/object-key.ts";
import { trackingAnnotation } from "./cluster.ts";
import { keyOfObject, type KubeObject } from "./kube-object.ts";

/** Which hub's application an object says it belongs to. */
export type Marker = {
  readonly hubId: string;
  /** `undefined`: what it names can be no application. */
  readonly application: ApplicationName | undefined;
};

export const markerText = (hubId: string, application: string, key: ObjectKey): string =>
  `${hubId}/${application}/${key}`;

/**
 * The marker of a live object; `undefined` when it has none of its own.
 *
 * Operators copy labels and annotations onto the objects they make. A marker counts only where it names
 * the very object it is on.
 */
export function markerOf(object: KubeObject): Marker | undefined {
  const text = object.metadata.annotations?.[trackingAnnotation] ?? "";
  const hubEnd = text.indexOf("/");
  const applicationEnd = text.indexOf("/", hubEnd + 1);
  if (hubEnd < 1 || applicationEnd < hubEnd + 2) return undefined;
  if (text.slice(applicationEnd + 1) !== keyOfObject(object)) return undefined;
  const application = parseApplicationName(text.slice(hubEnd + 1, applicationEnd));
  return {
    hubId: text.slice(0, hubEnd),
    application: application.ok ? application.value : undefined,
  };
}

const toolMarks: readonly (readonly [tool: string, key: string])[] = [
  ["Argo CD", "argocd.argoproj.io/tracking-id"],
  ["Argo CD", "argocd.argoproj.io/instance"],
  ["Flux", "kustomize.toolkit.fluxcd.io/name"],
  ["Flux", "helm.toolkit.fluxcd.io/name"],
  ["Helm", "meta.helm.sh/release-name"],
  ["kubectl apply --applyset", "applyset.kubernetes.io/part-of"],
];

/** The other tool that says it manages this object, by name. */
export function otherToolOf(object: KubeObject): string | undefined {
  const { labels = {}, annotations = {} } = object.metadata;
  return toolMarks.find(([, key]) => key in labels || key in annotations)?.[0];
}
