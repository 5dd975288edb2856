import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { parseServiceAccount, type ServiceAccount } from "../../proto/words/service-account.ts";
import type { FieldReader } from "./document.ts";
import { anyGlob, compileAnyGlob } from "./patterns/glob.ts";
import { codes, problem, type ProblemDraft } from "./problem.ts";
import { withoutTrailingSlashes } from "./trailing-slashes.ts";

/** Whose rights applications of a project get in the destinations that both patterns match; as in Argo CD. */
export type DestinationServiceAccount = {
  readonly server: string;
  readonly namespace: string;
  /** `name`, of the destination's namespace, or `namespace:name`. */
  readonly defaultServiceAccount: string;
};

/** Reads one item of `destinationServiceAccounts`; complains about what can match or name nothing. */
export function readDestinationServiceAccount(item: FieldReader): DestinationServiceAccount {
  const pattern = (key: "server" | "namespace"): string => {
    const text = item.text(key);
    if (text.includes("!")) item.complain(key, `must not have a "!", got ${JSON.stringify(text)}`);
    else if (!compileAnyGlob(text, "").ok)
      item.complain(key, `must be a glob, got ${JSON.stringify(text)}`);
    return text;
  };
  const defaultServiceAccount = item.text("defaultServiceAccount").trim();
  const named = accountNamed(defaultServiceAccount, "default");
  if (defaultServiceAccount === "") item.complain("defaultServiceAccount", "is missing");
  else if (!named.ok) item.complain("defaultServiceAccount", `is wrong: ${named.problem}`);
  return { server: pattern("server"), namespace: pattern("namespace"), defaultServiceAccount };
}

const accountNamed = (text: string, namespace: string): Result<ServiceAccount, string> =>
  parseServiceAccount(text.includes(":") ? text : `${namespace}:${text}`);

/**
 * Whose rights an application gets in its destination: those of the first item that matches.
 *
 * `undefined` only for a project that says nothing about it: the spoke's own. A project that does and has no
 * match fails, as in Argo CD, so that a gap never means more rights. An account without a namespace is one of
 * the destination's, or of `default` where that is left out.
 */
export function serviceAccountFor(
  project: {
    readonly name: string;
    readonly destinationServiceAccounts: readonly DestinationServiceAccount[] | undefined;
  },
  destination: { readonly server: string; readonly namespace: string },
): Result<ServiceAccount | undefined, ProblemDraft> {
  if (project.destinationServiceAccounts === undefined) return ok(undefined);
  const { namespace } = destination;
  const server = withoutTrailingSlashes(destination.server);
  const item = project.destinationServiceAccounts.find(
    (one) =>
      anyGlob(withoutTrailingSlashes(one.server), server, "") &&
      anyGlob(one.namespace, namespace, ""),
  );
  const wrong = (what: string): Result<never, ProblemDraft> =>
    fail(
      problem(
        codes.noServiceAccount,
        `project ${project.name} ${what} (spec.destinationServiceAccounts)`,
      ),
    );
  if (item === undefined)
    return wrong(
      `has no service account for server ${JSON.stringify(destination.server)} and namespace ${JSON.stringify(namespace)}`,
    );
  const account = accountNamed(
    item.defaultServiceAccount,
    namespace === "" ? "default" : namespace,
  );
  return account.ok ? account : wrong(`names no usable service account: ${account.problem}`);
}
