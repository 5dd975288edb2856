import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { gatherSettings, settingsHelp } from "../../../proto/kit/program.ts";
import { SettingsReader } from "../../../proto/kit/settings.ts";

const reader = (words: readonly string[], environment = {}, file?: Record<string, unknown>) =>
  new SettingsReader({ words, environment, file });

suite("SettingsReader", () => {
  test("reads a flag as a word, after an equals sign, and alone", () => {
    const read = reader(["--name", "a", "--path=b=c", "--quiet"]);
    assert.equal(read.text("name"), "a");
    assert.equal(read.text("path"), "b=c");
    assert.equal(read.flag("quiet", false), true);
    assert.ok(read.finish(null).ok);
  });

  test("numbers, choices and structures from the file are checked like the rest", () => {
    const read = reader([], {}, { waitMs: 7.5, level: "loud", name: { first: "x" }, on: true });
    assert.equal(read.wholeNumber("wait-ms", 1, 0, 9), 1);
    assert.equal(read.oneOf("level", ["low", "high"], "low"), "low");
    assert.equal(read.text("name"), undefined);
    assert.equal(read.flag("on", false), true);
    const outcome = read.finish(null);
    assert.ok(!outcome.ok);
    assert.equal(outcome.problem.length, 3);
  });

  test("repeated flags and stray words are problems", () => {
    const read = reader(["--a", "1", "--a", "2", "stray"]);
    read.text("a");
    assert.deepEqual(read.finish(null), {
      ok: false,
      problem: ["a is given twice", 'unexpected word "stray"; settings are given as --name value'],
    });
  });
});

suite("gatherSettings", () => {
  const gather = (text: string) =>
    gatherSettings({ words: ["--settings-file", "x.json"], environment: {}, readFile: () => text });

  test("reads the settings file that a flag or the environment names", () => {
    assert.deepEqual(gather('{"pollMs": 5}'), {
      ok: true,
      value: { words: ["--settings-file", "x.json"], environment: {}, file: { pollMs: 5 } },
    });
  });

  test("says in one sentence what is wrong with the file", () => {
    for (const bad of ["[1]", "{", "3"]) {
      const outcome = gather(bad);
      assert.ok(!outcome.ok);
      assert.match(outcome.problem, /^settings file x\.json /);
    }
  });

  test("help aligns the settings", () => {
    assert.match(
      settingsHelp("usage", [
        ["a", "first"],
        ["long-name", "second"],
      ]),
      /--a {10}first\n {2}--long-name {2}second/,
    );
  });
});
