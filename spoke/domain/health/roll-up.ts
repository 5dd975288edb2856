import { worstHealth, type HealthState } from "../../../proto/words/health.ts";

/** One object as far as the health of its application is concerned. */
export type RolledUp = {
  readonly group: string;
  readonly kind: string;
  /** `undefined` for kinds without a health check. */
  readonly health: HealthState | undefined;
  readonly isLive: boolean;
  readonly annotations: Readonly<Record<string, string>>;
};

/**
 * Health of an application: its worst object.
 *
 * Objects that are not there do not count, since being out of sync says it already, unless none is there
 * at all: then the application is Missing. Hooks, objects that ask to be left out, and applications inside
 * the application that are not there yet do not count either.
 */
export function rollUpHealth(objects: readonly RolledUp[]): HealthState {
  if (objects.length > 0 && objects.every((object) => !object.isLive)) return "Missing";
  return worstHealth(objects.filter(counts).flatMap(({ health }) => health ?? []));
}

function counts({ group, kind, health, isLive, annotations }: RolledUp): boolean {
  if (!isLive) return false;
  if (annotations["argocd.argoproj.io/ignore-healthcheck"] === "true") return false;
  if ("argocd.argoproj.io/hook" in annotations || "helm.sh/hook" in annotations) return false;
  const isChild = group === "argoproj.io" && kind === "Application";
  return !(isChild && (health === "Missing" || health === "Unknown"));
}
