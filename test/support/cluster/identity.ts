/** What a body says of kind, name and namespace must be what its address says. */
import { invalidValue } from "./causes.ts";
import { textAt, type JsonMap } from "./json.ts";
import { apiVersionOf } from "./kinds.ts";
import { badRequest, invalid } from "./status.ts";
import type { Target } from "./verbs.ts";

export function checkIdentity(target: Target, body: JsonMap): void {
  const { kind } = target;
  const expected = apiVersionOf(kind);
  const apiVersion = textAt(body, "apiVersion");
  if (kind.custom !== undefined && textAt(body, "kind") === "") throw unrecognized(kind.kind, body);
  const named = textAt(body, "kind") || kind.kind;
  if (apiVersion !== "" && apiVersion !== expected)
    throw badRequest(
      kind.custom === undefined
        ? `${named} in version ${JSON.stringify(versionIn(apiVersion))} cannot be handled as a ${kind.kind}: no kind ${JSON.stringify(named)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`
        : `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    );
  if (named !== kind.kind) {
    if (kind.custom !== undefined)
      throw invalid({ ...kind, kind: named }, textAt(body, "metadata", "name"), [
        invalidValue("kind", named, `must be ${kind.kind}`),
      ]);
    throw badRequest(
      `${named} in version "${kind.version}" cannot be handled as a ${kind.kind}: converting (${kind.version}.${named}) to (${packageOf(kind.group)}.${kind.kind}): unknown conversion`,
    );
  }
  checkNamespace(target, body);
}

/** A patch that leaves something that is no object of its kind. */
export const unfitPatch = (shown: string, why: string): Error =>
  invalid({ group: "", plural: "", kind: "" }, "", [invalidValue("patch", shown, why)]);

/** A patch may change neither what an object is nor where it is. */
export function checkPatchedIdentity(target: Target, patched: JsonMap): void {
  const { kind, name } = target;
  if (textAt(patched, "apiVersion") !== apiVersionOf(kind) || textAt(patched, "kind") !== kind.kind)
    throw unfitPatch(
      JSON.stringify(patched),
      `no kind ${JSON.stringify(textAt(patched, "kind"))} is registered for version ${JSON.stringify(textAt(patched, "apiVersion"))} in scheme "pkg/runtime/scheme.go:111"`,
    );
  checkName(name, textAt(patched, "metadata", "name"));
  checkNamespace(target, patched);
}

export function checkAppliedIdentity(target: Target, body: JsonMap): void {
  const { kind, name } = target;
  const apiVersion = textAt(body, "apiVersion");
  if (apiVersion !== apiVersionOf(kind) || textAt(body, "kind") !== kind.kind)
    throw badRequest(
      `invalid object type: ${apiVersion.includes("/") ? apiVersion : `/${apiVersion}`}, Kind=${textAt(body, "kind")}`,
    );
  checkName(name, appliedName(target, body));
  checkNamespace(target, body);
}

/** Custom objects may leave their name to the address. */
const appliedName = ({ kind, name }: Target, body: JsonMap): string =>
  textAt(body, "metadata", "name") || (kind.custom === undefined ? "" : name);

export function checkName(expected: string, given: string): void {
  if (given === "")
    throw badRequest(
      `the name of the object (${expected} based on URL) was undeterminable: name must be provided`,
    );
  if (given !== expected)
    throw badRequest(
      `the name of the object (${given}) does not match the name on the URL (${expected})`,
    );
}

function checkNamespace({ namespace }: Target, body: JsonMap): void {
  const given = textAt(body, "metadata", "namespace");
  if (given !== "" && given !== namespace)
    throw badRequest(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
}

const versionIn = (apiVersion: string): string => apiVersion.slice(apiVersion.indexOf("/") + 1);

/** The name that messages have for the package of a group's kinds. */
const packageOf = (group: string): string => (group === "" ? "core" : (group.split(".")[0] ?? ""));

const unrecognized = (kind: string, body: JsonMap): Error => {
  const text = JSON.stringify(body);
  return badRequest(
    `the object provided is unrecognized (must be of type ${kind}): Object 'Kind' is missing in '${text}' (${text})`,
  );
};
