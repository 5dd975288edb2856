import type { ApplicationReport } from "../../proto/words/report.ts";

/** How much of a report's text travels. The API server's own messages are rarely longer. */
export const reportBounds = {
  messageCharsMost: 4_096,
  wordCharsMost: 1_000,
  imagesMost: 100,
  conditionsMost: 50,
  resourcesMost: 10_000,
} as const;

/**
 * The report as it may travel and be compared: long texts cut, and no half characters, which would change
 * on the way and make both sides believe for ever that they hold different reports.
 */
export function boundedReport(report: ApplicationReport): ApplicationReport {
  return {
    ...report,
    appliedRevision: word(report.appliedRevision),
    health: { ...report.health, message: message(report.health.message) },
    operation:
      report.operation === undefined
        ? undefined
        : { ...report.operation, message: message(report.operation.message) },
    conditions: report.conditions
      .slice(0, reportBounds.conditionsMost)
      .map((condition) => ({ code: word(condition.code), message: message(condition.message) })),
    resources: report.resources.slice(0, reportBounds.resourcesMost).map((resource) => ({
      ...resource,
      message: message(resource.message),
      images: resource.images.slice(0, reportBounds.imagesMost).map(word),
    })),
  };
}

const message = (text: string): string => cut(text, reportBounds.messageCharsMost);
const word = (text: string): string => cut(text, reportBounds.wordCharsMost);

const cut = (text: string, charsMost: number): string =>
  (text.length <= charsMost ? text : `${text.slice(0, charsMost - 1)}…`).toWellFormed();
