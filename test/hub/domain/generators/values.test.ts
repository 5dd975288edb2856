import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { Json } from "../../../../proto/words/digest.ts";
import { failureOf } from "./generated-params.ts";

suite("a value that cannot be made says whose it is, in Argo CD's words", () => {
  const appended = "failed to append templated values: ";
  const git = { repoURL: "r", revision: "HEAD" };
  const rows: readonly (readonly [name: string, generator: Json, text: string, words: string])[] = [
    ["a cluster", { clusters: {} }, "{{nosuch}}", "error appending templated values for cluster: "],
    [
      "the local cluster",
      { clusters: {} },
      "{{.metadata.labels.env}}",
      "error appending templated values for local cluster: ",
    ],
    [
      "a list of clusters",
      { clusters: { flatList: true } },
      "{{nosuch}}",
      "error appending templated values for cluster: ",
    ],
    [
      "directories",
      { git: { ...git, directories: [{ path: "*" }] } },
      "{{nosuch}}",
      `error generating params from git: error generating params from apps: ${appended}`,
    ],
    [
      "files",
      { git: { ...git, files: [{ path: "**/config.yaml" }] } },
      "{{nosuch}}",
      `error generating params from git: unable to process file 'apps/config.yaml' from repository 'r': ${appended}`,
    ],
    [
      "a plugin",
      { plugin: { configMapRef: { name: "c" } } },
      "{{nosuch}}",
      "error generating params: ",
    ],
    ["pull requests", { pullRequest: { github: {} } }, "{{nosuch}}", appended],
  ];
  for (const [name, generator, text, words] of rows)
    test(name, () => {
      const [[kind, body] = ["", {}]] = Object.entries(generator as object);
      const says = failureOf([{ [kind]: { ...(body as object), values: { v: text } } }], {
        missingKey: "error",
      });
      const start = `${words}failed to replace templated string: failed to replace templated string with rendered values: failed to `;
      assert.ok(says.startsWith(start) && says.includes(text), says);
    });
});
