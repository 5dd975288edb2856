import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import test, { after, afterEach, beforeEach, suite } from "node:test";
import { gzipSync } from "node:zlib";
import {
  gitHttp,
  openConnections,
  RedirectRefused,
  TransferTooLarge,
  unlessBroken,
  type GitHttp,
} from "../../../hub/git/http.ts";

const signal = new AbortController().signal;

suite("gitHttp", () => {
  const connections = openConnections(undefined);
  after(() => connections.close());
  let server: Server;
  let url = "";
  let answer: (request: IncomingMessage, response: ServerResponse) => void = () => {};
  let seen: string[] = [];

  beforeEach(async () => {
    seen = [];
    server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? "-"}`);
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  const http = (authorization?: string, bytesMost = 1_000, silenceMs = 60_000): GitHttp =>
    gitHttp(connections, authorization, { bytesMost, silenceMs }, signal);

  const textOf = async (transport: GitHttp, address: string): Promise<string> => {
    const { body } = await transport.request({ url: address });
    const chunks: Uint8Array[] = [];
    for await (const chunk of body ?? []) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };

  const refs = "/x/info/refs?service=git-upload-pack";

  test("takes compression off and counts what comes out", async () => {
    answer = (_, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("a".repeat(900)));
    assert.equal((await textOf(http(), url)).length, 900);
    const strict = http(undefined, 899);
    await assert.rejects(textOf(strict, url), TransferTooLarge);
    assert.ok(strict.failure() instanceof TransferTooLarge);
  });

  test("limits hold for an exchange as a whole", async () => {
    answer = (_, response) => response.end("a".repeat(600));
    const transport = http();
    await textOf(transport, url);
    await assert.rejects(textOf(transport, url), TransferTooLarge);
  });

  test("remembers that a body broke, whatever its reader made of it", async () => {
    answer = (request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half");
      setImmediate(() => request.socket.destroy());
    };
    const transport = http();
    const lenient = textOf(transport, url).catch(() => "nothing more");
    await assert.rejects(unlessBroken(transport, lenient), /aborted/);
  });

  test("gives up on silence", async () => {
    answer = () => {};
    await assert.rejects(textOf(http(undefined, 1_000, 200), url), /nothing arrived for 200 ms/);
  });

  test("follows a redirect of the first question and stays there", async () => {
    answer = (request, response) => {
      if (request.url?.startsWith("/x/") === true)
        response.writeHead(301, { location: request.url.replace("/x/", "/y/") }).end();
      else response.end("here");
    };
    const transport = http("Bearer secret");
    assert.equal(await textOf(transport, url + refs), "here");
    await transport.request({ url: `${url}/x/git-upload-pack`, method: "POST" });
    assert.deepEqual(seen, [
      `GET ${refs} Bearer secret`,
      `GET ${refs.replace("/x/", "/y/")} Bearer secret`,
      "POST /y/git-upload-pack Bearer secret",
    ]);
  });

  const redirects = [
    { name: "in circles", to: refs, expect: /more than 3 redirects/ },
    { name: "to a user", to: `http://u:p@127.0.0.1:1${refs}`, expect: /a user in it/ },
    { name: "to a file", to: "file:///etc/passwd", expect: /not http/ },
    { name: "to another question", to: "/login", expect: /nothing to ask/ },
  ];
  for (const { name, to, expect } of redirects)
    test(`refuses a redirect ${name}`, async () => {
      answer = (_, response) => response.writeHead(302, { location: to }).end();
      await assert.rejects(textOf(http(), url + refs), (error: unknown) => {
        assert.ok(error instanceof RedirectRefused);
        assert.match(error.message, expect);
        return true;
      });
    });

  test("refuses a redirect to another origin when it has a secret", async () => {
    answer = (_, response) =>
      response.writeHead(302, { location: `http://localhost:1${refs}` }).end();
    await assert.rejects(textOf(http("Bearer secret"), url + refs), /credentials are not sent/);
  });

  test("refuses a redirect of what it posts", async () => {
    answer = (_, response) => response.writeHead(307, { location: "/y/git-upload-pack" }).end();
    await assert.rejects(
      http().request({ url: `${url}/x/git-upload-pack`, method: "POST" }),
      RedirectRefused,
    );
  });

  test("asks again when a kept connection was closed meanwhile", async () => {
    let answers = 0;
    answer = (request, response) => {
      answers += 1;
      // The second question on a kept connection meets a closed door, as after an idle time-out.
      if (answers === 2) request.socket.destroy();
      else response.end("here");
    };
    assert.equal(await textOf(http(), url), "here");
    assert.equal(await textOf(http(), url), "here");
    assert.equal(seen.length, 3);
  });
});
