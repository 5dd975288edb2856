import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { makeObjectKey } from "../../../proto/words/object-key.ts";
import { reportDigest } from "../../../proto/words/report.ts";
import { AttachRequestSchema } from "../../../proto/gen/wheelhouse/v1/link_pb.ts";
import { spokeMessageFromWire, spokeMessageToWire } from "../../../proto/wire/link.ts";
import {
  boundedReport,
  bytesOfReport,
  reportBounds,
} from "../../../spoke/domain/bounded-report.ts";
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

  test("the largest report there is fits into one message of the link", () => {
    const longest = "🛞".repeat(reportBounds.messageCharsMost / 2);
    const name = "n".repeat(253);
    const resources = Array.from({ length: reportBounds.resourcesMost + 1 }, (_, index) => ({
      key: makeObjectKey({
        group: "g".repeat(253),
        kind: "K".repeat(63),
        namespace: "s".repeat(63),
        name: `${index}${name}`.slice(0, 253),
      }),
      version: "v1",
      syncStatus: "OutOfSync" as const,
      health: undefined,
      message: longest,
      images: Array.from({ length: 3 }, () => "i".repeat(reportBounds.wordCharsMost)),
      awaitsPrune: false,
    }));
    const [report] = fc.sample(applicationReports, { numRuns: 1, seed: 1 });
    assert.ok(report !== undefined);
    const bounded = boundedReport({ ...report, resources });
    assert.equal(bounded.resources.length, reportBounds.resourcesMost);
    assert.equal(bounded.resources[0]?.message, longest);
    assert.deepEqual(
      [bounded.resources.at(-1)?.message, bounded.resources.at(-1)?.images],
      ["…", []],
    );
    assert.deepEqual(boundedReport(bounded), bounded);
    const bytes = toBinary(
      AttachRequestSchema,
      spokeMessageToWire({ kind: "report", sequence: 1, applications: [bounded], gone: [] }),
    ).length;
    assert.ok(bytes < 16 * 1024 * 1024, `${bytes} bytes`);
    const counted = bytesOfReport(bounded);
    assert.ok(counted > 0.9 * bytes && counted <= bytes, `${counted} counted of ${bytes}`);
  });

  test("a bounded report is not bounded further", () => {
    const law = fc.property(applicationReports, (report) => {
      const once = boundedReport({ ...report, appliedRevision: "é".repeat(5_000) });
      assert.deepEqual(boundedReport(once), once);
    });
    fc.assert(law);
  });
});
