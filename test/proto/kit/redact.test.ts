import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { oneJsonLine, redact, redactField, redactFields } from "../../../proto/kit/redact.ts";
import { processorMs, quickMs } from "../../support/processor-time.ts";

suite("redact", () => {
  const secret = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst";
  const masked: readonly (readonly [name: string, text: string, gone: string, kept: string])[] = [
    ["an API token", `x wht_aaaaaaaa_${secret} y`, secret, "x wht_aaaaaaaa.(masked) y"],
    [
      "a join token",
      `x whj_aaaaaaaa.${secret.slice(0, 32)} y`,
      secret.slice(0, 32),
      "x whj_aaaaaaaa.(masked) y",
    ],
    [
      "a bearer header",
      "authorization: Bearer abcdefgh12345678",
      "abcdefgh12345678",
      "authorization: Bearer (masked)",
    ],
    ["a basic header", "Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA==", "Basic (masked)"],
    [
      "a password in a URL",
      "clone https://me:hunter2@git.example/x.git failed",
      "hunter2",
      "clone https://(masked)@git.example/x.git failed",
    ],
    [
      "a token in a URL",
      "https://ghp_0123456789abcdef@git.example/x",
      "ghp_0123456789abcdef",
      "https://(masked)@git.example/x",
    ],
    [
      "a signature in a query",
      "GET https://x.example/a?sv=1&sig=abc%2Bdef&se=2",
      "abc%2Bdef",
      "GET https://x.example/a?sv=1&sig=(masked)&se=2",
    ],
    [
      "a web token",
      "got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2ln now",
      "eyJzdWIiOiJzeXN0ZW0ifQ",
      "got (masked) now",
    ],
    [
      "a key in PEM",
      "a -----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY----- b",
      "MHcCAQEE",
      "a (masked private key) b",
    ],
    [
      "a key in PEM that was cut",
      "a -----BEGIN PRIVATE KEY-----\nMHcCAQEE",
      "MHcCAQEE",
      "a (masked private key)",
    ],
    ["an age key", "AGE-SECRET-KEY-1QQQQQQQQQQ", "QQQQ", "(masked)"],
    ["a forge's token", "ghp_abcdefghijklmnop", "abcdefghijklmnop", "(masked)"],
  ];
  for (const [name, text, gone, kept] of masked)
    test(`${name} does not leave`, () => {
      assert.equal(redact(text), kept);
      assert.ok(!redact(text).includes(gone));
      assert.equal(redact(redact(text)), kept, "masking twice is masking once");
    });

  const harmless = [
    "commit 9f3c1a7be0d2446f8a5b7c6d1e2f3a4b5c6d7e8f",
    "sha256:5f1d5f1d5f1d",
    "https://git.example/fleet.git?ref=main",
    "mail ann@example.com about basic questions",
    "the bearer of bad news",
    "refused by the API server: Invalid: spec.ports: Required value",
    "wht_aaaaaaaa",
    "ssh://git.example:22/x@y",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
  ];
  for (const text of harmless)
    test(`${JSON.stringify(text)} leaves as it is`, () => assert.equal(redact(text), text));

  test("is quick for what was made to be slow", () => {
    for (const text of [
      `-----BEGIN PRIVATE KEY-----${"-".repeat(200_000)}`,
      "https://".repeat(30_000),
      `Bearer ${" ".repeat(200_000)}`,
      "eyJ".repeat(60_000),
      `${"a.".repeat(100_000)}://`,
      `?${"token".repeat(40_000)}`,
    ]) {
      const startedMs = processorMs();
      redact(text);
      assert.ok(processorMs() - startedMs < quickMs, text.slice(0, 20));
    }
  });

  test("fields are masked by their names, but for what is public and what is no text", () => {
    assert.deepEqual(
      redactFields({
        token: "wht_aaaaaaaa",
        joinToken: "whj_abc",
        password: "x",
        passwd: "x",
        clientSecret: "x",
        private_key: "x",
        Authorization: "x",
        cookie: "x",
        gitCredential: "x",
        tokens: 3,
        secretName: undefined,
        url: "https://a:b@c",
      }),
      {
        token: "wht_aaaaaaaa",
        joinToken: "(masked)",
        password: "(masked)",
        passwd: "(masked)",
        clientSecret: "(masked)",
        private_key: "(masked)",
        Authorization: "(masked)",
        cookie: "(masked)",
        gitCredential: "(masked)",
        tokens: 3,
        secretName: undefined,
        url: "https://(masked)@c",
      },
    );
    assert.equal(redactField("password", ""), "");
  });
});

test("oneJsonLine: nothing in it ends a line or drives a terminal, and it means the same", () => {
  const value = { text: "a\r\nb\u2028c\u2029d\u0085e\u009b31mf\u007fg\u202eh\ufeffi\u001b[0m" };
  const line = oneJsonLine(JSON.stringify(value));
  assert.match(line, /^[\u0020-\u007e]*$/);
  assert.deepEqual(JSON.parse(line), value);
});
