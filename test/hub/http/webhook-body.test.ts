import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { repositoryIdentity, repositoryUrlsIn } from "../../../hub/http/webhook-body.ts";

suite("repositoryIdentity", () => {
  const same = [
    "https://git.example/team/app.git",
    "https://git.example/team/app",
    "https://git.example/team/app/",
    "https://GIT.example/team/app.git",
    "https://user@git.example/team/app.git",
    "https://git.example:443/team/app.git",
    "ssh://git@git.example/team/app.git",
    "ssh://git@git.example:2222/team/app.git",
    "git@git.example:team/app.git",
    "git@git.example:/team/app.git",
  ];
  for (const url of same)
    test(`${url} is git.example/team/app`, () =>
      assert.equal(repositoryIdentity(url), "git.example/team/app"));

  const others = [
    "https://git.example/team/App.git",
    "https://git.example:8443/team/app.git",
    "https://git.example/team/app.git/more",
    "https://other.example/team/app.git",
  ];
  for (const url of others)
    test(`${url} is another`, () =>
      assert.notEqual(repositoryIdentity(url), "git.example/team/app"));
});

suite("repositoryUrlsIn", () => {
  test("reads nothing but URLs, however strange the body", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        for (const url of repositoryUrlsIn(body)) assert.match(url, /:/);
      }),
    );
  });

  test("takes only so many", () => {
    const repositories = Array.from({ length: 1_000 }, (_, index) => `https://g.example/${index}`);
    assert.equal(repositoryUrlsIn({ repositories }).length, 64);
  });
});
