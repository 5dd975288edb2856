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

suite("Outbox", () => {
  test("says the newest report of each application, once", () => {
    const outbox = new Outbox();
    outbox.beginSession(nothing);
    outbox.setReport(name("web"), reportOf("web", "1"));
    outbox.setReport(name("api"), reportOf("api"));
    assert.equal(outbox.setReport(name("web"), reportOf("web", "2")), true);
    assert.equal(outbox.setReport(name("web"), reportOf("web", "2")), false);
    assert.deepEqual(drain(outbox, true), ["report web api"]);
    assert.deepEqual(drain(outbox, true), []);
  });

  test("has one report on its way at a time", () => {
    const outbox = new Outbox();
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
    const outbox = new Outbox();
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
    const outbox = new Outbox();
    outbox.beginSession(nothing);
    outbox.setReport(name("web"), reportOf("web", "1"));
    drain(outbox);
    outbox.setReport(name("web"), reportOf("web", "2"));
    outbox.beginSession(elsewhere);
    assert.deepEqual(drain(outbox, true), ["report web"]);
  });

  test("says everything to a hub whose root differs, nothing to one whose root is the same", () => {
    const outbox = new Outbox();
    const report = reportOf("web");
    outbox.setReport(name("web"), report);
    assert.equal(outbox.statusRoot(), desiredRoot(new Map([["web", reportDigest(report)]])));
    outbox.beginSession(outbox.statusRoot());
    assert.deepEqual(drain(outbox, true), []);
    outbox.beginSession(elsewhere);
    assert.deepEqual(drain(outbox, true), ["report web"]);
  });

  test("divides what is much", () => {
    const outbox = new Outbox();
    for (let index = 0; index < 600; index += 1)
      outbox.setReport(name(`app-${index}`), reportOf(`app-${index}`));
    outbox.beginSession(elsewhere);
    assert.deepEqual(
      drain(outbox, true).map((report) => report.split(" ").length - 1),
      [500, 100],
    );
    const large = new Outbox();
    for (const one of ["a", "b", "c"]) large.setReport(name(one), reportOf(one, "", 3_000));
    large.beginSession(elsewhere);
    assert.deepEqual(drain(large, true), ["report a", "report b", "report c"]);
  });

  test("says that there is nothing more to say of an application", () => {
    const outbox = new Outbox();
    outbox.setReport(name("web"), reportOf("web"));
    outbox.setReport(name("web"), undefined);
    outbox.beginSession(elsewhere);
    assert.deepEqual(drain(outbox, true), ["report -web"]);
    outbox.setReport(name("web"), reportOf("web"));
    assert.deepEqual(drain(outbox, true), ["report web"]);
  });

  test("says a removal until the hub has recorded it, and then which one that was", () => {
    const outbox = new Outbox();
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
    const outbox = new Outbox();
    for (const generation of [1, 2, 3])
      outbox.addAck({ kind: "applied", application: name("web"), generation });
    outbox.addAck({ kind: "healthy", application: name("web"), generation: 2, atMs: 0 });
    const first = outbox.next();
    assert.ok(first?.kind === "ack" && first.ack.kind === "applied");
    assert.equal(first.ack.generation, 3);
    assert.deepEqual(drain(outbox), ["ack healthy"]);
  });

  test("keeps the result of a command for a hub that asks again", () => {
    const outbox = new Outbox();
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
    const outbox = new Outbox();
    for (let index = 0; index < 150; index += 1)
      outbox.addResult({ kind: "command-result", id: `${index}`, succeeded: true, message: "" });
    assert.equal(drain(outbox).length, 100);
  });
});
