import type { V1DeleteOptions } from "@kubernetes/client-node";
import { canonicalJson, type Json } from "../../proto/words/digest.ts";
import {
  joinApiVersion,
  objectKeyParts,
  splitApiVersion,
  type ObjectKey,
} from "../../proto/words/object-key.ts";
import {
  fieldManager,
  type ApplyOptions,
  type ApplyOutcome,
  type RemoveOutcome,
} from "../domain/cluster.ts";
import type { KubeObject, ResourceType } from "../domain/kube-object.ts";
import { messageOf, refusedRead, unexpectedAnswer, type Answer, type Api } from "./api.ts";
import type { Discovery } from "./discovery.ts";
import { isKubeObject, listOf, recordOf, textOf } from "./json.ts";
import { payloadOf } from "./payload.ts";
import { objectPath } from "./resource-path.ts";
import { trimManagedFields } from "./trim.ts";
import { ApiServerUnavailable } from "./trouble.ts";

/** The API server reads no more of a request than this. */
const payloadBytesMost = 3 * 1024 * 1024;

/** A version no stored object has: etcd begins with it, empty. Whatever exists differs from it. */
const versionOfNothing = "1";

/** Server-side apply with our field manager. Conflicts and refusals are outcomes. */
export async function applyObject(
  api: Api,
  discovery: Discovery,
  object: KubeObject,
  options: ApplyOptions,
  signal: AbortSignal,
): Promise<ApplyOutcome> {
  const { group, version } = splitApiVersion(object.apiVersion);
  const type = await discovery.find(group, object.kind, version, signal);
  if (type === undefined)
    return { kind: "unknown-kind", message: await whyUnknown(discovery, object, signal) };
  if (type.namespaced && (object.metadata.namespace ?? "") === "")
    return {
      kind: "rejected",
      status: 400,
      reason: "BadRequest",
      message: `an object of kind ${object.kind} needs a namespace`,
    };
  const body = bodyOf(object, options);
  if (Buffer.byteLength(body) > payloadBytesMost)
    return tooLarge(`object is ${Buffer.byteLength(body)} bytes, more than ${payloadBytesMost}`);
  const path = objectPath(type, object.metadata.namespace ?? "", object.metadata.name);
  const answer = await sendApply(api, path, body, options, signal);
  if ("kind" in answer) return answer;
  if (options.mustBeNew === true && saysItExists(answer, type, object))
    return { kind: "exists", message: messageOf(answer) };
  const outcome = applyOutcome(answer, object, `apply of ${path}`);
  if (outcome.kind === "unknown-kind") discovery.forget(group);
  return outcome;
}

/**
 * An apply that names a version is refused for an object of any other, in the very transaction that would change
 * it; where there is no object, it makes one. That spares a look before, and leaves nothing between look and act.
 */
function bodyOf(object: KubeObject, { mustBeNew }: ApplyOptions): string {
  const payload = payloadOf(object);
  if (mustBeNew !== true) return canonicalJson(payload as Json);
  const metadata = { ...payload.metadata, resourceVersion: versionOfNothing };
  return canonicalJson({ ...payload, metadata } as Json);
}

/** Or that a version cannot be named for what does not exist, which no API server of Kubernetes' own says. */
function saysItExists(
  { status, body }: Answer,
  { plural }: ResourceType,
  { metadata }: KubeObject,
): boolean {
  const details = recordOf(recordOf(body)["details"]);
  if (status === 409) return details["name"] === metadata.name && details["kind"] === plural;
  const message = textOf(recordOf(body)["message"]);
  return (status === 400 || status === 422) && /resourceVersion/.test(message);
}

async function sendApply(
  api: Api,
  path: string,
  body: string,
  { force, dryRun }: ApplyOptions,
  signal: AbortSignal,
): Promise<Answer | ApplyOutcome> {
  const query = {
    fieldManager,
    fieldValidation: "Strict",
    force: String(force),
    ...(dryRun ? { dryRun: "All" } : {}),
  };
  try {
    return await api.call(
      {
        verb: dryRun ? "dry-run" : "apply",
        method: "PATCH",
        path,
        query,
        body,
        contentType: "application/apply-patch+yaml",
      },
      signal,
    );
  } catch (error) {
    const refused = error instanceof ApiServerUnavailable ? refusedAsServerError(error) : undefined;
    if (refused !== undefined) return refused;
    throw error;
  }
}

