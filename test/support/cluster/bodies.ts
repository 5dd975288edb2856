/** Bodies of requests, read and checked. */
import { load } from "js-yaml";
import { isMap, type Json, type JsonMap } from "./json.ts";
import { mediaType, type ApiRequest } from "./request.ts";
import { badRequest, unsupportedMediaType } from "./status.ts";

export function parsedJson(body: string): Json {
  try {
    return JSON.parse(body) as Json;
  } catch (error) {
    throw badRequest(
      `error decoding patch: ${error instanceof Error ? error.message : "bad JSON"}`,
    );
  }
}

export function parsedYaml(body: string): Json {
  // Most clients send JSON, which is YAML, and much faster to read.
  if (body.startsWith("{")) {
    try {
      return JSON.parse(body) as Json;
    } catch {
      // Then it is YAML in flow style, or nothing at all.
    }
  }
  try {
    return load(body) as Json;
  } catch (error) {
    throw badRequest(`error decoding YAML: ${error instanceof Error ? error.message : "bad YAML"}`);
  }
}

export function parsedBody(request: ApiRequest): JsonMap {
  const type = mediaType(request);
  const isYaml = type === "application/yaml" || type === "application/vnd.kubernetes.yaml";
  if (type.includes("protobuf") || type.includes("cbor"))
    throw unsupportedMediaType(["application/json", "application/yaml"]);
  if (isYaml) {
    const value = parsedYaml(request.body);
    if (isMap(value)) return value;
  }
  let value: unknown;
  try {
    value = JSON.parse(request.body);
  } catch (error) {
    throw badRequest(
      `the object provided is unrecognized: couldn't get version/kind; json parse error: ${error instanceof Error ? error.message : "bad JSON"}`,
    );
  }
  if (!isMap(value)) throw badRequest("the object provided is unrecognized: it is not a map");
  return value;
}
