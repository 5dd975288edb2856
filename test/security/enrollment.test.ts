import "reflect-metadata";
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from "@peculiar/x509";
import assert from "node:assert/strict";
import { generateKeyPairSync, webcrypto, X509Certificate } from "node:crypto";
import test, { after, before, suite } from "node:test";
import { createEnrollGuard } from "../../hub/link/enroll-limits.ts";
import { callerOf } from "../../hub/link/authenticate.ts";
import { refused } from "../../hub/link/call-refused.ts";
import { status } from "@grpc/grpc-js";
import { digestOfText } from "../../proto/words/digest.ts";
import { parseClusterName, type ClusterId, type ClusterName } from "../../proto/words/ids.ts";
import { clusterOfUri, clusterUri } from "../../proto/words/spiffe.ts";
import { createHubClient } from "../../spoke/link/client.ts";
import { newPrivateKeyPem } from "../../spoke/link/credential.ts";
import { certificateRequest } from "../../spoke/link/csr.ts";
import { addCluster, clusterId, clusterName, signal } from "../contract/store/builders.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { processorMs, quickMs } from "../support/processor-time.ts";
import { seeded } from "../support/seeded.ts";
import {
  credentialsOf,
  dialRaw,
  enrollRaw,
  openWorld,
  renewRaw,
  soon,
  type World,
} from "./world.ts";

suite("join tokens", () => {
  let world: World;
  before(async () => {
    // So that the limits, which have a test of their own, do not answer for the tokens.
    const plenty = { burst: 10_000, perSecond: 1_000 };
    world = await openWorld({
      enrollments: { failures: plenty, together: plenty, networksMost: 10 },
    });
  });
  after(() => world.stop());

  test("fifty spokes with one token at once: exactly one gets a certificate", async () => {
    const cluster = await addCluster(world.store, "raced");
    const token = await world.invite(cluster);
    const clients = Array.from({ length: 50 }, () => dialRaw(world, undefined));
    try {
      const answers = await Promise.all(clients.map((client) => enrollRaw(client, token)));
      const won = answers.filter(({ status }) => status === "OK");
      assert.equal(won.length, 1);
      for (const answer of answers)
        if (answer.status !== "OK")
          assert.deepEqual([answer.status, answer.code], ["PERMISSION_DENIED", "WH-JOIN-2003"]);
    } finally {
      for (const client of clients) client.close();
    }
  });

  test("a token that was used is worth nothing to another key, ever", async () => {
    const cluster = await addCluster(world.store, "replayed");
    const token = await world.invite(cluster);
    const client = dialRaw(world, undefined);
    try {
      assert.equal((await enrollRaw(client, token)).status, "OK");
      for (let replay = 0; replay < 5; replay += 1)
        assert.equal((await enrollRaw(client, token)).code, "WH-JOIN-2003");
    } finally {
      client.close();
    }
  });

  test("expired, forged, mixed from two, and those of a removed or locked cluster are refused", async () => {
    const { store } = world;
    const one = await addCluster(store, "token-one");
    const two = await addCluster(store, "token-two");
    const client = dialRaw(world, undefined);
    const codeOf = async (token: string) => (await enrollRaw(client, token)).code;
    try {
      const [idOne] = (await world.invite(one)).split(".");
      const [, secretTwo] = (await world.invite(two)).split(".");
      assert.equal(await codeOf(`${idOne}.${secretTwo}`), "WH-JOIN-2005");
      assert.equal(await codeOf(`whj_aaaaaaaa.${"a".repeat(32)}`), "WH-JOIN-2005");
      assert.equal(await codeOf(await world.invite(one, -1)), "WH-JOIN-2004");
      for (const text of ["", "whj_", "whj_aaaaaaaa", `${idOne}.`, "\u0000", "a".repeat(1_024)])
        assert.equal(await codeOf(text), "WH-JOIN-2002");
      const locked = await world.invite(two);
      await store.identities.lock(clusterName("token-two"), "lost", Date.now(), signal);
      assert.equal(await codeOf(locked), "WH-ID-2106");
      const voided = await world.invite(one);
      await store.identities.cutOff(clusterName("token-one"), "ann", Date.now(), signal);
      assert.equal(await codeOf(voided), "WH-JOIN-2005");
      const orphan = await world.invite(one);
      const name = parseClusterName("token-one");
      assert.ok(name.ok);
      await store.clusters.remove(name.value, "ann", Date.now(), signal);
      assert.equal(await codeOf(orphan), "WH-JOIN-2005");
    } finally {
      client.close();
    }
  });

  test("a token makes a spoke of its own cluster, whatever the request asks to be", async () => {
    const mine = await addCluster(world.store, "mine");
    const theirs = await addCluster(world.store, "theirs");
    const request = await requestNaming(theirs, "theirs");
    const client = createHubClient({ address: world.hub.address, spokeVersion: "0" });
    const key = await newPrivateKeyPem();
    const { fingerprint } = world.hub.authority;
    const enrolled = await client.enroll(
      key,
      { token: await world.invite(mine), fingerprint },
      soon(),
    );
    assert.equal(enrolled.clusterId, mine);
    const raw = dialRaw(world, credentialsOf(enrolled));
    assert.equal((await renewRaw(raw, request)).status, "OK");
    raw.close();
  });
});

