/** Lists: selectors, pages that stay consistent while the collection changes, and tokens that expire. */
import { at, isMap, textAt, type Json, type JsonMap } from "./json.ts";
import { forbiddenField, notSupported } from "./causes.ts";
import type { Kind } from "./kinds.ts";
import { namespaceOf, type KubeObject } from "./object.ts";
import { wholeNumber } from "./request.ts";
import {
  labelsOf,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
  type FieldTerm,
} from "./selectors.ts";
import { ApiError, badRequest, expired, invalid } from "./status.ts";
import type { Store } from "./store.ts";

const fieldsEverywhere = ["metadata.name", "metadata.namespace"];

const fieldsByKind: { readonly [key: string]: readonly string[] } = {
  "/pods": [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "status.phase",
    "status.podIP",
  ],
  "/namespaces": ["status.phase"],
  "/nodes": ["spec.unschedulable"],
  "/secrets": ["type"],
  "/services": ["spec.clusterIP", "spec.type"],
  "/events": [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "reason",
    "type",
  ],
  "batch/jobs": ["status.successful"],
};

/** Whether an object is meant by the query's selectors. Throws a 400 for a selector that makes no sense. */
export function selection(kind: Kind, query: URLSearchParams): (object: KubeObject) => boolean {
  const labelText = query.get("labelSelector") ?? "";
  const fieldText = query.get("fieldSelector") ?? "";
  if (labelText === "" && fieldText === "") return () => true;
  const labels = parseLabelSelector(labelText);
  if (!labels.ok) throw badRequest(labels.problem);
  const fields = parseFieldSelector(fieldText);
  if (!fields.ok) throw badRequest(fields.problem);
  const known = [...fieldsEverywhere, ...(fieldsByKind[kind.key] ?? [])];
  const unknown = fields.value.find((term) => !known.includes(term.field));
  if (unknown !== undefined)
    throw badRequest(
      kind.custom === undefined && fieldsByKind[kind.key] === undefined
        ? `${JSON.stringify(unknown.field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
        : `field label not supported: ${unknown.field}`,
    );
  return (object) =>
    matchesLabels(labels.value, labelText === "" ? {} : labelsOf(object)) &&
    fields.value.every((term) => matchesField(object, term));
}

function matchesField(object: KubeObject, { field, equals, value }: FieldTerm): boolean {
  const found = at(object, ...field.split("."));
  const text = typeof found === "string" ? found : found === undefined ? "" : JSON.stringify(found);
  return (text === value) === equals;
}

export type Listing = {
  readonly objects: readonly KubeObject[];
  readonly metadata: JsonMap;
};

type Token = { readonly version: number; readonly start: string };

/** One page. Pages after the first show the collection as it was at the first. */
export function listPage(
  store: Store,
  kind: Kind,
  namespace: string | undefined,
  query: URLSearchParams,
): Listing {
  checkListOptions(query);
  const limit = wholeNumber(query, "limit") ?? 0;
  const token = query.get("continue") ?? "";
  const asked = listedVersion(query);
  const isExact = query.get("resourceVersionMatch") === "Exact";
  const from = token === "" ? undefined : parseToken(token);
  if (from !== undefined && asked !== undefined && asked !== 0)
    throw badRequest("specifying resource version is not allowed when using continue");
  if (from !== undefined && from.version < store.oldest) throw expired(expiredToken);
  if (asked !== undefined && asked > store.version) throw tooLargeVersion(asked, store.version);
  if (isExact && asked !== undefined && asked < store.oldest)
    throw expired("The resourceVersion for the provided list is too old.");

  const version = from?.version ?? (isExact ? asked : undefined);
  const all =
    version === undefined || version >= store.version
      ? store.list(kind.key, namespace)
      : store.listAt(kind.key, version, namespace);
  const isChosen = selection(kind, query);
  const rest = all.filter(
    (object) => isChosen(object) && (from === undefined || keyOf(object) > from.start),
  );
  const objects = limit > 0 ? rest.slice(0, limit) : rest;
  const last = objects.at(-1);
  const left = rest.length - objects.length;
  const at = version ?? store.version;
  const hasSelector = query.has("labelSelector") || query.has("fieldSelector");
  return {
    objects,
    metadata: {
      resourceVersion: String(at),
      ...(left === 0 || last === undefined
        ? {}
        : {
            continue: makeToken({ version: at, start: keyOf(last) }),
            ...(hasSelector ? {} : { remainingItemCount: left }),
          }),
    },
  };
}

function checkListOptions(query: URLSearchParams): void {
  wholeNumber(query, "timeoutSeconds");
  const match = query.get("resourceVersionMatch") ?? "";
  if (match === "") return;
  const field = "resourceVersionMatch";
  const version = query.get("resourceVersion") ?? "";
  const causes = [
    ...(version === ""
      ? [
          forbiddenField(
            field,
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
          ),
        ]
      : []),
    ...((query.get("continue") ?? "") === ""
      ? []
      : [forbiddenField(field, "resourceVersionMatch is forbidden when continue is provided")]),
    ...(match === "Exact" || match === "NotOlderThan"
      ? []
      : [notSupported(field, match, ["Exact", "NotOlderThan", ""])]),
    ...(match === "Exact" && version === "0"
      ? [forbiddenField(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')]
      : []),
  ];
  if (causes.length > 0)
    throw invalid({ group: "meta.k8s.io", plural: "", kind: "ListOptions" }, "", causes);
}

/** The version a list should be of. Throws a 400 for what is no version. */
function listedVersion(query: URLSearchParams): number | undefined {
  const value = query.get("resourceVersion") ?? "";
  if (value === "") return undefined;
  if (!/^\d+$/.test(value))
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(value)}: strconv.ParseUint: parsing ${JSON.stringify(value)}: invalid syntax`,
    );
  return Number(value);
}

// A separator below every character that names may hold, so that keys sort as lists do.
const keyOf = (object: KubeObject): string => `${namespaceOf(object)}\u0000${object.metadata.name}`;

const expiredToken =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

const makeToken = ({ version, start }: Token): string =>
  Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: version, start })).toString("base64url");

function parseToken(token: string): Token {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(token, "base64url").toString());
  } catch {
    parsed = undefined;
  }
  const version = isMap(parsed) ? parsed["rv"] : undefined;
  if (!isMap(parsed) || typeof version !== "number")
    throw badRequest(
      "invalid continue token: continue key is not valid: illegal base64 data at input byte 0",
    );
  return { version, start: textAt(parsed, "start") };
}

export const tooLargeVersion = (asked: number, current: number): ApiError =>
  new ApiError(504, "Timeout", `Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });

/** An object as a list of built-in kinds holds it: without apiVersion and kind, which the list has once. */
export function listItem(kind: Kind, object: KubeObject): Json {
  if (kind.custom !== undefined) return object;
  const { apiVersion: _a, kind: _k, ...rest } = object;
  return rest;
}
