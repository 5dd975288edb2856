import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { unreachable } from "../../../proto/kit/unreachable.ts";
import { digestOfText } from "../../../proto/words/digest.ts";
import type { ApplicationName } from "../../../proto/words/ids.ts";
import { makeObjectKey, objectKeyParts, type ObjectKey } from "../../../proto/words/object-key.ts";
import { managedLabel, trackingAnnotation } from "../../../spoke/domain/cluster.ts";
import type { InventoryEntry } from "../../../spoke/domain/inventory.ts";
import type { LiveObject } from "../../../spoke/domain/live.ts";
import { markerText } from "../../../spoke/domain/marker.ts";
import { reachOf } from "../../../spoke/domain/reach.ts";
import {
  isAllApplied,
  makePlan,
  workIn,
  type Action,
  type DesiredObject,
  type PlanInput,
} from "../../../spoke/domain/plan.ts";

const key = makeObjectKey({ group: "", kind: "ConfigMap", namespace: "shop", name: "a" });

const wanted = (more: Partial<DesiredObject> = {}): DesiredObject => ({
  key,
  version: "v1",
  blob: digestOfText("blob"),
  digest: "new",
  isServed: true,
  syncWave: 0,
  defines: undefined,
  images: [],
  mayVanish: false,
  ignoreHealth: false,
  adopt: "if-equal",
  ...more,
});

const entry = (more: Partial<InventoryEntry> = {}): InventoryEntry => ({
  key,
  version: "v1",
  uid: "u1",
  applied: "new",
  fingerprint: "f1",
  ...more,
});

type LiveDraft = {
  readonly key?: ObjectKey;
  readonly uid?: string;
  readonly fingerprint?: string;
  readonly marker?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly isTerminating?: boolean;
};

const ours = (of: ObjectKey): string => markerText("hub", "shop", of);

