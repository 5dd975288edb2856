import assert from "node:assert/strict";
import test, { after, before, suite } from "node:test";
import { parseBundle } from "../../proto/words/bundle.ts";
import { digestOfText, type Digest } from "../../proto/words/digest.ts";
import type { ApplicationName, ClusterId } from "../../proto/words/ids.ts";
import type { SpokeIdentity } from "../../spoke/domain/identity.ts";
import {
  addCluster,
  app,
  configMap,
  publish,
  putBundle,
  remove,
  report,
  signal,
  write,
} from "../contract/store/builders.ts";
import { eventually } from "../support/eventually.ts";
import {
  attachAs,
  credentialsOf,
  dialRaw,
  fetchRaw,
  openWorld,
  type RawSession,
  type World,
} from "./world.ts";

const spokesMost = 20;

type Tenant = {
  readonly name: string;
  readonly application: ApplicationName;
  /** Removed by Git, and not yet carried out by its spoke. */
  readonly leaving: ApplicationName;
  readonly cluster: ClusterId;
  readonly identity: SpokeIdentity;
  /** The bundle's list and its object. */
  readonly blobs: readonly Digest[];
  readonly command: string;
};

suite("twenty spokes, each against the nineteen others", () => {
  let world: World;
  const tenants: Tenant[] = [];
  const others = (of: Tenant): readonly Tenant[] => tenants.filter((tenant) => tenant !== of);

  before(async () => {
    world = await openWorld();
    const { store } = world;
    for (let index = 0; index < spokesMost; index += 1) {
      const name = `tenant-${index}`;
      const cluster = await addCluster(store, name);
      const bundle = await putBundle(store, { settings: { of: name } });
      await publish(store, [write(`web-${name}`, cluster, bundle)]);
      await publish(store, [write(`gone-${name}`, cluster, bundle)]);
      await publish(store, [remove(`gone-${name}`, cluster)]);
      const list = await store.blobs.read(bundle, signal);
      assert.ok(list);
      const parsed = parseBundle(list);
      assert.ok(parsed.ok);
      const command = `01JD00000000000000000000${String(index).padStart(2, "0")}`;
      await store.commands.create(
        {
          id: command,
          order: "sync",
          application: app(`web-${name}`),
          cluster,
          generation: 1,
          prune: false,
          actor: "token:test",
          createdAtMs: Date.now(),
          expiresAtMs: Date.now() + 600_000,
        },
        signal,
      );
      tenants.push({
        name,
        application: app(`web-${name}`),
        leaving: app(`gone-${name}`),
        cluster,
        identity: await world.enroll(cluster),
        blobs: [bundle, ...parsed.value.entries.map(({ blob }) => blob)],
        command,
      });
    }
  });
  after(() => world.stop());

  test("every blob digest of the 19 others is NOT_FOUND, in the words of one that nobody has", async () => {
    let tried = 0;
    for (const tenant of tenants) {
      const client = dialRaw(world, credentialsOf(tenant.identity));
      try {
        const own = await fetchRaw(client, tenant.blobs);
        assert.deepEqual([own.status, own.chunks], ["OK", tenant.blobs.length]);
        const nobodys = digestOfText("nobody has this");
        const absent = await fetchRaw(client, [nobodys]);
        assert.equal(absent.status, "NOT_FOUND");
        for (const digest of others(tenant).flatMap(({ blobs }) => blobs)) {
          const { details, ...answer } = await fetchRaw(client, [digest]);
          assert.deepEqual(
            { ...answer, details: details.replaceAll(digest, nobodys) },
            absent,
            `${tenant.name} learned of ${digest}`,
          );
          tried += 1;
        }
      } finally {
        client.close();
      }
    }
    assert.equal(tried, spokesMost * (spokesMost - 1) * 2);
  });

  /** Everything the hub says until the first heartbeat, after `say` was said. */
  async function saidTo(tenant: Tenant, say: (session: RawSession) => Promise<void>) {
    const session = await attachAs(world, tenant.identity);
    try {
      const welcome = await session.next();
      assert.equal(welcome.message.kind, "welcome");
      await say(session);
      const heard: Awaited<ReturnType<RawSession["next"]>>["message"][] = [];
      for (;;) {
        const { message } = await session.next();
        heard.push(message);
        if (message.kind === "report-recorded") return heard;
      }
    } finally {
      session.close();
    }
  }

  test("every application of the others, held, reported, acknowledged or asked for, is as one that never was", async () => {
    const { store } = world;
    const before = await snapshot();
    for (const tenant of tenants) {
      const foreign = others(tenant).map(({ application }) => application);
      const leaving = others(tenant).map((other) => other.leaving);
      const never = app("web-never-was");
      const heard = await saidTo(tenant, async (session) => {
        for (const application of leaving)
          await session.send({
            kind: "ack",
            ack: { kind: "removed", application, generation: 99 },
          });
        for (const { command } of others(tenant))
          await session.send({
            kind: "command-result",
            id: command,
            succeeded: true,
            message: "I was never asked",
          });
        await session.send({
          kind: "desired-digests",
          digests: new Map(
            [...foreign, ...leaving, never].map((name) => [name, digestOfText("x")]),
          ),
        });
        await session.send({
          kind: "report",
          sequence: 7,
          applications: [...foreign, never].map((name) =>
            report(name, { appliedRevision: "stolen", resources: [configMap("planted")] }),
          ),
          gone: foreign,
        });
      });
      const text = JSON.stringify(heard);
      for (const other of others(tenant)) {
        assert.ok(!text.includes(other.cluster), `${tenant.name} was told the id of ${other.name}`);
        for (const blob of other.blobs)
          assert.ok(!text.includes(blob), `${tenant.name} was told of a blob of ${other.name}`);
        assert.ok(!text.includes(other.command), `${tenant.name} was told a command`);
      }
      for (const message of heard) {
        if (message.kind !== "desired") continue;
        const told = [...message.change.upserts, ...message.change.tombstones].map(
          ({ application }) => application,
        );
        assert.deepEqual(
          told.filter((name) => name !== tenant.application && name !== tenant.leaving),
          [],
        );
        // Names it made up come back as strays, whether somebody else has them or nobody.
        const strays = message.change.strays;
        if (strays.length > 0)
          assert.deepEqual(strays.toSorted(), [...foreign, ...leaving, never].toSorted());
      }
    }
    await eventually(async () => assert.deepEqual(await snapshot(), before));
    assert.equal(await store.applications.find(app("web-never-was"), signal), undefined);
  });

  /** All that one spoke could have spoilt for another. */
  async function snapshot() {
    const { store } = world;
    return Promise.all(
      tenants.map(async ({ application, cluster, command }) => {
        const record = await store.applications.find(application, signal);
        return {
          status: record?.status,
          resources: await store.applications.resources(application, signal),
          // Not carried out: still among what a spoke that holds nothing is told.
          leaving: (await store.desiredSets.changeAgainst(cluster, new Map(), signal)).tombstones
            .map(({ application }) => application)
            .toSorted(),
          command: (await store.commands.find(command, signal))?.state,
        };
      }),
    );
  }

  test("no other spoke's stream can be opened: the session is the certificate's, whatever a message says", async () => {
    const nobody = () =>
      eventually(() => assert.equal(world.hub.link.sessions.attached, 0, "somebody is attached"));
    await nobody();
    for (const tenant of tenants) {
      const session = await attachAs(world, tenant.identity);
      try {
        await session.next();
        assert.ok(world.hub.link.sessions.isAttached(tenant.cluster));
        for (const other of others(tenant))
          assert.ok(!world.hub.link.sessions.isAttached(other.cluster));
      } finally {
        session.close();
      }
      await nobody();
    }
  });
});
