import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { environmentProxy, parseProxy } from "../../../spoke/kube/proxy.ts";
import { CredentialUnusable } from "../../../spoke/kube/trouble.ts";

suite("parseProxy", () => {
  const rows: readonly (readonly [text: string, expect: unknown])[] = [
    ["http://proxy.example:3128", ["proxy.example", 3128, false, undefined]],
    ["https://proxy.example", ["proxy.example", 443, true, undefined]],
    ["proxy.example", ["proxy.example", 80, false, undefined]],
    ["http://[::1]:8080", ["::1", 8080, false, undefined]],
    ["http://me:p%40ss@proxy.example:1", ["proxy.example", 1, false, "Basic bWU6cEBzcw=="]],
  ];
  for (const [text, expect] of rows) {
    test(`reads ${text}`, () => {
      const { host, port, isSecure, authorization } = parseProxy(text, "HTTPS_PROXY");
      assert.deepEqual([host, port, isSecure, authorization], expect);
    });
  }

  const refused: readonly (readonly [text: string, says: RegExp])[] = [
    ["socks5://me:secret@proxy.example", /^HTTPS_PROXY names a socks5 proxy; only http and https/],
    ["ftp://proxy.example", /names a ftp proxy/],
    ["http://me:secret@:x", /^HTTPS_PROXY is not a proxy's address$/],
  ];
  for (const [text, says] of refused) {
    test(`refuses ${text.replace("secret", "…")} without what is secret in it`, () => {
      assert.throws(
        () => parseProxy(text, "HTTPS_PROXY"),
        (error) =>
          error instanceof CredentialUnusable &&
          says.test(error.message) &&
          !error.message.includes("secret"),
      );
    });
  }
});

suite("environmentProxy", () => {
  const https = { HTTPS_PROXY: "http://proxy.example:3128" };
  const rows: readonly {
    readonly name: string;
    readonly environment: Readonly<Record<string, string>>;
    readonly host?: string;
    readonly expect: "proxy" | "direct";
  }[] = [
    { name: "nothing set", environment: {}, expect: "direct" },
    { name: "HTTPS_PROXY", environment: https, expect: "proxy" },
    { name: "in small letters", environment: { https_proxy: "proxy.example" }, expect: "proxy" },
    { name: "HTTP_PROXY alone", environment: { HTTP_PROXY: "proxy.example" }, expect: "direct" },
    { name: "this machine", environment: https, host: "127.0.0.1", expect: "direct" },
    { name: "this machine by name", environment: https, host: "localhost", expect: "direct" },
    { name: "everything left out", environment: { ...https, NO_PROXY: "*" }, expect: "direct" },
    {
      name: "the name left out",
      environment: { ...https, NO_PROXY: "a, API.example.dev" },
      expect: "direct",
    },
    { name: "its domain", environment: { ...https, NO_PROXY: "example.dev" }, expect: "direct" },
    {
      name: "below a domain",
      environment: { ...https, NO_PROXY: ".example.dev" },
      expect: "direct",
    },
    { name: "a pattern", environment: { ...https, no_proxy: "*.example.dev" }, expect: "direct" },
    {
      name: "a leading dot leaves out the name itself",
      environment: { ...https, NO_PROXY: ".api.example.dev" },
      expect: "proxy",
    },
    { name: "the end of a word", environment: { ...https, NO_PROXY: "ple.dev" }, expect: "proxy" },
    {
      name: "with its port",
      environment: { ...https, NO_PROXY: "api.example.dev:6443" },
      expect: "direct",
    },
    {
      name: "with another port",
      environment: { ...https, NO_PROXY: "api.example.dev:443" },
      expect: "proxy",
    },
    {
      name: "an address",
      environment: { ...https, NO_PROXY: "10.96.0.1" },
      host: "10.96.0.1",
      expect: "direct",
    },
    {
      name: "in a range",
      environment: { ...https, NO_PROXY: "10.96.0.0/12" },
      host: "10.111.0.1",
      expect: "direct",
    },
    {
      name: "out of a range",
      environment: { ...https, NO_PROXY: "10.96.0.0/12,10.0.0.0/999" },
      host: "10.112.0.1",
      expect: "proxy",
    },
    {
      name: "in a range of IPv6",
      environment: { ...https, NO_PROXY: "fd00::/8" },
      host: "fd12::1",
      expect: "direct",
    },
    {
      name: "an address of IPv6 with its port",
      environment: { ...https, NO_PROXY: "[2001:db8::1]:6443" },
      host: "2001:db8::1",
      expect: "direct",
    },
    {
      name: "a range for a name",
      environment: { ...https, NO_PROXY: "10.0.0.0/8" },
      expect: "proxy",
    },
  ];
  for (const { name, environment, host = "api.example.dev", expect } of rows) {
    test(`${name}: ${expect}`, () => {
      const found = environmentProxy(host, 6443, environment);
      assert.equal(found === undefined ? "direct" : "proxy", expect);
    });
  }
});
