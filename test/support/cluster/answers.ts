/** Answers as they leave: whole, as a stream, or not at all. */
import type { Json, JsonMap } from "./json.ts";
import type { KubeObject } from "./object.ts";
import { header, type ApiRequest } from "./request.ts";
import { ApiError } from "./status.ts";
import type { WatchSink } from "./watch.ts";

export type Answer =
  | {
      readonly kind: "whole";
      readonly code: number;
      readonly headers: { readonly [name: string]: string };
      readonly body: string;
    }
  /** A stream of lines: `start` begins to write and returns how to stop. */
  | { readonly kind: "stream"; readonly start: (sink: WatchSink) => () => void }
  | { readonly kind: "drop" };

export const warningText = (warning: string): string =>
  `299 - "${warning.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

export const plainText = { "content-type": "text/plain; charset=utf-8" };

export const notServed: Answer = {
  kind: "whole",
  code: 404,
  headers: plainText,
  body: "404 page not found\n",
};

export const noSuchResource: JsonMap = {
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message: "the server could not find the requested resource",
  reason: "NotFound",
  details: {},
  code: 404,
};

export const orNotServed = (value: JsonMap | undefined): Answer =>
  value === undefined ? notServed : json(200, value);

export function json(
  code: number,
  value: Json,
  headers: { readonly [name: string]: string } = {},
): Answer {
  return {
    kind: "whole",
    code,
    headers: { "content-type": "application/json", ...headers },
    body: `${JSON.stringify(value)}\n`,
  };
}

export const discovery = (value: JsonMap): Answer =>
  json(200, value, {
    "content-type": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
  });

export function refusalAnswer(error: unknown): Answer {
  if (!(error instanceof ApiError)) throw error;
  return json(
    error.code,
    error.body,
    error.retryAfterSeconds === undefined ? {} : { "retry-after": String(error.retryAfterSeconds) },
  );
}

export const wantsMetadata = (request: ApiRequest): boolean =>
  header(request, "accept").includes("as=PartialObjectMetadata");

/** Only what identifies and describes an object. */
export const partial = (object: KubeObject): JsonMap => ({
  kind: "PartialObjectMetadata",
  apiVersion: "meta.k8s.io/v1",
  metadata: object.metadata,
});
