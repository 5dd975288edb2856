import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type JsonGeneralName,
} from "@peculiar/x509";
import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, webcrypto, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test, { after, before, suite } from "node:test";
import type { ClusterId } from "../../proto/words/ids.ts";
import { clusterUri } from "../../proto/words/spiffe.ts";
import { addCluster, clusterId, clusterName, signal } from "../contract/store/builders.ts";
import { createCertificateAuthority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { fakeClock } from "../support/fake-clock.ts";
import {
  attachAs,
  credentialsOf,
  dialRaw,
  fetchRaw,
  openWorld,
  renewRaw,
  type Answered,
  type Credentials,
  type World,
} from "./world.ts";

const dayMs = 86_400_000;

/** What somebody could sign who has the hub's own authority: the worst case for what a certificate may say. */
async function signedByTheHub(
  world: World,
  change: {
    readonly names: readonly JsonGeneralName[];
    readonly commonName: string;
    readonly notAfterMs?: number;
    readonly usage?: ExtendedKeyUsage;
    readonly authority?: boolean;
  },
): Promise<Credentials> {
  const pem = await readFile(join(world.folder, "authority", "authority.pem"), "utf8");
  const algorithm = { name: "ECDSA", namedCurve: "P-256" } as const;
  const key = createPrivateKey(pem);
  const authority = new X509Certificate(world.hub.authority.trustedPem);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.create({
    publicKey: keys.publicKey,
    signingKey: key.toCryptoKey(algorithm, true, ["sign"]),
    subject: `CN=${change.commonName}`,
    issuer: authority.subject,
    serialNumber: "01020304",
    notBefore: new Date(Date.now() - 2 * dayMs),
    notAfter: new Date(change.notAfterMs ?? Date.now() + dayMs),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions: [
      new BasicConstraintsExtension(change.authority === true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([change.usage ?? ExtendedKeyUsage.clientAuth], true),
      ...(change.names.length === 0
        ? []
        : [new SubjectAlternativeNameExtension([...change.names])]),
      await AuthorityKeyIdentifierExtension.create(
        createPublicKey(key).toCryptoKey(algorithm, true, ["verify"]),
      ),
    ],
  });
  const own = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  return {
    certificatePem: certificate.toString("pem"),
    keyPem: `-----BEGIN PRIVATE KEY-----\n${own.toString("base64")}\n-----END PRIVATE KEY-----\n`,
  };
}

suite("whose certificate is taken", () => {
  let world: World;
  let cluster: ClusterId;
  before(async () => {
    world = await openWorld();
    cluster = await addCluster(world.store, "one");
    await addCluster(world.store, "two");
    await world.enroll(cluster);
  });
  after(() => world.stop());

  async function answersTo(as: Credentials | undefined): Promise<readonly Answered[]> {
    const client = dialRaw(world, as);
    try {
      return [await renewRaw(client), await fetchRaw(client, [])];
    } finally {
      client.close();
    }
  }

  async function refusedWith(code: string, as: Credentials | undefined): Promise<void> {
    for (const answer of await answersTo(as))
      assert.deepEqual([answer.status, answer.code], ["UNAUTHENTICATED", code], answer.details);
  }

  const uri = (id: ClusterId): JsonGeneralName => ({ type: "url", value: clusterUri(id) });
  const one = clusterId("one");
  const two = clusterId("two");

  test("one that was enrolled is, so that the refusals below mean something", async () => {
    const good = credentialsOf(await world.enroll(cluster));
    assert.deepEqual(
      (await answersTo(good)).map(({ status }) => status),
      ["OK", "OK"],
    );
  });

  test("none is refused", () => refusedWith("WH-ID-2101", undefined));

  test("one of a foreign authority is refused, under the hub authority's own name too", async () => {
    for (const name of ["somebody", "wheelhouse hub"]) {
      const foreign = await createCertificateAuthority(name);
      const made = await foreign.issue({
        commonName: one,
        uris: [clusterUri(one)],
        use: "client",
      });
      await refusedWith("WH-ID-2101", made);
    }
  });

  const ours: readonly {
    readonly name: string;
    readonly code: string;
    readonly change: Parameters<typeof signedByTheHub>[1];
  }[] = [
    {
      name: "an expired one",
      code: "WH-ID-2101",
      change: { names: [uri(one)], commonName: one, notAfterMs: Date.now() - dayMs },
    },
    {
      name: "one for a server",
      code: "WH-ID-2101",
      change: { names: [uri(one)], commonName: one, usage: ExtendedKeyUsage.serverAuth },
    },
    {
      name: "one with two clusters in it",
      code: "WH-ID-2102",
      change: { names: [uri(one), uri(two)], commonName: one },
    },
    {
      name: "one with a host beside the cluster",
      code: "WH-ID-2102",
      change: { names: [uri(one), { type: "dns", value: "hub" }], commonName: one },
    },
    {
      name: "one with a wildcard",
      code: "WH-ID-2102",
      change: {
        names: [{ type: "url", value: "spiffe://wheelhouse/cluster/*" }],
        commonName: "*",
      },
    },
    {
      name: "one without a name but its subject's",
      code: "WH-ID-2102",
      change: { names: [], commonName: one },
    },
    {
      name: "one whose subject says another cluster",
      code: "WH-ID-2102",
      change: { names: [uri(one)], commonName: two },
    },
    {
      name: "one whose subject says more",
      code: "WH-ID-2102",
      change: { names: [uri(one)], commonName: `${one}, O=admin` },
    },
    {
      name: "one that names a cluster and was never issued to it",
      code: "WH-ID-2104",
      change: { names: [uri(one)], commonName: one },
    },
    {
      name: "one of a cluster that does not exist",
      code: "WH-ID-2104",
      change: { names: [uri(clusterId("nobody"))], commonName: clusterId("nobody") },
    },
  ];
  for (const { name, code, change } of ours)
    test(`${name} is refused although the hub's authority signed it`, async () =>
      refusedWith(code, await signedByTheHub(world, change)));
});

suite("time", () => {
  test("a certificate that expires ends its open stream within five seconds, by the clock", async () => {
    const clock = fakeClock(Date.now());
    const lifeMs = 600_000;
    const world = await openWorld({ clock, certificateLifeMs: lifeMs, heartbeatMs: 600_000 });
    try {
      const identity = await world.enroll(await addCluster(world.store, "one"));
      const session = await attachAs(world, identity);
      assert.equal((await session.next()).message.kind, "welcome");
      await clock.advance(lifeMs - 1_000);
      assert.equal(world.hub.link.sessions.attached, 1);
      await clock.advance(1_000 + 5_000);
      await eventually(() => assert.equal(world.hub.link.sessions.attached, 0));
      // Nor does a new call pass on the connection that is open.
      const client = dialRaw(world, credentialsOf(identity));
      const answer = await fetchRaw(client, []);
      assert.deepEqual([answer.status, answer.code], ["UNAUTHENTICATED", "WH-ID-2103"]);
      client.close();
      session.close();
    } finally {
      await world.stop();
    }
  });

  test("who is locked or cut off is out within five seconds, by the clock, streams and calls alike", async () => {
    const clock = fakeClock(Date.now());
    const world = await openWorld({ clock, heartbeatMs: 600_000 });
    const { store } = world;
    const clients: ReturnType<typeof dialRaw>[] = [];
    try {
      for (const [name, end, expected] of [
        [
          "locked",
          () => store.identities.lock(clusterName("locked"), "lost", clock.nowMs(), signal),
          "WH-ID-2106",
        ],
        [
          "cut-off",
          () => store.identities.cutOff(clusterName("cut-off"), "ann", clock.nowMs(), signal),
          "WH-ID-2104",
        ],
      ] as const) {
        const cluster = await addCluster(store, name);
        const identity = await world.enroll(cluster);
        const client = dialRaw(world, credentialsOf(identity));
        clients.push(client);
        assert.equal((await fetchRaw(client, [])).status, "OK");
        const session = await attachAs(world, identity);
        assert.equal((await session.next()).message.kind, "welcome");
        // As another replica would do it: nobody tells this one's sessions.
        await end();
        assert.equal((await fetchRaw(client, [])).code, expected, "on a connection that was open");
        assert.ok(world.hub.link.sessions.isAttached(cluster));
        await clock.advance(5_000);
        await eventually(() => assert.ok(!world.hub.link.sessions.isAttached(cluster)));
        session.close();
      }
    } finally {
      for (const client of clients) client.close();
      await world.stop();
    }
  });
});
