/** Who a request comes from, and what the stored roles let them do. */
import { listAt, mapAt, mapsAt, textAt, type Json, type JsonMap } from "./json.ts";
import type { KubeObject } from "./object.ts";
import type { Store } from "./store.ts";

export type User = {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: { readonly [key: string]: readonly string[] };
};

export const anonymous: User = {
  name: "system:anonymous",
  uid: "",
  groups: ["system:unauthenticated"],
  extra: {},
};

export const user = (name: string, groups: readonly string[] = []): User => ({
  name,
  uid: "",
  groups: [...groups, "system:authenticated"],
  extra: {},
});

export const serviceAccountUser = (namespace: string, name: string, uid: string): User => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  uid,
  groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
  extra: {},
});

/** What somebody wants to do: on a resource, or on a path that is none. */
export type Attempt =
  | {
      readonly kind: "resource";
      readonly verb: string;
      readonly group: string;
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
    }
  | { readonly kind: "path"; readonly verb: string; readonly path: string };

const rbacGroup = "rbac.authorization.k8s.io";

/** Paths that everybody may read, signed in or not. */
const publicPaths = new Set(["/healthz", "/livez", "/readyz", "/version", "/version/"]);

/** Paths that everybody who is signed in may read. */
const isDiscovery = (path: string): boolean =>
  /^\/(api|apis|openapi)(\/|$)/.test(path) || path === "/" || publicPaths.has(path);

/** Reviews of oneself are open to whoever is signed in. */
const selfReviews = new Set([
  "selfsubjectaccessreviews",
  "selfsubjectrulesreviews",
  "selfsubjectreviews",
]);

/** Whether the roles and bindings in the store allow it. `system:masters` may do everything. */
export function isAllowed(store: Store, who: User, attempt: Attempt): boolean {
  if (who.groups.includes("system:masters")) return true;
  const isSignedIn = who.groups.includes("system:authenticated");
  if (attempt.kind === "path") {
    const isOpen = publicPaths.has(attempt.path) || (isSignedIn && isDiscovery(attempt.path));
    return attempt.verb === "get" && isOpen;
  }
  if (isSignedIn && selfReviews.has(attempt.resource)) return true;
  const roleOf = (binding: KubeObject, namespace: string): JsonMap | undefined => {
    const name = textAt(binding, "roleRef", "name");
    return textAt(binding, "roleRef", "kind") === "Role"
      ? store.get(`${rbacGroup}/roles`, namespace, name)
      : store.get(`${rbacGroup}/clusterroles`, "", name);
  };
  const allows = (binding: KubeObject, namespace: string): boolean =>
    mapsAt(binding, "subjects").some((subject) => isSubject(subject, namespace, who)) &&
    mapsAt(roleOf(binding, namespace), "rules").some((rule) => covers(rule, attempt));
  if (store.list(`${rbacGroup}/clusterrolebindings`).some((binding) => allows(binding, "")))
    return true;
  const { namespace } = attempt;
  return (
    namespace !== "" &&
    store.list(`${rbacGroup}/rolebindings`, namespace).some((binding) => allows(binding, namespace))
  );
}

function isSubject(subject: JsonMap, namespace: string, who: User): boolean {
  const name = textAt(subject, "name");
  switch (textAt(subject, "kind")) {
    case "User":
      return name === who.name;
    case "Group":
      return who.groups.includes(name);
    case "ServiceAccount":
      return (
        who.name === `system:serviceaccount:${textAt(subject, "namespace") || namespace}:${name}`
      );
    default:
      return false;
  }
}

function covers(rule: JsonMap, attempt: Extract<Attempt, { readonly kind: "resource" }>): boolean {
  const names = listAt(rule, "resourceNames");
  const resource =
    attempt.subresource === "" ? attempt.resource : `${attempt.resource}/${attempt.subresource}`;
  const resources = listAt(rule, "resources");
  return (
    hasOne(listAt(rule, "verbs"), attempt.verb) &&
    hasOne(listAt(rule, "apiGroups"), attempt.group) &&
    (hasOne(resources, resource) ||
      (attempt.subresource !== "" && resources.includes(`*/${attempt.subresource}`))) &&
    (names.length === 0 || names.includes(attempt.name))
  );
}

const hasOne = (list: readonly Json[], value: string): boolean =>
  list.includes(value) || list.includes("*");

/** The reason of a 403, as the API words it. */
export function refusal(who: User, attempt: Attempt): string {
  const name = JSON.stringify(who.name);
  if (attempt.kind === "path")
    return `User ${name} cannot ${attempt.verb} path ${JSON.stringify(attempt.path)}`;
  const resource =
    attempt.subresource === "" ? attempt.resource : `${attempt.resource}/${attempt.subresource}`;
  const where =
    attempt.namespace === ""
      ? "at the cluster scope"
      : `in the namespace ${JSON.stringify(attempt.namespace)}`;
  return `User ${name} cannot ${attempt.verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(attempt.group)} ${where}`;
}

/** Bearer tokens and whom they stand for. */
export class Tokens {
  readonly #users = new Map<string, User>();

  add(token: string, who: User): void {
    this.#users.set(token, who);
  }

  revoke(token: string): void {
    this.#users.delete(token);
  }

  userOf(token: string): User | undefined {
    return this.#users.get(token);
  }
}

/** The attempt that an access review asks about. */
export function attemptOfReview(review: JsonMap): Attempt {
  const spec = mapAt(review, "spec");
  const resource = mapAt(spec, "resourceAttributes");
  const path = mapAt(spec, "nonResourceAttributes");
  if ("nonResourceAttributes" in spec)
    return { kind: "path", verb: textAt(path, "verb"), path: textAt(path, "path") };
  return {
    kind: "resource",
    verb: textAt(resource, "verb"),
    group: textAt(resource, "group"),
    resource: textAt(resource, "resource"),
    subresource: textAt(resource, "subresource"),
    namespace: textAt(resource, "namespace"),
    name: textAt(resource, "name"),
  };
}
