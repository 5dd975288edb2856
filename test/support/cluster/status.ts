/** Refusals as the Kubernetes API words them: a `Status` body with a code, a reason and causes. */
import { compact, type JsonMap } from "./json.ts";

export type Cause = {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
};

export type StatusDetails = {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
};

/** Thrown by whatever refuses a request; the server answers with `body`. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: number;
  readonly body: JsonMap;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.code = code;
    this.retryAfterSeconds = details?.retryAfterSeconds;
    this.body = compact({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      reason: reason === "" ? undefined : reason,
      details,
      code,
    });
  }
}

/** What a message calls a resource: `deployments.apps`, or `pods` of the core group. */
export type Named = {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
};

const qualified = (name: string, group: string): string =>
  group === "" ? name : `${name}.${group}`;

const groupPart = (group: string): { group?: string } => (group === "" ? {} : { group });

export const notFound = (type: Named, name: string): ApiError =>
  new ApiError(404, "NotFound", `${qualified(type.plural, type.group)} "${name}" not found`, {
    name,
    ...groupPart(type.group),
    kind: type.plural,
  });

export const alreadyExists = (type: Named, name: string, isLeaving = false): ApiError =>
  new ApiError(
    409,
    "AlreadyExists",
    `${isLeaving ? "object is being deleted: " : ""}${qualified(type.plural, type.group)} "${name}" already exists`,
    { name, ...groupPart(type.group), kind: type.plural },
  );

export const modified =
  "the object has been modified; please apply your changes to the latest version and try again";

export const conflict = (type: Named, name: string, why: string): ApiError =>
  new ApiError(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${qualified(type.plural, type.group)} "${name}": ${why}`,
    { name, ...groupPart(type.group), kind: type.plural },
  );

export function invalid(type: Named, name: string, causes: readonly Cause[]): ApiError {
  // What several checks found is told once; the causes keep every finding.
  const texts = [
    ...new Set(
      causes.map((cause) =>
        cause.field === undefined ? cause.message : `${cause.field}: ${cause.message}`,
      ),
    ),
  ];
  const all = texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
  return new ApiError(
    422,
    "Invalid",
    `${qualified(type.kind, type.group)} "${name}" is invalid: ${all}`,
    {
      ...(name === "" ? {} : { name }),
      ...groupPart(type.group),
      ...(type.kind === "" ? {} : { kind: type.kind }),
      causes,
    },
  );
}

export const forbidden = (
  type: Named,
  name: string,
  why: string,
  causes?: readonly Cause[],
): ApiError => {
  const subject =
    name === ""
      ? qualified(type.plural, type.group)
      : `${qualified(type.plural, type.group)} "${name}"`;
  return new ApiError(403, "Forbidden", `${subject} is forbidden: ${why}`, {
    ...(name === "" ? {} : { name }),
    ...groupPart(type.group),
    kind: type.plural,
    ...(causes === undefined ? {} : { causes }),
  });
};

export const badRequest = (message: string): ApiError => new ApiError(400, "BadRequest", message);

export const unauthorized = (): ApiError => new ApiError(401, "Unauthorized", "Unauthorized");

export const expired = (message: string): ApiError => new ApiError(410, "Expired", message);

export const methodNotAllowed = (): ApiError =>
  new ApiError(
    405,
    "MethodNotAllowed",
    "the server does not allow this method on the requested resource",
    {},
  );

export const unsupportedMediaType = (accepted: readonly string[]): ApiError =>
  new ApiError(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
  );

export const bodyTooLarge = (limit: number): ApiError =>
  new ApiError(413, "RequestEntityTooLarge", `Request entity too large: limit is ${limit}`);

/** A schema mistake in an applied object. The real server forgets to call it the client's fault, too. */
export const internalError = (message: string): ApiError => new ApiError(500, "", message);
