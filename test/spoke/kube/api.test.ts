import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { systemClock } from "../../../proto/kit/clock.ts";
import { NotPermitted } from "../../../proto/kit/trouble.ts";
import { parseServiceAccount } from "../../../proto/words/service-account.ts";
import { actingAs, apiDefaults, openApi, type ApiCall } from "../../../spoke/kube/api.ts";
import type { Access, Credential } from "../../../spoke/kube/credential.ts";
import { ApiServerUnavailable } from "../../../spoke/kube/trouble.ts";
import type { ScriptedReply, ScriptedRequest } from "../../support/scripted-api-server.ts";
import { createCertificateAuthority } from "../../support/certificates.ts";
import { eventually } from "../../support/eventually.ts";
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
      name: "a read that fails inside the server is repeated",
      call: get,
      replies: [
        { status: 500, body: statusBody(500, "InternalError", "etcd is sad") },
        { status: 502 },
        { status: 504 },
        { status: 200, body: {} },
      ],
      expect: 200,
      requests: 4,
      slept: [100, 200, 400],
    },
    {
      name: "500 to a write is most often a webhook's, and trouble at once",
      call: patch,
      replies: [{ status: 500, body: statusBody(500, "InternalError", "failed calling webhook") }],
      expect: "trouble",
      requests: 1,
    },
    {
      name: "500 to a write is repeated when it is the store that changes leaders",
      call: patch,
      replies: [
        { status: 500, body: statusBody(500, "", "etcdserver: leader changed") },
        { status: 200, body: {} },
      ],
      expect: 200,
      requests: 2,
      slept: [100],
    },
    {
      name: "500 that says when to come back is repeated then",
      call: patch,
      replies: [
        { status: 500, headers: { "retry-after": "1" } },
        { status: 200, body: {} },
      ],
      expect: 200,
      requests: 2,
      slept: [1000],
    },
    {
      name: "a failure inside the server is trouble for a call that may not be repeated",
      call: post,
      replies: [{ status: 504 }],
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

  test("a certificate that is not trusted is a reason to read the authority again, once", async () => {
    await using scripted = await openScripted(() => ({ status: 200, body: {} }));
    const good = accessOf(scripted.server, "good");
    const stranger = await createCertificateAuthority();
    const old: Access = {
      ...good,
      tls: { ...good.tls, authority: stranger.certificatePem, version: "old" },
    };
    const opened = (next: Access) => {
      let access = old;
      let refusals = 0;
      const credential: Credential = {
        current: async () => access,
        refused: () => {
          refusals += 1;
          access = next;
        },
        close: () => {},
      };
      const api = openApi(
        credential,
        { ...apiDefaults, version: "1" },
        { requests: { add: () => {} }, clock: systemClock, random: () => 0 },
      );
      return { api, refusals: () => refusals };
    };
    const healed = opened(good);
    assert.equal((await healed.api.call(post, signal)).status, 200);
    assert.equal(healed.refusals(), 1);
    const unhealed = opened(old);
    await assert.rejects(
      unhealed.api.call(get, signal),
      /one side does not trust the other's certificate/,
    );
    assert.equal(unhealed.refusals(), 1);
    healed.api.close();
    unhealed.api.close();
  });

  test("an aborted call does not wait for the pause the server asked for", async () => {
    await using scripted = await openScripted(() => ({
      status: 429,
      headers: { "retry-after": "20" },
    }));
    const api = openApi(
      fixedCredential(accessOf(scripted.server, "good")),
      { ...apiDefaults, version: "1" },
      { requests: { add: () => {} }, clock: systemClock, random: () => 0 },
    );
    const leaving = new AbortController();
    const waiting = api.call(get, leaving.signal);
    const ended = assert.rejects(waiting, /left/);
    await eventually(() => assert.equal(scripted.server.requests.length, 1));
    leaving.abort(new Error("left"));
    await ended;
    api.close();
  });

  test("pauses together are bounded too", async () => {
    await using scripted = await openScripted(
      () => ({ status: 429, headers: { "retry-after": "25" } }),
      { settings: { retryMsMost: 24_000 } },
    );
    await assert.rejects(scripted.api.call(get, signal), ApiServerUnavailable);
    assert.deepEqual(scripted.slept, []);
  });

  test("a server that pushes back gets fewer calls at once, and more again as it serves", async () => {
    let underWay = 0;
    let most = 0;
    let pushesBack = true;
    const gates: (() => void)[] = [];
    await using scripted = await openScripted(async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise<void>((resolve) => gates.push(resolve));
      underWay -= 1;
      return pushesBack ? { status: 429, headers: { "retry-after": "600" } } : { status: 200 };
    });
    const round = async (calls: number, expectedMost: number) => {
      most = 0;
      const answers = Promise.allSettled(
        Array.from({ length: calls }, () => scripted.api.call(get, signal)),
      );
      let over = false;
      void answers.then(() => (over = true));
      await eventually(() => {
        // Held back until as many are there as may be; then all go on.
        if (!over && underWay < Math.min(expectedMost, calls)) throw new Error("not yet");
      });
      await eventually(() => {
        for (const open of gates.splice(0)) open();
        assert.ok(over);
      });
      return most;
    };
    assert.equal(await round(16, 16), 16);
    assert.equal(await round(8, 8), 8);
    pushesBack = false;
    assert.equal(await round(4, 4), 4);
    const later = await round(80, 4);
    assert.ok(later > 4 && later <= 16, `${later} at once`);
  });

  test("connections from before a restart of the server cost no call", async () => {
    let dead = 0;
    const gates: (() => void)[] = [];
    await using scripted = await openScripted(async () => {
      if (dead > 0) {
        dead -= 1;
        return "reset";
      }
      await new Promise<void>((resolve) => gates.push(resolve));
      return { status: 200, body: {} };
    });
    const open = async (count: number) => {
      await eventually(() => assert.equal(gates.length, count));
      for (const gate of gates.splice(0)) gate();
    };
    const four = Promise.all([1, 2, 3, 4].map(async () => await scripted.api.call(get, signal)));
    await open(4);
    await four;
    assert.equal(scripted.server.connections(), 4);
    dead = 4;
    const call = scripted.api.call(patch, signal);
    await open(1);
    assert.equal((await call).status, 200);
    assert.equal(scripted.server.connections(), 5);
    // One that is opened anew and breaks all the same is another matter.
    dead = 3;
    await assert.rejects(scripted.api.call(patch, signal), ApiServerUnavailable);
  });

  test("a call with a service account's rights says so, and no other does", async () => {
    await using scripted = await openScripted(() => ({ status: 200, body: {} }));
    const account = parseServiceAccount("shop:deployer");
    assert.ok(account.ok);
    const acting = actingAs(scripted.api, account.value);
    for (const call of [get, patch, post]) await acting.call(call, signal);
    const watched = await acting.stream({ ...get, verb: "watch" }, 5_000, signal);
    if ("exchange" in watched) watched.exchange.close();
    await scripted.api.call(get, signal);
    assert.deepEqual(
      scripted.server.requests.map(({ headers }) => headers["impersonate-user"]),
      [...Array<string>(4).fill("system:serviceaccount:shop:deployer"), undefined],
    );
    // The API server adds the groups every service account is in; naming them would take rights of its own.
    assert.ok(scripted.server.requests.every(({ headers }) => !("impersonate-group" in headers)));
  });

  test("a kubeconfig that acts as somebody does so in every call, and lets nobody act as another", async () => {
    await using scripted = await openScripted(() => ({ status: 200, body: {} }));
    const access: Access = {
      ...accessOf(scripted.server, "good"),
      actingAs: { "impersonate-user": "jane", "impersonate-group": ["a", "b"] },
    };
    const api = openApi(
      fixedCredential(access),
      { ...apiDefaults, version: "1" },
      { requests: { add: () => {} }, clock: systemClock, random: () => 0 },
    );
    await api.call(get, signal);
    assert.partialDeepStrictEqual(scripted.server.requests[0]?.headers, {
      "impersonate-user": "jane",
      "impersonate-group": "a, b",
    });
    const account = parseServiceAccount("shop:deployer");
    assert.ok(account.ok);
    await assert.rejects(actingAs(api, account.value).call(get, signal), NotPermitted);
    assert.equal(scripted.server.requests.length, 1);
    api.close();
  });

  test("whole numbers too large for a double come back exact", async () => {
    await using scripted = await openScripted(() => ({
      status: 200,
      body: '{"big":9007199254740993,"small":7,"list":[-9223372036854775808],"text":"9007199254740993"}',
    }));
    assert.deepEqual((await scripted.api.call(get, signal)).body, {
      big: 9007199254740993n,
      small: 7,
      list: [-9223372036854775808n],
      text: "9007199254740993",
    });
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
        close: () => {},
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

const fixedCredential = (access: Access): Credential => ({
  current: async () => access,
  refused: () => {},
  close: () => {},
});
