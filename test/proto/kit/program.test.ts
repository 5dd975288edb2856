import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { silentLog } from "../../../proto/kit/log.ts";
import { runProgram, type Program } from "../../../proto/kit/program.ts";
import { fail, ok } from "../../../proto/kit/result.ts";
import { unlessAborted } from "../../../proto/kit/unless-aborted.ts";

suite("runProgram", () => {
  const program = (change: Partial<Program<string>> = {}): Program<string> => ({
    name: "wheelhouse kite",
    usage: "usage: wheelhouse kite",
    help: [["wind", "how strong"]],
    readSettings: () => ok("calm"),
    openLog: () => silentLog,
    compose: async () => ({
      run: (signal) => unlessAborted(new Promise<void>(() => {}), signal),
    }),
    ...change,
  });

  async function run(words: readonly string[], change: Partial<Program<string>> = {}) {
    const said: string[] = [];
    const stop = new AbortController();
    const ending = runProgram(program(change), {
      words,
      environment: {},
      folder: "/",
      readFile: () => {
        throw new Error("no such file");
      },
      print: (line) => said.push(line),
      complain: (line) => said.push(`! ${line}`),
      stop: stop.signal,
    });
    setImmediate(() => stop.abort(new Error("enough")));
    return { code: await ending, said };
  }

  test("works until it is stopped, and that is success", async () => {
    assert.deepEqual(await run([]), { code: 0, said: [] });
  });

  test("explains itself instead of working when asked", async () => {
    const { code, said } = await run(["--help"]);
    assert.equal(code, 0);
    assert.match(said.join("\n"), /^usage: wheelhouse kite\n\n {2}--wind/);
  });

  test("names every bad setting and ends with 78", async () => {
    assert.deepEqual(await run([], { readSettings: () => fail(["too windy", "no string"]) }), {
      code: 78,
      said: ["! wheelhouse kite: too windy", "! wheelhouse kite: no string"],
    });
    const { code, said } = await run(["--settings-file", "x"]);
    assert.equal(code, 78);
    assert.match(said.join(), /settings file x cannot be read as JSON: no such file/);
  });

  test("ends with 1 when it cannot be put together, or falls over", async () => {
    const broken = () => Promise.reject(new Error("the string broke"));
    assert.equal((await run([], { compose: broken })).code, 1);
    assert.equal((await run([], { compose: async () => ({ run: broken }) })).code, 1);
  });
});
