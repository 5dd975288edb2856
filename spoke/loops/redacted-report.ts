import { redact } from "../../proto/kit/redact.ts";
import type { ApplicationReport } from "../../proto/words/report.ts";

/**
 * The report as it may leave the cluster: sentences quote API servers, and those quote what they were sent.
 *
 * Values of Secrets never get this far; this is for a token in a URL, or a key that somebody put in a ConfigMap.
 */
export const redactedReport = (report: ApplicationReport): ApplicationReport => ({
  ...report,
  health: { ...report.health, message: redact(report.health.message) },
  operation: report.operation && {
    ...report.operation,
    message: redact(report.operation.message),
  },
  conditions: report.conditions.map(({ code, message }) => ({ code, message: redact(message) })),
  resources: report.resources.map((resource) => ({
    ...resource,
    message: redact(resource.message),
  })),
});
