import { fail, ok, type Result } from "../kit/result.ts";
import { isDnsLabel } from "./dns-label.ts";

declare const serviceAccount: unique symbol;

/** A service account of a cluster as `namespace:name`. */
export type ServiceAccount = string & { readonly [serviceAccount]: true };

const namePattern = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;

/**
 * Reads `namespace:name`. Anything that begins with `system:` is refused: it names a user or a group of the
 * cluster, and nobody is to act as one of those.
 */
export function parseServiceAccount(input: unknown): Result<ServiceAccount, string> {
  if (typeof input !== "string") return fail(`service account must be text, got ${typeof input}`);
  const shown = JSON.stringify(input);
  if (input.startsWith("system:"))
    return fail(`${shown} names a user of the system; only service accounts may be acted as`);
  const [namespace = "", name = "", ...more] = input.split(":");
  if (more.length > 0 || !isDnsLabel(namespace) || !namePattern.test(name))
    return fail(`${shown} is not a service account as namespace:name`);
  return ok(input as ServiceAccount);
}

/**
 * The user an API server knows the account as. Asked to act as that user, it adds the groups that every
 * service account is in by itself.
 */
export const userOfServiceAccount = (account: ServiceAccount): string =>
  `system:serviceaccount:${account}`;
