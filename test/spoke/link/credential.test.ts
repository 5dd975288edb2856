import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import test, { after, before, suite } from "node:test";
import { systemClock } from "../../../proto/kit/clock.ts";
import { silentLog } from "../../../proto/kit/log.ts";
import type { ClusterId } from "../../../proto/words/ids.ts";
import { openAuthority, type Authority } from "../../../hub/link/authority.ts";
import { acceptIssued, certificateLife, newPrivateKeyPem } from "../../../spoke/link/credential.ts";
import { certificateRequest } from "../../../spoke/link/csr.ts";
import { temporaryFolder } from "../../support/hub-link.ts";

const cluster = "123e4567-e89b-42d3-a456-426614174000" as ClusterId;
const other = "223e4567-e89b-42d3-a456-426614174000" as ClusterId;

suite("what a hub issued", () => {
  let folders: Awaited<ReturnType<typeof temporaryFolder>>[];
  let hub: Authority;
  let stranger: Authority;
  let key: string;
  before(async () => {
    folders = [await temporaryFolder(), await temporaryFolder()];
    const [one, two] = await Promise.all(
      folders.map(({ path }) =>
        openAuthority(
          { folder: path, names: [], certificateLifeMs: 3_600_000 },
          { clock: systemClock, log: silentLog },
          AbortSignal.timeout(5_000),
        ),
      ),
    );
    assert.ok(one !== undefined && two !== undefined);
    [hub, stranger] = [one, two];
    key = await newPrivateKeyPem();
  });
  after(() => Promise.all(folders.map(({ remove }) => remove())));

  async function certificate(by = hub, forKey = key, of = cluster): Promise<Uint8Array> {
    const issued = await by.issue(certificateRequest(forKey), of);
    assert.ok(issued.ok);
    return issued.value.certificate;
  }

  test("is kept when it is for our key and our cluster, signed by whom it says to trust", async () => {
    const accepted = acceptIssued(
      { certificate: await certificate(), trusted: hub.trusted },
      { privateKeyPem: key, cluster },
    );
    assert.ok(accepted.ok);
    assert.deepEqual(accepted.value.trustedPem, [hub.trustedPem]);
    const { notBeforeMs, notAfterMs } = certificateLife(accepted.value.certificatePem);
    assert.ok(notBeforeMs < Date.now() && notAfterMs > Date.now());
  });

  const refusals: readonly {
    name: string;
    issued: () => Promise<{ certificate: Uint8Array; trusted: readonly Uint8Array[] }>;
    says: RegExp;
  }[] = [
    {
      name: "it is for another key",
      issued: async () => ({
        certificate: await certificate(hub, await newPrivateKeyPem()),
        trusted: hub.trusted,
      }),
      says: /for another key/,
    },
    {
      name: "it is for another cluster",
      issued: async () => ({
        certificate: await certificate(hub, key, other),
        trusted: hub.trusted,
      }),
      says: /for another cluster/,
    },
    {
      name: "none of the trusted signed it",
      issued: async () => ({ certificate: await certificate(stranger), trusted: hub.trusted }),
      says: /none of its authorities signed/,
    },
    {
      name: "a leaf is named as authority",
      issued: async () => {
        const leaf = await certificate();
        return { certificate: leaf, trusted: [leaf] };
      },
      says: /none of its authorities signed/,
    },
    {
      name: "it is nonsense",
      issued: async () => ({ certificate: new Uint8Array(9), trusted: hub.trusted }),
      says: /not a certificate/,
    },
  ];
  for (const { name, issued, says } of refusals) {
    test(`is refused when ${name}`, async () => {
      const accepted = acceptIssued(await issued(), { privateKeyPem: key, cluster });
      assert.match(accepted.ok ? "accepted" : accepted.problem, says);
    });
  }

  test("says itself how long it is good", async () => {
    const pem = new X509Certificate(await certificate()).toString();
    const { notBeforeMs, notAfterMs } = certificateLife(pem);
    assert.ok(Math.abs(notAfterMs - notBeforeMs - 1.1 * 3_600_000 + 60_000) < 120_000);
  });
});
