import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { desiredRoot } from "../../../proto/words/desired.ts";
import { digestOfText } from "../../../proto/words/digest.ts";
import type { ApplicationName } from "../../../proto/words/ids.ts";
import { makeObjectKey } from "../../../proto/words/object-key.ts";
import { reportDigest, type ApplicationReport } from "../../../proto/words/report.ts";
import { Outbox } from "../../../spoke/loops/outbox.ts";

const name = (text: string) => text as ApplicationName;
const nothing = desiredRoot(new Map());
const elsewhere = digestOfText("another root");

const reportOf = (application: string, message = "", resources = 0): ApplicationReport => ({
  application: name(application),
  storedGeneration: 1,
  appliedGeneration: 1,
  healthyGeneration: 1,
  appliedRevision: "",
  syncStatus: "Synced",
  health: { state: "Healthy", message },
  operation: undefined,
  conditions: [],
  resources: Array.from({ length: resources }, (_, index) => ({
    key: makeObjectKey({ group: "", kind: "Pod", namespace: "", name: `pod-${index}` }),
    version: "v1",
    syncStatus: "Synced",
    health: undefined,
    message: "",
    images: [],
    awaitsPrune: false,
  })),
});

/** Everything it has to say now, told briefly; reports are confirmed as they come when asked for. */
function drain(outbox: Outbox, confirm = false): string[] {
  const said: string[] = [];
  for (let next = outbox.next(); next !== undefined; next = outbox.next()) {
    if (next.kind === "ack") said.push(`ack ${next.ack.kind}`);
    else if (next.kind === "command-result") said.push(`result ${next.id}`);
    else {
      const names = next.applications.map(({ application }) => application);
      said.push(`report ${[...names, ...next.gone.map((gone) => `-${gone}`)].join(" ")}`);
      if (confirm) outbox.confirm(next.sequence);
    }
  }
  return said;
}

const everything = { applications: { has: () => true }, strays: new Set<ApplicationName>() };

const newOutbox = (): Outbox => new Outbox(() => everything);