/** Refusals that an API server words as failures of its own. Waiting heals none of them. */
function refusedAsServerError({ status, said }: ApiServerUnavailable): ApplyOutcome | undefined {
  if (status !== 500) return undefined;
  // The limit is etcd's, and it is not the API server that measures.
  if (/request is too large|larger than max/.test(said)) return tooLarge(said);
  // A field that the kind does not have, met while owners are worked out and before validation.
  if (/failed to create typed patch object|field not declared in schema/.test(said))
    return { kind: "rejected", status, reason: "Invalid", message: said };
  return undefined;
}

function applyOutcome(answer: Answer, object: KubeObject, what: string): ApplyOutcome {
  const { status, body } = answer;
  if ((status === 200 || status === 201) && isKubeObject(body))
    return { kind: "applied", object: trimManagedFields(body), created: status === 201 };
  const managers = conflictingManagers(body);
  if (status === 409 && managers.length > 0)
    return { kind: "conflict", managers, message: messageOf(answer) };
  if (status === 404 && !namesAnObject(body))
    return {
      kind: "unknown-kind",
      message: `the API server no longer serves ${object.kind} at ${object.apiVersion}`,
    };
  // Without managers a 409 is a race with another writer or with a deletion, and passes.
  if (status === 409 || status < 400 || status >= 500) throw unexpectedAnswer(answer, what);
  return rejection(answer);
}

function rejection(answer: Answer): Extract<ApplyOutcome, { kind: "rejected" }> {
  return {
    kind: "rejected",
    status: answer.status,
    reason: textOf(recordOf(answer.body)["reason"]),
    message: messageOf(answer),
  };
}

const tooLarge = (message: string): ApplyOutcome => ({
  kind: "rejected",
  status: 413,
  reason: "RequestEntityTooLarge",
  message,
});

/** A 404 about a thing with a name (the namespace) is not a 404 about the path. */
const namesAnObject = (body: unknown): boolean =>
  textOf(recordOf(recordOf(body)["details"])["name"]) !== "" ||
  / "[^"]+" not found$/.test(textOf(recordOf(body)["message"]));

function conflictingManagers(body: unknown): readonly string[] {
  const causes = listOf(recordOf(recordOf(body)["details"])["causes"]).map(recordOf);
  const names = causes
    .filter((cause) => cause["reason"] === "FieldManagerConflict")
    .map((cause) => /^conflict with "((?:[^"\\]|\\.)*)"/.exec(textOf(cause["message"]))?.[1])
    .map((name) => name ?? "unknown");
  return [...new Set(names)];
}

async function whyUnknown(
  discovery: Discovery,
  object: KubeObject,
  signal: AbortSignal,
): Promise<string> {
  const { group } = splitApiVersion(object.apiVersion);
  const elsewhere = await discovery.find(group, object.kind, "", signal);
  const served =
    elsewhere === undefined ? "" : `; it serves it at ${joinApiVersion(group, elsewhere.version)}`;
  return `the API server serves no kind ${object.kind} at ${object.apiVersion}${served}`;
}

/** Deletes the object with this uid and no other that may have taken its name. */
export async function removeObject(
  api: Api,
  discovery: Discovery,
  key: ObjectKey,
  options: {
    readonly uid: string;
    readonly propagation: "Foreground" | "Background" | "Orphan";
  },
  signal: AbortSignal,
): Promise<RemoveOutcome> {
  const { group, kind, namespace, name } = objectKeyParts(key);
  const type = await discovery.find(group, kind, "", signal);
  // Objects of a kind that is not served went with its definition.
  if (type === undefined) return { kind: "absent" };
  const path = objectPath(type, namespace, name);
  const wanted: V1DeleteOptions = {
    apiVersion: "v1",
    kind: "DeleteOptions",
    propagationPolicy: options.propagation,
    preconditions: { uid: options.uid },
  };
  const body = JSON.stringify(wanted);
  const answer = await api.call({ verb: "delete", method: "DELETE", path, body }, signal);
  if (answer.status >= 200 && answer.status < 300) return { kind: "removing" };
  if (answer.status === 404) return { kind: "absent" };
  if (answer.status === 409 && /\buid\b/i.test(messageOf(answer))) return { kind: "not-ours" };
  if (answer.status === 409 || answer.status < 400)
    throw unexpectedAnswer(answer, `delete of ${path}`);
  return rejection(answer);
}

/** The live object; `undefined` when there is none, or no such kind. */
export async function getObject(
  api: Api,
  type: ResourceType | undefined,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  if (type === undefined) return undefined;
  const { namespace, name } = objectKeyParts(key);
  const path = objectPath(type, namespace, name);
  const answer = await api.call({ verb: "get", method: "GET", path }, signal);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200 || !isKubeObject(answer.body))
    throw refusedRead(answer, `get of ${path}`);
  return trimManagedFields(answer.body);
}
