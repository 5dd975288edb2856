import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test, { suite } from "node:test";
import fc from "fast-check";
import {
  joinManifest,
  shellWord,
  spokeCommand,
  type JoinInvitation,
} from "../../../hub/domain/join-manifest.ts";
import { parseClusterName } from "../../../proto/words/ids.ts";

const cluster = parseClusterName("eu-1");
assert.ok(cluster.ok);

const invitation: JoinInvitation = {
  cluster: cluster.value,
  hubAddress: "hub.example:7443",
  hubFingerprint: "sha256:ab",
  token: "whj_aaaaaaaa.bbbb",
  image: "registry.example/wheelhouse:1",
};

suite("join manifest", () => {
  const objects = joinManifest(invitation);
  const text = JSON.stringify(objects);

  test("holds what a spoke needs, the namespace first and the workload last", () => {
    assert.deepEqual(
      objects.map((object) => object["kind"]),
      [
        "Namespace",
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "ClusterRole",
        "ClusterRoleBinding",
        "Secret",
        "Deployment",
      ],
    );
  });

  test("the token is in the Secret and nowhere else, least of all on the command line of the pod", () => {
    assert.equal(text.split(invitation.token).length, 2);
    const secret = objects.find((object) => object["kind"] === "Secret");
    assert.ok(JSON.stringify(secret).includes(invitation.token));
  });

  test("the pod runs as nobody in particular, on a file system it cannot write", () => {
    const deployment = JSON.stringify(objects.at(-1));
    assert.match(deployment, /"runAsNonRoot":true/);
    assert.match(deployment, /"readOnlyRootFilesystem":true/);
    assert.match(deployment, /"drop":\["ALL"\]/);
    assert.match(deployment, /"--hub-address","hub\.example:7443"/);
  });
});

suite("spokeCommand", () => {
  test("is one command that a shell takes apart as it was put together", () => {
    const words = execFileSync(
      "sh",
      ["-c", `wheelhouse() { printf '%s\\n' "$@"; }\nKUBECONFIG=/k\n${spokeCommand(invitation)}`],
      { encoding: "utf8" },
    )
      .trim()
      .split("\n");
    assert.deepEqual(words, [
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