suite("guessing", () => {
  const guess = () => {
    throw refused(status.PERMISSION_DENIED, "WH-JOIN-2005", "unknown");
  };

  test("over the wire, a network that guesses is refused unlooked-at, and the store is not asked", async () => {
    let asked = 0;
    const world = await openWorld({
      enrollments: {
        failures: { burst: 20, perSecond: 0.001 },
        together: { burst: 1_000, perSecond: 1_000 },
        networksMost: 10,
      },
      between: (store) => ({
        ...store,
        enrollments: {
          ...store.enrollments,
          useToken: (use, signal) => {
            asked += 1;
            return store.enrollments.useToken(use, signal);
          },
        },
      }),
    });
    const client = dialRaw(world, undefined);
    try {
      const codes = new Map<string, number>();
      for (let guess = 0; guess < 60; guess += 1) {
        const { status, code } = await enrollRaw(client, `whj_aaaaaaaa.${"a".repeat(32)}`);
        codes.set(`${status} ${code}`, (codes.get(`${status} ${code}`) ?? 0) + 1);
      }
      assert.deepEqual(Object.fromEntries(codes), {
        "PERMISSION_DENIED WH-JOIN-2005": 20,
        "RESOURCE_EXHAUSTED WH-JOIN-2009": 40,
      });
      assert.equal(asked, 20);
    } finally {
      client.close();
      await world.stop();
    }
  });

  const attemptFrom = async (
    guard: ReturnType<typeof createEnrollGuard>,
    peer: string,
    work: () => Promise<string> = async () => guess(),
  ): Promise<string> => {
    try {
      return await guard.attempt(peer, work);
    } catch (error) {
      return String(error).includes("WH-JOIN-2009") ? "limited" : "refused";
    }
  };

  test("the guesses of one network cost no other an attempt, and its own come back with time", async () => {
    const clock = fakeClock();
    const guard = createEnrollGuard(
      {
        failures: { burst: 3, perSecond: 1 },
        together: { burst: 1_000, perSecond: 1_000 },
        networksMost: 10,
      },
      clock,
    );
    const outcomes = [];
    for (let index = 0; index < 5; index += 1)
      outcomes.push(await attemptFrom(guard, `192.0.2.1:${index}`));
    assert.deepEqual(outcomes, ["refused", "refused", "refused", "limited", "limited"]);
    assert.equal(await attemptFrom(guard, "192.0.2.2:1", async () => "in"), "in");
    await clock.advance(1_000);
    assert.equal(await attemptFrom(guard, "192.0.2.1:9", async () => "in"), "in");
    // One customer's IPv6 addresses are one network.
    for (let index = 0; index < 3; index += 1)
      await attemptFrom(guard, `2001:db8:0:1::${index}:1000`);
    assert.equal(await attemptFrom(guard, "2001:db8:0:1:ffff::9:1000"), "limited");
    assert.equal(await attemptFrom(guard, "2001:db8:0:2::1:1000"), "refused");
  });

  test("twenty thousand networks together are bounded too, in attempts and in memory", async () => {
    const clock = fakeClock();
    const guard = createEnrollGuard(
      {
        failures: { burst: 3, perSecond: 1 },
        together: { burst: 500, perSecond: 50 },
        networksMost: 1_000,
      },
      clock,
    );
    let looked = 0;
    for (let index = 0; index < 20_000; index += 1)
      await attemptFrom(
        guard,
        `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:1`,
        async () => {
          looked += 1;
          return guess();
        },
      );
    assert.equal(looked, 500);
  });
});

