/** What a request asks for: its address taken apart, before anything is looked up. */
import { ApiError, badRequest } from "./status.ts";

export type ApiRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
  readonly body: string;
};

export type Verb =
  | "get"
  | "list"
  | "watch"
  | "create"
  | "update"
  | "patch"
  | "apply"
  | "delete"
  | "deletecollection";

/** An address below `/api/v1` or `/apis/<group>/<version>` that names a resource. */
export type ResourcePath = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  /** Empty for cluster scope, and for all namespaces of a namespaced kind. */
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
};

const namespaceSubresources = new Set(["status", "finalize"]);

/** `undefined`: not the address of a resource. */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const parts = path.split("/").slice(1).map(decoded);
  const [root, ...rest] = parts;
  if (parts.at(-1) === "") return undefined;
  if (root === "api") {
    const [version, ...names] = rest;
    return version === "v1" && names.length > 0 ? named("", version, names) : undefined;
  }
  if (root !== "apis") return undefined;
  const [group, version, ...names] = rest;
  return group !== undefined && version !== undefined && names.length > 0
    ? named(group, version, names)
    : undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw badRequest(`invalid URL escape in ${JSON.stringify(part)}`);
  }
}

function named(group: string, version: string, names: readonly string[]): ResourcePath | undefined {
  const [first = "", second, third, ...rest] = names;
  const isInNamespace =
    first === "namespaces" &&
    second !== undefined &&
    third !== undefined &&
    !(group === "" && rest.length === 0 && namespaceSubresources.has(third));
  const [plural = "", name = "", subresource = "", ...more] = isInNamespace
    ? [third, ...rest]
    : names;
  if (more.length > 0) return undefined;
  return {
    group,
    version,
    plural,
    namespace: isInNamespace ? second : "",
    name,
    subresource,
  };
}

export function verbOf(request: ApiRequest, path: ResourcePath): Verb {
  const isOne = path.name !== "";
  switch (request.method) {
    case "GET":
    case "HEAD":
      if (isFlag(request.query, "watch")) return "watch";
      return isOne ? "get" : "list";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return mediaType(request) === "application/apply-patch+yaml" ? "apply" : "patch";
    case "DELETE":
      return isOne ? "delete" : "deletecollection";
    default:
      throw new ApiError(
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
      );
  }
}

export function header(request: ApiRequest, name: string): string {
  const value = request.headers[name];
  return typeof value === "string" ? value : (value?.[0] ?? "");
}

export const mediaType = (request: ApiRequest): string =>
  (header(request, "content-type").split(";")[0] ?? "").trim().toLowerCase();

export function isFlag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== "false" && value !== "0";
}

export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === "") return undefined;
  const parsed = Number(value);
  if (!Number.isInteger(parsed))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  // A negative limit or time is as good as none.
  return Math.max(0, parsed);
}

/** The manager an update is recorded under: what the client says, or the beginning of what it calls itself. */
export function managerOf(request: ApiRequest): string {
  const given = request.query.get("fieldManager") ?? "";
  if (given !== "") return given;
  return (header(request, "user-agent").split("/")[0] ?? "").slice(0, 128) || "unknown";
}
