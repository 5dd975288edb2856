import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { jsonLog } from "../../spoke/log.ts";

suite("jsonLog", () => {
  test("a line is JSON with time, level, event and all fields, own ones over bound ones", () => {
    const lines: string[] = [];
    const log = jsonLog(
      (line) => lines.push(line),
      () => 0,
      "info",
    ).with({ cluster: "a", n: 1 });
    log.info("generation applied", { n: 2, note: 'two\nlines "quoted"' });
    assert.deepEqual(lines, [
      '{"time":"1970-01-01T00:00:00.000Z","level":"info","event":"generation applied","cluster":"a","n":2,"note":"two\\nlines \\"quoted\\""}',
    ]);
  });

  test("lines below the level are not made", () => {
    const lines: string[] = [];
    const log = jsonLog(
      (line) => lines.push(line),
      () => 0,
      "warn",
    );
    log.debug("a");
    log.info("b");
    log.with({ x: 1 }).info("c");
    log.warn("d");
    log.error("e");
    assert.deepEqual(
      lines.map((line) => String(JSON.parse(line).event)),
      ["d", "e"],
    );
  });

  test("no field poses as the event or the level", () => {
    const lines: string[] = [];
    jsonLog(
      (line) => lines.push(line),
      () => 0,
      "info",
    ).info("true", { event: "false", level: "x" });
    assert.deepEqual(JSON.parse(lines[0] ?? ""), {
      time: "1970-01-01T00:00:00.000Z",
      level: "info",
      event: "true",
    });
  });

  test("fields named like credentials are masked", () => {
    const lines: string[] = [];
    jsonLog(
      (line) => lines.push(line),
      () => 0,
      "info",
    ).info("joined", {
      joinToken: "whj_abc",
      privateKeyPem: "PEM",
      tokens: 3,
    });
    assert.match(
      lines[0] ?? "",
      /"joinToken":"\(masked\)","privateKeyPem":"\(masked\)","tokens":3/,
    );
  });
});
