import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { refuseUndeclared } from "../../../hub/http/route.ts";

suite("refuseUndeclared", () => {
  const rows = [
    { method: "GET", path: "/v1/clusters/{name}", access: "read" },
    { method: "POST", path: "/v1/clusters", access: "write" },
  ] as const;

  test("lets pass what is in the table, and middleware", () => {
    refuseUndeclared(
      [
        { method: "ALL", path: "/*" },
        { method: "GET", path: "/v1/clusters/:name" },
        { method: "POST", path: "/v1/clusters" },
      ],
      rows,
    );
  });

  for (const route of [
    { method: "GET", path: "/v1/back-door" },
    { method: "DELETE", path: "/v1/clusters/:name" },
  ])
    test(`keeps the hub from starting with ${route.method} ${route.path}`, () =>
      assert.throws(() => refuseUndeclared([route], rows), /not in the route table/));
});
