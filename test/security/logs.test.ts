import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { jsonLog as hubLog } from "../../hub/log.ts";
import type { Log } from "../../proto/kit/log.ts";
import { jsonLog as spokeLog } from "../../spoke/log.ts";

/** Both logs, with the lines they wrote. */
function logs(): readonly { readonly name: string; readonly log: Log; readonly lines: string[] }[] {
  const hub: string[] = [];
  const spoke: string[] = [];
  return [
    {
      name: "hub",
      log: hubLog({ level: "debug", destination: { write: (line) => void hub.push(line) } }),
      lines: hub,
    },
    {
      name: "spoke",
      log: spokeLog(
        (line) => spoke.push(`${line}\n`),
        () => 0,
        "debug",
      ),
      lines: spoke,
    },
  ];
}

const hostile = [
  'x\n{"level":"error","event":"forged"}',
  "x\r\nforged",
  "x\u2028forged\u2029forged\u0085forged",
  "\u001b]0;owned\u0007\u001b[2J",
  "\u009b31m\u202e\u2066",
  "\u0000\u0007\u0008",
  '","event":"forged',
  "\ud800 half a letter",
];

suite("logs", () => {
  for (const { name, log, lines } of logs()) {
    test(`${name}: whatever a field holds, a line is one JSON object of printable letters`, () => {
      for (const text of hostile) {
        lines.length = 0;
        log
          .with({ bound: text, [text]: "as a name" })
          .warn("call failed", { problem: text, event: text });
        assert.equal(lines.length, 1);
        const line = (lines[0] ?? "").replace(/\n$/, "");
        assert.match(line, /^\{[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*\}$/);
        const parsed = JSON.parse(line) as Record<string, unknown>;
        assert.equal(parsed["problem"], text.toWellFormed() === text ? text : parsed["problem"]);
        assert.equal(parsed["level"], "warn");
      }
    });

    test(`${name}: no secret is written, by name or by shape, bound or said`, () => {
      const secret = "s".repeat(26) + "2".repeat(26);
      lines.length = 0;
      const shapes = {
        problem: `refused wht_aaaaaaaa_${secret}`,
        url: `https://user:${secret}@git.example/x`,
        cause: `header Bearer ${secret}`,
        password: secret,
        stack: `Error\n  at https://x.example/?token=${secret}`,
      };
      log.error("call failed", shapes);
      log.with(shapes).info("call begun");
      assert.equal(lines.length, 2);
      for (const line of lines) assert.ok(!line.includes(secret), line);
    });
  }
});
