/** Bodies and options of requests, read and checked. */
import { load } from "js-yaml";
import { notSupported } from "./causes.ts";
import { isMap, textAt, type Json, type JsonMap } from "./json.ts";
import { managerOf, mediaType, wholeNumber, type ApiRequest } from "./request.ts";
import { badRequest, invalid, unsupportedMediaType } from "./status.ts";
import { plainDelete, type DeleteOptions, type WriteOptions } from "./verbs.ts";

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

export function writeOptions(request: ApiRequest): WriteOptions {
  const { query } = request;
  return {
    manager: managerOf(request),
    dryRun: isDryRun(query),
    validation: validationOf(query),
  };
}

function isDryRun(query: URLSearchParams): boolean {
  const value = query.get("dryRun");
  if (value === null || value === "") return false;
  if (value !== "All")
    throw invalid({ group: "meta.k8s.io", plural: "", kind: "PatchOptions" }, "", [
      notSupported("dryRun", [value], ["All"]),
    ]);
  return true;
}

function validationOf(query: URLSearchParams): WriteOptions["validation"] {
  const value = query.get("fieldValidation") ?? "";
  switch (value) {
    case "":
    case "Warn":
      return "Warn";
    case "Strict":
    case "Ignore":
      return value;
    default:
      throw invalid({ group: "meta.k8s.io", plural: "", kind: "PatchOptions" }, "", [
        notSupported("fieldValidation", value, ["Ignore", "Strict", "Warn"]),
      ]);
  }
}

export function deleteOptions(request: ApiRequest): DeleteOptions {
  const body = request.body === "" ? {} : parsedBody(request);
  const { query } = request;
  const propagation = textAt(body, "propagationPolicy") || (query.get("propagationPolicy") ?? "");
  const preconditions = isMap(body["preconditions"]) ? body["preconditions"] : {};
  const graceSeconds = body["gracePeriodSeconds"];
  const bodyDryRun = Array.isArray(body["dryRun"]) && body["dryRun"].includes("All");
  return {
    ...plainDelete,
    dryRun: isDryRun(query) || bodyDryRun,
    propagation: propagationOf(propagation),
    graceSeconds:
      typeof graceSeconds === "number" ? graceSeconds : wholeNumber(query, "gracePeriodSeconds"),
    uid: textAt(preconditions, "uid") || undefined,
    resourceVersion: textAt(preconditions, "resourceVersion") || undefined,
  };
}

function propagationOf(value: string): DeleteOptions["propagation"] {
  switch (value) {
    case "":
      return undefined;
    case "Foreground":
    case "Background":
    case "Orphan":
      return value;
    default:
      throw invalid({ group: "meta.k8s.io", plural: "", kind: "DeleteOptions" }, "", [
        notSupported("propagationPolicy", value, ["Foreground", "Background", "Orphan"]),
      ]);
  }
}
