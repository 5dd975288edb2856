import assert from "node:assert/strict";
import test, { after, suite } from "node:test";
import { BadCursor } from "../../../hub/domain/queries.ts";
import { apiProblems } from "../../../hub/http/problems.ts";
import { Trouble } from "../../../proto/kit/trouble.ts";
import { assertGolden } from "../../support/golden.ts";
import { assertProblem, openFixture } from "./fixture.ts";

const fixture = await openFixture();
after(() => fixture.close());
const { ask, app } = fixture;

/** A path of the route with something in its blanks. */
const filled = (path: string): string => path.replaceAll(/\{[^}]+\}/g, "something");

suite("who may use a route", () => {
  const open = ["/healthz", "/readyz", "/v1/openapi.json"];

  test("only the probes and the document are open, and only the webhook is signed", () => {
    const without = (access: string) =>
      app.table.filter((row) => row.access === access).map(({ path }) => path);
    assert.deepEqual(without("open").toSorted(), open.toSorted());
    assert.deepEqual(without("signed"), ["/v1/webhooks/git"]);
    assert.deepEqual(without("metrics"), ["/metrics"]);
  });

  for (const { method, path, access } of app.table) {
    if (access === "open") {
      test(`${method} ${path} is answered without a token`, async () => {
        assert.equal((await ask(method, filled(path), { as: "nobody" })).status, 200);
      });
      continue;
    }
    test(`${method} ${path} is refused without a token`, async () => {
      const answer = await ask(method, filled(path), { as: "nobody" });
      assertProblem(answer, 401, access === "signed" ? "WH-API-4012" : "WH-API-4010");
    });
    if (access === "write")
      test(`${method} ${path} is refused with a token that may only read`, async () => {
        assertProblem(await ask(method, filled(path), { as: "read" }), 403, "WH-API-4030");
      });
    else if (access === "read")
      test(`${method} ${path} lets a token that may read through`, async () => {
        const answer = await ask(method, filled(path), {
          as: "read",
          headers: { accept: "application/json" },
        });
        assert.ok(![401, 403].includes(answer.status), String(answer.status));
      });
  }

  const wrong = [
    ["another scheme", "Basic d2h0Og=="],
    ["no token at all", "Bearer"],
    ["half a token", "Bearer wht_aaaaaaaa"],
    ["a token nobody made", `Bearer wht_aaaaaaaa_${"a".repeat(52)}`],
    ["the right secret under another id", `Bearer wht_zzzzzzzz_${fixture.tokens.read.slice(13)}`],
  ] as const;
  for (const [name, authorization] of wrong)
    test(`${name} is no credential`, async () => {
      const answer = await ask("GET", "/v1/clusters", { as: "nobody", headers: { authorization } });
      assertProblem(answer, 401, "WH-API-4011");
      assert.ok(answer.headers.get("www-authenticate")?.startsWith("Bearer"));
    });

  test("a revoked and an expired token are let in no more", async () => {
    const made = await openFixture();
    const first = await made.ask("POST", "/v1/tokens", {
      body: { name: "ci", scope: "read", lifeMs: 60_000 },
    });
    const headers = { authorization: `Bearer ${first.json.token}` };
    assert.equal((await made.ask("GET", "/v1/clusters", { as: "nobody", headers })).status, 200);
    await made.clock.advance(60_001);
    assertProblem(
      await made.ask("GET", "/v1/clusters", { as: "nobody", headers }),
      401,
      "WH-API-4011",
    );
    const read = { authorization: `Bearer ${made.tokens.read}` };
    const id = made.tokens.read.slice(0, 12);
    assert.equal((await made.ask("DELETE", `/v1/tokens/${id}`)).status, 204);
    assertProblem(
      await made.ask("GET", "/v1/clusters", { as: "nobody", headers: read }),
      401,
      "WH-API-4011",
    );
    made.close();
  });

  test("metrics can be opened by a setting", async () => {
    const opened = await openFixture({ settings: { metricsOpen: true } });
    assert.equal((await opened.ask("GET", "/metrics", { as: "nobody" })).status, 200);
    opened.close();
  });

  test("a path with a slash too many, or spelled otherwise, reaches nothing", async () => {
    for (const path of [
      "//v1/clusters",
      "/v1//clusters",
      "/V1/clusters",
      "/v1/clusters/",
      "/v1/%63lusters/../clusters/x/y",
    ])
      assert.ok([401, 404].includes((await ask("GET", path, { as: "nobody" })).status), path);
  });
});

