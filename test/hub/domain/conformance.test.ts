import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import test, { suite } from "node:test";
import { judge, readCorpus } from "./conformance-cases.ts";
import { conformanceExceptions } from "./conformance-exceptions.ts";

const corpus = new URL("../../../../shared/conformance/applicationset/", import.meta.url);

suite("conformance with Argo CD's ApplicationSet engine", () => {
  const absent = existsSync(corpus)
    ? false
    : "the corpus is not here; it belongs in ../shared/conformance/applicationset beside the checkout";

  test(
    "every case passes, is listed as an exception, or waits for a feature",
    { skip: absent },
    (context) => {
      const counts = { passed: 0, listed: 0, failed: 0 };
      const later = new Map<string, number>();
      const failures: string[] = [];
      const unused = new Set(conformanceExceptions.keys());
      for (const name of readdirSync(corpus).filter((file) => file.endsWith(".json"))) {
        const file = readCorpus(readFileSync(new URL(name, corpus), "utf8"));
        for (const one of file.cases) {
          const verdict = judge(one, file.paramSets);
          unused.delete(one.id);
          if (verdict.kind === "later") later.set(one.category, (later.get(one.category) ?? 0) + 1);
          else if (verdict.kind === "passed") counts.passed += 1;
          else if (conformanceExceptions.has(one.id)) counts.listed += 1;
          else {
            counts.failed += 1;
            failures.push(`${one.id}: ${verdict.difference}`);
          }
        }
      }
      const waiting = [...later.values()].reduce((total, count) => total + count, 0);
      context.diagnostic(
        `conformance: ${counts.passed} passed, ${counts.listed} listed, ${counts.failed} failed, ${waiting} later`,
      );
      for (const [category, count] of later) context.diagnostic(`later: ${category} ${count}`);
      assert.deepEqual(failures, []);
      assert.deepEqual([...unused], [], "exceptions for cases that are not there, or that pass");
    },
  );
});
