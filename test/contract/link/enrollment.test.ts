import assert from "node:assert/strict";
import test, { after, before, suite } from "node:test";
import type { ClusterId } from "../../../proto/words/ids.ts";
import { newPrivateKeyPem } from "../../../spoke/link/credential.ts";
import { clientOf, codeOf, enrolled, signal, world, type World } from "./world.ts";

suite("enrollment over TLS", () => {
  let here: World;
  let cluster: ClusterId;
  before(async () => {
    here = await world();
    cluster = here.store.addCluster("one");
  });
  after(() => here.stop());

  test("a token and a key give a certificate for the token's cluster", async () => {
    const identity = await enrolled(here, cluster);
    assert.equal(identity.clusterId, cluster);
    assert.equal(identity.clusterName, "one");
    assert.equal(identity.hubId, "0123456789abcdef");
    assert.equal(identity.trustedPem[0], here.hub.authority.trustedPem);
  });

  test("the same token with the same key may ask again, with another it is used up", async () => {
    const { fingerprint } = here.hub.authority;
    const invitation = { token: here.store.invite(cluster), fingerprint };
    const key = await newPrivateKeyPem();
    const client = clientOf(here);
    const first = await client.enroll(key, invitation, signal());
    const again = await client.enroll(key, invitation, signal());
    assert.notEqual(first.certificatePem, again.certificatePem);
    assert.equal(
      await codeOf(client.enroll(await newPrivateKeyPem(), invitation, signal())),
      "refused WH-JOIN-2003",
    );
  });

  const refusals = [
    { name: "an expired token", life: { expiresAtMs: 1_000 }, expect: "refused WH-JOIN-2004" },
    {
      name: "a token of another hub",
      token: "whj_abcdefgh.abcdefghabcdefghabcdefghabcdefgh",
      expect: "refused WH-JOIN-2005",
    },
    { name: "something that is no token", token: "let me in", expect: "refused WH-JOIN-2002" },
    {
      name: "a hub with another key",
      fingerprint: `sha256:${"0".repeat(64)}`,
      expect: "away WH-JOIN-2007",
    },
  ];
  for (const { name, life, token, fingerprint, expect } of refusals) {
    test(`${name} is refused with a code`, async () => {
      const invitation = {
        token: token ?? here.store.invite(cluster, life),
        fingerprint: fingerprint ?? here.hub.authority.fingerprint,
      };
      const enrolling = clientOf(here).enroll(await newPrivateKeyPem(), invitation, signal());
      assert.equal(await codeOf(enrolling), expect);
    });
  }

  test("a hub that cannot be reached is said to be away", async () => {
    const invitation = { token: "whj_a.b", fingerprint: here.hub.authority.fingerprint };
    const client = clientOf(here, "127.0.0.1:1");
    assert.equal(
      await codeOf(client.enroll(await newPrivateKeyPem(), invitation, signal())),
      "away WH-LINK-2200",
    );
  });
});
