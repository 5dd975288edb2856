import { Bell } from "../../proto/kit/bell.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import { unlessAborted } from "../../proto/kit/unless-aborted.ts";
import type { ClusterId } from "../../proto/words/ids.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import type { ApplicationReport } from "../../proto/words/report.ts";

export type ReportBatch = {
  readonly cluster: ClusterId;
  readonly applications: readonly ApplicationReport[];
  readonly gone: readonly ApplicationName[];
};

export type ReportInboxNeeds = {
  /** One transaction; durable when it resolves. */
  readonly record: (
    batch: readonly ReportBatch[],
    atMs: number,
    signal: AbortSignal,
  ) => Promise<unknown>;
  readonly clock: Clock;
};

export type ReportInbox = {
  /** Resolves once the report is on disk. Rejects when it could not be written; others are not affected. */
  readonly add: (report: ReportBatch, signal: AbortSignal) => Promise<void>;
  /** Writes what comes in, many reports to a commit, until aborted. */
  readonly run: (signal: AbortSignal) => Promise<never>;
};

type Waiting = { readonly report: ReportBatch; readonly written: PromiseWithResolvers<void> };

/**
 * Gathers the reports of all sessions into few commits: a commit costs a disk's round trip whether it
 * holds one row or five hundred.
 *
 * Memory is bounded by the sessions, since each waits for its report before it reads the next.
 */
export function createReportInbox(
  needs: ReportInboxNeeds,
  settings: { readonly rowsEnough: number; readonly waitMs: number } = {
    rowsEnough: 500,
    waitMs: 10,
  },
): ReportInbox {
  let waiting: Waiting[] = [];
  const arrived = new Bell();

  async function write(batch: readonly Waiting[], signal: AbortSignal): Promise<void> {
    try {
      await needs.record(
        batch.map(({ report }) => report),
        needs.clock.nowMs(),
        signal,
      );
      for (const { written } of batch) written.resolve();
    } catch (error) {
      if (batch.length === 1) {
        for (const { written } of batch) written.reject(error);
        return;
      }
      // One report that cannot be written must not cost the others theirs.
      for (const one of batch) await write([one], signal);
    }
  }

  return {
    async add(report, signal) {
      const written = Promise.withResolvers<void>();
      // Nobody may be listening any more when it is settled.
      written.promise.catch(() => {});
      waiting.push({ report, written });
      arrived.ring();
      await unlessAborted(written.promise, signal);
    },
    async run(signal) {
      try {
        for (;;) {
          await arrived.wait(signal);
          if (rowsOf(waiting) < settings.rowsEnough)
            await needs.clock.sleep(settings.waitMs, signal);
          const batch = waiting;
          waiting = [];
          if (batch.length > 0) await write(batch, signal);
        }
      } finally {
        for (const { written } of waiting) written.reject(signal.reason);
        waiting = [];
      }
    },
  };
}

const rowsOf = (waiting: readonly Waiting[]): number => {
  let rows = 0;
  for (const { report } of waiting) {
    rows += report.gone.length;
    for (const application of report.applications) rows += 1 + application.resources.length;
  }
  return rows;
};
