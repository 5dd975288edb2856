import assert from "node:assert/strict";
import test, { after, before, suite } from "node:test";
import type { Digest } from "../../../proto/words/digest.ts";
import type { ClusterId } from "../../../proto/words/ids.ts";
import type { SpokeIdentity } from "../../../spoke/domain/identity.ts";
import type { HubConnection } from "../../../spoke/link/client.ts";
import { cuttingProxy } from "../../support/cutting-proxy.ts";
import { clientOf, codeOf, enrolled, signal, world, type World } from "./world.ts";

suite("blobs over TLS", () => {
  let here: World;
  let one: ClusterId;
  let two: ClusterId;
  let connection: HubConnection;
  let identity: SpokeIdentity;
  before(async () => {
    here = await world();
    one = here.store.addCluster("one");
    two = here.store.addCluster("two");
    identity = await enrolled(here, one);
    connection = clientOf(here).dial(identity);
  });
  after(async () => {
    connection.close();
    await here.stop();
  });

  const fetched = async (digests: readonly Digest[], over = connection) => {
    const got: Digest[] = [];
    const missing = await over.fetchBlobs(
      digests,
      async ({ digest }) => {
        got.push(digest);
      },
      signal(),
    );
    return { got, missing };
  };

  test("come whole and in order, whatever their size", async () => {
    const sizes = [0, 1, 262_143, 262_144, 262_145, 1_000_000];
    here.store.desire(
      one,
      "sizes",
      sizes.map((size) => ({ text: "x".repeat(size) })),
    );
    const digests = [...here.store.blobBytes.keys()];
    assert.deepEqual(await fetched(digests), { got: digests, missing: [] });
  });

  test("of another cluster are not found, in the same words as those of nobody", async () => {
    const secret = here.store.desire(two, "secret", [{ of: "two" }]);
    const mine = here.store.desire(one, "web", [{ of: "one" }]);
    const nobodys = "0".repeat(64) as Digest;
    const { got, missing } = await fetched([secret.bundle, mine.bundle, nobodys]);
    assert.deepEqual(got, [mine.bundle]);
    assert.deepEqual(missing, [secret.bundle, nobodys]);
  });

  test("that are not what their digest says are refused", async () => {
    const entry = here.store.desire(one, "tampered", [{ a: 1 }]);
    here.store.blobBytes.set(entry.bundle, new TextEncoder().encode('{"objects":[]}'));
    assert.equal(await codeOf(fetched([entry.bundle])), "away WH-LINK-2203");
  });

  test("that are interrupted go on where they stopped", async () => {
    const size = 3_000_000;
    const entry = here.store.desire(one, "large", [{ text: "y".repeat(size) }]);
    const large = [...here.store.blobBytes.keys()].find(
      (digest) => (here.store.blobBytes.get(digest)?.length ?? 0) > size,
    );
    assert.ok(large !== undefined && entry.bundle !== large);
    const line = await cuttingProxy(here.hub.address);
    const client = clientOf(here, line.address);
    try {
      line.cutAfterBytes = 2_000_000;
      const broken = client.dial(identity);
      assert.equal(await codeOf(fetched([large], broken)), "away WH-LINK-2200");
      broken.close();
      const mended = client.dial(identity);
      assert.deepEqual(await fetched([large], mended), { got: [large], missing: [] });
      mended.close();
      const [first = 0, second = 0] = line.received;
      assert.ok(first >= 2_000_000 && second < 2_000_000, `${first} and ${second} bytes came`);
    } finally {
      line.stop();
    }
  });
});
