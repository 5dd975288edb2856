import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import test, { after, suite } from "node:test";
import type { ClusterId } from "../../proto/words/ids.ts";
import { safeJson } from "../../hub/cli/terminal.ts";
import { assertProblem, openFixture, type Answer } from "../hub/http/fixture.ts";

const fixture = await openFixture({
  needs: { newClusterId: () => randomUUID() as ClusterId },
});
after(() => fixture.close());
const { ask, app, tokens } = fixture;

type Parameter = { readonly in: string; readonly name: string };
type Operation = { readonly "x-access": string; readonly parameters?: readonly Parameter[] };

/** Every operation of the OpenAPI document: what is tried below follows it by itself. */
const operations = Object.entries(
  (app.document as { readonly paths: Record<string, Record<string, Operation>> }).paths,
).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    method: method.toUpperCase(),
    path,
    access: operation["x-access"],
    parameters: operation.parameters ?? [],
  })),
);

const filled = (path: string, value = "dev-1"): string => path.replaceAll(/\{[^}]+\}/g, value);

/** Words that are in the fleet of the fixture and must not be in a refusal. */
const insides = ["dev-1", "prod-1", "web-dev-1", "git.example", "sesame", "admin", "reader"];

suite("every route with every wrong credential", () => {
  const other = `wht_zzzzzzzz_${tokens.read.slice(13)}`;
  const credentials = [
    ["none", undefined],
    ["an empty one", ""],
    ["a word", "Bearer"],
    ["garbage", "Bearer \u0001\u00ff{}[]"],
    ["another scheme", `Basic ${Buffer.from("admin:admin").toString("base64")}`],
    ["a token of another hub", `Bearer wht_aaaaaaaa_${"a".repeat(52)}`],
    ["a right secret under another id", `Bearer ${other}`],
    ["half of a right one", `Bearer ${tokens.write.slice(0, -1)}`],
    ["more than a right one", `Bearer ${tokens.write}a`],
    ["a right one twice", `Bearer ${tokens.write} ${tokens.write}`],
    ["a right one in capitals", `Bearer ${tokens.write.toUpperCase()}`],
    ["a join token", `Bearer whj_aaaaaaaa.${"a".repeat(32)}`],
    ["a web token without a signature", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."],
  ] as const;

  const guarded = operations.filter(({ access }) => access !== "open");
  test("the document has routes to try", () => assert.ok(guarded.length >= 25));

  for (const { method, path, access } of guarded)
    test(`${method} ${path} tells nobody anything`, async () => {
      for (const [name, authorization] of credentials) {
        // fetch refuses to send what is no header; a server hears it from others, see below.
        const sendable = authorization !== undefined && /^[\u0020-\u007e]*$/.test(authorization);
        const answer = await ask(method, filled(path), {
          as: "nobody",
          ...(sendable ? { headers: { authorization } } : {}),
          ...(method === "GET" || method === "DELETE" ? {} : { body: { name: "x" } }),
        });
        assert.equal(answer.status, 401, `${name}: ${JSON.stringify(answer.json)}`);
        assert.match(answer.json.code, access === "signed" ? /4012$/ : /401[01]$/);
        const said = JSON.stringify({ ...answer.json, hint: "", title: "" });
        for (const inside of insides)
          assert.ok(!said.includes(inside), `${inside} is in the refusal of ${name}`);
      }
    });

  test("expired and revoked tokens are refused by every route", async () => {
    const own = await openFixture();
    try {
      const made = await own.ask("POST", "/v1/tokens", {
        body: { name: "old", scope: "write", lifeMs: 60_000 },
      });
      const headers = { authorization: `Bearer ${made.json.token}` };
      await own.clock.advance(60_000);
      for (const { method, path, access } of guarded)
        if (access !== "signed")
          assertProblem(
            await own.ask(method, filled(path), { as: "nobody", headers }),
            401,
            "WH-API-4011",
          );
    } finally {
      own.close();
    }
  });

  test("a token that may only read changes nothing, by any route", async () => {
    for (const { method, path } of operations.filter((one) => one.access === "write"))
      assertProblem(await ask(method, filled(path), { as: "read" }), 403, "WH-API-4030");
    for (const { method, access } of operations) if (access === "read") assert.equal(method, "GET");
  });
});

suite("identifiers in paths", () => {
  const corpus = [
    "..",
    ".",
    "../../etc/passwd",
    "..\\..\\etc\\passwd",
    "....//....//etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "dev-1/../prod-1",
    "dev-1\u0000",
    "\u0000",
    "dev-1\r\nx-injected: 1",
    "%2e%2e%2f%2e%2e%2f",
    "%252e%252e%252f",
    "..%c0%af..%c0%af",
    "..%00/",
    "${jndi:x}",
    "{{ .name }}",
    "' or 1=1 --",
    '"; drop table clusters; --',
    "*",
    "%",
    "_",
    "__proto__",
    "constructor",
    "toString",
    "hub.sqlite",
    "authority/authority.pem",
    "admin-token",
    "\ud800",
    "ｄｅｖ-1",
    "DEV-1",
    "dev-1.",
    " dev-1",
    "a".repeat(2_000),
  ];

  const withPath = operations.filter(({ parameters }) =>
    parameters.some((one) => one.in === "path"),
  );
  test("the document has such routes", () => assert.ok(withPath.length >= 10));

  for (const { method, path } of withPath)
    test(`${method} ${path} finds nothing by any of ${corpus.length} of them, and always says so alike`, async () => {
      const words = new Set<string>();
      for (const text of corpus) {
        const takesBody = method === "POST" || method === "PATCH";
        const answer = await ask(
          method,
          filled(path, encoded(text)),
          takesBody ? { body: {} } : {},
        );
        // As clients write paths, dots that are all of a part are gone before they are sent.
        const isDots = text === ".." || text === ".";
        assert.ok(
          answer.status === 404 || (isDots && [404, 405, 200].includes(answer.status)),
          `${JSON.stringify(text)}: ${answer.status} ${JSON.stringify(answer.json)}`,
        );
        assert.equal(answer.headers.get("x-injected"), null);
        if (answer.status === 404 && !isDots) words.add(wordsWithout(answer, text));
      }
      assert.equal(words.size, 1, [...words].join("\n"));
    });

  test("nor does one in a query, a list filter or a repository's URL", async () => {
    for (const text of corpus) {
      const value = encoded(text);
      for (const path of [
        `/v1/applications?cluster=${value}`,
        `/v1/applications?set=${value}`,
        `/v1/resources?name=${value}`,
        `/v1/repositories/by-url?url=${value}`,
        `/v1/events?subject=${value}`,
      ]) {
        const answer = await ask("GET", path, { headers: { accept: "application/json" } });
        assert.ok([200, 400, 404, 422].includes(answer.status), `${path}: ${answer.status}`);
        if (answer.status === 200) assert.deepEqual(answer.json.items, [], path);
      }
    }
  });

  const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());

  /** The refusal with what was asked for taken out, so that only what differs by itself remains. */
  const wordsWithout = ({ json }: Answer, text: string): string =>
    JSON.stringify({ ...json, requestId: "", detail: "" }) +
    String(json.detail)
      .replace(JSON.stringify(text.toWellFormed()), "it")
      .replace(/^.* is called .*$/, "called")
      .replace(/^.* has the id .*$/, "called");
});

