import { z } from "@hono/zod-openapi";
import type { ApplicationRecord, ApplicationSetRecord } from "../domain/records.ts";
import { rolloutStates, type RolloutStatus } from "../domain/rollout/rollout.ts";
import {
  setConditionReasons,
  setConditionTypes,
  setHealth,
  setResources,
  setResourcesMost,
} from "../domain/set-status.ts";
import { redact } from "../../proto/kit/redact.ts";

const HealthText = z.enum([
  "Healthy",
  "Progressing",
  "Degraded",
  "Suspended",
  "Missing",
  "Unknown",
]);

/** What a set says of itself, in Argo CD's words. */
export const SetStatusSchema = z
  .object({
    health: HealthText,
    conditions: z
      .array(
        z.object({
          type: z.enum(setConditionTypes),
          status: z.enum(["True", "False"]),
          reason: z.enum(setConditionReasons),
          message: z.string().openapi({ description: "of a problem, its code comes first" }),
          lastTransitionTime: z
            .string()
            .datetime()
            .openapi({ description: "when its status became what it is" }),
        }),
      )
      .readonly(),
    resourcesCount: z.number().int().openapi({ description: "all of its applications" }),
    resources: z
      .array(z.object({ name: z.string(), status: z.string(), health: HealthText }))
      .readonly()
      .openapi({ description: "those of this page" }),
    applicationStatus: z
      .array(
        z.object({
          application: z.string(),
          status: z.enum(rolloutStates),
          step: z.number().int().openapi({ description: "from 1; -1 for no step" }),
          message: z.string(),
          targetRevisions: z.array(z.string()).readonly(),
          sinceAtMs: z.number().int().optional(),
        }),
      )
      .readonly()
      .openapi({ description: "how far its rollout is; empty without one" }),
  })
  .openapi("ApplicationSetStatus");

export function setStatusView(
  set: ApplicationSetRecord,
  statuses: readonly RolloutStatus[],
  applications: readonly ApplicationRecord[],
): z.infer<typeof SetStatusSchema> {
  return {
    health: setHealth(set.conditions),
    conditions: set.conditions.map(({ sinceMs, message, ...found }) => ({
      ...found,
      message: redact(message),
      lastTransitionTime: new Date(sinceMs).toISOString(),
    })),
    resourcesCount: set.applications.total,
    resources: setResources(
      applications.map(({ name, status: { syncStatus, health } }) => ({
        name,
        status: syncStatus,
        health,
      })),
      setResourcesMost,
    ).map(({ health, ...resource }) => ({ ...resource, health: health.state })),
    applicationStatus: statuses.map(({ sinceMs, ...status }) => ({
      ...status,
      ...(sinceMs === undefined ? {} : { sinceAtMs: sinceMs }),
    })),
  };
}
