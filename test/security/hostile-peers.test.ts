import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import test, { suite } from "node:test";
import { applicationView, resourceView } from "../../hub/http/views.ts";
import { silentLog } from "../../proto/kit/log.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import type { FencedMessage } from "../../proto/words/link-messages.ts";
import type { ObjectKey } from "../../proto/words/object-key.ts";
import { wireLimits } from "../../proto/wire/fields.ts";
import {
  fencedMessageFromWire,
  fencedMessageToWire,
  spokeMessageFromWire,
  spokeMessageToWire,
} from "../../proto/wire/link.ts";
import { openBlobs } from "../../spoke/disk/blobs.ts";
import { openDesiredSet } from "../../spoke/disk/desired-set.ts";
import { collectionPath, objectPath } from "../../spoke/kube/resource-path.ts";
import {
  addCluster,
  app,
  configMap,
  entry,
  publish,
  putBundle,
  report,
  signal,
  write,
} from "../contract/store/builders.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/hub-link.ts";
import { fakeLinkStore } from "../support/fake-link-store.ts";
import { memoryHub } from "../support/memory-link.ts";
import { newSpokeState, runSpokeLink } from "../support/spoke-link.ts";
import { openWorld } from "./world.ts";

const paths = [
  "../evil",
  "../../../../etc/cron.d/evil",
  "/etc/passwd",
  "..",
  ".",
  "a/../../b",
  "a\\..\\b",
  "a\u0000b",
  "%2e%2e%2fevil",
  ".writing-1-1",
  "CON",
  "a b",
  "a\nb",
  "＇",
  "a".repeat(300),
  "",
];

const digest = "0".repeat(64) as Digest;

const desired = (change: object): FencedMessage => ({
  epoch: 1,
  message: {
    kind: "desired",
    change: {
      base: 0,
      target: 1,
      root: digest,
      upserts: [],
      tombstones: [],
      strays: [],
      ...change,
    },
    blobs: [],
  },
});

suite("a hostile hub", () => {
  test("names that are paths are no names: none gets past the wire, in any place a hub can put one", () => {
    for (const path of paths) {
      const application = path as ApplicationName;
      const tombstone = {
        application,
        generation: 1,
        cause: "removed-from-git",
        actor: "x",
        keepObjects: false,
      } as const;
      for (const message of [
        desired({ upserts: [{ ...entry("web", digest), application }] }),
        desired({ tombstones: [tombstone] }),
        desired({ strays: [application] }),
      ])
        assert.equal(
          fencedMessageFromWire(fencedMessageToWire(message)).ok,
          false,
          JSON.stringify(path),
        );
    }
  });

  test("sets, lists and words beyond their limits are refused whole", () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => entry(`app-${index}`, digest));
    const most = wireLimits.applicationsMost;
    for (const message of [
      desired({ upserts: many(most + 1) }),
      desired({ strays: many(most + 1).map(({ application }) => application) }),
      desired({ upserts: [{ ...entry("web", digest), revision: "r".repeat(100_000) }] }),
      desired({
        upserts: [{ ...entry("web", digest), destinationNamespace: "n".repeat(100_000) }],
      }),
    ])
      assert.equal(fencedMessageFromWire(fencedMessageToWire(message)).ok, false);
    const fits = fencedMessageFromWire(fencedMessageToWire(desired({ upserts: many(most) })));
    assert.equal(fits.ok, true);
  });

  const lies: readonly {
    readonly name: string;
    readonly lie: (message: FencedMessage) => FencedMessage;
  }[] = [
    {
      name: "a set whose root is another's",
      lie: (fenced) =>
        fenced.message.kind === "desired"
          ? {
              ...fenced,
              message: { ...fenced.message, change: { ...fenced.message.change, root: digest } },
            }
          : fenced,
    },
    {
      name: "an application called by a path",
      lie: (fenced) =>
        fenced.message.kind === "desired"
          ? {
              ...fenced,
              message: {
                ...fenced.message,
                change: {
                  ...fenced.message.change,
                  upserts: fenced.message.change.upserts.map((one) => ({
                    ...one,
                    application: "../../evil" as ApplicationName,
                  })),
                },
              },
            }
          : fenced,
    },
  ];
  for (const { name, lie } of lies)
    test(`${name}: nothing of it is kept, nothing outside its folder is written, and the truth is taken afterwards`, async () => {
      const folder = await temporaryFolder();
      const store = fakeLinkStore();
      const cluster = store.addCluster("one");
      const hub = memoryHub(store);
      const state = newSpokeState();
      state.identity = {
        privateKeyPem: "key",
        certificatePem: "certificate",
        trustedPem: [],
        clusterId: cluster,
        clusterName: "one",
        hubId: "0123456789abcdef",
      };
      const place = join(folder.path, "spoke");
      const disk = openDesiredSet(place, silentLog);
      const spoke = runSpokeLink(
        state,
        {
          enroll: () => Promise.reject(new Error("it is enrolled")),
          dial: (identity) => hub.dial(cluster, identity),
          explain: (error) => ({ kind: "away", problem: { code: "x", sentence: String(error) } }),
        },
        {
          disk: { disk, blobs: openBlobs(join(place, "blobs"), silentLog) },
          certificateLife: () => ({ notBeforeMs: 0, notAfterMs: Number.MAX_SAFE_INTEGER }),
        },
      );
      try {
        let told = 0;
        hub.tamper = (message) => {
          if (message.message.kind === "desired") told += 1;
          return lie(message);
        };
        store.desire(cluster, "web", [{ a: 1 }]);
        hub.sessions.wake(cluster);
        await eventually(() => assert.ok(told >= 2, "the lie was told twice"));
        assert.equal((await disk.read(signal)).applications.size, 0);
        assert.deepEqual(await readdir(folder.path), ["spoke"]);
        hub.tamper = (message) => message;
        await eventually(async () => {
          hub.sessions.wake(cluster);
          assert.deepEqual([...(await disk.read(signal)).applications.keys()], ["web"]);
        });
        for (const file of await readdir(join(place, "blobs")))
          assert.match(file, /^[0-9a-f]{64}$/);
      } finally {
        await spoke.stop();
        hub.stop();
        await folder.remove();
      }
    });

  test("names in manifests lead to no other place of the Kubernetes API", () => {
    const type = {
      group: "",
      version: "v1",
      kind: "ConfigMap",
      plural: "configmaps",
      namespaced: true,
    };
    const safe = collectionPath(type as never, "web");
    for (const path of paths.filter((path) => path !== "")) {
      const url = new URL(
        objectPath(type as never, "web", path.toWellFormed()),
        "https://api.example",
      );
      // Dots alone are the one thing that no spelling hides from a URL: they are refused before.
      if (path === ".." || path === ".") continue;
      assert.ok(url.pathname.startsWith(`${safe}/`), url.pathname);
      assert.equal(url.pathname.split("/").length, `${safe}/x`.split("/").length, url.pathname);
      const group = new URL(
        collectionPath({ ...type, group: path } as never, ""),
        "https://api.example",
      );
      assert.ok(group.pathname.startsWith("/apis/"), group.pathname);
    }
  });
});

