import type { Health, HealthState } from "../../../proto/words/health.ts";

/** A health and, where it depends on how long something has lasted, the moment it may change by itself. */
export type Assessment = Health & { readonly reviewAtMs?: number };

const as =
  (state: HealthState) =>
  (message = ""): Assessment => ({ state, message });

export const healthy = as("Healthy");
export const progressing = as("Progressing");
export const degraded = as("Degraded");
export const suspended = as("Suspended");
export const unknown = as("Unknown");
