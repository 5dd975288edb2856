import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { systemClock } from "../../proto/kit/clock.ts";
import { silentLog } from "../../proto/kit/log.ts";
import { describeError } from "../../proto/kit/trouble.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import { makeObjectKey, splitApiVersion } from "../../proto/words/object-key.ts";
import { parseServiceAccount } from "../../proto/words/service-account.ts";
import { keyOfObject, type KubeObject } from "../../spoke/domain/kube-object.ts";
import { openCluster, type OpenCluster } from "../../spoke/kube/open.ts";
import { whyNoControlPlane, whyNoTool } from "../support/control-plane/binaries.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { kubeconfigFor } from "../support/control-plane/kubeconfig.ts";
import { render, type Rendered } from "../support/helm.ts";
import { kubeClient, type KubeClient } from "../support/kube-client.ts";
import { kubeconfigAccess } from "../support/kubeconfig-access.ts";
import { kubectl } from "../support/kubectl.ts";
import {
  authorizerOf,
  rolesIn,
  withoutResource,
  withoutVerb,
  withRules,
  type Authorizer,
  type Right,
  type RoleObject,
  type Rule,
} from "./install/rights.ts";
import { definitionOf, sampleOf } from "./install/samples.ts";

/**
 * Every right the spoke's chart grants is needed: with any verb or any resource of any rule taken away, the spoke's
 * own client fails at what it does for a living, with a message that names the right.
 */

const skip =
  whyNoControlPlane(["kube-apiserver", "etcd"]) ??
  whyNoTool("helm") ??
  whyNoTool("kubectl") ??
  false;

const namespace = "wheelhouse";
const user = `system:serviceaccount:${namespace}:wheelhouse-spoke`;
const hub = { address: "hub.example:7443", fingerprint: `sha256:${"1f".repeat(32)}` };
const groups = ["cert-manager.io", "stable.example.com"];

/** `tries`: which roles are taken apart; what two roles grant cannot be missed by taking it from one. */
const presets = {
  "the preset cluster": {
    tries: ["ClusterRole"],
    role: { customResourceGroups: groups, secrets: true, escalate: true },
  },
  "the preset cluster, nothing more asked for": { tries: ["Role"], role: {} },
  "the preset namespaces": {
    tries: ["Role"],
    role: {
      preset: "namespaces",
      namespaces: ["team-a"],
      customResourceGroups: groups,
      secrets: true,
      escalate: true,
      impersonate: [{ namespace: "team-a", name: "deployer" }],
    },
  },
} as const;

