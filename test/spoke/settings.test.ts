import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { readSpokeSettings, spokeSettingHelp } from "../../spoke/settings.ts";

const pod = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };

suite("spoke settings", () => {
  test("in a pod, the hub's address is all it needs", () => {
    const read = readSpokeSettings(
      { words: ["--hub-address", "hub.example:7443"], environment: pod, file: undefined },
      "/srv",
    );
    assert.ok(read.ok);
    assert.deepEqual(read.value.access, {
      kind: "in-cluster",
      host: "10.0.0.1",
      port: "443",
      tokenFile: "/var/run/secrets/kubernetes.io/serviceaccount/token",
      authorityFile: "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
      environment: pod,
    });
    assert.equal(read.value.joinToken, undefined);
  });

  test("a kubeconfig may leave the API server unverified only when it is said here too", () => {
    const accessOf = (...words: readonly string[]) => {
      const read = readSpokeSettings(
        {
          words: ["--hub-address", "hub.example:7443", "--kubeconfig", "config", ...words],
          environment: {},
          file: undefined,
        },
        "/srv",
      );
      assert.ok(read.ok);
      return read.value.access;
    };
    assert.deepEqual(accessOf(), {
      kind: "kubeconfig",
      file: "/srv/config",
      context: undefined,
      acceptInsecure: false,
      environment: {},
    });
    assert.partialDeepStrictEqual(accessOf("--kubeconfig-insecure"), { acceptInsecure: true });
  });

  test("all problems are reported together", () => {
    const read = readSpokeSettings(
      {
        words: ["--hub-address", "https://hub", "--hub-fingerprint", "aa:bb", "--join-token", "x"],
        environment: { WHEELHOUSE_JOIN_TOKEN_FILE: "y" },
        file: undefined,
      },
      "/srv",
    );
    assert.ok(!read.ok);
    assert.deepEqual(read.problem, [
      'hub-address must be host:port, got "https://hub"',
      'hub-fingerprint must be sha256: and 64 hexadecimal digits, got "aa:bb"',
      "join-token and join-token-file exclude each other",
      "there is no cluster to manage: outside a pod, give --kubeconfig FILE (KUBERNETES_SERVICE_HOST is not set)",
    ]);
  });

  test("namespaces are names with commas between; nothing named does not mean everything", () => {
    const given = (namespaces: string) =>
      readSpokeSettings(
        {
          words: ["--hub-address", "hub.example:7443", "--namespaces", namespaces],
          environment: pod,
          file: undefined,
        },
        "/srv",
      );
    const read = given("team-a, team-b,team-a");
    assert.deepEqual(read.ok && read.value.namespaces, ["team-a", "team-b"]);
    for (const wrong of ["", "team-a,", "*", "Team"]) {
      const refused = given(wrong);
      assert.match(
        refused.ok ? "" : refused.problem.join(),
        /^namespaces must be DNS labels/,
        wrong,
      );
    }
  });

  test("every setting that is read is explained, and every explained one is read", () => {
    const words = spokeSettingHelp.flatMap(([name]) => [`--${name}`, "?"]);
    const read = readSpokeSettings({ words, environment: pod, file: undefined }, "/");
    assert.ok(!read.ok);
    assert.deepEqual(
      read.problem.filter((problem) => problem.startsWith("there is no setting")),
      [],
    );
  });
});
