import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { withoutTrailingSlashes } from "../domain/trailing-slashes.ts";

declare const repositoryUrl: unique symbol;

/** An address we may fetch from: http or https, no user or password inside, nothing odd in the host. */
export type RepositoryUrl = string & { readonly [repositoryUrl]: true };

const scpForm = /^[^/\s]+@[^/\s:@]+:/;

/** Checks an address as written. Fails with one sentence that never repeats a password. */
export function parseRepositoryUrl(input: string): Result<RepositoryUrl, string> {
  if (input.startsWith("ssh://") || scpForm.test(input))
    return fail("repositories over ssh are not supported yet: use the https address");
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u0020\u007f]/.test(input))
    return fail("repository address has white space or control characters in it");
  const url = URL.parse(input);
  if (url === null) return fail(`repository address ${JSON.stringify(input)} is not a URL`);
  if (url.username !== "" || url.password !== "")
    return fail(
      `repository address of ${url.host} has a user or password in it: give credentials by file instead`,
    );
  if (url.protocol !== "https:" && url.protocol !== "http:")
    return fail(
      `repository address ${JSON.stringify(input)} begins with ${url.protocol}//, expected https:// or http://`,
    );
  if (url.hostname === "" || url.hostname.startsWith("-"))
    return fail(`repository address ${JSON.stringify(input)} has no usable host`);
  if (url.search !== "" || url.hash !== "")
    return fail(`repository address ${JSON.stringify(input)} has a query or fragment in it`);
  return ok(withoutTrailingSlashes(input) as RepositoryUrl);
}

const loopbackHosts = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Whether a secret may be sent there: encrypted, or never leaving this machine. */
export const mayCarrySecrets = (url: URL): boolean =>
  url.protocol === "https:" || loopbackHosts.test(url.hostname);