describe("the rights of the chart, one by one", { skip }, () => {
  let plane: ControlPlane;
  let admin: KubeClient;
  let folder: string;
  let authorizer: Authorizer;
  /** The spoke's own client with an administrator's token. */
  let owner: OpenCluster;

  const open = (file: string, namespaces: readonly string[]): OpenCluster =>
    openCluster(
      kubeconfigAccess(file),
      { namespace, namespaces, version: "0.0.0" },
      { requests: { add: () => {} }, clock: systemClock, random: Math.random, log: silentLog },
    );

  before(async () => {
    plane = await startControlPlane();
    admin = kubeClient({ url: plane.url, caPem: plane.caPem, token: plane.adminToken });
    authorizer = authorizerOf(admin, user);
    folder = mkdtempSync(join(tmpdir(), "wheelhouse-rights-"));
    writeFileSync(join(folder, "admin"), plane.kubeconfig(), { mode: 0o600 });
    owner = open(join(folder, "admin"), []);
    await kubectlApply([
      ...["wheelhouse", "team-a"].map((name) => named("v1", "Namespace", name)),
      // No controller makes it here, and pods are not admitted without.
      ...["team-a"].map((place) => named("v1", "ServiceAccount", "default", place)),
      named("v1", "ServiceAccount", "deployer", "team-a"),
      // For bindings to name: whoever binds must hold all of it.
      { ...named("rbac.authorization.k8s.io/v1", "ClusterRole", "harmless"), rules: [] },
      { ...named("rbac.authorization.k8s.io/v1", "Role", "harmless", "team-a"), rules: [] },
      definitionOf("stable.example.com", "Widget"),
      definitionOf("cert-manager.io", "Certificate"),
    ]);
  });
  after(async () => {
    owner.close();
    admin.close();
    await plane.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const kubectlApply = async (objects: readonly object[]): Promise<void> => {
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
    await kubectl(join(folder, "admin"), ["apply", "--server-side", "--filename", "-"], list);
  };

  const apply = async (object: KubeObject): Promise<KubeObject> => {
    const outcome = await owner.api.apply(object, { force: true, dryRun: false }, soon());
    if (outcome.kind !== "applied") throw new Error(JSON.stringify(outcome));
    return outcome.object;
  };

  const remove = async (object: KubeObject): Promise<void> => {
    const key = keyOfObject(object);
    const uid = (await owner.api.get(key, soon()))?.metadata.uid;
    if (uid !== undefined) await owner.api.remove(key, { uid, propagation: "Background" }, soon());
  };

  for (const [preset, { role, tries }] of Object.entries(presets))
    describe(preset, () => {
      let objects: readonly Rendered[] = [];
      let spoke: OpenCluster;
      const namespaces = "namespaces" in role ? role.namespaces : [];
      const tried = (): readonly RoleObject[] =>
        rolesIn(objects).filter(({ kind }) => tries.some((one) => one === kind));

      before(async () => {
        objects = await render("wheelhouse-spoke", { hub, role }, { namespace });
        await kubectlApply(objects);
        const tokenFile = join(folder, `token-${namespaces.length}`);
        const kubeconfig = join(folder, `spoke-${namespaces.length}`);
        writeFileSync(tokenFile, await plane.serviceAccountToken(namespace, "wheelhouse-spoke"));
        writeFileSync(
          kubeconfig,
          kubeconfigFor({ name: "real", url: plane.url, caPem: plane.caPem, user: { tokenFile } }),
        );
        spoke = open(kubeconfig, namespaces);
        for (const role of rolesIn(objects))
          for (const rule of role.rules)
            for (const right of rightsOf(role, rule)) await authorizer.until(right, true);
      });
      after(async () => {
        spoke.close();
        for (const object of objects) await remove(object);
      });

      test("all that a spoke does, it may do", async () => {
        for (const role of rolesIn(objects))
          for (const rule of role.rules)
            for (const resource of rule.resources)
              for (const deed of deedsOf(role, rule, resource)) await deed.work(spoke);
      });

      test("every verb of every rule is needed", async (context) => {
        let subtests = 0;
        for (const role of tried())
          for (const rule of role.rules)
            for (const verb of rule.verbs) {
              subtests += 1;
              await context.test(`${verb} ${ruleName(role, rule)}`, async () => {
                const gone = rightsOf(role, rule).filter((right) => right.verb === verb);
                await withRules(
                  admin,
                  role,
                  withoutVerb(rule, verb),
                  gone,
                  authorizer,
                  async () => {
                    for (const resource of rule.resources)
                      await failsFor(role, rule, resource, [verb]);
                  },
                );
              });
            }
        checkEnough(subtests);
      });

      test("every resource of every rule is needed", async (context) => {
        let subtests = 0;
        for (const role of tried())
          for (const rule of role.rules)
            for (const resource of rule.resources) {
              subtests += 1;
              await context.test(`${resource} in ${ruleName(role, rule)}`, async () => {
                const gone = rightsOf(role, { ...rule, resources: [resource] });
                await withRules(
                  admin,
                  role,
                  withoutResource(rule, resource),
                  gone,
                  authorizer,
                  () => failsFor(role, rule, resource, rule.verbs),
                );
              });
            }
        checkEnough(subtests);
      });

      /** Nothing rendered, or rules that name nothing, would take no test at all. */
      function checkEnough(subtests: number): void {
        for (const kind of tries)
          assert.ok(
            tried().some((role) => role.kind === kind && role.rules.length > 0),
            `the chart renders no ${kind} with rules`,
          );
        const rules = tried().flatMap((role) => role.rules).length;
        assert.ok(subtests >= rules, `${subtests} subtests for ${rules} rules`);
      }

      /** Each deed that needs one of these verbs fails, and says which right it lacks. */
      async function failsFor(
        role: RoleObject,
        rule: Rule,
        resource: string,
        verbs: readonly string[],
      ): Promise<void> {
        const needing = deedsOf(role, rule, resource).filter(({ needs }) =>
          needs.some((verb) => verbs.includes(verb)),
        );
        for (const verb of verbs)
          assert.ok(
            needing.some(({ needs }) => needs.includes(verb)),
            `nothing a spoke does needs to ${verb} ${resource}`,
          );
        for (const deed of needing) {
          const lacking = deed.needs.filter((verb) => verbs.includes(verb));
          await assert.rejects(deed.work(spoke), (error: unknown) => {
            assert.match(describeError(error), deed.says(lacking, asked(rule, resource)));
            return true;
          });
        }
      }
    });

  /** Something a spoke does, and the verbs of the rule that it takes. */
  type Deed = {
    readonly needs: readonly string[];
    readonly work: (spoke: OpenCluster) => Promise<void>;
    /** How a refusal for want of one of these verbs is worded. */
    readonly says: (lacking: readonly string[], resource: string) => RegExp;
  };

  const cannot = (lacking: readonly string[], resource: string): RegExp =>
    new RegExp(`cannot (${lacking.join("|")}) resource "${resource}"`);

  let made = 0;

  function deedsOf(role: RoleObject, rule: Rule, resource: string): readonly Deed[] {
    const [group = ""] = rule.apiGroups;
    if (rule.verbs.includes("impersonate")) return [impersonation];
    if (rule.verbs.includes("escalate"))
      return resource === "roles" || resource === "clusterroles" ? grants(resource) : [];
    if (role.metadata.namespace === namespace) return ownDeeds(rule, resource);
    if (rule.verbs.length === 1 && resource === "namespaces") return [look];
    return rule.apiGroups.flatMap((one) =>
      one === group || resource === "*" ? lifeOf(`${one}/${resource}`) : [],
    );
  }

  /** What happens to an object of an application. */
  function lifeOf(resource: string): readonly Deed[] {
    const place = "team-a";
    const fresh = (): KubeObject => sampleOf(resource, `s-${(made += 1)}`, place);
    const existing = async (
      work: (object: KubeObject, uid: string) => Promise<void>,
    ): Promise<void> => {
      const object = fresh();
      const live = await apply(object);
      try {
        await work(object, live.metadata.uid ?? "");
      } finally {
        await remove(object);
      }
    };
    const sent = async (spoke: OpenCluster, object: KubeObject): Promise<void> => {
      const outcome = await spoke.api.apply(object, { force: true, dryRun: false }, soon());
      assert.equal(outcome.kind, "applied", "message" in outcome ? outcome.message : "");
    };
    return [
      {
        needs: ["get"],
        work: async (spoke) => void (await spoke.api.get(keyOfObject(fresh()), soon())),
        says: cannot,
      },
      {
        needs: ["create", "patch"],
        work: async (spoke) => {
          const object = fresh();
          await sent(spoke, object);
          await remove(object);
        },
        says: cannot,
      },
      {
        needs: ["patch"],
        work: (spoke) =>
          existing((object) =>
            sent(spoke, {
              ...object,
              metadata: { ...object.metadata, labels: { sample: "changed" } },
            }),
          ),
        says: cannot,
      },
      {
        needs: ["delete"],
        work: (spoke) =>
          existing(async (object, uid) => {
            const key = keyOfObject(object);
            const outcome = await spoke.api.remove(key, { uid, propagation: "Background" }, soon());
            assert.equal(outcome.kind, "removing", "message" in outcome ? outcome.message : "");
          }),
        says: cannot,
      },
      {
        needs: ["list", "watch"],
        work: async (spoke) => {
          const object = fresh();
          const { group } = splitApiVersion(object.apiVersion);
          const type = await spoke.api.resourceType(group, object.kind, soon());
          assert.ok(type);
          const key = keyOfObject(object);
          try {
            for await (const event of spoke.api.watch(type, "sample=yes", soon())) {
              if (event.kind === "listed") await apply(object);
              else if (event.kind === "present" && keyOfObject(event.object) === key) return;
            }
          } finally {
            await remove(object);
          }
          assert.fail("the watch ended");
        },
        says: cannot,
      },
    ];
  }

  /** Why nothing can be made in a namespace is asked of the namespace itself. */
  const look: Deed = {
    needs: ["get"],
    work: async (spoke) => {
      const key = makeObjectKey({ group: "", kind: "Namespace", namespace: "", name: "team-a" });
      assert.ok(await spoke.api.get(key, soon()));
    },
    says: cannot,
  };

  /** The spoke's identity and its inventories. */
  function ownDeeds(rule: Rule, resource: string): readonly Deed[] {
    const identity = { ...noIdentity };
    const secret = named("v1", "Secret", "wheelhouse-spoke-identity", namespace);
    if (resource === "configmaps")
      return [
        {
          needs: ["list"],
          work: async (spoke) => void (await spoke.inventory.readAll(soon())),
          says: cannot,
        },
        {
          needs: ["create", "patch"],
          work: async (spoke) => {
            const name = `app-${(made += 1)}` as ApplicationName;
            await spoke.inventory.write(name, [], soon());
            await spoke.inventory.forget(name, soon());
          },
          says: cannot,
        },
        {
          needs: ["create", "patch", "delete"],
          work: async (spoke) => {
            const name = `app-${(made += 1)}` as ApplicationName;
            await spoke.inventory.write(name, [], soon());
            await spoke.inventory.forget(name, soon());
          },
          says: cannot,
        },
      ];
    const all: readonly Deed[] = [
      {
        needs: ["create"],
        work: async (spoke) => {
          await remove(secret);
          await spoke.identity.read(soon()).catch(() => undefined);
          await spoke.identity.write(identity, soon());
        },
        says: cannot,
      },
      {
        needs: ["get"],
        work: async (spoke) => void (await spoke.identity.read(soon())),
        says: cannot,
      },
      {
        needs: ["get", "update"],
        work: async (spoke) => {
          await apply(secret);
          await spoke.identity.read(soon());
          await spoke.identity.write(identity, soon());
        },
        says: cannot,
      },
    ];
    return all.filter(({ needs }) => needs.every((verb) => rule.verbs.includes(verb)));
  }

  /** To put a role in place that grants more than the spoke has, and to bind one. */
  function grants(resource: string): readonly Deed[] {
    const isClusterWide = resource === "clusterroles";
    const place = isClusterWide ? {} : { namespace: "team-a" };
    const apiVersion = "rbac.authorization.k8s.io/v1";
    const rules = [{ apiGroups: ["metrics.k8s.io"], resources: ["pods"], verbs: ["get"] }];
    const kind = isClusterWide ? "ClusterRole" : "Role";
    const sent = async (spoke: OpenCluster, object: KubeObject): Promise<void> => {
      const outcome = await spoke.api.apply(object, { force: true, dryRun: false }, soon());
      await remove(object);
      assert.equal(outcome.kind, "applied", "message" in outcome ? outcome.message : "");
    };
    const says = (): RegExp => /attempting to grant RBAC permissions not currently held/;
    return [
      {
        needs: ["escalate"],
        work: async (spoke) => {
          const name = `wide-${(made += 1)}`;
          await sent(spoke, { apiVersion, kind, metadata: { name, ...place }, rules });
        },
        says,
      },
      {
        needs: ["bind"],
        work: async (spoke) => {
          const name = `wide-${(made += 1)}`;
          const role = { apiVersion, kind, metadata: { name, ...place }, rules };
          await apply(role);
          try {
            await sent(spoke, {
              apiVersion,
              kind: `${kind}Binding`,
              metadata: { name, ...place },
              roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name },
              subjects: [],
            });
          } finally {
            await remove(role);
          }
        },
        says,
      },
    ];
  }

  /** The account has no rights of its own, which is said once it could be acted as. */
  const impersonation: Deed = {
    needs: ["impersonate"],
    work: async (spoke) => {
      const account = parseServiceAccount("team-a:deployer");
      assert.ok(account.ok);
      const key = makeObjectKey({ group: "", kind: "ConfigMap", namespace: "team-a", name: "x" });
      try {
        await spoke.api.as(account.value).get(key, soon());
      } catch (error) {
        if (/team-a:deployer" cannot get resource "configmaps"/.test(describeError(error))) return;
        throw error;
      }
      assert.fail("an account without rights read a ConfigMap");
    },
    says: cannot,
  };
});

/** The time any one request may take here. */
const soon = (): AbortSignal => AbortSignal.timeout(20_000);

const named = (apiVersion: string, kind: string, name: string, namespace?: string): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
});