suite("Outbox", () => {
  test("says the newest report of each application, once", () => {
    const outbox = newOutbox();
    outbox.beginSession(nothing);
    outbox.setReport(name("web"), reportOf("web", "1"));
    outbox.setReport(name("api"), reportOf("api"));
    assert.equal(outbox.setReport(name("web"), reportOf("web", "2")), true);
    assert.equal(outbox.setReport(name("web"), reportOf("web", "2")), false);
    assert.deepEqual(drain(outbox, true), ["report web api"]);
    assert.deepEqual(drain(outbox, true), []);
  });

  test("has one report on its way at a time", () => {
    const outbox = newOutbox();
    outbox.beginSession(nothing);
    outbox.setReport(name("web"), reportOf("web"));
    assert.deepEqual(drain(outbox), ["report web"]);
    outbox.setReport(name("api"), reportOf("api"));
    assert.deepEqual(drain(outbox), []);
    outbox.confirm(0);
    assert.deepEqual(drain(outbox), []);
    outbox.confirm(1);
    assert.deepEqual(drain(outbox), ["report api"]);
  });

  test("says everything again when the hub turns out to hold something else, unless that is explained", () => {
    const outbox = newOutbox();
    outbox.beginSession(nothing);
    outbox.setReport(name("web"), reportOf("web"));
    assert.equal(outbox.sayAllUnless(nothing), false, "it is still unsaid");
    assert.deepEqual(drain(outbox), ["report web"]);
    assert.equal(outbox.sayAllUnless(nothing), false, "it is on its way");
    outbox.confirm(1);
    assert.equal(outbox.sayAllUnless(outbox.statusRoot()), false, "it is what the hub holds");
    assert.equal(outbox.sayAllUnless(nothing), true);
    assert.deepEqual(drain(outbox, true), ["report web"]);
    assert.deepEqual(drain(outbox, true), []);
  });

  test("says again what a broken session may have lost, in its newest form", () => {
    const outbox = newOutbox();
    outbox.beginSession(nothing);
    outbox.setReport(name("web"), reportOf("web", "1"));
    drain(outbox);
    outbox.setReport(name("web"), reportOf("web", "2"));
    outbox.beginSession(elsewhere);
    assert.deepEqual(drain(outbox, true), ["report web"]);
  });

  test("says everything to a hub whose root differs, nothing to one whose root is the same", () => {
    const outbox = newOutbox();
    const report = reportOf("web");
    outbox.setReport(name("web"), report);
    assert.equal(outbox.statusRoot(), desiredRoot(new Map([["web", reportDigest(report)]])));
    outbox.beginSession(outbox.statusRoot());
    assert.deepEqual(drain(outbox, true), []);
    outbox.beginSession(elsewhere);
    assert.deepEqual(drain(outbox, true), ["report web"]);
  });

  test("does not count what the hub has ordered away, or does not know, among what it holds", () => {
    let wanted = {
      applications: new Set([name("web"), name("api"), name("lost")]),
      strays: new Set([name("lost")]),
    };
    const outbox = new Outbox(() => wanted);
    const report = reportOf("web");
    for (const one of [report, reportOf("api"), reportOf("lost")])
      outbox.setReport(one.application, one);
    drain(outbox, true);
    const both = outbox.statusRoot();
    wanted = { ...wanted, applications: new Set([name("web"), name("lost")]) };
    const one = outbox.statusRoot();
    assert.notEqual(one, both);
    assert.equal(one, desiredRoot(new Map([["web", reportDigest(report)]])));
    assert.equal(outbox.sayAllUnless(one), false, "it is what the hub holds");
    outbox.setReport(name("api"), reportOf("api", "is being removed"));
    assert.deepEqual(
      drain(outbox, true),
      ["report api"],
      "how a removal goes is said all the same",
    );
    assert.equal(outbox.sayAllUnless(one), false, "that does not change what the hub holds");
    outbox.beginSession(one);
    assert.deepEqual(
      drain(outbox, true),
      ["report api lost"],
      "a hub that was restored learns of it",
    );
  });

  test("says again what it is asked to, in its newest form, and nothing of what it has no report of", () => {
    const outbox = newOutbox();
    outbox.setReport(name("web"), reportOf("web"));
    drain(outbox, true);
    outbox.sayAgain([name("web"), name("unknown")]);
    assert.deepEqual(drain(outbox, true), ["report web"]);
    assert.deepEqual(drain(outbox, true), []);
  });

  test("divides what is much", () => {
    const outbox = newOutbox();
    for (let index = 0; index < 600; index += 1)
      outbox.setReport(name(`app-${index}`), reportOf(`app-${index}`));
    outbox.beginSession(elsewhere);
    assert.deepEqual(
      drain(outbox, true).map((report) => report.split(" ").length - 1),
      [500, 100],
    );
    const large = newOutbox();
    for (const one of ["a", "b", "c"]) large.setReport(name(one), reportOf(one, "", 3_000));
    large.beginSession(elsewhere);
    assert.deepEqual(drain(large, true), ["report a", "report b", "report c"]);
    const wordy = newOutbox();
    for (const one of ["a", "b", "c"]) {
      const report = reportOf(one, "", 1_000);
      const resources = report.resources.map((each) => ({ ...each, message: "é".repeat(1_000) }));
      wordy.setReport(name(one), { ...report, resources });
    }
    wordy.beginSession(elsewhere);
    assert.deepEqual(drain(wordy, true), ["report a b", "report c"]);
  });

  test("says that there is nothing more to say of an application", () => {
    const outbox = newOutbox();
    outbox.setReport(name("web"), reportOf("web"));
    outbox.setReport(name("web"), undefined);
    outbox.beginSession(elsewhere);
    assert.deepEqual(drain(outbox, true), ["report -web"]);
    outbox.setReport(name("web"), reportOf("web"));
    assert.deepEqual(drain(outbox, true), ["report web"]);
  });

  test("says a removal until the hub has recorded it, and then which one that was", () => {
    const outbox = newOutbox();
    outbox.beginSession(nothing);
    outbox.addRemoved(name("web"), 4);
    assert.deepEqual(drain(outbox), ["ack removed", "report -web"]);
    outbox.beginSession(nothing);
    assert.deepEqual(drain(outbox), ["ack removed", "report -web"]);
    assert.deepEqual(outbox.confirm(1), [["web", 4]]);
    outbox.beginSession(nothing);
    assert.deepEqual(drain(outbox, true), []);
  });

  test("says one acknowledgement per application and level, the newest", () => {
    const outbox = newOutbox();
    for (const generation of [1, 2, 3])
      outbox.addAck({ kind: "applied", application: name("web"), generation });
    outbox.addAck({ kind: "healthy", application: name("web"), generation: 2, atMs: 0 });
    const first = outbox.next();
    assert.ok(first?.kind === "ack" && first.ack.kind === "applied");
    assert.equal(first.ack.generation, 3);
    assert.deepEqual(drain(outbox), ["ack healthy"]);
  });

  test("keeps the result of a command for a hub that asks again", () => {
    const outbox = newOutbox();
    outbox.begin("1");
    assert.equal(outbox.repeatResult("1"), true, "it runs: its result will come");
    assert.deepEqual(drain(outbox), []);
    outbox.addResult({ kind: "command-result", id: "1", succeeded: true, message: "" });
    assert.deepEqual(drain(outbox), ["result 1"]);
    assert.equal(outbox.repeatResult("1"), true);
    assert.deepEqual(drain(outbox), ["result 1"]);
    assert.equal(outbox.repeatResult("2"), false);
  });

  test("forgets old results rather than grow", () => {
    const outbox = newOutbox();
    for (let index = 0; index < 150; index += 1)
      outbox.addResult({ kind: "command-result", id: `${index}`, succeeded: true, message: "" });
    assert.equal(drain(outbox).length, 100);
  });
});
