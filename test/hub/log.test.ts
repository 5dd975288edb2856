import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { jsonLog } from "../../hub/log.ts";

suite("jsonLog", () => {
  const lines: string[] = [];
  const log = jsonLog({ level: "info", destination: { write: (line) => void lines.push(line) } });
  const last = (): Record<string, unknown> =>
    JSON.parse(lines.at(-1) ?? "{}") as Record<string, unknown>;

  test("a line is one JSON object: level, time, event, and the fields of the log and the line", () => {
    log.with({ cluster: "eu-1" }).info("generation applied", { generation: 3 });
    const { time, ...rest } = last();
    assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.deepEqual(rest, {
      level: "info",
      event: "generation applied",
      cluster: "eu-1",
      generation: 3,
    });
  });

  test("text from outside cannot begin a line of its own", () => {
    log.warn("repository check failed", { problem: 'x\n{"level":"error"}\u2028' });
    assert.equal(lines.at(-1)?.trimEnd().includes("\n"), false);
    assert.equal(last()["problem"], 'x\n{"level":"error"}\u2028');
  });

  test("says nothing below its level", () => {
    const before = lines.length;
    log.debug("plan made");
    assert.equal(lines.length, before);
  });
});
