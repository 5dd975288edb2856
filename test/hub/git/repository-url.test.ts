import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { mayCarrySecrets, parseRepositoryUrl } from "../../../hub/git/repository-url.ts";

suite("parseRepositoryUrl", () => {
  for (const good of [
    "https://git.example.org/fleet.git",
    "https://git.example.org:8443/a/b",
    "http://127.0.0.1:3000/fleet.git",
    "http://[::1]:3000/fleet",
  ])
    test(`takes ${good}`, () =>
      assert.deepEqual(parseRepositoryUrl(good), { ok: true, value: good }));

  test("drops slashes at the end", () =>
    assert.deepEqual(parseRepositoryUrl("https://git.example.org/a//"), {
      ok: true,
      value: "https://git.example.org/a",
    }));

  const rows: readonly (readonly [address: string, problem: RegExp])[] = [
    ["https://user:hunter2@git.example.org/x", /has a user or password in it/],
    ["https://user@git.example.org/x", /has a user or password in it/],
    ["file:///etc", /begins with file:\/\//],
    ["ext::sh -c x", /white space/],
    ["ssh://git@example.org/x", /ssh are not supported yet/],
    ["git@github.com:a/b.git", /ssh are not supported yet/],
    ["git://example.org/x", /begins with git:\/\//],
    ["https://-oProxyCommand=x/", /no usable host|not a URL/],
    ["https://example.org/a b", /white space/],
    ["https://example.org/a\nb", /white space or control/],
    ["https://example.org/a?x=1", /query or fragment/],
    ["fleet", /is not a URL/],
    ["", /is not a URL/],
  ];
  for (const [address, problem] of rows)
    test(`refuses ${JSON.stringify(address)}`, () => {
      const parsed = parseRepositoryUrl(address);
      assert.ok(!parsed.ok);
      assert.match(parsed.problem, problem);
      assert.doesNotMatch(parsed.problem, /hunter2/);
    });
});

test("secrets go over https, or to this machine", () => {
  const may = (address: string): boolean => mayCarrySecrets(new URL(address));
  assert.deepEqual(
    [
      "https://git.example.org",
      "http://127.0.0.1:1",
      "http://127.9.9.9",
      "http://localhost:3",
      "http://[::1]/",
      "http://git.example.org",
      "http://127.0.0.1.example.org",
      "http://localhost.example.org",
    ].map(may),
    [true, true, true, true, true, false, false, false],
  );
});