suite("problems", () => {
  test("a token in the URL is refused before anything else, and not repeated", async () => {
    for (const path of [
      `/v1/clusters?access_token=${fixture.tokens.write}`,
      `/v1/clusters?x=${fixture.tokens.write}`,
      `/v1/clusters/${fixture.tokens.write}`,
    ]) {
      const answer = await ask("GET", path);
      assertProblem(answer, 400, "WH-API-4003");
      assert.ok(!JSON.stringify(answer.json).includes(fixture.tokens.write.slice(13)));
    }
  });

  test("an unknown page and an unknown method say so", async () => {
    assertProblem(await ask("GET", "/v1/nothing"), 404, "WH-API-4040");
    const answer = await ask("PUT", "/v1/clusters/dev-1");
    assertProblem(answer, 405, "WH-API-4050");
    assert.equal(answer.headers.get("allow"), "GET, PATCH, DELETE");
  });

  test("every field that is wrong is listed, unknown ones too", async () => {
    const answer = await ask("POST", "/v1/clusters", {
      body: { name: "Not A Label", labels: { "a b": "x", env: "!" }, nmae: 1, joinTokenLifeMs: 5 },
    });
    assertProblem(answer, 422, "WH-API-4002");
    assert.deepEqual(
      answer.json.errors
        .map(({ in: place, pointer }: { in: string; pointer: string }) => `${place} ${pointer}`)
        .toSorted(),
      ["body /joinTokenLifeMs", "body /labels", "body /labels", "body /name", "body /nmae"],
    );
  });

  test("a query parameter that nobody knows is a problem, not ignored", async () => {
    const answer = await ask("GET", "/v1/applications?healht=Degraded&limit=0");
    assertProblem(answer, 422, "WH-API-4002");
    assert.deepEqual(
      answer.json.errors.map((error: { pointer: string }) => error.pointer).toSorted(),
      ["/healht", "/limit"],
    );
  });

  test("a body that is no JSON, of another type, or too large", async () => {
    assertProblem(await ask("POST", "/v1/clusters", { text: "{" }), 400, "WH-API-4001");
    const headers = { "content-type": "text/plain" };
    assertProblem(await ask("POST", "/v1/clusters", { text: "{}", headers }), 415, "WH-API-4150");
    const large = JSON.stringify({ name: "x".repeat(1024 * 1024) });
    assertProblem(await ask("POST", "/v1/clusters", { text: large }), 413, "WH-API-4130");
  });

  test("a body too large is refused although its length was not told", async () => {
    const chunk = new Uint8Array(64 * 1024).fill(0x20);
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1;
        if (sent > 64) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const response = await app.fetch(
      new Request("http://hub.example/v1/clusters", {
        method: "POST",
        headers: {
          authorization: `Bearer ${fixture.tokens.write}`,
          "content-type": "application/json",
        },
        body,
        duplex: "half",
      }),
    );
    assert.equal(response.status, 413);
    assert.ok(sent < 32, `${sent} chunks were taken`);
  });

  const failures = [
    ["trouble outside", new Trouble("database is away"), 503, "WH-API-5030"],
    ["a cursor of another list", new BadCursor(), 400, "WH-API-4004"],
    ["a bug", new TypeError("secret detail"), 500, "WH-API-5000"],
  ] as const;
  for (const [name, error, status, code] of failures)
    test(`${name} answers ${status} and keeps its inside to the log`, async () => {
      const broken = await openFixture();
      const { store } = broken;
      const failing = {
        ...store,
        fleet: { ...store.fleet, summary: () => Promise.reject(error) },
      };
      const other = await openFixture({
        needs: { store: { ...failing, tokens: broken.store.tokens } },
      });
      const answer = await other.ask("GET", "/v1/fleet/summary");
      assertProblem(answer, status, code);
      assert.ok(!JSON.stringify(answer.json).includes("secret detail"));
      other.close();
      broken.close();
    });

  test("an answer that takes too long is given up", async () => {
    const inner = await openFixture();
    const slow = await openFixture({
      settings: { requestMsMost: 20 },
      needs: {
        store: {
          ...inner.store,
          fleet: {
            ...inner.store.fleet,
            summary: (_, signal) =>
              new Promise((_resolve, reject) => {
                signal.addEventListener("abort", () => reject(signal.reason));
              }),
          },
        },
      },
    });
    assertProblem(await slow.ask("GET", "/v1/fleet/summary"), 504, "WH-API-5040");
    slow.close();
    inner.close();
  });

  test("every code has a title and a hint, and its number fits its status", () => {
    for (const [code, { status, title, hint }] of Object.entries(apiProblems)) {
      assert.match(code, /^WH-API-[45]\d{3}$/);
      assert.equal(code[7], String(status)[0], code);
      assert.ok(title.length > 0 && hint.length > 0);
    }
  });
});

suite("headers", () => {
  test("no answer may be framed, sniffed, cached or read by another origin", async () => {
    for (const path of ["/v1/clusters", "/v1/nothing", "/healthz"]) {
      const { headers } = await ask("GET", path, { headers: { origin: "https://evil.example" } });
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("cache-control"), "no-store");
      assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'/);
      assert.equal(headers.get("access-control-allow-origin"), null);
      assert.match(headers.get("x-request-id") ?? "", /^[0-9a-f]{16}$/);
    }
  });
});

suite("the OpenAPI document", () => {
  test("is docs/openapi.json", () => {
    assertGolden("docs/openapi.json", `${JSON.stringify(app.document, undefined, 2)}\n`);
  });

  test("is what is served", async () => {
    assert.deepEqual(
      (await ask("GET", "/v1/openapi.json")).json,
      JSON.parse(JSON.stringify(app.document)),
    );
  });

  test("has every route, each with an operation of its own, and says who may use it", () => {
    const { paths } = app.document as {
      paths: Record<
        string,
        Record<string, { operationId?: string; "x-access"?: string; responses: object }>
      >;
    };
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );
    assert.deepEqual(
      operations
        .map(
          ({ path, method, operation }) =>
            `${method.toUpperCase()} ${path} ${operation["x-access"] ?? ""}`,
        )
        .toSorted(),
      app.table.map(({ method, path, access }) => `${method} ${path} ${access}`).toSorted(),
    );
    const ids = operations.map(({ operation }) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length);
    for (const { operation } of operations) assert.ok("default" in operation.responses);
  });
});
