import { eventually } from "../../support/eventually.ts";
import type { Rendered } from "../../support/helm.ts";
import type { KubeClient } from "../../support/kube-client.ts";

/** The rules a chart grants, and what it takes to take one away for a while. */

export type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
};

export type RoleObject = Rendered & { readonly rules: readonly Rule[] };

export const rolesIn = (objects: readonly Rendered[]): readonly RoleObject[] =>
  objects.filter(({ kind }) => kind === "Role" || kind === "ClusterRole") as RoleObject[];

const rolePath = ({ kind, metadata }: RoleObject): string =>
  kind === "ClusterRole"
    ? `/apis/rbac.authorization.k8s.io/v1/clusterroles/${metadata.name}`
    : `/apis/rbac.authorization.k8s.io/v1/namespaces/${metadata.namespace}/roles/${metadata.name}`;

/** One question of the authorizer: may this user do that? */
export type Right = {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name?: string;
};

export type Authorizer = {
  /** Resolves once the API server decides so. Roles take a moment to arrive where it decides. */
  readonly until: (right: Right, isAllowed: boolean) => Promise<void>;
};

export const authorizerOf = (admin: KubeClient, user: string): Authorizer => ({
  until: async ({ verb, group, resource, namespace, name = "" }, isAllowed) => {
    const review = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: {
        user,
        groups: ["system:authenticated", "system:serviceaccounts"],
        // A rule for all kinds of a group is asked for one that exists.
        resourceAttributes: { verb, group, resource, namespace, name },
      },
    };
    await eventually(
      async () => {
        const answer = await admin.raw(
          "POST",
          "/apis/authorization.k8s.io/v1/subjectaccessreviews",
          review,
        );
        const { status } = JSON.parse(answer) as { readonly status: { readonly allowed: boolean } };
        if (status.allowed !== isAllowed) throw new Error(answer);
      },
      { what: `${verb} of ${group}/${resource} ${isAllowed ? "allowed" : "refused"}` },
    );
  },
});

/** Runs `work` while the role has other rules, and gives it its own back whatever happens. */
export async function withRules(
  admin: KubeClient,
  role: RoleObject,
  change: (rules: readonly Rule[]) => readonly Rule[],
  affected: readonly Right[],
  authorizer: Authorizer,
  work: () => Promise<void>,
): Promise<void> {
  await admin.edit(rolePath(role), { rules: change(role.rules) });
  try {
    for (const right of affected) await authorizer.until(right, false);
    await work();
  } finally {
    await admin.edit(rolePath(role), { rules: role.rules });
    for (const right of affected) await authorizer.until(right, true);
  }
}

/** The rules without one verb of one of them. */
export const withoutVerb =
  (rule: Rule, verb: string) =>
  (rules: readonly Rule[]): readonly Rule[] =>
    rules.flatMap((one) => {
      if (one !== rule) return [one];
      const verbs = one.verbs.filter((other) => other !== verb);
      return verbs.length === 0 ? [] : [{ ...one, verbs }];
    });

/** The rules without one resource of one of them. */
export const withoutResource =
  (rule: Rule, resource: string) =>
  (rules: readonly Rule[]): readonly Rule[] =>
    rules.flatMap((one) => {
      if (one !== rule) return [one];
      const resources = one.resources.filter((other) => other !== resource);
      return resources.length === 0 ? [] : [{ ...one, resources }];
    });
