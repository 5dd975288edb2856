import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import {
  parseApplicationName,
  parseClusterId,
  parseClusterName,
} from "../../../proto/words/ids.ts";
import {
  makeObjectKey,
  objectKeyParts,
  parseObjectKey,
  splitApiVersion,
} from "../../../proto/words/object-key.ts";

suite("names from outside", () => {
  const good = {
    cluster: ["a", "eu-1", "0", "a".repeat(63)],
    application: ["web", "web.eu-1", "a".repeat(253)],
  };
  const bad = {
    cluster: [
      "",
      "A",
      "a.",
      "-a",
      "a-",
      "a_b",
      "a".repeat(64),
      "prod:1",
      "prod\u0000",
      "ｐrod",
      1,
      null,
      "a\n",
    ],
    application: ["", ".", "a..b", "-a", "A", "a".repeat(254), "a/b", {}, "web\n"],
  };
  for (const name of good.cluster)
    test(`${name.slice(0, 20)} is a cluster name`, () => assert.ok(parseClusterName(name).ok));
  for (const name of bad.cluster)
    test(`${JSON.stringify(name)} is no cluster name`, () => assert.ok(!parseClusterName(name).ok));
  for (const name of good.application)
    test(`${name.slice(0, 20)} is an application name`, () =>
      assert.ok(parseApplicationName(name).ok));
  for (const name of bad.application)
    test(`${JSON.stringify(name).slice(0, 20)} is no application name`, () =>
      assert.ok(!parseApplicationName(name).ok));

  test("a cluster id is a lower-case UUID and nothing else", () => {
    assert.ok(parseClusterId("0b0c3f6e-8f5e-4f4e-9a55-2f3c6d7e8f90").ok);
    assert.ok(!parseClusterId("0B0C3F6E-8F5E-4F4E-9A55-2F3C6D7E8F90").ok);
    assert.ok(!parseClusterId("prod").ok);
  });
});

suite("object keys", () => {
  test("what is made is what is parsed", () => {
    const part = fc.stringMatching(/^[a-z0-9.-]{1,20}$/);
    const law = fc.property(
      fc.constantFrom("", "apps"),
      part,
      fc.constantFrom("", "web"),
      part,
      (group, kind, namespace, name) => {
        assert.deepEqual(objectKeyParts(makeObjectKey({ group, kind, namespace, name })), {
          group,
          kind,
          namespace,
          name,
        });
      },
    );
    fc.assert(law);
  });

  for (const text of ["", "a", "a/b/c", "a/b/c/d/e", "apps//web/x", "apps/Deployment/web/"])
    test(`${JSON.stringify(text)} is no object key`, () => assert.ok(!parseObjectKey(text).ok));

  test("the core group has no name", () => {
    assert.deepEqual(splitApiVersion("v1"), { group: "", version: "v1" });
    assert.deepEqual(splitApiVersion("apps/v1"), { group: "apps", version: "v1" });
  });
});
