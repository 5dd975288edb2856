import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { joinManifest, type JoinInvitation } from "../../../../hub/domain/join/manifest.ts";
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

const kindsOf = (some: JoinInvitation): readonly unknown[] =>
  joinManifest(some).map((object) => object["kind"]);

suite("join manifest", () => {
  const objects = joinManifest(invitation);
  const text = JSON.stringify(objects);

  test("holds what a spoke needs, the namespace first and the workload last", () => {
    assert.deepEqual(kindsOf(invitation), [
      "Namespace",
      "NetworkPolicy",
      "ServiceAccount",
      "Secret",
      "Role",
      "RoleBinding",
      "ClusterRole",
      "ClusterRoleBinding",
      "Deployment",
    ]);
  });

  test("for two namespaces: a role in each, none for the cluster, and the spoke is told", () => {
    const restricted = {
      ...invitation,
      role: { ...usualSpokeRole, namespaces: ["team-a", "team-b"] },
    };
    assert.deepEqual(kindsOf(restricted), [
      "Namespace",
      "NetworkPolicy",
      "ServiceAccount",
      "Secret",
      "Role",
      "RoleBinding",
      "Role",
      "RoleBinding",
      "Role",
      "RoleBinding",
      "Deployment",
    ]);
    const deployment = JSON.stringify(joinManifest(restricted).at(-1));
    assert.match(deployment, /"--namespaces","team-a,team-b"/);
  });

  test("Secrets and custom resources are in the role when they are asked for, and only then", () => {
    const wide = joinManifest({
      ...invitation,
      role: { namespaces: [], secrets: true, customResourceGroups: ["example.com"] },
    });
    const ruleText = (some: readonly object[]): string =>
      JSON.stringify(some.find((object) => "kind" in object && object.kind === "ClusterRole"));
    assert.ok(!ruleText(objects).includes('"secrets"'));
    assert.ok(!ruleText(objects).includes('"*"'));
    assert.ok(ruleText(wide).includes('"secrets"'));
    assert.match(ruleText(wide), /"apiGroups":\["example\.com"\],"resources":\["\*"\]/);
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
