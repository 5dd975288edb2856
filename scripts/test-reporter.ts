import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { TestEvent } from "node:test/reporters";
import { inspect } from "node:util";

export type TestSummary = {
  readonly passed: number;
  readonly failed: number;
  readonly skips: readonly { readonly name: string; readonly reason: string }[];
  readonly failures: readonly string[];
};

/** Prints a line per file and every failure in full; leaves the counts in the file named by the environment. */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0;
  const skips: { name: string; reason: string }[] = [];
  const failures: string[] = [];
  const perFile = new Map<string, { count: number; ms: number }>();
  for await (const event of events) {
    switch (event.type) {
      case "test:pass":
      case "test:fail": {
        const { data } = event;
        const isSkipped = data.skip !== undefined && data.skip !== false;
        // A suite that is passed over counts as one: its tests never come into being.
        if (isSkipped)
          skips.push({
            name: data.name,
            reason: data.skip === true ? "no reason given" : String(data.skip),
          });
        if (data.details.type === "suite") {
          // A suite that fails only repeats its tests' failures, unless one of its hooks broke.
          if (event.type === "test:pass" || !isHookFailure(event.data.details.error)) break;
        }
        const file = data.file === undefined ? "" : relative(process.cwd(), data.file);
        const seen = perFile.get(file) ?? { count: 0, ms: 0 };
        if (data.nesting === 0) seen.ms += data.details.duration_ms;
        seen.count += 1;
        perFile.set(file, seen);
        if (isSkipped) break;
        if (event.type === "test:pass") {
          passed += 1;
        } else {
          failures.push(`${file}: ${data.name}`);
          yield `\n✖ ${file}: ${data.name}\n${describeFailure(event.data.details.error)}\n`;
        }
        break;
      }
      case "test:stdout":
      case "test:stderr":
        yield event.data.message;
        break;
      default:
        break;
    }
  }
  for (const file of [...perFile.keys()].toSorted())
    yield `${file}: ${perFile.get(file)?.count ?? 0}\n`;
  const summary: TestSummary = { passed, failed: failures.length, skips, failures };
  const target = process.env["WHEELHOUSE_TEST_SUMMARY"];
  if (target !== undefined) writeFileSync(target, JSON.stringify(summary));
}

const isHookFailure = (error: unknown): boolean =>
  typeof error === "object" &&
  error !== null &&
  "failureType" in error &&
  error.failureType === "hookFailed";

function describeFailure(error: Error): string {
  // The runner wraps what was thrown; the cause is the failure itself.
  const inner: unknown = error.cause ?? error;
  return inspect(inner, { depth: 6 });
}