suite("a hostile spoke", () => {
  const reported = (change: Parameters<typeof report>[1]) =>
    spokeMessageFromWire(
      spokeMessageToWire({
        kind: "report",
        sequence: 1,
        applications: [report("web", change)],
        gone: [],
      }),
    );

  test("what it says of its objects has its limits, and what is over them is refused", () => {
    const long = "m".repeat(wireLimits.reportMessageCharsMost + 1);
    assert.equal(reported({ health: { state: "Healthy", message: long.slice(1) } }).ok, true);
    for (const change of [
      { health: { state: "Healthy", message: long } },
      { conditions: [{ code: "x", message: long }] },
      {
        conditions: Array.from({ length: wireLimits.conditionsMost + 1 }, () => ({
          code: "x",
          message: "",
        })),
      },
      { resources: [configMap("x", { message: long })] },
      { resources: [configMap("x", { images: Array.from({ length: 1_001 }, (_, n) => `i${n}`) })] },
      { resources: [{ ...configMap("x"), key: "no key" as ObjectKey }] },
      {
        resources: [{ ...configMap("x"), key: `/ConfigMap/web/${"x".repeat(2_000)}` as ObjectKey }],
      },
      { appliedRevision: "r".repeat(2_000) },
    ] as const)
      assert.equal(reported(change).ok, false, JSON.stringify(change).slice(0, 80));
  });

  test("markup, escapes and secrets in its words come out of the API as text, masked, and drive nothing", async () => {
    const world = await openWorld();
    try {
      const { store } = world;
      const cluster = await addCluster(store, "one");
      await publish(store, [write("web", cluster, await putBundle(store, { one: 1 }))]);
      const words = `<script>alert(1)</script>\u001b]0;x\u0007 javascript:alert(1) https://me:${"p".repeat(12)}@x.example`;
      await store.reports.record(
        [
          {
            cluster,
            applications: [
              report("web", {
                health: { state: "Degraded", message: words },
                conditions: [{ code: "WH-APP-1010", message: words }],
                resources: [configMap("one", { message: words })],
              }),
            ],
            gone: [],
          },
        ],
        1,
        signal,
      );
      const record = await store.applications.find(app("web"), signal);
      assert.ok(record);
      const [resource] = await store.applications.resources(app("web"), signal);
      assert.ok(resource);
      const shown = JSON.stringify([applicationView(record), resourceView(resource)]);
      assert.ok(!shown.includes("pppp"), "a password was shown");
      assert.ok(!shown.includes("\u001b"));
      assert.equal(shown.split("(masked)").length, 4);
      assert.ok(shown.includes("<script>"), "text stays text: it is JSON, served as JSON");
    } finally {
      await world.stop();
    }
  });
});
