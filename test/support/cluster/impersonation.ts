/** Acting as somebody else: whom a request names in its `Impersonate-*` headers, and which rights that takes. */
import { isAllowed, serviceAccountUser, type Attempt, type User } from "./access.ts";
import { badRequest } from "./status.ts";
import type { Store } from "./store.ts";

type Headers = { readonly [name: string]: string | readonly string[] | undefined };

/** As the headers say it, without what a name implies. */
export type Wanted = {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: { readonly [key: string]: readonly string[] };
};

const texts = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === "string" ? value.split(/,\s*/) : value;

const extraHeader = "impersonate-extra-";

/** `undefined` when the request is its sender's own. Throws a 400 for headers that name nobody. */
export function wantedUser(headers: Headers): Wanted | undefined {
  const [name = ""] = texts(headers["impersonate-user"]);
  const groups = texts(headers["impersonate-group"]);
  const [uid = ""] = texts(headers["impersonate-uid"]);
  const extra = Object.fromEntries(
    Object.entries(headers)
      .filter(([header]) => header.startsWith(extraHeader))
      .map(([header, value]) => [
        decodeURIComponent(header.slice(extraHeader.length)),
        texts(value),
      ]),
  );
  if (name !== "") return { name, uid, groups, extra };
  if (groups.length > 0 || uid !== "" || Object.keys(extra).length > 0)
    throw badRequest("requested groups, uid or extras without impersonating a user name");
  return undefined;
}

const accountOf = (name: string): readonly [namespace: string, name: string] | undefined => {
  const match = /^system:serviceaccount:([^:]+):(.+)$/.exec(name);
  return match === null ? undefined : [match[1] ?? "", match[2] ?? ""];
};

/** The user that the request counts as from then on. */
export function actedUser({ name, uid, groups, extra }: Wanted): User {
  const account = accountOf(name);
  const implied =
    account === undefined || groups.length > 0 ? [] : serviceAccountUser(...account, "").groups;
  const everybody =
    name === "system:anonymous"
      ? "system:unauthenticated"
      : groups.includes("system:unauthenticated")
        ? undefined
        : "system:authenticated";
  const all = new Set([...groups, ...implied, ...(everybody === undefined ? [] : [everybody])]);
  return { name, uid, groups: [...all], extra };
}

/**
 * Who may act as whom.
 *
 * There are several ways to be allowed: for accounts and for other users, a right to act as them together with
 * a right to do this while doing so; and the old right to act as them in everything. One of them is enough.
 * When none is, `refused` tells the first missing right of the first way.
 */
export class Impersonation {
  readonly #store: Store;
  /** How a sender was allowed the last time: that is tried, and told of, first. */
  readonly #last = new Map<string, string>();

  constructor(store: Store) {
    this.#store = store;
  }

  refused(sender: User, wanted: Wanted, attempt: Attempt): Attempt | undefined {
    const last = this.#last.get(sender.name);
    const modes = modesFor(wanted, attempt).toSorted(
      (a, b) => Number(b.name === last) - Number(a.name === last),
    );
    let first: Attempt | undefined;
    for (const mode of modes) {
      const missing = mode.attempts.find((one) => !isAllowed(this.#store, sender, one));
      if (missing === undefined) {
        this.#last.set(sender.name, mode.name);
        return undefined;
      }
      first ??= missing;
    }
    return first;
  }
}

type Mode = { readonly name: string; readonly attempts: readonly Attempt[] };

function modesFor(wanted: Wanted, attempt: Attempt): readonly Mode[] {
  const isNameAlone =
    wanted.uid === "" && wanted.groups.length === 0 && Object.keys(wanted.extra).length === 0;
  const isAccount = accountOf(wanted.name) !== undefined;
  const mode = isAccount ? "serviceaccount" : "user-info";
  const isConstrained = !isAccount || isNameAlone;
  const constrained: Mode = {
    name: mode,
    attempts: [
      { ...attempt, verb: `impersonate-on:${mode}:${attempt.verb}` },
      ...attemptsToBe(wanted, `impersonate:${mode}`, authenticationGroup),
    ],
  };
  return [
    ...(isConstrained ? [constrained] : []),
    { name: "whole", attempts: attemptsToBe(wanted, "impersonate", "") },
  ];
}

const authenticationGroup = "authentication.k8s.io";

/** One right for each part of the identity. */
function attemptsToBe(wanted: Wanted, verb: string, group: string): readonly Attempt[] {
  const attempt = (
    resource: string,
    name: string,
    more: {
      readonly group?: string;
      readonly namespace?: string;
      readonly subresource?: string;
    } = {},
  ): Attempt => ({
    kind: "resource",
    verb,
    group,
    resource,
    subresource: "",
    namespace: "",
    name,
    ...more,
  });
  const account = accountOf(wanted.name);
  return [
    account === undefined
      ? attempt("users", wanted.name)
      : attempt("serviceaccounts", account[1], { namespace: account[0] }),
    ...(wanted.uid === "" ? [] : [attempt("uids", wanted.uid, { group: authenticationGroup })]),
    ...wanted.groups.map((name) => attempt("groups", name)),
    ...Object.entries(wanted.extra).flatMap(([key, values]) =>
      values.map((value) =>
        attempt("userextras", value, { group: authenticationGroup, subresource: key }),
      ),
    ),
  ];
}
