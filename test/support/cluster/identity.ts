/** What a body says of kind, name and namespace must be what its address says. */
import { textAt, type JsonMap } from "./json.ts";
import { apiVersionOf } from "./kinds.ts";
import { badRequest } from "./status.ts";
import type { Target } from "./verbs.ts";

export function checkIdentity(target: Target, body: JsonMap): void {
  const { kind, namespace } = target;
  const expected = apiVersionOf(kind);
  const apiVersion = textAt(body, "apiVersion");
  if (apiVersion !== "" && apiVersion !== expected)
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    );
  const named = textAt(body, "kind");
  if (named !== "" && named !== kind.kind)
    throw badRequest(
      `${named} in version "${kind.version}" cannot be handled as a ${kind.kind}: converting (${named}) to (${kind.kind}): unknown conversion`,
    );
  const given = textAt(body, "metadata", "namespace");
  if (given !== "" && given !== namespace)
    throw badRequest(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
}

export function checkAppliedIdentity(target: Target, body: JsonMap): void {
  const { name } = target;
  if (textAt(body, "apiVersion") === "" || textAt(body, "kind") === "")
    throw badRequest(
      "invalid object type: /, Kind=".concat(
        textAt(body, "kind"),
        ": apiVersion and kind must be set in an applied object",
      ),
    );
  checkIdentity(target, body);
  const given = textAt(body, "metadata", "name");
  if (given !== "" && given !== name)
    throw badRequest(
      `the name of the object (${given}) does not match the name on the URL (${name})`,
    );
}
