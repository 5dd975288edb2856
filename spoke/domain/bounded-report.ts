import type { ApplicationReport, ResourceReport } from "../../proto/words/report.ts";

/** How much of a report's text travels. The API server's own messages are rarely longer. */
export const reportBounds = {
  messageCharsMost: 4_096,
  wordCharsMost: 1_000,
  imagesMost: 100,
  conditionsMost: 50,
  resourcesMost: 10_000,
  /** Of the messages and images of all resources together, so that any report fits into one message of the link. */
  resourceTextBytesMost: 4 * 1024 * 1024,
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
    resources: boundedResources(report.resources),
  };
}

/** How many bytes a bounded report takes on the link, for the most part: its keys and texts. */
export const bytesOfReport = ({ conditions, resources }: ApplicationReport): number =>
  conditions.reduce((sum, condition) => sum + Buffer.byteLength(condition.message), 0) +
  resources.reduce((sum, resource) => sum + resource.key.length + textBytes(resource), 0);

function boundedResources(resources: readonly ResourceReport[]): readonly ResourceReport[] {
  let bytesLeft: number = reportBounds.resourceTextBytesMost;
  return resources.slice(0, reportBounds.resourcesMost).map((resource) => {
    const bounded = {
      ...resource,
      message: message(resource.message),
      images: resource.images.slice(0, reportBounds.imagesMost).map(word),
    };
    const bytes = textBytes(bounded);
    if (bytes > bytesLeft) return { ...resource, message: "…", images: [] };
    bytesLeft -= bytes;
    return bounded;
  });
}

const textBytes = ({ message: text, images }: ResourceReport): number =>
  images.reduce((sum, image) => sum + Buffer.byteLength(image), Buffer.byteLength(text));

const message = (text: string): string => cut(text, reportBounds.messageCharsMost);
const word = (text: string): string => cut(text, reportBounds.wordCharsMost);

const cut = (text: string, charsMost: number): string =>
  (text.length <= charsMost ? text : `${text.slice(0, charsMost - 1)}…`).toWellFormed();
