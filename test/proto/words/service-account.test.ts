import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { desiredDigest, type DesiredApplication } from "../../../proto/words/desired.ts";
import { digestOf, digestOfText } from "../../../proto/words/digest.ts";
import type { ApplicationName } from "../../../proto/words/ids.ts";
import { parseServiceAccount, userOfServiceAccount } from "../../../proto/words/service-account.ts";

suite("parseServiceAccount", () => {
  for (const text of ["shop:deployer", "a:b", "team-1:deployer.v2", "systems:deployer"]) {
    test(`takes ${text}`, () => {
      const read = parseServiceAccount(text);
      assert.ok(read.ok);
      assert.equal(userOfServiceAccount(read.value), `system:serviceaccount:${text}`);
    });
  }

  const refused: readonly (readonly [input: unknown, says: RegExp])[] = [
    ["system:masters", /names a user of the system/],
    ["system:admin", /names a user of the system/],
    ["system:serviceaccount:shop:deployer", /names a user of the system/],
    ["system:", /names a user of the system/],
    ["deployer", /not a service account as namespace:name/],
    ["shop:", /not a service account/],
    [":deployer", /not a service account/],
    ["shop:a:b", /not a service account/],
    ["Shop:deployer", /not a service account/],
    ["shop:*", /not a service account/],
    ["shop:a\r\nimpersonate-group: system:masters", /not a service account/],
    ["", /not a service account/],
    [7, /must be text, got number/],
  ];
  for (const [input, says] of refused) {
    test(`refuses ${JSON.stringify(input)}`, () => {
      const read = parseServiceAccount(input);
      assert.ok(!read.ok);
      assert.match(read.problem, says);
    });
  }
});

test("an entry that names no account has the identity it always had", () => {
  const entry: DesiredApplication = {
    application: "web" as ApplicationName,
    generation: 1,
    revision: "c",
    bundle: digestOfText("bundle"),
    project: "default",
    destinationNamespace: "web",
    policy: {
      automated: true,
      prune: true,
      selfHeal: true,
      allowEmpty: false,
      createNamespace: false,
      conflicts: "override",
    },
    trace: "",
  };
  assert.equal(desiredDigest(entry), digestOf({ ...entry, policy: { ...entry.policy } }));
  const account = parseServiceAccount("web:deployer");
  assert.ok(account.ok);
  assert.notEqual(desiredDigest({ ...entry, serviceAccount: account.value }), desiredDigest(entry));
});