function object(draft: LiveDraft = {}): LiveObject {
  const of = draft.key ?? key;
  const { group, kind, namespace, name } = objectKeyParts(of);
  const marker = draft.marker ?? ours(of);
  return {
    uid: draft.uid ?? "u1",
    fingerprint: draft.fingerprint ?? "f1",
    images: [],
    lastChangedBy: "",
    managers: ["kubectl"],
    object: {
      apiVersion: group === "" ? "v1" : `${group}/v1`,
      kind,
      metadata: {
        name,
        ...(namespace === "" ? {} : { namespace }),
        labels: { [managedLabel]: "hub" },
        annotations: {
          ...draft.annotations,
          ...(marker === "" ? {} : { [trackingAnnotation]: marker }),
        },
        ...(draft.isTerminating === true ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
      },
    },
  };
}

type World = {
  readonly desired?: readonly DesiredObject[];
  readonly inventory?: readonly InventoryEntry[];
  readonly live?: readonly LiveObject[];
  readonly prune?: Partial<PlanInput["prune"]>;
  readonly owner?: string;
  /** Other applications that declare every object there is. */
  readonly declaredBy?: readonly string[];
  readonly isReadable?: boolean;
  /** The only namespaces of the spoke; none for the whole cluster. */
  readonly namespaces?: readonly string[];
};

const keyOf = ({ object: { apiVersion, kind, metadata } }: LiveObject): ObjectKey =>
  makeObjectKey({
    group: apiVersion === "v1" ? "" : (apiVersion.split("/")[0] ?? ""),
    kind,
    namespace: metadata.namespace ?? "",
    name: metadata.name,
  });

function inputOf(world: World): PlanInput {
  const live = new Map((world.live ?? []).map((one) => [keyOf(one), one]));
  return {
    hubId: "hub",
    application: "shop",
    desired: world.desired ?? [],
    inventory: new Map((world.inventory ?? []).map((one) => [one.key, one])),
    live: (of) => live.get(of),
    reach: reachOf(world.namespaces ?? []),
    isReadable: () => world.isReadable ?? true,
    otherOwner: () => world.owner as ApplicationName | undefined,
    isDeclaredByOthers: () => (world.declaredBy ?? []).length > 0,
    mayDeclare: (application) => (world.declaredBy ?? []).includes(application),
    marked: [...live.values()].filter(
      (one) => one.object.metadata.annotations?.[trackingAnnotation] === ours(keyOf(one)),
    ),
    prune: {
      allowed: true,
      allowEmpty: true,
      confirmed: false,
      recovered: new Set(),
      isNamespaceInUse: () => false,
      brake: { objectsMost: 10, ratioMost: 0.5 },
      ...world.prune,
    },
  };
}

const planned = (world: World): readonly string[] => makePlan(inputOf(world)).actions.map(asText);

function asText(action: Action): string {
  switch (action.kind) {
    case "create":
    case "update":
      return `${action.kind} ${action.why}`;
    case "refuse":
      return `refuse ${action.problem.kind}`;
    case "keep":
      return `keep ${action.why}`;
    case "prune":
      return action.isRemoving ? "prune again" : "prune";
    case "nothing":
    case "adopt":
    case "hold":
    case "blocked":
    case "unread":
    case "forget":
    case "recover":
      return action.kind;
    default:
      return unreachable(action, "action");
  }
}

suite("makePlan, wanted", () => {
  const desired = [wanted()];
  const intent = entry({ uid: "", applied: "", fingerprint: "" });
  const rows: readonly { readonly name: string; readonly world: World; readonly expect: string }[] =
    [
      { name: "creates what is absent", world: {}, expect: "create new" },
      {
        name: "creates what was only intended",
        world: { inventory: [intent] },
        expect: "create new",
      },
      {
        name: "creates what vanished while it changed",
        world: { inventory: [entry({ applied: "old" })] },
        expect: "create changed",
      },
      { name: "creates what vanished", world: { inventory: [entry()] }, expect: "create drift" },
      {
        name: "leaves a job that was cleaned up when it was done",
        world: { desired: [wanted({ mayVanish: true })], inventory: [entry()] },
        expect: "nothing",
      },
      {
        name: "leaves a match alone",
        world: { inventory: [entry()], live: [object()] },
        expect: "nothing",
      },
      {
        name: "updates what another generation applied",
        world: { inventory: [entry({ applied: "old" })], live: [object()] },
        expect: "update changed",
      },
      {
        name: "repairs what changed in the cluster",
        world: { inventory: [entry()], live: [object({ fingerprint: "f2" })] },
        expect: "update drift",
      },
      {
        name: "repairs an object whose marker was taken off",
        world: { inventory: [entry()], live: [object({ marker: "", fingerprint: "f2" })] },
        expect: "update drift",
      },
      {
        name: "takes back what carries our marker without an entry",
        world: { live: [object()] },
        expect: "update readopt",
      },
      {
        name: "takes up what was applied just before a crash",
        world: { inventory: [intent], live: [object()] },
        expect: "update readopt",
      },
      {
        name: "takes up an object of ours that was restored under another uid",
        world: { inventory: [entry()], live: [object({ uid: "u2" })] },
        expect: "update readopt",
      },
      {
        name: "asks before it takes a stranger's object",
        world: { live: [object({ marker: "", uid: "u9" })] },
        expect: "adopt",
      },
      {
        name: "takes a marker copied from another object for none",
        world: { live: [object({ marker: "hub/shop//ConfigMap/shop/other", uid: "u9" })] },
        expect: "adopt",
      },
      {
        name: "does not take an object another hub marked",
        world: { live: [object({ marker: `other/shop/${key}`, uid: "u9" })] },
        expect: "refuse foreign",
      },
      {
        name: "does not fight another hub over an object that was ours",
        world: { inventory: [entry()], live: [object({ marker: `other/shop/${key}` })] },
        expect: "refuse foreign",
      },
      {
        name: "does not take an object that says Flux manages it",
        world: {
          live: [
            object({
              marker: "",
              uid: "u9",
              annotations: { "kustomize.toolkit.fluxcd.io/name": "x" },
            }),
          ],
        },
        expect: "refuse foreign",
      },
      {
        name: "takes a stranger's object over at once when its manifest says so",
        world: {
          desired: [wanted({ adopt: "always" })],
          live: [object({ marker: "", uid: "u9" })],
        },
        expect: "update adopt",
      },
      {
        name: "takes another tool's object over when its manifest says so",
        world: {
          desired: [wanted({ adopt: "always" })],
          live: [
            object({ marker: "", uid: "u9", annotations: { "meta.helm.sh/release-name": "x" } }),
          ],
        },
        expect: "update adopt",
      },
      {
        name: "does not take another hub's object whatever its manifest says",
        world: {
          desired: [wanted({ adopt: "always" })],
          live: [object({ marker: `other/shop/${key}`, uid: "u9" })],
        },
        expect: "refuse foreign",
      },
      {
        name: "does not even ask when the manifest says never",
        world: {
          desired: [wanted({ adopt: "never" })],
          live: [object({ marker: "", uid: "u9" })],
        },
        expect: "refuse foreign",
      },
      {
        name: "takes over what another application of the hub has given up",
        world: { live: [object({ marker: `hub/blog/${key}`, uid: "u9" })] },
        expect: "update handover",
      },
      {
        name: "takes over what is marked with a name that no application can have",
        world: { live: [object({ marker: `hub/Blog_EU/${key}`, uid: "u9" })] },
        expect: "update handover",
      },
      {
        name: "leaves what carries the mark of another application that declares it",
        world: { live: [object({ marker: `hub/blog/${key}`, uid: "u9" })], declaredBy: ["blog"] },
        expect: "refuse other-application",
      },
      {
        name: "does not fight over an object that another application took over",
        world: {
          inventory: [entry()],
          live: [object({ marker: `hub/blog/${key}`, uid: "u1" })],
          owner: "blog",
        },
        expect: "refuse other-application",
      },
      {
        name: "leaves another application's object",
        world: { owner: "blog" },
        expect: "refuse other-application",
      },
      {
        name: "waits for an object that is being deleted",
        world: { inventory: [entry()], live: [object({ isTerminating: true })] },
        expect: "hold",
      },
      {
        name: "decides nothing about what it cannot read",
        world: { inventory: [entry()], isReadable: false },
        expect: "unread",
      },
      {
        name: "refuses what lives outside the namespaces it was given, whatever it may read",
        world: { namespaces: ["blog"], isReadable: false },
        expect: "refuse out-of-reach",
      },
      {
        name: "refuses what lives in no namespace when it was given some",
        world: {
          namespaces: ["shop"],
          desired: [
            wanted({
              key: makeObjectKey({ group: "", kind: "Namespace", namespace: "", name: "shop" }),
            }),
          ],
        },
        expect: "refuse out-of-reach",
      },
      {
        name: "creates within the namespaces it was given",
        world: { namespaces: ["blog", "shop"] },
        expect: "create new",
      },
      {
        name: "waits for its kind",
        world: { desired: [wanted({ isServed: false })] },
        expect: "blocked",
      },
    ];
  for (const { name, world, expect } of rows)
    test(name, () => assert.deepEqual(planned({ desired, ...world }), [expect]));
});

suite("makePlan, no longer wanted", () => {
  const other = wanted({
    key: makeObjectKey({ group: "", kind: "Secret", namespace: "shop", name: "s" }),
  });
  const inventory = [entry()];
  const live = [object()];
  const kindOf = (kind: string, group = "", name = "n"): ObjectKey =>
    makeObjectKey({ group, kind, namespace: "", name });
  const protectedOne = (of: ObjectKey, annotations = {}): World => ({
    inventory: [entry({ key: of })],
    live: [object({ key: of, annotations })],
  });
  const option = (text: string) => ({ "argocd.argoproj.io/sync-options": text });
  const rows: readonly { readonly name: string; readonly world: World; readonly expect: string }[] =
    [
      { name: "prunes what it owns", world: { inventory, live }, expect: "prune" },
      {
        name: "prunes what it applied just before a crash",
        world: { inventory: [entry({ uid: "", applied: "", fingerprint: "" })], live },
        expect: "prune",
      },
      {
        name: "goes on with what is being removed",
        world: { inventory, live: [object({ isTerminating: true })] },
        expect: "prune again",
      },
      { name: "forgets what is gone", world: { inventory }, expect: "forget" },
      {
        name: "lets go of what another application declares",
        world: { inventory, live, declaredBy: ["blog"] },
        expect: "forget",
      },
      {
        name: "does not take back what another application declares",
        world: { inventory, live: [object({ uid: "u2" })], declaredBy: ["blog"] },
        expect: "forget",
      },
      {
        name: "forgets an object whose name a stranger took",
        world: { inventory, live: [object({ uid: "u2", marker: "" })] },
        expect: "forget",
      },
      {
        name: "does not prune at once what was made anew under our marker",
        world: { inventory, live: [object({ uid: "u2" })] },
        expect: "recover",
      },
      {
        name: "forgets an object that lost our marker",
        world: { inventory, live: [object({ marker: "" })] },
        expect: "forget",
      },
      {
        name: "keeps what it cannot read",
        world: { inventory, live, isReadable: false },
        expect: "keep unreadable",
      },
      {
        name: "keeps it while pruning is off",
        world: { inventory, live, prune: { allowed: false } },
        expect: "keep prune-off",
      },
      {
        name: "prunes on an order although pruning is off",
        world: { inventory, live, prune: { allowed: false, confirmed: true } },
        expect: "prune",
      },
      {
        name: "keeps what forbids it, order or not",
        world: {
          inventory,
          live: [object({ annotations: option("Prune=false") })],
          prune: { confirmed: true },
        },
        expect: "keep prune-forbidden",
      },
      {
        name: "keeps what Helm was told to keep",
        world: {
          inventory,
          live: [object({ annotations: { "helm.sh/resource-policy": "keep" } })],
        },
        expect: "keep prune-forbidden",
      },
      {
        name: "keeps what asks for confirmation",
        world: { inventory, live: [object({ annotations: option("Prune=confirm") })] },
        expect: "keep needs-confirmation",
      },
      {
        name: "keeps a namespace",
        world: protectedOne(kindOf("Namespace")),
        expect: "keep needs-confirmation",
      },
      {
        name: "keeps a volume claim",
        world: protectedOne(kindOf("PersistentVolumeClaim")),
        expect: "keep needs-confirmation",
      },
      {
        name: "keeps a definition",
        world: protectedOne(kindOf("CustomResourceDefinition", "apiextensions.k8s.io")),
        expect: "keep needs-confirmation",
      },
      {
        name: "prunes a namespace that says Prune=true",
        world: protectedOne(kindOf("Namespace"), option("Prune=true")),
        expect: "prune",
      },
      {
        name: "keeps a namespace in which others live, order or not",
        world: {
          ...protectedOne(kindOf("Namespace"), option("Prune=true")),
          prune: { isNamespaceInUse: (name) => name === "n", confirmed: true },
        },
        expect: "keep namespace-in-use",
      },
      {
        name: "keeps a namespace in which the application itself still lives",
        world: protectedOne(kindOf("Namespace", "", "shop"), option("Prune=true")),
        expect: "keep namespace-in-use",
      },
      {
        name: "keeps what was recovered by its marker",
        world: { inventory, live, prune: { recovered: new Set([key]) } },
        expect: "keep inventory-was-lost",
      },
    ];
  for (const { name, world, expect } of rows) {
    test(name, () => {
      const actions = planned({ desired: [other], ...world });
      assert.deepEqual(actions.slice(1), [expect]);
    });
  }

  test("an empty bundle prunes only where the policy allows it", () => {
    const empty = { inventory, live };
    assert.deepEqual(planned({ ...empty, prune: { allowEmpty: false } }), ["keep empty-bundle"]);
    assert.deepEqual(planned({ ...empty, prune: { allowEmpty: false, confirmed: true } }), [
      "keep empty-bundle",
    ]);
    assert.deepEqual(planned(empty), ["prune"]);
  });

  test("recovers a marked object that is in no inventory, and nothing of others", () => {
    assert.deepEqual(planned({ live }), ["recover"]);
    assert.deepEqual(planned({ live, owner: "blog" }), []);
    assert.deepEqual(planned({ live: [object({ isTerminating: true })] }), []);
  });

  test("more than ten objects and more than half of them wait for an order", () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) =>
        makeObjectKey({ group: "", kind: "ConfigMap", namespace: "shop", name: `n${index}` }),
      );
    const world = (leaving: number, staying: number): World => {
      const left = many(leaving);
      const stay = many(staying).map((of, index) => ({ of, index }));
      const staying_ = stay.map(({ index }) =>
        makeObjectKey({ group: "", kind: "Secret", namespace: "shop", name: `s${index}` }),
      );
      return {
        desired: staying_.map((of) => wanted({ key: of })),
        inventory: [...left, ...staying_].map((of) => entry({ key: of })),
        live: [...left, ...staying_].map((of) => object({ key: of })),
      };
    };
    const holds = (leaving: number, staying: number, confirmed = false) =>
      planned({ ...world(leaving, staying), prune: { confirmed } }).includes("keep too-many");
    assert.equal(holds(10, 0), false, "ten are few");
    assert.equal(holds(11, 11), false, "half is no landslide");
    assert.equal(holds(11, 10), true);
    assert.equal(holds(11, 10, true), false, "an order is consent");
  });
});

