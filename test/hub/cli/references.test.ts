import assert from "node:assert/strict";
import test, { after, suite } from "node:test";
import { CliFailure } from "../../../hub/cli/exit-codes.ts";
import { parseReference } from "../../../hub/cli/references.ts";
import { openCli } from "./fixture.ts";

suite("parseReference", () => {
  const rows = [
    ["web", undefined, "web", undefined],
    ["web@eu-1", undefined, "web", "eu-1"],
    ["app/web", "apps", "web", undefined],
    ["apps/web", "apps", "web", undefined],
    ["app/web@eu-1", "apps", "web", "eu-1"],
    ["cluster/eu-1", "clusters", "eu-1", undefined],
    ["set/web", "sets", "web", undefined],
    ["repo/https://git@git.example/x.git", "repos", "https://git@git.example/x.git", undefined],
  ] as const;
  for (const [word, kind, name, cluster] of rows)
    test(`reads ${word}`, () => {
      const reference = parseReference(word);
      assert.deepEqual(
        [reference.kind?.kind, reference.name, reference.cluster],
        [kind, name, cluster],
      );
    });

  for (const word of ["", "app/", "thing/x", "resource/x", "web@", "@eu-1", "cluster/x@y"])
    test(`refuses ${JSON.stringify(word)}`, () =>
      assert.throws(() => parseReference(word), CliFailure));
});

suite("references that are looked up", async () => {
  const cli = await openCli();
  after(() => cli.close());
  const name = async (word: string) =>
    (await cli.run(["describe", word, "-o", "name"])).stdout.trim();

  test("a bare name finds what has it, whatever its kind", async () => {
    assert.equal(await name("web-dev-1"), "app/web-dev-1");
    assert.equal(await name("dev-1"), "cluster/dev-1");
    assert.equal(await name("web"), "set/web");
  });

  test("a name that several kinds have must be told apart", async () => {
    await cli.hub.ask("POST", "/v1/clusters", { body: { name: "tools" } });
    const ran = await cli.run(["describe", "tools"]);
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /app\/tools or cluster\/tools/);
  });

  test("an application is found by its short name and its cluster", async () => {
    assert.equal(await name("web@prod-1"), "app/web-prod-1");
    assert.equal(await name("app/tools@dev-1"), "app/tools");
    assert.equal(await name("too@dev-1"), "app/tools");
    const many = await cli.run(["describe", "o@dev-1"]);
    assert.equal(many.code, 0);
    assert.equal((await cli.run(["describe", "nothing@dev-1"])).code, 4);
    const ambiguous = await cli.run(["describe", "e@dev-1"]);
    assert.equal(ambiguous.code, 0);
  });
});
