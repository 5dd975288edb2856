import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { whyNoTool } from "../support/control-plane/binaries.ts";
import { objectNameOf, render, type Rendered } from "../support/helm.ts";
import { gatewayKinds, hubValues, spokeValues } from "./values.ts";

/** What the strictest pod security level asks for, and what we ask for beyond it, in every set of values. */

type Container = {
  readonly name: string;
  readonly resources?: {
    readonly requests?: object;
    readonly limits?: { readonly memory?: string };
  };
  readonly securityContext?: object;
  readonly startupProbe?: object;
  readonly livenessProbe?: object;
  readonly readinessProbe?: object;
  readonly volumeMounts: readonly { readonly mountPath: string; readonly readOnly?: boolean }[];
};

type PodSpec = {
  readonly [field: string]: unknown;
  readonly securityContext: object;
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly [field: string]: unknown }[];
};

const rendered = [
  ...Object.entries(spokeValues).map(
    ([name, values]) => ["wheelhouse-spoke", name, values] as const,
  ),
  ...Object.entries(hubValues).map(([name, values]) => ["wheelhouse-hub", name, values] as const),
];

suite("what the charts run", { skip: whyNoTool("helm") }, () => {
  for (const [chart, name, values] of rendered) {
    const objects = (): Promise<readonly Rendered[]> =>
      render(chart, values, { serves: gatewayKinds });

    test(`${chart}, ${name}: one pod, nobody in particular, nothing of its node`, async () => {
      const pods = (await objects()).flatMap((object) => podSpecOf(object) ?? []);
      assert.equal(pods.length, 1);
      for (const pod of pods) {
        assert.deepEqual(pod.securityContext, {
          runAsNonRoot: true,
          runAsUser: 65532,
          runAsGroup: 65532,
          fsGroup: 65532,
          ...(chart === "wheelhouse-hub" ? { fsGroupChangePolicy: "OnRootMismatch" } : {}),
          seccompProfile: { type: "RuntimeDefault" },
        });
        for (const field of ["hostNetwork", "hostPID", "hostIPC", "hostUsers", "initContainers"])
          assert.equal(pod[field], undefined, field);
        assert.deepEqual(
          pod.volumes.filter((volume) => "hostPath" in volume),
          [],
        );
        // The hub uses no right of any cluster.
        assert.equal(pod["automountServiceAccountToken"], chart === "wheelhouse-spoke");
      }
    });

    test(`${chart}, ${name}: every container is confined, probed and bounded`, async () => {
      const containers = (await objects()).flatMap((object) => podSpecOf(object)?.containers ?? []);
      for (const container of containers) {
        assert.deepEqual(container.securityContext, {
          allowPrivilegeEscalation: false,
          privileged: false,
          readOnlyRootFilesystem: true,
          runAsNonRoot: true,
          capabilities: { drop: ["ALL"] },
        });
        for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"] as const)
          assert.ok(container[probe], `${container.name} has no ${probe}`);
        assert.ok(container.resources?.requests, `${container.name} asks for nothing`);
        assert.ok(container.resources.limits?.memory, `${container.name} has no memory limit`);
        const writable = container.volumeMounts.filter(({ readOnly }) => readOnly !== true);
        assert.deepEqual(
          writable.map(({ mountPath }) => mountPath),
          ["/var/lib/wheelhouse", "/tmp"],
        );
      }
    });

    test(`${chart}, ${name}: no rule grants a verb by wildcard, or a path outside the API`, async () => {
      for (const object of await objects()) {
        for (const rule of (object["rules"] as readonly Rule[] | undefined) ?? []) {
          const place = `${objectNameOf(object)}: ${JSON.stringify(rule)}`;
          if (rule.verbs === undefined) continue;
          assert.ok(!rule.verbs.includes("*"), place);
          assert.ok(!(rule.apiGroups ?? []).includes("*"), place);
          assert.equal(rule.nonResourceURLs, undefined, place);
          const kinds = rule.resources ?? [];
          assert.deepEqual(
            kinds.filter((kind) => kind.includes("/")),
            [],
            place,
          );
          // All kinds of a group: only of groups somebody named, which the cluster itself does not use.
          const isCustom = (rule.apiGroups ?? []).every(
            (group) => /\.(io|com)$/.test(group) && !group.endsWith(".k8s.io"),
          );
          if (kinds.includes("*")) assert.ok(isCustom, place);
        }
      }
    });

    test(`${chart}, ${name}: every selector meets the pods, and nothing else is in another namespace`, async () => {
      const all = await objects();
      const workload = all.find((object) => podSpecOf(object) !== undefined);
      assert.ok(workload);
      const { labels } = (workload["spec"] as Workload).template.metadata;
      const matches = (wanted: Readonly<Record<string, string>>): boolean =>
        Object.entries(wanted).every(([key, value]) => labels[key] === value);
      for (const object of all) {
        const spec = (object["spec"] ?? {}) as Selecting;
        if (object.kind === "Service") assert.ok(matches(spec.selector ?? {}));
        if (object.kind === "NetworkPolicy")
          assert.ok(matches(spec.podSelector?.matchLabels ?? {}));
        if (object.kind === "PodDisruptionBudget")
          assert.ok(matches((spec.selector as Matching | undefined)?.matchLabels ?? {}));
        const isCluster = object.kind.startsWith("Cluster");
        assert.equal(object.metadata.namespace === undefined, isCluster, objectNameOf(object));
      }
    });
  }

  test("without escalate nobody may grant more than they have, and without being asked nobody impersonates", async () => {
    for (const values of [spokeValues.cluster, spokeValues.namespaces]) {
      const objects = await render("wheelhouse-spoke", values);
      const verbs = objects.flatMap((object) =>
        ((object["rules"] as readonly Rule[] | undefined) ?? []).flatMap(
          (rule) => rule.verbs ?? [],
        ),
      );
      assert.deepEqual(
        verbs.filter((verb) => ["escalate", "bind", "impersonate", "*"].includes(verb)),
        [],
      );
    }
  });

  test("the preset namespaces grants nothing outside the namespaces and its own", async () => {
    const objects = await render("wheelhouse-spoke", spokeValues.namespaces);
    const places = objects
      .filter(({ kind }) => kind === "Role")
      .map(({ metadata }) => metadata.namespace ?? "");
    assert.deepEqual(places.toSorted(), ["team-a", "team-b", "wheelhouse"]);
    assert.deepEqual(
      objects.filter(({ kind }) => kind.startsWith("Cluster")),
      [],
    );
  });

  test("Secrets of others are out of reach until they are asked for", async () => {
    for (const values of [spokeValues.cluster, spokeValues.namespaces]) {
      const objects = await render("wheelhouse-spoke", values);
      const reaching = objects.filter(
        (object) =>
          object.metadata.namespace !== "wheelhouse" &&
          JSON.stringify(object["rules"] ?? "").includes('"secrets"'),
      );
      assert.deepEqual(reaching, []);
    }
  });

  test("role.create=false makes no role, and serviceAccount.create=false no account", async () => {
    const objects = await render("wheelhouse-spoke", {
      ...spokeValues.cluster,
      role: { create: false },
      serviceAccount: { create: false, name: "mine" },
    });
    assert.deepEqual(objects.map(({ kind }) => kind).toSorted(), [
      "Deployment",
      "NetworkPolicy",
      "Secret",
    ]);
    const deployment = objects.find(({ kind }) => kind === "Deployment");
    assert.equal(deployment && podSpecOf(deployment)?.["serviceAccountName"], "mine");
  });
});

type Rule = {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs?: readonly string[];
};

type Workload = {
  readonly template: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: PodSpec;
  };
};

type Labels = Readonly<Record<string, string>>;

type Matching = { readonly matchLabels?: Labels };

type Selecting = { readonly selector?: Labels; readonly podSelector?: Matching };

const podSpecOf = (object: Rendered): PodSpec | undefined =>
  ["Deployment", "StatefulSet", "DaemonSet", "Job"].includes(object.kind)
    ? (object["spec"] as Workload).template.spec
    : undefined;