suite("a plan", () => {
  test("carried out leaves nothing to plan", () => {
    const law = fc.property(someWorld, (world) => {
      const after = carryOut(world);
      const left = planned(after).filter((action) => !resting.has(action));
      assert.deepEqual(left, []);
      assert.deepEqual(workIn(makePlan(inputOf(after))), {
        byGeneration: planned(after).some((action) => action.startsWith("refuse")),
        byDrift: false,
      });
    });
    fc.assert(law, { numRuns: 1000 });
  });

  test("never removes what is not in the inventory under our marker", () => {
    const law = fc.property(someWorld, (world) => {
      const input = inputOf(world);
      for (const action of makePlan(input).actions) {
        if (action.kind !== "prune") continue;
        const live = input.live(action.entry.key);
        assert.ok(input.inventory.has(action.entry.key));
        assert.equal(
          live?.object.metadata.annotations?.[trackingAnnotation],
          ours(action.entry.key),
        );
        assert.ok(action.entry.uid === "" || action.entry.uid === live.uid);
      }
    });
    fc.assert(law, { numRuns: 1000 });
  });

  test("of a bundle that is all applied has no work of a generation left for the wanted objects", () => {
    const law = fc.property(someWorld, (world) => {
      const { desired, inventory } = inputOf(carryOut(world));
      const refused = planned(carryOut(world)).some((action) => action.startsWith("refuse"));
      if (!refused) assert.ok(isAllApplied(desired, inventory));
    });
    fc.assert(law, { numRuns: 300 });
  });
});

