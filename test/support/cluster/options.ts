/** Options of requests that write, read and checked. */
import { forbiddenField, invalidValue, notSupported, required, tooLong } from "./causes.ts";
import { parsedBody } from "./bodies.ts";
import { isList, isMap, textAt, type Json, type JsonMap } from "./json.ts";
import { isFlag, managerOf, wholeNumber, type ApiRequest } from "./request.ts";
import { badRequest, invalid, type Cause } from "./status.ts";
import { plainDelete, type DeleteOptions, type PatchType, type WriteOptions } from "./verbs.ts";

const managerBytesMost = 128;

/** Throws a 422 with everything that is wrong with the query of a request that writes. */
export function writeOptions(request: ApiRequest, patch?: PatchType): WriteOptions {
  const { query } = request;
  const manager = query.get("fieldManager") ?? "";
  const dryRun = query.getAll("dryRun").filter((value) => value !== "");
  const validation = query.get("fieldValidation") ?? "";
  const isKnown = ["", "Ignore", "Strict", "Warn"].includes(validation);
  const causes: readonly Cause[] = [
    ...(patch === "apply" && manager === ""
      ? [required("fieldManager", "is required for apply patch")]
      : []),
    ...(patch !== undefined && patch !== "apply" && query.has("force")
      ? [forbiddenField("force", "may not be specified for non-apply patch")]
      : []),
    ...managerProblems("fieldManager", manager),
    ...dryRunProblems(dryRun),
    ...(isKnown
      ? []
      : [notSupported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"])]),
  ];
  if (causes.length > 0) throw invalid(optionsNamed(optionKinds[request.method] ?? ""), "", causes);
  return {
    manager: managerOf(request),
    dryRun: dryRun.length > 0,
    validation: validation === "Strict" || validation === "Ignore" ? validation : "Warn",
    force: isFlag(query, "force"),
  };
}

const optionKinds: { readonly [method: string]: string } = {
  POST: "CreateOptions",
  PUT: "UpdateOptions",
  PATCH: "PatchOptions",
};

const optionsNamed = (kind: string) => ({ group: "meta.k8s.io", plural: "", kind });

/** Why a field manager's name is none. */
export function managerProblems(field: string, manager: string): readonly Cause[] {
  const wrong = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(manager);
  return [
    ...(Buffer.byteLength(manager) > managerBytesMost ? [tooLong(field, managerBytesMost)] : []),
    ...(wrong === null
      ? []
      : [
          invalidValue(
            field,
            manager,
            `invalid character ${codePoint(wrong[0])} (at position ${wrong.index})`,
          ),
        ]),
  ];
}

const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

const dryRunProblems = (values: readonly Json[]): readonly Cause[] =>
  values.some((value) => value !== "All") ? [notSupported("dryRun", values, ["All"])] : [];

export function deleteOptions(request: ApiRequest): DeleteOptions {
  const body = request.body === "" ? {} : parsedBody(request);
  const { query } = request;
  const propagation = textAt(body, "propagationPolicy") || (query.get("propagationPolicy") ?? "");
  const preconditions = isMap(body["preconditions"]) ? body["preconditions"] : {};
  const graceSeconds = body["gracePeriodSeconds"];
  const dryRun = isList(body["dryRun"])
    ? body["dryRun"]
    : query.getAll("dryRun").filter((value) => value !== "");
  const causes = deletionProblems(body, propagation, dryRun);
  if (causes.length > 0) throw invalid(optionsNamed("DeleteOptions"), "", causes);
  return {
    ...plainDelete,
    dryRun: dryRun.length > 0,
    propagation: propagationOf(propagation),
    graceSeconds:
      typeof graceSeconds === "number" ? graceSeconds : wholeNumber(query, "gracePeriodSeconds"),
    uid: textAt(preconditions, "uid") || undefined,
    resourceVersion: textAt(preconditions, "resourceVersion") || undefined,
  };
}

const policies = ["Foreground", "Background", "Orphan"];

const deletionProblems = (
  body: JsonMap,
  propagation: string,
  dryRun: readonly Json[],
): readonly Cause[] => [
  ...(body["orphanDependents"] !== undefined && propagation !== ""
    ? [
        invalidValue(
          "propagationPolicy",
          propagation,
          "orphanDependents and deletionPropagation cannot be both set",
        ),
      ]
    : []),
  ...(propagation === "" || policies.includes(propagation)
    ? []
    : [notSupported("propagationPolicy", propagation, [...policies, "nil"])]),
  ...dryRunProblems(dryRun),
];

function propagationOf(value: string): DeleteOptions["propagation"] {
  switch (value) {
    case "":
      return undefined;
    case "Foreground":
    case "Background":
    case "Orphan":
      return value;
    default:
      throw badRequest(`unknown propagation policy ${JSON.stringify(value)}`);
  }
}
