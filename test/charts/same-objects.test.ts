import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { chartValues } from "../../hub/domain/join/command.ts";
import {
  joinManifest,
  spokeNamespace,
  type JoinInvitation,
} from "../../hub/domain/join/manifest.ts";
import { usualSpokeRole } from "../../hub/domain/join/spoke-role.ts";
import { parseClusterName } from "../../proto/words/ids.ts";
import { whyNoTool } from "../support/control-plane/binaries.ts";
import { objectNameOf, render, type Rendered } from "../support/helm.ts";

const cluster = parseClusterName("eu-1");
assert.ok(cluster.ok);

const usual: JoinInvitation = {
  cluster: cluster.value,
  hubAddress: "hub.example:7443",
  hubFingerprint: `sha256:${"ab".repeat(32)}`,
  token: `whj_aaaaaaaa.${"b".repeat(32)}`,
  image: "registry.example:5000/wheelhouse:1.2.3",
  role: usualSpokeRole,
};

const invitations: Readonly<Record<string, JoinInvitation>> = {
  "the usual one": usual,
  "a hub behind port 443, by address": { ...usual, hubAddress: "[2001:db8::7]:443" },
  "an image by digest": {
    ...usual,
    image: `registry.example/wheelhouse:1@sha256:${"c".repeat(64)}`,
  },
  "an image without a tag": { ...usual, image: "registry.example/wheelhouse" },
  "Secrets and custom resources": {
    ...usual,
    role: {
      namespaces: [],
      secrets: true,
      customResourceGroups: ["cert-manager.io", "stable.example.com"],
    },
  },
  "two namespaces": {
    ...usual,
    role: { namespaces: ["team-a", "team-b"], secrets: false, customResourceGroups: [] },
  },
  "the spoke's own namespace, with everything": {
    ...usual,
    role: {
      namespaces: [spokeNamespace],
      secrets: true,
      customResourceGroups: ["stable.example.com"],
    },
  },
};

suite("the chart and the plain manifest", { skip: whyNoTool("helm") }, () => {
  for (const [name, invitation] of Object.entries(invitations))
    test(`are the same objects: ${name}`, async () => {
      const byHelm = await render("wheelhouse-spoke", chartValues(invitation), {
        namespace: spokeNamespace,
      });
      const byHand = joinManifest(invitation) as readonly unknown[] as readonly Rendered[];
      // Helm makes the namespace itself, by --create-namespace.
      const [namespace, ...others] = byHand;
      assert.equal(namespace === undefined ? "" : objectNameOf(namespace), "Namespace wheelhouse");
      assert.deepEqual(byName(others), byName(byHelm));
    });
});

const byName = (objects: readonly Rendered[]): Readonly<Record<string, Rendered>> =>
  Object.fromEntries(
    objects
      .map((object) => [objectNameOf(object), object] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
