import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test, { suite } from "node:test";
import fc from "fast-check";
import { load } from "js-yaml";
import {
  chartValues,
  helmCommand,
  shellWord,
  spokeCommand,
} from "../../../../hub/domain/join/command.ts";
import type { JoinInvitation } from "../../../../hub/domain/join/manifest.ts";
import { usualSpokeRole } from "../../../../hub/domain/join/spoke-role.ts";
import { parseClusterName } from "../../../../proto/words/ids.ts";

const cluster = parseClusterName("eu-1");
assert.ok(cluster.ok);

const invitation: JoinInvitation = {
  cluster: cluster.value,
  hubAddress: "hub.example:7443",
  hubFingerprint: "sha256:ab",
  token: "whj_aaaaaaaa.bbbb",
  image: "registry.example/wheelhouse:1",
  role: usualSpokeRole,
};

const restricted: JoinInvitation = {
  ...invitation,
  role: { namespaces: ["team-a", "team-b"], secrets: true, customResourceGroups: ["example.com"] },
};

const chart = { reference: "oci://registry.example/wheelhouse-spoke", version: "1.2.3" };

/** The words a shell makes of a command, and what it feeds to the program. */
const taken = (command: string): readonly string[] =>
  execFileSync("sh", ["-c", command], { encoding: "utf8" }).trim().split("\n");

suite("spokeCommand", () => {
  const run = (some: JoinInvitation): readonly string[] =>
    taken(`wheelhouse() { printf '%s\\n' "$@"; }\nKUBECONFIG=/k\n${spokeCommand(some)}`);

  test("is one command that a shell takes apart as it was put together", () => {
    assert.deepEqual(run(invitation), [
      "spoke",
      "--hub-address",
      "hub.example:7443",
      "--hub-fingerprint",
      "sha256:ab",
      "--join-token",
      "whj_aaaaaaaa.bbbb",
      "--state-folder",
      "./wheelhouse-eu-1",
      "--probe-host",
      "127.0.0.1",
      "--probe-port",
      "0",
      "--kubeconfig",
      "/k",
    ]);
  });

  test("names the namespaces a spoke is kept to", () => {
    const words = run(restricted);
    assert.equal(words[words.indexOf("--namespaces") + 1], "team-a,team-b");
  });

  test("words of any letters survive the shell", () => {
    const word = fc.string({ maxLength: 12 }).filter((text) => !text.includes("\0"));
    fc.assert(
      fc.property(word, (text) => {
        const printed = execFileSync("sh", ["-c", `printf '%s' ${shellWord(text) || "''"}`], {
          encoding: "utf8",
        });
        assert.equal(printed, text);
      }),
      { numRuns: 25 },
    );
  });
});

suite("helmCommand", () => {
  for (const [name, some] of Object.entries({ usual: invitation, restricted })) {
    test(`${name}: the words name release, chart, version and namespace; no word holds the token`, () => {
      const words = taken(
        `helm() { printf '%s\\n' "$@"; cat > /dev/null; }\n${helmCommand(some, chart)}\n`,
      );
      assert.deepEqual(words, [
        "upgrade",
        "--install",
        "wheelhouse-spoke",
        "oci://registry.example/wheelhouse-spoke",
        "--version",
        "1.2.3",
        "--namespace",
        "wheelhouse",
        "--create-namespace",
        "--values",
        "-",
      ]);
    });

    test(`${name}: what helm is fed are the values, as YAML`, () => {
      const fed = execFileSync("sh", ["-c", `helm() { cat; }\n${helmCommand(some, chart)}\n`], {
        encoding: "utf8",
      });
      assert.deepEqual(load(fed), chartValues(some));
    });
  }

  test("values name what differs from the chart's own, and nothing else", () => {
    assert.deepEqual(chartValues(invitation), {
      hub: { address: "hub.example:7443", fingerprint: "sha256:ab" },
      join: { token: "whj_aaaaaaaa.bbbb" },
      image: { repository: "registry.example/wheelhouse", tag: "1" },
    });
    assert.deepEqual(chartValues(restricted)["role"], {
      preset: "namespaces",
      namespaces: ["team-a", "team-b"],
      secrets: true,
      customResourceGroups: ["example.com"],
    });
  });
});
