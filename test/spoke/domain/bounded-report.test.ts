import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { reportDigest } from "../../../proto/words/report.ts";
import { spokeMessageFromWire, spokeMessageToWire } from "../../../proto/wire/link.ts";
import { boundedReport, reportBounds } from "../../../spoke/domain/bounded-report.ts";
import { applicationReports } from "../../support/link-arbitraries.ts";

suite("boundedReport", () => {
  test("leaves what is small and whole as it is", () => {
    fc.assert(
      fc.property(applicationReports, (report) => assert.deepEqual(boundedReport(report), report)),
    );
  });

  test("whatever an API server says, the hub accepts it and gets the same digest", () => {
    const odd = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constant("\ud800 half a character"),
      fc.constant("x".repeat(100_000)),
      fc.constant("🛞".repeat(5_000)),
    );
    const law = fc.property(applicationReports, odd, (report, text) => {
      const bounded = boundedReport({
        ...report,
        appliedRevision: text,
        health: { ...report.health, message: text },
        conditions: [{ code: text, message: text }],
        resources: report.resources.map((one) => ({ ...one, message: text, images: [text] })),
      });
      const wire = spokeMessageToWire({
        kind: "report",
        sequence: 1,
        applications: [bounded],
        gone: [],
      });
      const heard = spokeMessageFromWire(wire);
      assert.ok(heard.ok && heard.value?.kind === "report");
      const [received] = heard.value.applications;
      assert.ok(received !== undefined);
      assert.equal(reportDigest(received), reportDigest(bounded));
      assert.ok(bounded.health.message.isWellFormed());
      assert.ok(bounded.health.message.length <= reportBounds.messageCharsMost);
    });
    fc.assert(law);
  });

  test("a bounded report is not bounded further", () => {
    const law = fc.property(applicationReports, (report) => {
      const once = boundedReport({ ...report, appliedRevision: "é".repeat(5_000) });
      assert.deepEqual(boundedReport(once), once);
    });
    fc.assert(law);
  });
});
