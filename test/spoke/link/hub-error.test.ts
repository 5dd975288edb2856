import { Metadata, status } from "@grpc/grpc-js";
import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { explainLoss, HubError, hubErrorOf, hubRefuses } from "../../../spoke/link/hub-error.ts";

const failed = (code: status, details: string) =>
  Object.assign(new Error(`${code} ${details}`), { code, details, metadata: new Metadata() });

suite("explainLoss", () => {
  const rows = [
    {
      name: "a token that was used needs another token",
      error: failed(status.PERMISSION_DENIED, "WH-JOIN-2003: join token whj_a was used"),
      expect: {
        kind: "refused",
        problem: { code: "WH-JOIN-2003", sentence: "join token whj_a was used" },
      },
    },
    {
      name: "an identity that is not taken needs another identity",
      error: failed(status.UNAUTHENTICATED, "WH-ID-2104: the cluster was removed"),
      expect: {
        kind: "refused",
        problem: { code: "WH-ID-2104", sentence: "the cluster was removed" },
      },
    },
    {
      name: "a session that was taken over is not fought for",
      error: failed(status.FAILED_PRECONDITION, "WH-ID-2105: a newer session took over"),
      expect: {
        kind: "replaced",
        problem: { code: "WH-ID-2105", sentence: "a newer session took over" },
      },
    },
    {
      name: "a hub that speaks another protocol may be upgraded",
      error: failed(status.FAILED_PRECONDITION, "WH-LINK-2201: no common protocol"),
      expect: { kind: "away", problem: { code: "WH-LINK-2201", sentence: "no common protocol" } },
    },
    {
      name: "a certificate of another hub has a code of its own",
      error: failed(
        status.UNAVAILABLE,
        "No connection established. Last error: self-signed certificate in certificate chain",
      ),
      expect: { kind: "away", code: "WH-JOIN-2007" },
    },
    {
      name: "a certificate that is not valid now points at the clocks",
      error: failed(
        status.UNAVAILABLE,
        "No connection established. Last error: certificate is not yet valid",
      ),
      expect: { kind: "away", code: "WH-JOIN-2008" },
    },
    {
      name: "anything else of the network is waited out",
      error: failed(status.UNAVAILABLE, "connect ECONNREFUSED"),
      expect: { kind: "away", problem: { code: "WH-LINK-2200", sentence: "connect ECONNREFUSED" } },
    },
    {
      name: "other statuses are named",
      error: failed(status.RESOURCE_EXHAUSTED, "too much"),
      expect: {
        kind: "away",
        problem: { code: "WH-LINK-2200", sentence: "RESOURCE_EXHAUSTED: too much" },
      },
    },
    {
      name: "what our own side knows is kept",
      error: hubRefuses("WH-JOIN-2001", "not host:port"),
      expect: { kind: "refused", problem: { code: "WH-JOIN-2001", sentence: "not host:port" } },
    },
    {
      name: "an error of anything else is waited out too, with its causes",
      error: new Error("disk full", { cause: new Error("ENOSPC") }),
      expect: { kind: "away", problem: { code: "WH-LINK-2200", sentence: "disk full: ENOSPC" } },
    },
  ];
  for (const { name, error, expect } of rows) {
    test(name, () => {
      const loss = explainLoss(error);
      assert.equal(loss.kind, expect.kind);
      if (expect.problem !== undefined) assert.deepEqual(loss.problem, expect.problem);
      else assert.equal(loss.problem.code, expect.code);
    });
  }
});

suite("hubErrorOf", () => {
  test("what a call failed with is trouble that says what it means", () => {
    const error = hubErrorOf(failed(status.UNAVAILABLE, "connect ECONNREFUSED"));
    assert.ok(error instanceof HubError);
    assert.equal(error.message, "connect ECONNREFUSED");
    assert.equal(error.loss.kind, "away");
  });

  test("a bug stays a bug", () => {
    const bug = new TypeError("not a function");
    assert.equal(hubErrorOf(bug), bug);
  });
});