/** What a plan may say for ever: in order, or waiting for somebody else. */
const resting = new Set([
  "nothing",
  "refuse foreign",
  "keep prune-forbidden",
  "keep needs-confirmation",
]);

const names = ["a", "b", "c", "d"] as const;
const named = (name: string): ObjectKey =>
  makeObjectKey({ group: "", kind: "ConfigMap", namespace: "shop", name });

const someKey = fc.constantFrom(...names).map(named);

const someWorld: fc.Arbitrary<Required<Pick<World, "desired" | "inventory" | "live">>> = fc.record({
  desired: fc.uniqueArray(
    fc
      .record({ of: someKey, digest: fc.constantFrom("d1", "d2") })
      .map(({ of, digest }) => wanted({ key: of, digest })),
    { selector: (one) => one.key },
  ),
  inventory: fc.uniqueArray(
    fc
      .record({
        of: someKey,
        applied: fc.constantFrom("", "d1", "d2"),
        fingerprint: fc.constantFrom("f-d1", "f-d2", "f-x"),
        uid: fc.constantFrom("", "u1", "u2"),
      })
      .map(({ of, ...rest }) => entry({ key: of, ...rest })),
    { selector: (one) => one.key },
  ),
  live: fc.uniqueArray(
    fc
      .record({
        of: someKey,
        fingerprint: fc.constantFrom("f-d1", "f-d2", "f-x"),
        uid: fc.constantFrom("u1", "u2"),
        whose: fc.constantFrom("ours", "nobody", "another hub", "a copy"),
        option: fc.constantFrom("", "Prune=false", "Prune=confirm"),
      })
      .map(({ of, whose, option, ...rest }) =>
        object({
          key: of,
          ...rest,
          marker: markerBy(whose, of),
          annotations: { "argocd.argoproj.io/sync-options": option },
        }),
      ),
    { selector: (one) => keyOf(one) },
  ),
});

