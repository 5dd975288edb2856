import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { apiDefaults, openApi, type ApiCall } from "../../../spoke/kube/api.ts";
import { ApiServerUnavailable } from "../../../spoke/kube/trouble.ts";
import type { ScriptedReply, ScriptedRequest } from "../../support/scripted-api-server.ts";
import { createCertificateAuthority } from "../../support/certificates.ts";
import { accessOf, openScripted, statusBody } from "./open-scripted.ts";

const { signal } = new AbortController();
const get: ApiCall = { verb: "get", method: "GET", path: "/api/v1/x" };
const patch: ApiCall = {
  verb: "apply",
  method: "PATCH",
  path: "/api/v1/x",
  query: { fieldManager: "m", force: "true" },
  body: '{"a":1}',
  contentType: "application/apply-patch+yaml",
};
const post: ApiCall = { verb: "create", method: "POST", path: "/api/v1/x", body: "{}" };

suite("requests to the API server", () => {
  test("a call carries credential, manners and body, and is counted by its verb", async () => {
    await using scripted = await openScripted(() => ({ status: 200, body: { ok: true } }));
    const answer = await scripted.api.call(patch, signal);
    assert.deepEqual(answer, { status: 200, body: { ok: true } });
    const [request] = scripted.server.requests;
    assert.equal(request?.method, "PATCH");
    assert.equal(request.path, "/api/v1/x");
    assert.deepEqual(request.query, { fieldManager: "m", force: "true" });
    assert.deepEqual(request.body, { a: 1 });
    assert.partialDeepStrictEqual(request.headers, {
      authorization: "Bearer good",
      accept: "application/json",
      "user-agent": "wheelhouse-spoke/1.2.3",
      "content-type": "application/apply-patch+yaml",
    });
    assert.deepEqual(scripted.counted, ["apply"]);
  });

  test("connections are kept and bounded", async () => {
    await using scripted = await openScripted(() => ({ status: 200, body: {} }), {
      settings: { socketsMost: 2 },
    });
    await Promise.all(Array.from({ length: 12 }, async () => await scripted.api.call(get, signal)));
    await scripted.api.call(get, signal);
    assert.equal(scripted.server.requests.length, 13);
    assert.equal(scripted.server.connections(), 2);
  });

  test("a refusal below 500 is an answer", async () => {
    const body = statusBody(404, "NotFound", 'pods "x" not found');
    await using scripted = await openScripted(() => ({ status: 404, body }));
    assert.deepEqual((await scripted.api.call(get, signal)).status, 404);
  });

  const retryRows: readonly {
    readonly name: string;
    readonly call: ApiCall;
    readonly replies: readonly ScriptedReply[];
    readonly expect: number | "trouble";
    readonly requests: number;
    readonly slept?: readonly number[];
  }[] = [
    {
      name: "429 is repeated after the pause it asks for, whatever the call",
      call: post,
      replies: [
        { status: 429, headers: { "retry-after": "2" } },
        { status: 201, body: {} },
      ],
      expect: 201,
      requests: 2,
      slept: [2000],
    },
    {
      name: "503 is repeated for a call that may be",
      call: patch,
      replies: [{ status: 503 }, { status: 200, body: {} }],
      expect: 200,
      requests: 2,
      slept: [100],
    },
    {
      name: "503 is trouble for a call that may not be repeated",
      call: post,
      replies: [{ status: 503 }],
      expect: "trouble",
      requests: 1,
    },
    {
      name: "a pause longer than we wait is the loop's to wait",
      call: get,
      replies: [{ status: 429, headers: { "retry-after": "600" } }],
      expect: "trouble",
      requests: 1,
    },
    {
      name: "an overloaded server is not asked for ever",
      call: get,
      replies: [{ status: 429 }],
      expect: "trouble",
      requests: 4,
      slept: [100, 200, 400],
    },
    {
      name: "500 is trouble at once",
      call: get,
      replies: [{ status: 500, body: statusBody(500, "InternalError", "etcd is sad") }],
      expect: "trouble",
      requests: 1,
    },
    {
      name: "a connection that breaks is tried once more",
      call: patch,
      replies: ["reset", { status: 200, body: {} }],
      expect: 200,
      requests: 2,
    },
    {
      name: "a connection that breaks twice is trouble",
      call: get,
      replies: ["reset", "reset", { status: 200, body: {} }],
      expect: "trouble",
      requests: 2,
    },
    {
      name: "a creation whose answer was lost is not repeated",
      call: post,
      replies: ["reset", { status: 201, body: {} }],
      expect: "trouble",
      requests: 1,
    },
  ];
  for (const { name, call, replies, expect, requests, slept } of retryRows) {
    test(name, async () => {
      let turn = 0;
      await using scripted = await openScripted(
        () => replies[Math.min(turn++, replies.length - 1)] ?? "silence",
      );
      const answering = scripted.api.call(call, signal);
      if (expect === "trouble") await assert.rejects(answering, ApiServerUnavailable);
      else assert.equal((await answering).status, expect);
      assert.equal(scripted.server.requests.length, requests);
      assert.deepEqual(scripted.slept, slept ?? []);
    });
  }

  test("trouble says what was asked, what was answered, and how long to wait", async () => {
    await using scripted = await openScripted(() => ({
      status: 429,
      headers: { "retry-after": "600" },
      body: statusBody(429, "TooManyRequests", "please slow down"),
    }));
    await assert.rejects(scripted.api.call(get, signal), {
      name: "ApiServerUnavailable",
      message: "the API server answered 429 to get /api/v1/x: please slow down",
      status: 429,
      retryAfterMs: 600_000,
    });
  });

  test("a refused credential is read again, once", async () => {
    const reply = ({ headers }: ScriptedRequest): ScriptedReply =>
      headers.authorization === "Bearer new" ? { status: 200, body: {} } : { status: 401 };
    await using renewed = await openScripted(reply, { bearers: ["old", "new"] });
    assert.equal((await renewed.api.call(post, signal)).status, 200);
    assert.equal(renewed.refusals(), 1);

    await using refused = await openScripted(reply, { bearers: ["old", "older"] });
    await assert.rejects(refused.api.call(get, signal), (error) => {
      assert.ok(error instanceof ApiServerUnavailable);
      assert.equal(error.status, 401);
      assert.doesNotMatch(error.message, /old/);
      return true;
    });
    assert.equal(refused.server.requests.length, 2);
  });

  test("a server that does not answer in time is trouble", async () => {
    await using scripted = await openScripted(() => "silence", { settings: { callMs: 60 } });
    await assert.rejects(scripted.api.call(get, signal), (error) => {
      assert.ok(error instanceof ApiServerUnavailable);
      assert.match(error.message, /did not answer within 60 ms/);
      return true;
    });
  });

  test("an answer that never ends is trouble too", async () => {
    async function* endless(): AsyncGenerator<string> {
      yield '{"a":';
      await new Promise(() => {});
    }
    await using scripted = await openScripted(() => ({ parts: endless() }), {
      settings: { callMs: 60 },
    });
    await assert.rejects(scripted.api.call(get, signal), /did not answer within 60 ms/);
  });

  test("an answer too large to hold is trouble", async () => {
    await using scripted = await openScripted(() => ({ status: 200, body: "x".repeat(5_000) }), {
      settings: { answerBytesMost: 1_000 },
    });
    await assert.rejects(scripted.api.call(get, signal), /larger than 1000 bytes/);
  });

  test("an aborted call throws the reason, before and while it waits", async () => {
    await using scripted = await openScripted(() => "silence");
    await assert.rejects(scripted.api.call(get, AbortSignal.abort(new Error("early"))), /early/);
    assert.equal(scripted.server.requests.length, 0);
    const controller = new AbortController();
    const waiting = scripted.api.call(get, controller.signal);
    controller.abort(new Error("late"));
    await assert.rejects(waiting, /late/);
  });

  test("a server with another certificate is not spoken to", async () => {
    await using scripted = await openScripted(() => ({ status: 200 }));
    const other = await createCertificateAuthority();
    const access = accessOf(scripted.server, "good");
    const api = openApi(
      {
        current: async () => ({
          ...access,
          tls: { ...access.tls, authority: other.certificatePem },
        }),
        refused: () => {},
      },
      { ...apiDefaults, version: "1" },
      {
        requests: { add: () => {} },
        clock: { nowMs: Date.now, sleep: async () => {} },
        random: () => 0,
      },
    );
    await assert.rejects(api.call(get, signal), ApiServerUnavailable);
    assert.equal(scripted.server.requests.length, 0);
    api.close();
  });
});
