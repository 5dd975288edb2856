import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { silentLog } from "../../../proto/kit/log.ts";
import { Trouble } from "../../../proto/kit/trouble.ts";
import type { SpokeIdentity } from "../../../spoke/domain/identity.ts";
import { keepCertificate } from "../../../spoke/loops/keep-certificate.ts";
import { fakeClock } from "../../support/fake-clock.ts";

const hourMs = 3_600_000;
const startMs = 1_700_000_000_000;

const next: SpokeIdentity = {
  privateKeyPem: "a new key",
  certificatePem: "a new certificate",
  trustedPem: [],
  clusterId: "",
  clusterName: "one",
  hubId: "hub",
};

/** A certificate that is good for ten hours and due after five, and what happens when. */
function keeping(failures: number, stop = new AbortController()) {
  const clock = fakeClock(startMs);
  const happened: string[] = [];
  const link = { isAttached: true };
  const note = (what: string): void =>
    void happened.push(`${Math.round((clock.nowMs() - startMs) / hourMs)} h: ${what}`);
  const done = keepCertificate(
    "a certificate",
    {
      renew: async () => {
        note("asked");
        if (happened.length <= failures) throw new Trouble("the hub is away");
        return next;
      },
      replace: async (identity) => note(`replaced by ${identity.certificatePem}`),
      certificateLife: () => ({ notBeforeMs: startMs, notAfterMs: startMs + 10 * hourMs }),
      isAttached: () => link.isAttached,
      retry: { firstMs: 2 * hourMs, factor: 2, mostMs: 2 * hourMs },
      clock,
      random: () => 0,
      log: silentLog,
    },
    stop.signal,
  ).then(() => note("returned"));
  return { clock, happened, link, done };
}

suite("keepCertificate", () => {
  test("asks for the next certificate when this one is due, and returns once it is kept", async () => {
    const { clock, happened, done } = keeping(0);
    await clock.advance(6 * hourMs);
    await done;
    assert.deepEqual(happened, [
      "5 h: asked",
      "5 h: replaced by a new certificate",
      "5 h: returned",
    ]);
  });

  test("asks again after a pause, for as long as it takes", async () => {
    const { clock, happened, done } = keeping(2);
    await clock.advance(8 * hourMs);
    await done;
    assert.deepEqual(happened, [
      "5 h: asked",
      "6 h: asked",
      "7 h: asked",
      "7 h: replaced by a new certificate",
      "7 h: returned",
    ]);
  });

  test("asks nobody before the session stands, however overdue it is", async () => {
    const { clock, happened, link, done } = keeping(0);
    link.isAttached = false;
    await clock.advance(5 * hourMs + 1_000);
    assert.deepEqual(happened, []);
    link.isAttached = true;
    await clock.advance(1_000);
    await done;
    assert.equal(happened.length, 3);
  });

  test("ends with the session", async () => {
    const stop = new AbortController();
    const { clock, happened, done } = keeping(0, stop);
    const ended = assert.rejects(done, /the session ended/);
    await clock.advance(hourMs);
    stop.abort(new Error("the session ended"));
    await ended;
    assert.deepEqual(happened, []);
  });
});