suite("what a request may carry", () => {
  test("a token in the URL is refused whatever it is called, and is not repeated", async () => {
    const secret = tokens.write.slice(13);
    for (const path of [
      `/v1/clusters?access_token=${tokens.write}`,
      `/v1/clusters?Access_Token=x`,
      `/v1/clusters?TOKEN=x`,
      `/v1/clusters?api_key=x`,
      `/v1/clusters?text=${tokens.write}`,
      `/v1/clusters?text=whj_aaaaaaaa.${"a".repeat(32)}`,
      `/v1/clusters/${tokens.write}`,
      `/v1/clusters?text=%77ht_${tokens.write.slice(4)}`,
      `/v1/clusters/%77ht_${tokens.write.slice(4)}`,
    ]) {
      const answer = await ask("GET", path);
      assertProblem(answer, 400, "WH-API-4003");
      assert.ok(!JSON.stringify(answer.json).includes(secret), path);
    }
  });

  test("credentials before the host of the URL are refused", async () => {
    // `Request` refuses to be made of such a URL, so the line as it travels is tried over a socket elsewhere.
    assert.throws(() => new Request("http://admin:secret@hub.example/v1/clusters"), TypeError);
  });

  test("only JSON is taken, by every route that takes a body", async () => {
    const types = [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/xml",
      "application/jsonx",
      "text/json-not",
    ];
    for (const { method, path, access } of operations) {
      if (access !== "write" || (method !== "POST" && method !== "PATCH")) continue;
      for (const type of types) {
        const before = await everything();
        const answer = await ask(method, filled(path), {
          text: '{"name":"planted","scope":"write"}',
          headers: { "content-type": type },
        });
        if (answer.status < 400) {
          // A route whose body is optional takes none of it.
          assert.ok([200, 201, 202].includes(answer.status));
          continue;
        }
        assert.ok(
          [404, 409, 415, 422].includes(answer.status),
          `${method} ${path}: ${answer.status}`,
        );
        assert.equal(await everything(), before);
      }
    }
  });

  const everything = async (): Promise<string> =>
    JSON.stringify([
      (await ask("GET", "/v1/clusters")).json,
      (await ask("GET", "/v1/tokens")).json,
    ]);

  test("keys that are names of prototypes stay data, and pollute nothing", async () => {
    for (const text of [
      '{"name":"evil","labels":{"__proto__":"x"}}',
      '{"name":"evil","__proto__":{"scope":"write"}}',
      '{"name":"evil","constructor":{"prototype":{"polluted":"yes"}}}',
      '{"name":"evil","annotations":{"constructor":"x","prototype":"y","__proto__":"z"}}',
    ]) {
      const answer = await ask("POST", "/v1/clusters", { text });
      assert.ok([201, 422].includes(answer.status), String(answer.status));
      assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
      assert.equal(({} as Record<string, unknown>)["scope"], undefined);
      assert.ok(!JSON.stringify(answer.json.cluster ?? {}).includes("__proto__"));
      if (answer.status === 201) await ask("DELETE", "/v1/clusters/evil");
    }
  });

  test("a body of a hundred thousand levels is refused, and the next request is answered", async () => {
    const deep = (open: string, close: string) => open.repeat(100_000) + close.repeat(100_000);
    for (const text of [
      deep("[", "]"),
      `{"name":"x","labels":${deep("[", "]")}}`,
      `{"name":${deep('{"a":', "}").replace("}", "1}")}}`,
      '{"a":'.repeat(100_000),
    ]) {
      const answer = await ask("POST", "/v1/clusters", { text });
      assert.ok([400, 422].includes(answer.status), String(answer.status));
      assert.equal((await ask("GET", "/v1/clusters/dev-1")).status, 200);
    }
  });

  test("a hundred labels of the longest kind fit, and a body one byte over the limit does not", async () => {
    const most = fixture.settings.bodyBytesMost;
    for (const [length, status] of [
      [most / 2, 422],
      [most, 422],
      [most + 1, 413],
      [most * 2, 413],
      [most * 10, 413],
    ] as const) {
      const text = `{"name":"${"x".repeat(length - 11)}"}`;
      assert.equal(text.length, length);
      assert.equal((await ask("POST", "/v1/clusters", { text })).status, status, String(length));
    }
  });
});

