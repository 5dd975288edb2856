import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { parseAppProject } from "../../../hub/domain/app-project.ts";
import { serviceAccountFor } from "../../../hub/domain/destination-service-account.ts";

type Item = Readonly<Record<string, unknown>>;

const projectWith = (destinationServiceAccounts: readonly Item[] | undefined) =>
  parseAppProject({
    metadata: { name: "team" },
    spec: destinationServiceAccounts === undefined ? {} : { destinationServiceAccounts },
  });

const item = (server: string, namespace: string, defaultServiceAccount: string): Item => ({
  server,
  namespace,
  defaultServiceAccount,
});

const prod = "https://prod.example:6443";

suite("serviceAccountFor", () => {
  const rows: readonly {
    readonly name: string;
    readonly items: readonly Item[] | undefined;
    readonly server?: string;
    readonly namespace?: string;
    /** `undefined`: the spoke's own rights. */
    readonly expect: string | undefined | RegExp;
  }[] = [
    {
      name: "a project that says nothing leaves it to the spoke",
      items: undefined,
      expect: undefined,
    },
    {
      name: "an account without a namespace is one of the destination's",
      items: [item(prod, "shop", "deployer")],
      expect: "shop:deployer",
    },
    {
      name: "an account may name its namespace",
      items: [item(prod, "shop", "accounts:deployer")],
      expect: "accounts:deployer",
    },
    {
      name: "the first match wins, not the closest",
      items: [item("*", "*", "everyone"), item(prod, "shop", "deployer")],
      expect: "shop:everyone",
    },
    {
      name: "an item that does not match is passed over",
      items: [item("https://test.example:6443", "shop", "tester"), item(prod, "shop", "deployer")],
      expect: "shop:deployer",
    },
    {
      name: "both patterns have to match",
      items: [item(prod, "other", "a"), item("https://other", "shop", "b")],
      expect: /no service account for server "https:\/\/prod.example:6443" and namespace "shop"/,
    },
    {
      name: "patterns are globs that cross slashes and dots",
      items: [item("https://*.example:*", "sh?p", "deployer")],
      expect: "shop:deployer",
    },
    {
      name: "a pattern may list alternatives",
      items: [item(prod, "{api,shop}", "deployer")],
      expect: "shop:deployer",
    },
    {
      name: "a slash at the end of a server makes no difference",
      items: [item(`${prod}/`, "shop", "deployer")],
      expect: "shop:deployer",
    },
    {
      name: "without a namespace in the destination it is one of default",
      items: [item("*", "*", "deployer")],
      namespace: "",
      expect: "default:deployer",
    },
    {
      name: "a pattern for a namespace does not match none",
      items: [item("*", "shop", "deployer")],
      namespace: "",
      expect: /no service account/,
    },
    { name: "no items are no match", items: [], expect: /no service account/ },
    {
      name: "a namespace that none can have makes no account",
      items: [item("*", "*", "deployer")],
      namespace: "Shop:x",
      expect: /names no usable service account/,
    },
  ];
  for (const { name, items, server = prod, namespace = "shop", expect } of rows) {
    test(name, () => {
      const project = projectWith(items);
      assert.ok(project.ok);
      const found = serviceAccountFor(project.value, { server, namespace });
      if (expect instanceof RegExp) {
        assert.ok(!found.ok);
        assert.equal(found.problem.code, "WH-DST-3514");
        assert.match(found.problem.message, expect);
      } else {
        assert.deepEqual(found, { ok: true, value: expect });
      }
    });
  }
});

suite("destinationServiceAccounts that are refused with their project", () => {
  const rows: readonly (readonly [name: string, given: Item, says: RegExp])[] = [
    ["no account", { server: "*", namespace: "*" }, /\[0\]\.defaultServiceAccount is missing/],
    ["an empty account", item("*", "*", "  "), /defaultServiceAccount is missing/],
    ["a user of the system", item("*", "*", "system:masters"), /names a user of the system/],
    [
      "a whole user name",
      item("*", "*", "system:serviceaccount:shop:deployer"),
      /only service accounts may be acted as/,
    ],
    ["a pattern for an account", item("*", "*", "deploy*"), /is not a service account/],
    ["a path for an account", item("*", "*", "a/b"), /is not a service account/],
    ["a denial of a server", item("!https://x", "*", "a"), /server must not have a "!"/],
    ["a denial of a namespace", item("*", "!x", "a"), /namespace must not have a "!"/],
    ["a server that is no pattern", item("[", "*", "a"), /server must be a glob/],
    ["a namespace that is no text", { ...item("*", "*", "a"), namespace: 7 }, /must be text/],
  ];
  for (const [name, given, says] of rows) {
    test(name, () => {
      const project = projectWith([given]);
      assert.ok(!project.ok);
      assert.equal(project.problem.code, "WH-GEN-3109");
      assert.match(project.problem.message, says);
    });
  }
});
