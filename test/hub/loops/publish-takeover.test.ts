import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, afterEach, before, beforeEach, suite } from "node:test";
import { Trouble } from "../../../proto/kit/trouble.ts";
import type { ClusterId } from "../../../proto/words/ids.ts";
import type { PublishNeeds } from "../../../hub/loops/publish.ts";
import { addCluster, app, record, report } from "../../contract/store/builders.ts";
import { openPublishPasses, type PublishPasses } from "../../support/publish-passes.ts";

const signal = new AbortController().signal;
const page = { limit: 500, after: undefined };

const configMap = (value: string): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "map" },
    data: { value },
  });

type Element = Readonly<Record<string, string>>;

suite("taking over what a removed set left behind", () => {
  let folder = "";
  let count = 0;
  let passes: PublishPasses;
  /** The commit all sources are at: what is published changes by the fleet's documents only. */
  let sources = "";
  let one: ClusterId;
  let two: ClusterId;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wheelhouse-takeover-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    count += 1;
    passes = await openPublishPasses(join(folder, `store-${count}`), signal);
    one = await addCluster(passes.store, "one");
    two = await addCluster(passes.store, "two");
    const pushed = await passes.push({
      "fleet/README.md": "what the fleet runs",
      "apps/first/map.json": configMap("first"),
      "apps/second/map.json": configMap("second"),
    });
    sources = pushed.commit ?? "";
  });
  afterEach(() => passes.store.close());

  /** The spec of an Application whose manifests are in a folder below `apps`. */
  const specOf = (path: string, cluster: string, project = "default") => ({
    project,
    source: { repoURL: passes.url, targetRevision: sources, path: `apps/${path}` },
    destination: { name: cluster, namespace: "web" },
    syncPolicy: { automated: {} },
  });

  const elementsOf = (names: string, more: Element = {}): readonly Element[] =>
    names.split(" ").map((name) => ({ name, cluster: "one", ...more }));

  /** A set of an Application an element, of those that have `name` and `cluster`. */
  const set = (
    name: string,
    elements: readonly Element[],
    more: {
      readonly policy?: string;
      readonly path?: string;
      readonly project?: string;
      readonly annotations?: Readonly<Record<string, string>>;
      readonly spec?: object;
    } = {},
  ): string =>
    JSON.stringify({
      apiVersion: "argoproj.io/v1alpha1",
      kind: "ApplicationSet",
      metadata: { name, annotations: more.annotations ?? {} },
      spec: {
        goTemplate: true,
        syncPolicy: { applicationsSync: more.policy ?? "sync" },
        generators: [{ list: { elements } }],
        template: {
          metadata: {
            name: "{{ .name }}",
            labels: { tier: "{{ .tier }}" },
            finalizers: ["resources-finalizer.argocd.argoproj.io"],
          },
          spec: specOf(more.path ?? "first", "{{ .cluster }}", more.project),
        },
        ...more.spec,
      },
    });

  const plain = (name: string, cluster = "one"): string =>
    JSON.stringify({
      apiVersion: "argoproj.io/v1alpha1",
      kind: "Application",
      metadata: { name, finalizers: ["resources-finalizer.argocd.argoproj.io"] },
      spec: specOf("first", cluster),
    });

  const team = JSON.stringify({
    apiVersion: "argoproj.io/v1alpha1",
    kind: "AppProject",
    metadata: { name: "team" },
    spec: { sourceRepos: ["*"], destinations: [{ name: "*", server: "*", namespace: "*" }] },
  });

  /** Publishes the set `old`, which may only create, and takes it out of Git again. */
  const leaveBehind = async (elements: readonly Element[]): Promise<void> => {
    await passes.push({ "fleet/old.json": set("old", elements, { policy: "create-only" }) });
    await passes.push({ "fleet/old.json": undefined });
  };

  /** Every application with whose it is, and where it is in which generation. */
  const published = async (): Promise<readonly string[]> => {
    const order = { by: "name", descending: false } as const;
    const { items } = await passes.store.applications.list({}, order, page, signal);
    return items.map(
      ({ name, origin, cluster, generation }) =>
        `${name}: ${origin.kind === "application" ? "itself" : origin.name}, ${cluster}@${generation}`,
    );
  };

  const problemOf = async (name: string): Promise<string> => {
    const found = await passes.store.applicationSets.find(name, signal);
    if (found === undefined) return "no such set";
    return found.problem === undefined ? "" : `${found.problem.code} ${found.problem.message}`;
  };

  const versions = async (): Promise<readonly number[]> => [
    (await passes.store.desiredSets.current(one, signal)).version,
    (await passes.store.desiredSets.current(two, signal)).version,
  ];

  const tombstones = async (cluster: ClusterId): Promise<readonly string[]> => {
    const change = await passes.store.desiredSets.changeSince(cluster, 0, signal);
    assert.ok(change !== undefined);
    return change.tombstones.map(({ application, cause }) => `${application} ${cause}`);
  };

  const told = async (sequence: number): Promise<readonly string[]> =>
    (await passes.store.events.since(sequence, 100, signal)).map(({ message }) => message);

  test("a set of steps that left something behind is not watched as one that goes step by step", async () => {
    const steps = {
      strategy: {
        type: "RollingSync",
        deletionOrder: "Reverse",
        rollingSync: {
          steps: [{ matchExpressions: [{ key: "tier", operator: "Exists" }] }],
        },
      },
    };
    const old = (policy: string) => ({
      "fleet/old.json": set("old", elementsOf("a", { tier: "one" }), { policy, spec: steps }),
    });
    await passes.push(old("create-only"));
    const left = await passes.push({ "fleet/old.json": undefined });
    assert.deepEqual([left.isRolling, left.requeueAfterMs], [false, undefined]);
    const back = await passes.push(old("create-only"));
    assert.equal(back.isRolling, true);
    assert.ok(back.requeueAfterMs !== undefined);
  });

  test("plain Applications take over in place, and the set goes with the last of it", async () => {
    await leaveBehind(elementsOf("a b"));
    assert.match(await problemOf("old"), /^WH-GEN-3115 .* its 2 applications stay/);
    const before = await versions();
    const sequence = await passes.store.events.latest(signal);
    await passes.push({ "fleet/a.json": plain("a") });
    assert.deepEqual(await published(), ["a: itself, one@1", "b: old, one@1"]);
    assert.match(await problemOf("old"), /^WH-GEN-3115 .* its application stays/);
    await passes.push({ "fleet/b.json": plain("b") });
    assert.deepEqual(await published(), ["a: itself, one@1", "b: itself, one@1"]);
    assert.equal(await problemOf("old"), "no such set");
    assert.deepEqual(await versions(), before, "no cluster is offered anything anew");
    const takes = "which is gone from Git";
    assert.deepEqual(
      (await told(sequence)).filter((message) => !message.includes("its application stays")),
      [
        `Application a takes over a from ApplicationSet old, ${takes}`,
        `Application b takes over b from ApplicationSet old, ${takes}`,
        "the problem of ApplicationSet old is gone",
        "applicationset old is gone from Git",
      ],
    );
    await passes.push({ "fleet/a.json": undefined });
    assert.deepEqual(await tombstones(one), ["a removed-from-git"]);
  });

  test("a set whose last words this hub cannot read is no order to delete", async () => {
    const findSet: PublishNeeds["findSet"] = async (name, findSignal) => {
      const row = await passes.store.applicationSets.find(name, findSignal);
      return row && { ...row, document: JSON.stringify({ metadata: { name }, spec: "older" }) };
    };
    await passes.push({ "fleet/old.json": set("old", elementsOf("a b")) });
    await passes.push({ "fleet/old.json": undefined }, { findSet });
    assert.deepEqual(await published(), ["a: old, one@1", "b: old, one@1"]);
    assert.match(
      await problemOf("old"),
      /^WH-GEN-3115 .* its 2 applications stay, because this hub cannot read what it said last: /,
    );
    await passes.push({ "fleet/a.json": plain("a"), "fleet/b.json": plain("b") }, { findSet });
    assert.deepEqual(await published(), ["a: itself, one@1", "b: itself, one@1"]);
    assert.equal(await problemOf("old"), "no such set");
  });

  test("another set takes over in the commit that takes the first away", async () => {
    await passes.push({
      "fleet/old.json": set("old", elementsOf("a b"), { policy: "create-only" }),
    });
    const before = await versions();
    await passes.push({
      "fleet/old.json": undefined,
      "fleet/new.json": set("new", elementsOf("a b")),
    });
    assert.deepEqual(await published(), ["a: new, one@1", "b: new, one@1"]);
    assert.deepEqual(await versions(), before);
    assert.deepEqual([await problemOf("old"), await problemOf("new")], ["no such set", ""]);
  });

  test("nobody takes over while a file cannot be read", async () => {
    await passes.push({ "fleet/old.json": set("old", elementsOf("a"), { policy: "create-only" }) });
    await passes.push({
      "fleet/old.json": undefined,
      "fleet/new.json": set("new", elementsOf("a")),
      "fleet/broken.yaml": "kind: [",
    });
    assert.deepEqual(await published(), ["a: old, one@1"]);
    assert.match(await problemOf("new"), /^WH-GEN-3106 .*belongs to ApplicationSet old;/);
    await passes.push({ "fleet/broken.yaml": undefined });
    assert.deepEqual(await published(), ["a: new, one@1"]);
    assert.deepEqual([await problemOf("old"), await problemOf("new")], ["no such set", ""]);
  });

  test("nobody takes over from a set that is in Git, whatever its state", async () => {
    const creates = { policy: "create-only" };
    const fails = { ...creates, spec: { generators: [{ nosuch: {} }] } };
    const keeps = async (): Promise<void> => {
      await passes.pass();
      assert.deepEqual((await published())[0], "a: owner, one@1");
      assert.match(await problemOf("wants"), /^WH-GEN-3106 .*belongs to ApplicationSet owner;/);
    };
    await passes.push({ "fleet/owner.json": set("owner", elementsOf("a"), creates) });
    await passes.push({ "fleet/wants.json": set("wants", elementsOf("a")) });
    await keeps();
    await passes.push({ "fleet/owner.json": set("owner", elementsOf("a"), fails) });
    assert.match(await problemOf("owner"), /nosuch/);
    await keeps();
    await passes.push({ "fleet/owner.json": set("owner", elementsOf("b"), creates) });
    await keeps();
  });

  test("a set that is renamed goes on in place, and what it drops with that goes", async () => {
    await passes.push({ "fleet/old.json": set("old", elementsOf("a b c")) });
    await passes.push({
      "fleet/old.json": undefined,
      "fleet/new.json": set("new", elementsOf("a b")),
    });
    assert.deepEqual(await published(), ["a: new, one@1", "b: new, one@1"]);
    assert.deepEqual(await tombstones(one), ["c set-removed"]);
    assert.deepEqual([await problemOf("old"), await problemOf("new")], ["no such set", ""]);
  });

  test("an Application goes from a set to a file of its own and back in place", async () => {
    const whole = { "fleet/own.json": set("own", elementsOf("a b")), "fleet/a.json": undefined };
    const files = { "fleet/own.json": undefined, "fleet/a.json": plain("a") };
    await passes.push(whole);
    const before = await versions();
    await passes.push({ ...files, "fleet/b.json": plain("b") });
    assert.deepEqual(await published(), ["a: itself, one@1", "b: itself, one@1"]);
    await passes.push({ ...whole, "fleet/b.json": undefined });
    assert.deepEqual(await published(), ["a: own, one@1", "b: own, one@1"]);
    assert.deepEqual(await versions(), before);
  });

  test("a revert gives back what was taken over", async () => {
    const names = "a b c d e f g h";
    const old = { "fleet/old.json": set("old", elementsOf(names), { policy: "create-only" }) };
    await passes.push(old);
    const before = [await published(), await versions()];
    await passes.push({
      "fleet/old.json": undefined,
      "fleet/new.json": set("new", elementsOf(names)),
    });
    assert.equal((await published())[0], "a: new, one@1");
    await passes.push({ ...old, "fleet/new.json": undefined });
    assert.deepEqual([await published(), await versions()], before);
    assert.deepEqual(await tombstones(one), []);
    assert.deepEqual([await problemOf("old"), await problemOf("new")], ["", "no such set"]);
  });

  const failsAtC = { templatePatch: '{{ if eq .name "c" }}{{ fail "not now" }}{{ end }}{}' };
  const slips: readonly {
    readonly name: string;
    readonly slip: () => string;
    readonly waits: readonly string[];
  }[] = [
    {
      name: "goes nowhere",
      slip: () => set("new", [...elementsOf("a b"), { name: "c", cluster: "nowhere" }]),
      waits: ["a: new, one@1", "b: new, one@1", "c: old, one@1", "d: old, one@1"],
    },
    {
      name: "fails to generate",
      slip: () => set("new", elementsOf("a b c"), { spec: failsAtC }),
      waits: ["a: old, one@1", "b: old, one@1", "c: old, one@1", "d: old, one@1"],
    },
    {
      name: "has one name twice",
      slip: () => set("new", [...elementsOf("a b c"), ...elementsOf("c", { tier: "other" })]),
      waits: ["a: new, one@1", "b: new, one@1", "c: old, one@1", "d: old, one@1"],
    },
  ];
  for (const { name, slip, waits } of slips)
    test(`a removed set lets go of nothing while one that it goes to ${name}`, async () => {
      await passes.push({ "fleet/old.json": set("old", elementsOf("a b c d")) });
      await passes.push({ "fleet/old.json": undefined, "fleet/new.json": slip() });
      for (let looks = 1; looks <= 3; looks += 1) {
        assert.deepEqual(await published(), waits);
        assert.match(
          await problemOf("old"),
          /^WH-GEN-3115 .* stay, because ApplicationSet new wants [abc] and cannot take it over/,
        );
        if (looks === 2) passes.restart();
        await passes.pass();
      }
      await passes.push({ "fleet/new.json": set("new", elementsOf("a b c")) });
      assert.deepEqual(await published(), ["a: new, one@1", "b: new, one@1", "c: new, one@1"]);
      assert.deepEqual(await tombstones(one), ["d set-removed"]);
    });

  test("an Application that is gone stays, and says so, while the set it goes to cannot have it", async () => {
    await passes.push({ "fleet/a.json": plain("a") });
    const nowhere = elementsOf("a", { cluster: "nowhere" });
    await passes.push({ "fleet/a.json": undefined, "fleet/new.json": set("new", nowhere) });
    assert.deepEqual(await published(), ["a: itself, one@1"]);
    const found = await passes.store.applications.find(app("a"), signal);
    assert.match(
      found?.problem?.message ?? "",
      /^Application a is gone from Git; its application stays, because ApplicationSet new wants a/,
    );
    const sequence = await passes.store.events.latest(signal);
    await passes.pass();
    assert.deepEqual(await told(sequence), []);
    await passes.push({ "fleet/new.json": undefined });
    assert.deepEqual(await published(), []);
  });

  test("nothing goes while somebody waits for a repository, who may want it", async () => {
    await passes.push({ "fleet/old.json": set("old", elementsOf("a b")) });
    const before = await versions();
    const revision: PublishNeeds["revision"] = (_url, name) =>
      name === sources ? { kind: "unknown" } : { kind: "at", commit: "3".padStart(40, "0") };
    await passes.push(
      { "fleet/old.json": undefined, "fleet/new.json": set("new", elementsOf("a b")) },
      { revision },
    );
    assert.deepEqual(await published(), ["a: old, one@1", "b: old, one@1"]);
    await passes.pass();
    assert.deepEqual(await published(), ["a: new, one@1", "b: new, one@1"]);
    assert.deepEqual(await versions(), before);
  });

  for (const { name, file, text } of [
    { name: "a set", file: "fleet/old.json", text: () => set("old", elementsOf("a")) },
    { name: "an Application", file: "fleet/a.json", text: () => plain("a") },
  ])
    test(`${name} that comes back as it was takes back what was taken over while somebody waited`, async () => {
      const awayUrl = "https://git.example.com/away.git";
      let pushes = 1;
      /** The sources stay where they are, and one repository was never looked at. */
      const push = (files: Readonly<Record<string, string | undefined>>) => {
        pushes += 1;
        const head = String(pushes).padStart(40, "0");
        const revision: PublishNeeds["revision"] = (url, wanted) =>
          url === awayUrl
            ? { kind: "unknown" }
            : { kind: "at", commit: wanted === sources ? sources : head };
        return passes.push(files, { revision });
      };
      const spec = specOf("first", "one");
      const waits = JSON.stringify({
        apiVersion: "argoproj.io/v1alpha1",
        kind: "Application",
        metadata: { name: "waits" },
        spec: { ...spec, source: { ...spec.source, repoURL: awayUrl } },
      });
      await push({ [file]: text() });
      const before = [await published(), await versions()];
      const moved = { [file]: undefined, "fleet/new.json": set("new", elementsOf("a")) };
      assert.equal((await push({ ...moved, "fleet/waits.json": waits })).waiting, 1);
      assert.deepEqual(await published(), ["a: new, one@1"]);
      await push({ [file]: text(), "fleet/new.json": undefined, "fleet/waits.json": undefined });
      assert.deepEqual([await published(), await versions()], before);
      assert.deepEqual(await tombstones(one), []);
    });

  test("nothing goes that was wanted by a set that could not be published", async () => {
    await passes.push({ "fleet/old.json": set("old", elementsOf("a b")) });
    const before = await versions();
    let failures = 0;
    const fails: PublishNeeds["record"] = (publication, recordSignal) => {
      if (publication.origin.name !== "new" || failures > 0)
        return passes.store.publishing.record(publication, recordSignal);
      failures += 1;
      throw new TypeError("a bug");
    };
    const change = { "fleet/old.json": undefined, "fleet/new.json": set("new", elementsOf("a b")) };
    await passes.push(change, { record: fails });
    assert.equal(failures, 1);
    assert.deepEqual(await published(), ["a: old, one@1", "b: old, one@1"]);
    assert.match(await problemOf("old"), /because ApplicationSet new wants a and could not be/);
    await passes.pass();
    assert.deepEqual(await published(), ["a: new, one@1", "b: new, one@1"]);
    assert.deepEqual(await versions(), before);
  });

  test("nothing goes while a set falls over before it could say what it wants", async () => {
    await passes.push({ "fleet/old.json": set("old", elementsOf("a b")) });
    const before = await versions();
    const fails: PublishNeeds["render"] = () => {
      throw new TypeError("a bug");
    };
    await passes.push(
      {
        "fleet/old.json": undefined,
        "fleet/new.json": set("new", elementsOf("a b"), { path: "second" }),
      },
      { render: fails },
    );
    assert.deepEqual(await published(), ["a: old, one@1", "b: old, one@1"]);
    assert.deepEqual(await versions(), before);
    assert.match(
      await problemOf("old"),
      /because ApplicationSet new could not be published and may want what it made/,
    );
    await passes.pass();
    assert.deepEqual(await published(), ["a: new, one@2", "b: new, one@2"]);
    assert.deepEqual(await tombstones(one), []);
  });

  test("what goes to another project goes, and is made anew there", async () => {
    await passes.push({ "fleet/old.json": set("old", elementsOf("a")) });
    await passes.push({
      "fleet/team.json": team,
      "fleet/old.json": undefined,
      "fleet/new.json": set("new", elementsOf("a"), { project: "team" }),
    });
    assert.deepEqual(await published(), ["a: new, one@3"]);
  });

  test("removals that wait for consent wait no more once somebody names them", async () => {
    await passes.push({ "fleet/old.json": set("old", elementsOf("a b c d e f")) });
    await passes.push({ "fleet/old.json": undefined });
    assert.match(await problemOf("old"), /^WH-GEN-3110/);
    await passes.push({ "fleet/new.json": set("new", elementsOf("a b c d e f")) });
    assert.equal((await published())[5], "f: new, one@1");
    assert.deepEqual([await problemOf("old"), await problemOf("new")], ["no such set", ""]);
  });

  test("the first in order wins", async () => {
    await leaveBehind(elementsOf("a"));
    await passes.push({
      "fleet/1.json": plain("a"),
      "fleet/2.json": set("second", elementsOf("a")),
      "fleet/3.json": set("first", elementsOf("a")),
    });
    assert.deepEqual(await published(), ["a: first, one@1"]);
    assert.match(await problemOf("second"), /^WH-GEN-3106 .*belongs to ApplicationSet first;/);
    assert.equal(await problemOf("old"), "no such set");
  });

  test("a taker in another cluster moves it, and waits for consent when that is much", async () => {
    await leaveBehind(elementsOf("a b c d"));
    await passes.push({ "fleet/d.json": plain("d", "two") });
    assert.deepEqual((await published()).at(-1), "d: itself, two@2");
    assert.deepEqual(await tombstones(one), ["d destination-changed"]);
    const moved = elementsOf("a b c", { cluster: "two" });
    await passes.push({ "fleet/new.json": set("new", moved) });
    const stays = ["a: new, one@1", "b: new, one@1", "c: new, one@1"];
    assert.deepEqual((await published()).slice(0, 3), stays);
    assert.match(await problemOf("new"), /^WH-GEN-3110 3 applications/);
    assert.equal(await problemOf("old"), "no such set");
    const annotations = { "wheelhouse.dev/allow-removals": "true" };
    await passes.push({ "fleet/new.json": set("new", moved, { annotations }) });
    const gone = ["a: new, two@2", "b: new, two@2", "c: new, two@2"];
    assert.deepEqual((await published()).slice(0, 3), gone);
    assert.deepEqual([await problemOf("new"), (await tombstones(one)).length], ["", 4]);
  });

  const steps = {
    strategy: {
      type: "RollingSync",
      rollingSync: {
        steps: ["canary", "prod"].map((tier) => ({
          matchExpressions: [{ key: "tier", operator: "In", values: [tier] }],
        })),
      },
    },
  };

  test("a taker that goes in steps changes nothing before its step", async () => {
    const elements = [...elementsOf("a", { tier: "canary" }), ...elementsOf("b", { tier: "prod" })];
    await leaveBehind(elements);
    await passes.push({ "fleet/new.json": set("new", elements, { path: "second", spec: steps }) });
    assert.deepEqual(await published(), ["a: new, one@2", "b: new, one@1"]);
    assert.equal(await problemOf("old"), "no such set");
    await passes.pass();
    assert.deepEqual(await published(), ["a: new, one@2", "b: new, one@1"]);
    const applied = { storedGeneration: 2, appliedGeneration: 2, healthyGeneration: 2 };
    await record(passes.store, one, [report("a", applied)]);
    await passes.pass();
    assert.deepEqual(await published(), ["a: new, one@2", "b: new, one@2"]);
  });

  test("a hub that stops amid taking over goes on where it was", async () => {
    const three = await addCluster(passes.store, "three");
    const elements = ["one", "two", "three"].flatMap((cluster) =>
      Array.from({ length: 60 }, (_, at) => ({ name: `${cluster}-${at}`, cluster })),
    );
    await leaveBehind(elements);
    const versionsBefore = await versions();
    let records = 0;
    const dies = (publication: Parameters<typeof passes.store.publishing.record>[0]) => {
      records += 1;
      if (records > 1) return Promise.reject(new Trouble("the disk is full"));
      return passes.store.publishing.record(publication, signal);
    };
    const countOf = async (name: string) =>
      (await passes.store.applicationSets.find(name, signal))?.applications.total;
    await assert.rejects(
      passes.push({ "fleet/new.json": set("new", elements) }, { record: dies }),
      /disk is full/,
    );
    assert.deepEqual([await countOf("new"), await countOf("old")], [120, 60]);
    passes.restart();
    await passes.pass();
    assert.deepEqual([await countOf("new"), await countOf("old")], [180, undefined]);
    assert.deepEqual(await versions(), versionsBefore);
    assert.equal((await passes.store.desiredSets.current(three, signal)).version, 1);
    assert.deepEqual(await tombstones(one), []);
  });

  test("a set that comes back has what nobody took, and no more", async () => {
    await leaveBehind(elementsOf("a b"));
    await passes.push({ "fleet/a.json": plain("a") });
    await passes.push({ "fleet/old.json": set("old", elementsOf("a b")) });
    assert.deepEqual(await published(), ["a: itself, one@1", "b: old, one@1"]);
    assert.match(await problemOf("old"), /^WH-GEN-3106 .* a belongs to Application a;/);
    await passes.push({ "fleet/a.json": undefined });
    assert.deepEqual(await published(), ["a: old, one@1", "b: old, one@1"]);
    assert.equal(await problemOf("old"), "");
  });

  test("a set that only creates takes over what there is as it is", async () => {
    await leaveBehind(elementsOf("a"));
    const elements = elementsOf("a b");
    await passes.push({
      "fleet/new.json": set("new", elements, { policy: "create-only", path: "second" }),
    });
    assert.deepEqual(await published(), ["a: new, one@1", "b: new, one@1"]);
    const pathOf = async (name: string) =>
      (await passes.store.applications.find(app(name), signal))?.source.path;
    assert.deepEqual([await pathOf("a"), await pathOf("b")], ["apps/first", "apps/second"]);
  });

  test("a set that only creates and goes in steps takes over as it is, also amid a step", async () => {
    const elements = [...elementsOf("b", { tier: "canary" }), ...elementsOf("a", { tier: "prod" })];
    const options = { policy: "create-only", path: "second", spec: steps };
    await passes.push({
      "fleet/base.json": set("base", elementsOf("a"), { policy: "create-only" }),
    });
    await passes.push({ "fleet/new.json": set("new", elements, options) });
    assert.match(await problemOf("new"), /^WH-GEN-3106/);
    await passes.push({ "fleet/base.json": undefined });
    const found = await passes.store.applications.find(app("a"), signal);
    assert.deepEqual([found?.origin.name, found?.source.path], ["new", "apps/first"]);
  });

  test("a set of another project takes nothing over, whatever its policy", async () => {
    await leaveBehind(elementsOf("a"));
    for (const policy of ["sync", "create-only"]) {
      await passes.push({
        "fleet/team.json": team,
        "fleet/new.json": set("new", elementsOf("a"), { policy, project: "team" }),
      });
      assert.deepEqual(await published(), ["a: old, one@1"]);
      assert.match(await problemOf("new"), /^WH-GEN-3106 .* is of project team/);
    }
  });
});