suite("what an answer carries", () => {
  test("no route lets another origin read it, frame it, sniff it or keep it", async () => {
    for (const { method, path } of operations)
      for (const as of ["nobody", "write"] as const) {
        const { headers } = await ask(method, filled(path, "nobody"), {
          as,
          headers: { origin: "https://evil.example", accept: "application/json" },
        });
        assert.equal(headers.get("access-control-allow-origin"), null, path);
        assert.equal(headers.get("access-control-allow-credentials"), null, path);
        assert.equal(headers.get("x-content-type-options"), "nosniff", path);
        assert.equal(headers.get("referrer-policy"), "no-referrer", path);
        assert.equal(headers.get("cache-control"), "no-store", path);
        assert.match(
          headers.get("content-security-policy") ?? "",
          /default-src 'none'.*frame-ancestors 'none'/,
        );
        assert.equal(headers.get("server"), null);
        assert.equal(headers.get("x-powered-by"), null);
      }
  });

  test("a preflight is answered with nothing that would let it through", async () => {
    for (const { path } of operations) {
      const { status, headers } = await ask("OPTIONS", filled(path), {
        as: "nobody",
        headers: {
          origin: "https://evil.example",
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization",
        },
      });
      assert.ok(status >= 400, path);
      assert.equal(headers.get("access-control-allow-origin"), null);
    }
  });

  test("text from outside drives no terminal: the command line escapes what JSON leaves bare", () => {
    const hostile = "\u001b]0;owned\u0007\u009b31m\u202etxt.exe\u2028\u2066";
    const printed = safeJson({ message: hostile });
    assert.match(printed, /^[\u0020-\u007e]*$/);
    assert.equal(JSON.parse(printed).message, hostile);
  });
});