/** A request, signed by its own key, that asks to be a certain cluster in every way there is. */
async function requestNaming(cluster: ClusterId, name: string): Promise<Uint8Array> {
  const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${cluster}, O=${name}`,
    keys,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions: [
      new SubjectAlternativeNameExtension([
        { type: "url", value: clusterUri(cluster) },
        { type: "dns", value: name },
      ]),
    ],
  });
  return new Uint8Array(request.rawData);
}

suite("names", () => {
  /** Names that people, tools and Unicode take for one another. */
  function lookAlikes(): readonly string[] {
    const bases = ["prod", "prod-1", "eu", "staging", "a", "prod-eu-1"];
    const twists: readonly ((name: string) => string)[] = [
      (name) => name,
      (name) => `${name}-1`,
      (name) => `${name}1`,
      (name) => `${name}:1`,
      (name) => name.toUpperCase(),
      (name) => `${name}.`,
      (name) => `.${name}`,
      (name) => `${name}\u0000`,
      (name) => `${name}\u0000x`,
      (name) => ` ${name}`,
      (name) => `${name} `,
      (name) => `${name}\n`,
      (name) => name.replace("o", "о"),
      (name) => name.replace("a", "а"),
      (name) => name.replace("p", "ｐ"),
      (name) => `${name}\u200d`,
      (name) => `${name}\u0301`,
      (name) => name.normalize("NFD").replace("e", "é"),
      (name) => `${name}/..`,
      (name) => `../${name}`,
      (name) => `${name}%00`,
      (name) => `${name},URI:x`,
      (name) => `${name}*`,
      (name) => `${name}?x=1`,
    ];
    return [...new Set(bases.flatMap((base) => twists.map((twist) => twist(base))))];
  }

  test("two thousand pairs of names that look alike: none is taken for the other", async () => {
    const names = lookAlikes();
    const pairs: (readonly [string, string])[] = [];
    const random = seeded(20_000);
    while (pairs.length < 2_000) {
      const left = names[Math.floor(random() * names.length)] ?? "";
      const right = names[Math.floor(random() * names.length)] ?? "";
      if (left !== right) pairs.push([left, right]);
    }
    const world = await openWorld();
    const { store } = world;
    try {
      const registered = new Map<string, ClusterId>();
      for (const name of names) {
        const parsed = parseClusterName(name);
        if (parsed.ok) registered.set(name, await addCluster(store, parsed.value));
      }
      assert.ok(registered.size >= 10, "some of them are good names");
      const found = new Map<string, ClusterId | undefined>();
      for (const name of names)
        // Also what no door would take for a name: the store must not either.
        found.set(name, (await store.clusters.find(name as ClusterName, signal))?.id);
      for (const [left, right] of pairs) {
        for (const [name, other] of [
          [left, right],
          [right, left],
        ] as const) {
          // A name leads to its own cluster or to none, whatever else it looks like.
          assert.equal(found.get(name), registered.get(name), JSON.stringify(name));
          const id = registered.get(name);
          if (id === undefined) continue;
          assert.notEqual(found.get(other), id, JSON.stringify([name, other]));
          // What a certificate names is the id and nothing else.
          assert.equal(clusterOfUri(`spiffe://wheelhouse/cluster/${name}`), undefined);
          const twisted = clusterUri(id).replace(id, `${id}${other.slice(name.length)}`);
          assert.ok([undefined, id].includes(clusterOfUri(twisted)));
        }
      }
      // Whatever a renewal asks to be named, it is named as the certificate that asked.
      for (const [name, id] of [...registered].slice(0, 10)) {
        const identity = await world.enroll(id);
        const client = createHubClient({ address: world.hub.address, spokeVersion: "0" });
        const connection = client.dial({ ...identity, clusterName: name });
        const renewed = await connection.renew(soon());
        connection.close();
        const caller = callerOf(new X509Certificate(renewed.certificatePem ?? ""));
        assert.equal(caller?.cluster, id);
      }
    } finally {
      await world.stop();
    }
  });

  test("a hundred requests that ask to be each other's clusters are each named as who asked", async () => {
    const world = await openWorld();
    try {
      const ids = Array.from({ length: 10 }, (_, index) => clusterId(`c-${index}`));
      const requests = await Promise.all(ids.map((id) => requestNaming(id, "prod")));
      let crossed = 0;
      for (const id of ids)
        for (const request of requests) {
          const issued = await world.hub.authority.issue(request, id);
          assert.ok(issued.ok);
          const certificate = new X509Certificate(issued.value.certificate);
          if (callerOf(certificate)?.cluster !== id) crossed += 1;
          assert.equal(certificate.subject, `CN=${id}`);
          assert.equal(certificate.ca, false);
        }
      assert.equal(crossed, 0);
    } finally {
      await world.stop();
    }
  });
});

