import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { blobOf, type Blob } from "../../proto/words/bundle.ts";
import {
  makeObjectKey,
  objectKeyParts,
  splitApiVersion,
  type ObjectKey,
} from "../../proto/words/object-key.ts";
import { describe, field, isList, isObject, readDocument, type JsonObject } from "./document.ts";
import { codes, problem, type ProblemDraft } from "./problem.ts";

/** One YAML or JSON document of a rendered application. */
export type SourceDocument = {
  /** For messages: path of the file it came from. */
  readonly file: string;
  /** Which document of the file, from 1. */
  readonly number: number;
  /** As the reader gave it; integers that a double cannot hold as bigint. `null` and `undefined` are skipped. */
  readonly value: unknown;
};

/** A desired object as written, checked. */
export type Manifest = {
  readonly key: ObjectKey;
  readonly object: JsonObject;
  /** Its canonical bytes. */
  readonly blob: Blob;
  readonly file: string;
};

/** Canonical bytes one object may have: etcd takes no more. */
export const manifestBytesMost = 1024 * 1024;

/**
 * The objects of one application, `List` kinds taken apart, in order of appearance.
 *
 * Fails with the first document that has no kind, apiVersion or name, is a hook, is too large, or declares
 * an object that another document has; the message names the files.
 */
export function readManifests(
  documents: readonly SourceDocument[],
): Result<readonly Manifest[], ProblemDraft> {
  const manifests = new Map<ObjectKey, Placed>();
  for (const document of documents) {
    if (document.value === null || document.value === undefined) continue;
    const place = `${document.file} (document ${document.number})`;
    const read = readDocument(document.value);
    if (!read.ok) return fail(problem(codes.badManifest, `${place}: ${read.problem}`));
    if (!isObject(read.value))
      return bad(place, `a manifest must be a mapping, got ${describe(read.value)}`);
    const refused = collect(read.value, place, document.file, manifests);
    if (refused !== undefined) return fail(refused);
  }
  return ok([...manifests.values()].map(({ manifest }) => manifest));
}

type Placed = { readonly manifest: Manifest; readonly place: string };

/** Adds one object, or those of a List, to what was found so far. Returns why not. */
function collect(
  object: JsonObject,
  place: string,
  file: string,
  found: Map<ObjectKey, Placed>,
): ProblemDraft | undefined {
  const kind = field(object, "kind");
  const items = field(object, "items");
  if (typeof kind === "string" && kind.endsWith("List") && isList(items)) {
    for (const [index, item] of items.entries()) {
      const itemPlace = `${place}, item ${index + 1}`;
      if (!isObject(item))
        return problem(codes.badManifest, `${itemPlace}: must be a mapping, got ${describe(item)}`);
      const refused = collect(item, itemPlace, file, found);
      if (refused !== undefined) return refused;
    }
    return undefined;
  }
  const read = readManifest(object, place, file);
  if (!read.ok) return read.problem;
  const { key } = read.value;
  const other = found.get(key);
  if (other !== undefined)
    return problem(
      codes.duplicateObject,
      `${describeObject(key)} is declared twice: in ${other.place} and in ${place}`,
    );
  found.set(key, { manifest: read.value, place });
  return undefined;
}

function readManifest(
  object: JsonObject,
  place: string,
  file: string,
): Result<Manifest, ProblemDraft> {
  const apiVersion = field(object, "apiVersion");
  const kind = field(object, "kind");
  const metadata = field(object, "metadata");
  if (typeof kind !== "string" || kind === "") return bad(place, "kind is missing");
  if (typeof apiVersion !== "string" || apiVersion === "")
    return bad(place, `apiVersion of the ${kind} is missing`);
  if (kind.includes("/") || apiVersion.split("/").length > 2)
    return bad(place, `${JSON.stringify(apiVersion)} ${JSON.stringify(kind)} is not a kind`);
  if (metadata !== undefined && metadata !== null && !isObject(metadata))
    return bad(place, `metadata of the ${kind} must be a mapping, got ${describe(metadata)}`);
  const name = isObject(metadata) ? field(metadata, "name") : undefined;
  if (typeof name !== "string" || name === "" || name.includes("/")) {
    const generated = isObject(metadata) && field(metadata, "generateName") !== undefined;
    return bad(
      place,
      name === undefined || name === null || name === ""
        ? `metadata.name of the ${kind} is missing${generated ? " (generateName is not supported: a name made anew at every sync has no identity)" : ""}`
        : `metadata.name of the ${kind} must be a name, got ${describe(name)}`,
    );
  }
  const namespace = isObject(metadata) ? (field(metadata, "namespace") ?? "") : "";
  if (typeof namespace !== "string" || namespace.includes("/"))
    return bad(
      place,
      `metadata.namespace of the ${kind} ${name} must be text, got ${describe(namespace)}`,
    );
  const hook = hookAnnotation(isObject(metadata) ? field(metadata, "annotations") : undefined);
  if (hook !== undefined)
    return fail(
      problem(
        codes.hookUnsupported,
        `${place}: ${kind} ${name} has the annotation ${hook}: hooks are not supported yet`,
      ),
    );
  const blob = blobOf(object);
  if (blob.bytes.length > manifestBytesMost)
    return fail(
      problem(
        codes.objectTooLarge,
        `${place}: ${kind} ${name} has ${blob.bytes.length} bytes, more than the ${manifestBytesMost} an object may have`,
      ),
    );
  const { group } = splitApiVersion(apiVersion);
  return ok({ key: makeObjectKey({ group, kind, namespace, name }), object, blob, file });
}

const hookAnnotations = ["argocd.argoproj.io/hook", "helm.sh/hook"];

const hookAnnotation = (annotations: JsonObject[string] | undefined): string | undefined =>
  isObject(annotations)
    ? hookAnnotations.find((name) => (field(annotations, name) ?? null) !== null)
    : undefined;

function describeObject(key: ObjectKey): string {
  const { kind, namespace, name } = objectKeyParts(key);
  return `${kind} ${name}${namespace === "" ? "" : ` in ${namespace}`}`;
}

const bad = (
  place: string,
  reason: string,
): { readonly ok: false; readonly problem: ProblemDraft } =>
  fail(problem(codes.badManifest, `${place}: ${reason}`));
