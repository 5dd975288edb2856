import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { runWith } from "../hub/cli/fixture.ts";
import { readPage } from "./pages.ts";

const page = readPage("docs/from-argo-cd.md");

/** Lines of shell examples that call this program. */
const commands = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
  .flatMap(([, body = ""]) => body.split("\n"))
  .filter((line) => line.startsWith("wheelhouse "))
  .map((line) => line.split(" ").slice(1));

suite("docs/from-argo-cd.md", () => {
  test("shows commands", () => assert.ok(commands.length >= 8, String(commands.length)));

  for (const words of commands)
    test(`wheelhouse ${words.join(" ")} is understood`, async () => {
      const [command = "", second = ""] = words;
      const path = command === "import" ? [command, second] : [command];
      const help = await runWith([...path, "--help"], {}, {});
      assert.equal(help.code, 0, help.stderr);
      for (const word of words.filter((one) => one.startsWith("--")))
        assert.ok(help.stdout.includes(`${word} `) || help.stdout.includes(`${word}\n`), word);
    });
});
