import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { exitCodes } from "../../hub/cli/exit-codes.ts";
import { runWith } from "../hub/cli/fixture.ts";
import { readPage } from "./pages.ts";

const document = readPage("docs/cli.md");

suite("docs/cli.md", () => {
  test("has every exit code, and no other", () => {
    const written = [...document.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    assert.deepEqual(written, Object.values(exitCodes));
  });

  test("has every command that --help has", async () => {
    const { stdout } = await runWith(["--help"], {}, {});
    const commands = [...stdout.matchAll(/^ {2}([a-z]+)(?: \[| <| {2})/gm)].map(([, name]) => name);
    assert.ok(commands.length >= 14, commands.join());
    for (const command of commands) {
      if (command !== "help")
        assert.match(document, new RegExp(`\`(wheelhouse )?${command}\\b`), command);
    }
  });
});