const noIdentity = {
  privateKeyPem: "key",
  certificatePem: undefined,
  trustedPem: [],
  clusterId: "",
  clusterName: "",
  hubId: "",
};

const ruleName = ({ kind }: RoleObject, { apiGroups, resources, resourceNames }: Rule): string =>
  `${resources.join(", ")} of ${apiGroups.map((group) => group || "the core").join(", ")}${resourceNames === undefined ? "" : ` named ${resourceNames.join(", ")}`} (${kind})`;

/** What the authorizer is asked about: of all kinds of a group, the one there is a sample of. */
const asked = (rule: Rule, resource: string): string => {
  if (resource !== "*") return resource;
  return rule.apiGroups.includes("stable.example.com") ? "(widgets|certificates)" : resource;
};

function rightsOf(role: RoleObject, rule: Rule): readonly Right[] {
  const place = role.metadata.namespace ?? "";
  return rule.apiGroups.flatMap((group) =>
    rule.resources.flatMap((resource) =>
      rule.verbs.map((verb) => ({
        verb,
        group,
        resource:
          resource === "*"
            ? group === "stable.example.com"
              ? "widgets"
              : "certificates"
            : resource,
        namespace: place,
        ...(rule.resourceNames === undefined ? {} : { name: rule.resourceNames[0] ?? "" }),
      })),
    ),
  );
}