suite("certificate requests", () => {
  let world: World;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.stop());

  const p256 = (): string =>
    generateKeyPairSync("ec", { namedCurve: "P-256" })
      .privateKey.export({ type: "pkcs8", format: "pem" })
      .toString();

  test("five hundred that were broken in one place are refused, or are good for their own key only", async () => {
    const good = certificateRequest(p256());
    const key = await world.hub.authority.readRequest(good);
    assert.ok(key.ok);
    const random = seeded(7);
    let accepted = 0;
    for (let round = 0; round < 500; round += 1) {
      const broken = Buffer.from(good);
      const place = Math.floor(random() * broken.length);
      const kind = round % 4;
      let request: Uint8Array = broken;
      if (kind === 0) broken[place] = (broken[place] ?? 0) ^ (1 << Math.floor(random() * 8));
      else if (kind === 1) request = broken.subarray(0, place);
      else if (kind === 2) broken[place] = Math.floor(random() * 256);
      else
        request = Buffer.concat([
          broken.subarray(0, place),
          Buffer.alloc(1),
          broken.subarray(place),
        ]);
      const read = await world.hub.authority.readRequest(request);
      if (!read.ok) {
        assert.match(read.problem, /^the certificate request /);
        continue;
      }
      // What still reads must still prove the very key it proved before.
      accepted += 1;
      assert.equal(read.value, key.value);
    }
    assert.ok(accepted < 50, `${accepted} broken requests were taken`);
  });

  const bombs: readonly { readonly name: string; readonly request: () => Uint8Array }[] = [
    { name: "nothing", request: () => new Uint8Array() },
    { name: "zeros", request: () => new Uint8Array(16_384) },
    { name: "a length that never ends", request: () => Buffer.from("308400ffffff30", "hex") },
    { name: "an indefinite length", request: () => Buffer.from("3080308030800000", "hex") },
    {
      name: "sequences in sequences, four thousand deep",
      request: () => {
        let bytes: Buffer = Buffer.alloc(0);
        for (let depth = 0; depth < 4_000; depth += 1)
          bytes = Buffer.concat([
            bytes.length < 128
              ? Buffer.from([0x30, bytes.length])
              : Buffer.from([0x30, 0x82, bytes.length >> 8, bytes.length & 255]),
            bytes,
          ]);
        return bytes.subarray(0, 16_384);
      },
    },
    {
      name: "a certificate instead",
      request: () => world.hub.authority.trusted[0] ?? new Uint8Array(),
    },
    { name: "PEM instead of DER", request: () => Buffer.from(world.hub.authority.trustedPem) },
    {
      name: "two requests at once",
      request: () => Buffer.concat([certificateRequest(p256()), Buffer.from([0x30, 0x03])]),
    },
  ];
  for (const { name, request } of bombs)
    test(`${name}: refused within two seconds of processor time, in a sentence, and the hub goes on`, async () => {
      const cluster = await addCluster(world.store, `bomb-${digestOfText(name).slice(0, 8)}`);
      const startedMs = processorMs();
      const read = await world.hub.authority.readRequest(request());
      if (name !== "two requests at once") assert.equal(read.ok, false);
      assert.ok(processorMs() - startedMs < quickMs);
      const client = dialRaw(world, undefined);
      assert.equal((await enrollRaw(client, await world.invite(cluster))).status, "OK");
      client.close();
    });

  test("more than 16 KiB is refused before it is read", async () => {
    const client = dialRaw(world, undefined);
    const cluster = await addCluster(world.store, "huge");
    const token = await world.invite(cluster);
    const answer = await enrollRaw(client, token, new Uint8Array(16_385));
    assert.deepEqual([answer.status, answer.code], ["INVALID_ARGUMENT", "WH-LINK-2202"]);
    // And it cost nobody the token.
    assert.equal((await enrollRaw(client, token)).status, "OK");
    client.close();
  });

  const otherKeys = [
    ["RSA", () => generateKeyPairSync("rsa", { modulusLength: 2_048 })],
    ["Ed25519", () => generateKeyPairSync("ed25519")],
    ["P-384", () => generateKeyPairSync("ec", { namedCurve: "P-384" })],
    ["secp256k1", () => generateKeyPairSync("ec", { namedCurve: "secp256k1" })],
  ] as const;
  for (const [name, make] of otherKeys)
    test(`a key of the kind ${name} in a request is refused`, async () => {
      const { publicKey } = make();
      const spki = publicKey.export({ type: "spki", format: "der" });
      const good = Buffer.from(certificateRequest(p256()));
      // The whole of another key in the place of ours: nobody can sign for that, and it is not the kind we take.
      const ours = good.indexOf(Buffer.from("3059301306072a8648ce3d0201", "hex"));
      const swapped = Buffer.concat([good.subarray(0, ours), spki, good.subarray(ours + 91)]);
      assert.equal((await world.hub.authority.readRequest(swapped)).ok, false);
    });
});
