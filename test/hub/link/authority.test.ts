import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign, verify, X509Certificate } from "node:crypto";
import { chmod, copyFile, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { afterEach, beforeEach, suite } from "node:test";
import type { Clock } from "../../../proto/kit/clock.ts";
import { silentLog } from "../../../proto/kit/log.ts";
import type { ClusterId } from "../../../proto/words/ids.ts";
import { hubServerName } from "../../../proto/words/spiffe.ts";
import { callerOf } from "../../../hub/link/authenticate.ts";
import { openAuthority, type Authority } from "../../../hub/link/authority.ts";
import { certificateRequest } from "../../../spoke/link/csr.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { temporaryFolder } from "../../support/hub-link.ts";
import { seeded } from "../../support/seeded.ts";

const cluster = "123e4567-e89b-42d3-a456-426614174000" as ClusterId;
const dayMs = 86_400_000;

suite("the hub's authority", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const clock = fakeClock(Date.UTC(2026, 0, 1));
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => folder.remove());

  const opened = (names: readonly string[] = [], over: Clock = clock): Promise<Authority> =>
    openAuthority(
      { folder: folder.path, names, certificateLifeMs: 30 * dayMs },
      { clock: over, log: silentLog },
      AbortSignal.timeout(5_000),
    );

  const serverCertificate = (authority: Authority): X509Certificate =>
    new X509Certificate(authority.serverIdentity().chainPem);

  test("is made once, in files nobody else may read", async () => {
    const first = await opened();
    const again = await opened();
    assert.equal(again.fingerprint, first.fingerprint);
    assert.deepEqual(again.serverIdentity(), first.serverIdentity());
    assert.deepEqual((await readdir(folder.path)).toSorted(), ["authority.pem", "server.pem"]);
    for (const file of await readdir(folder.path))
      assert.equal((await stat(join(folder.path, file))).mode & 0o777, 0o600);
  });

  test("pins itself by the digest of its public key", async () => {
    const { fingerprint, trustedPem } = await opened();
    const spki = new X509Certificate(trustedPem).publicKey.export({ type: "spki", format: "der" });
    assert.equal(fingerprint, `sha256:${createHash("sha256").update(spki).digest("hex")}`);
  });

  test("lives ten years and signs leaves only", async () => {
    const authority = new X509Certificate((await opened()).trustedPem);
    assert.ok(authority.ca);
    assert.ok(authority.validToDate.getTime() - clock.nowMs() > 3_600 * dayMs);
    assert.equal(authority.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
  });

  test("shows a server certificate for its own name and those it is reached at", async () => {
    const certificate = serverCertificate(await opened(["hub.example.com", "192.0.2.7", "::1"]));
    assert.ok(certificate.checkHost(hubServerName));
    assert.ok(certificate.checkHost("hub.example.com"));
    assert.ok(certificate.checkIP("192.0.2.7"));
    assert.ok(certificate.checkIP("::1"));
    assert.equal(certificate.ca, false);
    assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
    const unchanged = serverCertificate(await opened(["hub.example.com", "192.0.2.7", "::1"]));
    assert.equal(unchanged.serialNumber, certificate.serialNumber);
  });

  test("makes a new server certificate when its names change", async () => {
    const before = serverCertificate(await opened());
    const after = serverCertificate(await opened(["hub.example.com"]));
    assert.notEqual(after.serialNumber, before.serialNumber);
    assert.ok(after.checkHost("hub.example.com"));
  });

  test("renews the server's certificate before it expires, and tells", async () => {
    const moving = fakeClock(Date.UTC(2026, 0, 1));
    const authority = await opened([], moving);
    const before = serverCertificate(authority);
    const told: X509Certificate[] = [];
    const renewed = (): X509Certificate | undefined => told[0];
    authority.onServerIdentity(({ chainPem }) => told.push(new X509Certificate(chainPem)));
    const stopping = new AbortController();
    const running = authority.run(stopping.signal).catch(() => {});
    await moving.advance(50 * dayMs);
    assert.deepEqual(told, []);
    await moving.advance(15 * dayMs);
    // Keys are made on another thread, which no clock of ours moves.
    while (told.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stopping.abort();
    await running;
    assert.notEqual(renewed()?.serialNumber, before.serialNumber);
    assert.ok(moving.nowMs() < before.validToDate.getTime());
    assert.equal(serverCertificate(authority).serialNumber, renewed()?.serialNumber);
  });

  test("will not start with a file it cannot use, and makes no other in its place", async () => {
    await opened();
    const file = join(folder.path, "authority.pem");
    await chmod(file, 0o600);
    await writeFile(file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    await assert.rejects(opened(), /authority\.pem does not hold a private key and a certificate/);
    assert.match(await readFile(file, "utf8"), /AAAA/);
  });

  test("will not start with a key and a certificate that do not belong together", async () => {
    await opened();
    const file = join(folder.path, "authority.pem");
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const text = await readFile(file, "utf8");
    await writeFile(file, pem + text.slice(text.indexOf("-----BEGIN CERTIFICATE")));
    await assert.rejects(opened(), /certificate of another key/);
  });

  test("will not start with a certificate that another key signed", async () => {
    await opened();
    await copyFile(join(folder.path, "server.pem"), join(folder.path, "authority.pem"));
    await assert.rejects(opened(), /its own key has not signed.*restore a backup/);
  });

  const flips = 250;

  /** Has `look` see the hub's folder with one bit of `name` flipped: `flips` times, another each time. */
  async function withFlippedBits(
    name: string,
    look: (what: string) => Promise<void>,
  ): Promise<void> {
    const file = join(folder.path, name);
    const whole = await readFile(file);
    const random = seeded(250);
    for (let flip = 0; flip < flips; flip += 1) {
      const damaged = Buffer.from(whole);
      const [at, bit] = [Math.floor(random() * whole.length), Math.floor(random() * 8)];
      damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
      await writeFile(file, damaged);
      await look(`bit ${bit} of byte ${at}`);
    }
  }

  test(`with any of ${flips} bits of its file flipped, it is refused or reads the same`, async () => {
    const { trustedPem } = await opened();
    const { publicKey } = new X509Certificate(trustedPem);
    let refused = 0;
    let read = 0;
    await withFlippedBits("authority.pem", async (what) => {
      const authority = await opened().catch((error: unknown) => {
        assert.match(String(error), /authority\.pem cannot be used .*restore a backup/);
        refused += 1;
      });
      if (authority === undefined) return;
      read += 1;
      assert.equal(authority.trustedPem, trustedPem, what);
      const life = { notBeforeMs: clock.nowMs(), notAfterMs: clock.nowMs() + dayMs };
      const { certificate } = await authority.certify(cluster, life);
      assert.ok(certificate.verify(publicKey), `${what}: what it signs is not its own`);
    });
    assert.ok(refused > 10 * read, `${refused} refused, ${read} read`);
  });

  test("makes the server's anew when its file is broken: nothing depends on it", async () => {
    await opened();
    await writeFile(join(folder.path, "server.pem"), "nonsense");
    assert.ok(serverCertificate(await opened()).checkHost(hubServerName));
  });

  test(`with any of ${flips} bits of the server's file flipped, what it shows is signed and its own`, async () => {
    const { trustedPem } = await opened();
    const { publicKey } = new X509Certificate(trustedPem);
    await withFlippedBits("server.pem", async (what) => {
      const { chainPem, keyPem } = (await opened()).serverIdentity();
      const shown = new X509Certificate(chainPem);
      const words = Buffer.from("hello");
      assert.ok(shown.verify(publicKey), `${what}: not signed by the authority`);
      assert.ok(
        verify("sha256", words, shown.publicKey, sign("sha256", words, keyPem)),
        `${what}: not the key of the certificate`,
      );
    });
  });

  suite("issues", () => {
    const p256 = () =>
      generateKeyPairSync("ec", { namedCurve: "P-256" })
        .privateKey.export({ type: "pkcs8", format: "pem" })
        .toString();

    test("a certificate for a client, with one name, for the key that asked", async () => {
      const authority = await opened();
      const key = p256();
      const issued = await authority.issue(certificateRequest(key), cluster);
      assert.ok(issued.ok);
      const certificate = new X509Certificate(issued.value.certificate);
      assert.deepEqual(callerOf(certificate), {
        cluster,
        serial: issued.value.serial,
        notBeforeMs: issued.value.notBeforeMs,
        notAfterMs: issued.value.notAfterMs,
      });
      assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.2"]);
      assert.equal(certificate.ca, false);
      assert.ok(certificate.verify(new X509Certificate(authority.trustedPem).publicKey));
      assert.equal(issued.value.notAfterMs, clock.nowMs() + 30 * dayMs);
      assert.ok(issued.value.notBeforeMs < clock.nowMs());
    });

    test("never one serial twice", async () => {
      const authority = await opened();
      const request = certificateRequest(p256());
      const serials = new Set<string>();
      for (let index = 0; index < 20; index += 1) {
        const issued = await authority.issue(request, cluster);
        if (issued.ok) serials.add(issued.value.serial);
      }
      assert.equal(serials.size, 20);
    });

    const refusals: readonly { name: string; request: () => Uint8Array; says: RegExp }[] = [
      { name: "nonsense", request: () => new Uint8Array(100), says: /cannot be read/ },
      { name: "nothing", request: () => new Uint8Array(), says: /cannot be read/ },
      {
        name: "a request whose signature is of another request",
        request: () => {
          const bytes = Buffer.from(certificateRequest(p256()));
          // A letter of the subject, which both readers take and the signature covers.
          bytes.write("W", bytes.indexOf("wheelhouse spoke"));
          return bytes;
        },
        says: /not signed by its own key/,
      },
    ];
    for (const { name, request, says } of refusals) {
      test(`nothing for ${name}`, async () => {
        const issued = await (await opened()).issue(request(), cluster);
        assert.match(issued.ok ? "issued" : issued.problem, says);
      });
    }

    test("nothing for a key of another curve", async () => {
      // Our own writer refuses such a key, so its check is got round by giving it the bytes it would have made.
      const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
      const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
      assert.throws(() => certificateRequest(pem), TypeError);
      const { Pkcs10CertificateRequestGenerator } = await import("@peculiar/x509");
      const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-384" }, true, [
        "sign",
        "verify",
      ]);
      const foreign = await Pkcs10CertificateRequestGenerator.create({
        name: "CN=spoke",
        keys,
        signingAlgorithm: { name: "ECDSA", hash: "SHA-384" },
      });
      const issued = await (await opened()).issue(new Uint8Array(foreign.rawData), cluster);
      assert.match(issued.ok ? "issued" : issued.problem, /another kind of key than P-256/);
    });
  });
});