function markerBy(whose: string, of: ObjectKey): string {
  if (whose === "ours") return ours(of);
  if (whose === "another hub") return `other/shop/${of}`;
  return whose === "a copy" ? ours(named("copied-from")) : "";
}

/** The obvious executor: what cluster and inventory would hold afterwards, every stranger agreeing to adoption. */
function carryOut(world: World): World {
  const input = inputOf(world);
  const inventory = new Map(input.inventory);
  const live = new Map((world.live ?? []).map((one) => [keyOf(one), one]));
  for (const action of makePlan(input).actions) {
    switch (action.kind) {
      case "create":
      case "update":
      case "adopt": {
        const { key: of, digest } = action.desired;
        const uid = live.get(of)?.uid ?? "u3";
        live.set(of, object({ key: of, uid, fingerprint: `f-${digest}` }));
        inventory.set(of, entry({ key: of, uid, applied: digest, fingerprint: `f-${digest}` }));
        break;
      }
      case "prune":
        live.delete(action.entry.key);
        inventory.delete(action.entry.key);
        break;
      case "forget":
        inventory.delete(action.entry.key);
        break;
      case "recover":
        // Two rounds in one: taken into the inventory, and judged there by the next plan.
        inventory.set(action.key, entry({ key: action.key, uid: action.live.uid, applied: "" }));
        break;
      case "nothing":
      case "hold":
      case "refuse":
      case "blocked":
      case "unread":
      case "keep":
        break;
      default:
        unreachable(action, "action");
    }
  }
  const next = { ...world, inventory: [...inventory.values()], live: [...live.values()] };
  const hasRecovered = makePlan(input).actions.some(({ kind }) => kind === "recover");
  return hasRecovered ? carryOut(next) : next;
}
