import assert from "node:assert/strict";
import test, { after, suite } from "node:test";
import { apiProblems } from "../../hub/http/problems.ts";
import { openFixture } from "../hub/http/fixture.ts";
import { readPage } from "./pages.ts";

const document = readPage("docs/http-api.md");

suite("docs/http-api.md", async () => {
  const fixture = await openFixture();
  after(() => fixture.close());

  test("has every route with its access, and no other", () => {
    const written = [...document.matchAll(/^\| `([A-Z]+ \/[^`]*)` \| (\w+) \|/gm)].map(
      ([, route, access]) => `${route} ${access}`,
    );
    const declared = fixture.app.table.map(
      ({ method, path, access }) => `${method} ${path} ${access}`,
    );
    assert.deepEqual(written.toSorted(), declared.toSorted());
  });

  test("has every problem code with its status, and no other", () => {
    const written = [...document.matchAll(/^\| `(WH-API-\d+)` \| (\d+) \|/gm)].map(
      ([, code, status]) => `${code} ${status}`,
    );
    const declared = Object.entries(apiProblems).map(([code, { status }]) => `${code} ${status}`);
    assert.deepEqual(written, declared);
  });
});
