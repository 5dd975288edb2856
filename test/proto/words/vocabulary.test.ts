import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { bundleBlob, parseBundle, type Bundle } from "../../../proto/words/bundle.ts";
import { desiredRoot } from "../../../proto/words/desired.ts";
import { digestOfText } from "../../../proto/words/digest.ts";
import { worstHealth } from "../../../proto/words/health.ts";
import { makeObjectKey } from "../../../proto/words/object-key.ts";
import { newTrace } from "../../../proto/words/trace.ts";

suite("the shared vocabulary", () => {
  test("health rolls up to the worst, in Argo CD's order; nothing at all is Healthy", () => {
    assert.equal(worstHealth([]), "Healthy");
    assert.equal(worstHealth(["Healthy", "Suspended"]), "Suspended");
    assert.equal(worstHealth(["Degraded", "Progressing", "Missing"]), "Degraded");
    assert.equal(worstHealth(["Degraded", "Unknown"]), "Unknown");
  });

  test("the root of a desired set depends on its entries and not on their order", () => {
    const a = digestOfText("a");
    const b = digestOfText("b");
    assert.equal(
      desiredRoot(
        new Map([
          ["x", a],
          ["y", b],
        ]),
      ),
      desiredRoot(
        new Map([
          ["y", b],
          ["x", a],
        ]),
      ),
    );
    assert.notEqual(desiredRoot(new Map([["x", a]])), desiredRoot(new Map([["x", b]])));
    assert.notEqual(desiredRoot(new Map([["x", a]])), desiredRoot(new Map()));
  });

  test("a bundle's list reads back; anything else is refused with a reason", () => {
    const bundle: Bundle = {
      entries: [
        {
          key: makeObjectKey({ group: "apps", kind: "Deployment", namespace: "", name: "web" }),
          blob: digestOfText("x"),
        },
      ],
    };
    assert.deepEqual(parseBundle(bundleBlob(bundle).bytes), { ok: true, value: bundle });
    const encode = (text: string) => new TextEncoder().encode(text);
    for (const bad of ["", "{}", '{"objects":[["x","y"]]}', '{"objects":[1]}', "[1"])
      assert.ok(!parseBundle(encode(bad)).ok, bad);
    assert.ok(!parseBundle(Uint8Array.of(0xff, 0xfe)).ok);
  });

  test("a new trace is a W3C traceparent", () => {
    const trace = newTrace();
    assert.match(trace, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    assert.notEqual(newTrace(), trace);
  });
});
