/** The verbs of the API on objects: create, update, patch, apply, delete, with everything they check and keep. */
import { randomUUID } from "node:crypto";
import { unreachable } from "../../../proto/kit/unreachable.ts";
import { admitChange, admitNew, createAllocator, type Allocator } from "./admission.ts";
import {
  applied,
  sameButTimes,
  updated,
  type ApplyConflict,
  type Author,
} from "./apply/managed-fields.ts";
import { pathText } from "./apply/field-set.ts";
import { schemaProblems } from "./apply/walk.ts";
import { openApiProblems, withOpenApiDefaults } from "./custom.ts";
import { cannotHandle, decode, strictProblem } from "./decode.ts";
import { defaulted, withoutWriteOnly } from "./defaults.ts";
import {
  at,
  isList,
  isMap,
  mapAt,
  numberAt,
  sameJson,
  textAt,
  withAt,
  type Json,
  type JsonMap,
} from "./json.ts";
import { apiVersionOf, builtIn, type Kind, type Kinds } from "./kinds.ts";
import {
  isTerminating,
  namespaceOf,
  uidOf,
  withMeta,
  type KubeObject,
  type Meta,
} from "./object.ts";
import { jsonPatch, mergePatch, strategicMergePatch } from "./patch.ts";
import { quotaProblem } from "./quota.ts";
import type { SimulatedTime } from "./simulated-time.ts";
import {
  alreadyExists,
  ApiError,
  badRequest,
  conflict,
  forbidden,
  internalError,
  invalid,
  methodNotAllowed,
  modified,
  notFound,
  unsupportedMediaType,
  type Cause,
} from "./status.ts";
import type { Store } from "./store.ts";
import { forbiddenField, invalidValue, required, validate } from "./validation.ts";

export type Target = {
  readonly kind: Kind;
  readonly namespace: string;
  /** Empty for requests on the whole collection. */
  readonly name: string;
  /** Empty for the object itself. */
  readonly subresource: string;
};

export type WriteOptions = {
  readonly manager: string;
  readonly dryRun: boolean;
  readonly validation: "Strict" | "Warn" | "Ignore";
};

export type Written = {
  readonly code: number;
  readonly object: KubeObject;
  readonly warnings: readonly string[];
};

export type PatchType = "json" | "merge" | "strategic" | "apply";

export type DeleteOptions = {
  readonly dryRun: boolean;
  readonly propagation: "Foreground" | "Background" | "Orphan" | undefined;
  readonly graceSeconds: number | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
};

export type Deleted = {
  readonly object: KubeObject;
  /** The object is gone; otherwise it waits for its finalizers or its grace period. */
  readonly gone: boolean;
};

export const plainDelete: DeleteOptions = {
  dryRun: false,
  propagation: undefined,
  graceSeconds: undefined,
  uid: undefined,
  resourceVersion: undefined,
};

const orphanFinalizer = "orphan";
const foregroundFinalizer = "foregroundDeletion";

/** Namespaces that no one may delete. */
const immortal = new Set(["default", "kube-system", "kube-public"]);

const suffixCharacters = "bcdfghjklmnpqrstvwxz2456789";

const namespaces = builtIn("/namespaces");

export class Resources {
  readonly #store: Store;
  readonly #kinds: Kinds;
  readonly #time: SimulatedTime;
  readonly #random: () => number;
  readonly #allocator: Allocator = createAllocator();

  constructor(needs: {
    readonly store: Store;
    readonly kinds: Kinds;
    readonly time: SimulatedTime;
    readonly random: () => number;
  }) {
    this.#store = needs.store;
    this.#kinds = needs.kinds;
    this.#time = needs.time;
    this.#random = needs.random;
  }

  /** The object in the version the kind speaks. Throws 404. */
  read(target: Target): KubeObject {
    const { kind, namespace, name } = target;
    const found = this.#store.get(kind.key, namespace, name);
    if (found === undefined) throw notFound(kind, name);
    return inVersion(found, kind);
  }

  create(target: Target, body: JsonMap, options: WriteOptions): Written {
    const { kind, namespace } = target;
    checkIdentity(target, body);
    const { object, warnings } = this.#decode(kind, body, options, "create");
    const named = this.#named(withMeta(object, placeOf(kind, namespace)));
    if (named.metadata.resourceVersion !== undefined && named.metadata.resourceVersion !== "")
      throw badRequest("resourceVersion should not be set on objects to be created");
    return { ...this.#createDecoded(kind, withDefaults(kind, named), options), warnings };
  }

  /** Creates an object that needs no decoding, as controllers do. */
  make(kind: Kind, object: KubeObject, manager: string): KubeObject {
    const options: WriteOptions = { manager, dryRun: false, validation: "Ignore" };
    return this.#createDecoded(kind, withDefaults(kind, this.#named(object)), options).object;
  }

  #createDecoded(kind: Kind, draft: KubeObject, options: WriteOptions): Written {
    const claimed = updated(
      undefined,
      draft,
      kind.schema,
      this.#author(kind, options.manager, "Update", ""),
      kind.hasStatus ? ["status"] : [],
    );
    return this.#insert(kind, claimed, options.dryRun);
  }

  #insert(kind: Kind, claimed: KubeObject, dryRun: boolean): Written {
    const fresh = withMeta(withoutWriteOnly(kind.key, claimed), {
      uid: randomUUID(),
      creationTimestamp: this.#time.stamp(),
      resourceVersion: undefined,
      deletionTimestamp: undefined,
      deletionGracePeriodSeconds: undefined,
      generation: kind.hasGeneration ? 1 : undefined,
    });
    this.#checkNamespace(kind, fresh);
    const isResettable = kind.custom !== undefined && kind.hasStatus && "status" in fresh;
    const admitted = admitNew(
      kind.key,
      isResettable ? withoutStatus(fresh) : fresh,
      this.#allocator,
    );
    this.#check(kind, undefined, admitted);
    const { namespace = "", name } = admitted.metadata;
    if (this.#store.get(kind.key, namespace, name) !== undefined) throw alreadyExists(kind, name);
    const overQuota = quotaProblem(this.#store, kind, admitted);
    if (overQuota !== undefined) throw forbidden(kind, name, overQuota);
    return {
      code: 201,
      object: dryRun ? admitted : this.#store.put(kind.key, admitted),
      warnings: [],
    };
  }

  update(target: Target, body: JsonMap, options: WriteOptions): Written {
    const { kind, name } = target;
    checkIdentity(target, body);
    const was = this.read(target);
    const given = textAt(body, "metadata", "name");
    if (given !== name)
      throw badRequest(
        given === ""
          ? "name must be provided"
          : `the name of the object (${given}) does not match the name on the URL (${name})`,
      );
    const { object, warnings } = this.#decode(kind, body, options, "update");
    if (!kind.unconditionalUpdate && textAt(body, "metadata", "resourceVersion") === "")
      throw invalid(kind, name, [
        invalidValue("metadata.resourceVersion", 0, "must be specified for an update"),
      ]);
    return { ...this.#replace(target, was, object, options), warnings };
  }

  patch(target: Target, type: PatchType, body: Json, options: WriteOptions): Written {
    const { kind } = target;
    if (type === "strategic" && kind.custom !== undefined)
      throw unsupportedMediaType([
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/apply-patch+yaml",
      ]);
    const was = this.read(target);
    const patched = patchedJson(was, type, body, kind);
    if (!isMap(patched)) throw badRequest("the patched object is not a map");
    if (textAt(patched, "metadata", "name") !== target.name)
      throw invalid(kind, target.name, [
        invalidValue(
          "metadata.name",
          at(patched, "metadata", "name") ?? null,
          "field is immutable",
        ),
      ]);
    const { object, warnings } = this.#decode(kind, patched, options, "patch");
    return { ...this.#replace(target, was, object, options), warnings };
  }

  /** Writes a new version of an object that was read before, as controllers do. */
  replace(target: Target, was: KubeObject, next: KubeObject, manager: string): KubeObject {
    return this.#replace(target, was, next, { manager, dryRun: false, validation: "Ignore" })
      .object;
  }

  #replace(target: Target, was: KubeObject, draft: KubeObject, options: WriteOptions): Written {
    const { kind, subresource } = target;
    this.#checkVersions(kind, was, draft);
    const next = withMeta(draft, keptMeta(was));
    const author = this.#author(kind, options.manager, "Update", subresource);
    if (subresource !== "") {
      const partial = subresourceOf(target, was, next);
      const claimed =
        subresource === "binding"
          ? partial
          : updated(was, partial, kind.schema, author, unownedBy(kind, subresource));
      return this.#keep(target, was, claimed, options.dryRun);
    }
    const whole = withDefaults(kind, kind.hasStatus ? withStatusOf(next, was) : next);
    const claimed = updated(was, whole, kind.schema, author, unownedBy(kind, subresource));
    return this.#keep(target, was, claimed, options.dryRun);
  }

  apply(target: Target, body: Json, options: WriteOptions & { readonly force: boolean }): Written {
    const { kind, namespace, name, subresource } = target;
    if (!isMap(body)) throw badRequest("error decoding YAML: the body is not an object");
    if (
      at(body, "metadata", "managedFields") !== undefined &&
      at(body, "metadata", "managedFields") !== null
    )
      throw badRequest("metadata.managedFields must be nil");
    checkAppliedIdentity(target, body);
    const live = this.#store.get(kind.key, namespace, name);
    if (live === undefined && subresource !== "") throw notFound(kind, name);
    const config = appliedConfig(target, body);
    const problems = schemaProblems(config, kind.schema);
    if (problems.length > 0)
      throw internalError(
        `failed to create typed patch object (${namespace}/${name}; ${apiVersionOf(kind)}, Kind=${kind.kind}): ${problems.length === 1 ? (problems[0] ?? "") : `errors:\n${problems.map((problem) => `  ${problem}`).join("\n")}`}`,
      );
    const was = live === undefined ? undefined : inVersion(live, kind);
    if (was !== undefined) this.#checkVersions(kind, was, config);
    else if (textAt(config, "metadata", "uid") !== "")
      throw conflict(
        kind,
        name,
        `uid mismatch: the provided object specified uid ${textAt(config, "metadata", "uid")}, and no existing object was found`,
      );
    const author = this.#author(kind, options.manager, "Apply", subresource);
    const result = applied(was, config, kind.schema, author, {
      force: options.force,
      unowned: unownedBy(kind, subresource),
    });
    if (result.kind === "conflict") throw applyConflict(result.conflicts);
    // What applying leaves goes through the same door as any other object: quantities and empties.
    const typed = asObject(decode(kind, result.object).value, result.object);
    const full = withDefaults(kind, typed);
    if (was === undefined) return this.#insert(kind, full, options.dryRun);
    const next = withMeta(full, keptMeta(was));
    const whole =
      subresource !== ""
        ? subresourceOf(target, was, next)
        : kind.hasStatus
          ? withStatusOf(next, was)
          : next;
    return this.#keep(target, was, whole, options.dryRun);
  }

  /** The last steps of every change to an object that exists. */
  #keep(target: Target, was: KubeObject, draft: KubeObject, dryRun: boolean): Written {
    const { kind, subresource } = target;
    const clean = withoutWriteOnly(kind.key, draft);
    const admitted = admitChange(kind.key, was, clean, this.#allocator);
    const isSpecChanged =
      kind.hasGeneration && subresource !== "binding" && changesSpec(kind, was, admitted);
    const numbered = isSpecChanged
      ? withMeta(admitted, { generation: (was.metadata.generation ?? 0) + 1 })
      : admitted;
    this.#check(kind, was, numbered);
    if (sameButTimes(was, numbered)) return { code: 200, object: was, warnings: [] };
    if (dryRun) return { code: 200, object: numbered, warnings: [] };
    const object = isReadyToGo(kind, numbered)
      ? this.#store.remove(kind.key, numbered)
      : this.#store.put(kind.key, numbered);
    return { code: 200, object, warnings: [] };
  }

  /** Namespaces go once nobody finalizes them any more: what the namespace controller writes last. */
  finalizeNamespace(was: KubeObject, finalizers: Json): KubeObject {
    const next: KubeObject = { ...was, spec: { ...mapAt(was, "spec"), finalizers } };
    return isReadyToGo(namespaces, next)
      ? this.#store.remove(namespaces.key, next)
      : this.#store.put(namespaces.key, next);
  }

  delete(target: Target, options: DeleteOptions): Deleted {
    const { kind, name } = target;
    const was = this.read(target);
    if (options.uid !== undefined && options.uid !== uidOf(was))
      throw conflict(
        kind,
        name,
        `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${uidOf(was)}`,
      );
    const version = was.metadata.resourceVersion ?? "";
    if (options.resourceVersion !== undefined && options.resourceVersion !== version)
      throw conflict(
        kind,
        name,
        `Precondition failed: ResourceVersion in precondition: ${options.resourceVersion}, ResourceVersion in object meta: ${version}`,
      );
    if (kind.key === namespaces.key && immortal.has(name))
      throw forbidden(kind, name, "this namespace may not be deleted");

    const finalizers = deletionFinalizers(kind, was, options.propagation);
    const graceSeconds = graceOf(kind, was, options.graceSeconds);
    const marked = this.#marked(kind, was, finalizers, graceSeconds);
    if (isReadyToGo(kind, marked)) {
      return {
        object: options.dryRun ? was : this.#store.remove(kind.key, was),
        gone: true,
      };
    }
    if (options.dryRun || sameButTimes(was, marked)) return { object: marked, gone: false };
    return { object: this.#store.put(kind.key, marked), gone: false };
  }

  #marked(
    kind: Kind,
    was: KubeObject,
    finalizers: readonly string[],
    graceSeconds: number,
  ): KubeObject {
    const earlier = was.metadata.deletionGracePeriodSeconds;
    const isSooner = isTerminating(was) && earlier !== undefined && graceSeconds < earlier;
    const marked = withMeta(was, {
      finalizers: finalizers.length === 0 ? undefined : finalizers,
      ...(isTerminating(was) && !isSooner
        ? {}
        : {
            deletionTimestamp: this.#stampIn(graceSeconds),
            deletionGracePeriodSeconds: graceSeconds,
            ...(isTerminating(was) || was.metadata.generation === undefined
              ? {}
              : { generation: was.metadata.generation + 1 }),
          }),
    });
    if (kind.key !== namespaces.key || isTerminating(was)) return marked;
    return withMeta(
      { ...marked, status: { ...mapAt(marked, "status"), phase: "Terminating" } },
      { deletionGracePeriodSeconds: undefined },
    );
  }

  #stampIn(seconds: number): string {
    const at = this.#time.nowMs() + seconds * 1000;
    return `${new Date(at).toISOString().slice(0, 19)}Z`;
  }

  readScale(target: Target): KubeObject {
    const { kind } = target;
    if (kind.scale === undefined) throw methodNotAllowed();
    const object = this.read(target);
    const { replicas, statusReplicas } = kind.scale;
    const selector =
      kind.scale.selector === undefined ? undefined : at(object, ...kind.scale.selector);
    return {
      apiVersion: "autoscaling/v1",
      kind: "Scale",
      metadata: {
        name: object.metadata.name,
        ...(object.metadata.namespace === undefined
          ? {}
          : { namespace: object.metadata.namespace }),
        uid: uidOf(object),
        resourceVersion: object.metadata.resourceVersion ?? "",
        ...(object.metadata.creationTimestamp === undefined
          ? {}
          : { creationTimestamp: object.metadata.creationTimestamp }),
      },
      spec: { replicas: numberAt(object, ...replicas) ?? 0 },
      status: {
        replicas: numberAt(object, ...statusReplicas) ?? 0,
        ...scaleSelector(object, selector),
      },
    };
  }

  writeScale(target: Target, body: JsonMap, options: WriteOptions): KubeObject {
    const { kind } = target;
    if (kind.scale === undefined) throw methodNotAllowed();
    const was = this.read(target);
    const replicas = numberAt(body, "spec", "replicas") ?? 0;
    if (replicas < 0)
      throw invalid({ group: "autoscaling", plural: "scales", kind: "Scale" }, target.name, [
        invalidValue("spec.replicas", replicas, "must be greater than or equal to 0"),
      ]);
    this.#checkVersions(kind, was, body);
    const next = asObject(withAt(was, kind.scale.replicas, replicas), was);
    const author = this.#author(kind, options.manager, "Update", "scale");
    this.#keep(target, was, updated(was, next, kind.schema, author, ["status"]), options.dryRun);
    return this.readScale(target);
  }

  #author(kind: Kind, manager: string, operation: "Apply" | "Update", subresource: string): Author {
    return {
      manager,
      operation,
      apiVersion: apiVersionOf(kind),
      subresource,
      time: this.#time.stamp(),
    };
  }

  #decode(
    kind: Kind,
    body: JsonMap,
    options: WriteOptions,
    verb: "create" | "update" | "patch",
  ): { readonly object: KubeObject; readonly warnings: readonly string[] } {
    const { value, unknown } = decode(kind, body);
    if (unknown.length > 0 && options.validation === "Strict") {
      throw verb === "patch"
        ? invalid({ ...kind, kind: "", group: "" }, "", [
            invalidValue("patch", JSON.stringify(body), strictProblem(unknown)),
          ])
        : cannotHandle(kind, strictProblem(unknown));
    }
    const warnings =
      options.validation === "Warn"
        ? unknown.map((field) => `unknown field ${JSON.stringify(field)}`)
        : [];
    return { object: objectFrom(kind, value), warnings };
  }

  #named(object: KubeObject): KubeObject {
    const { name, generateName } = object.metadata;
    if (name !== "" || generateName === undefined || generateName === "") return object;
    // The base is cut so that the whole stays a label.
    return withMeta(object, { name: `${generateName.slice(0, 58)}${this.#suffix()}` });
  }

  #suffix(): string {
    let suffix = "";
    for (let length = 0; length < 5; length += 1)
      suffix += suffixCharacters[Math.floor(this.#random() * suffixCharacters.length)] ?? "b";
    return suffix;
  }

  #checkNamespace(kind: Kind, object: KubeObject): void {
    if (!kind.namespaced) return;
    const name = namespaceOf(object);
    const namespace = this.#store.get(namespaces.key, "", name);
    if (namespace === undefined) throw notFound(namespaces, name);
    if (isTerminating(namespace))
      throw forbidden(
        kind,
        object.metadata.name,
        `unable to create new content in namespace ${name} because it is being terminated`,
        [
          {
            reason: "NamespaceTerminating",
            message: `namespace ${name} is being terminated`,
            field: "metadata.namespace",
          },
        ],
      );
  }

  #checkVersions(kind: Kind, was: KubeObject, draft: JsonMap | KubeObject): void {
    const name = was.metadata.name;
    const uid = textAt(draft, "metadata", "uid");
    if (uid !== "" && uid !== uidOf(was))
      throw conflict(
        kind,
        name,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${uidOf(was)}`,
      );
    const version = textAt(draft, "metadata", "resourceVersion");
    if (version !== "" && version !== was.metadata.resourceVersion)
      throw conflict(kind, name, modified);
  }

  #check(kind: Kind, was: KubeObject | undefined, object: KubeObject): void {
    const causes: readonly Cause[] = [
      ...validate(kind, was, object),
      ...(kind.custom === undefined ? [] : openApiProblems(object, kind.custom.openApi)),
    ];
    if (causes.length > 0) throw invalid(kind, object.metadata.name, causes);
  }

  /** Which kinds are kept now; for walking over a namespace. */
  kinds(): readonly Kind[] {
    return this.#kinds.all();
  }
}

/** The same object under the API version that a request asked for. */
export const inVersion = (object: KubeObject, kind: Kind): KubeObject => {
  const apiVersion = apiVersionOf(kind);
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
};

function objectFrom(kind: Kind, value: JsonMap): KubeObject {
  const metadata = mapAt(value, "metadata");
  return {
    ...value,
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: trimmedMeta({ ...metadata, name: textAt(metadata, "name") }),
  };
}

/** Empty maps and lists in metadata are as good as absent. */
function trimmedMeta(metadata: JsonMap & { readonly name: string }): Meta {
  const kept: Record<string, Json> = {};
  for (const [field, value] of Object.entries(metadata)) {
    const isEmpty = isList(value)
      ? value.length === 0 && field !== "managedFields"
      : isMap(value) && Object.keys(value).length === 0;
    if (value !== null && value !== "" && !isEmpty) kept[field] = value;
  }
  return { ...kept, name: metadata.name };
}

const asObject = (value: JsonMap, like: KubeObject): KubeObject => {
  const metadata = mapAt(value, "metadata");
  return {
    ...value,
    apiVersion: like.apiVersion,
    kind: like.kind,
    metadata: trimmedMeta({ ...metadata, name: like.metadata.name }),
  };
};

function withDefaults(kind: Kind, object: KubeObject): KubeObject {
  if (kind.custom === undefined) return defaulted(kind.key, object);
  return asObject(mapAt({ all: withOpenApiDefaults(object, kind.custom.openApi) }, "all"), object);
}

const placeOf = (kind: Kind, namespace: string): { readonly namespace: string | undefined } => ({
  namespace: kind.namespaced ? namespace : undefined,
});

/** What only the API server writes in metadata. */
function keptMeta(was: KubeObject): { readonly [field in keyof Meta]?: Meta[field] | undefined } {
  const { metadata } = was;
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    generateName: metadata.generateName,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    generation: metadata.generation,
    creationTimestamp: metadata.creationTimestamp,
    deletionTimestamp: metadata.deletionTimestamp,
    deletionGracePeriodSeconds: metadata.deletionGracePeriodSeconds,
  };
}

const withoutStatus = (object: KubeObject): KubeObject => {
  const { status: _, ...rest } = object;
  return { ...rest, apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata };
};

function withStatusOf(object: KubeObject, was: KubeObject): KubeObject {
  const status = was["status"];
  if (status === object["status"]) return object;
  return status === undefined ? withoutStatus(object) : { ...object, status };
}

/** What a subresource's endpoint may change: only its own part. */
function subresourceOf(target: Target, was: KubeObject, next: KubeObject): KubeObject {
  const managedFields = next.metadata.managedFields;
  switch (target.subresource) {
    case "status": {
      const status = next["status"];
      // Controllers note revisions in annotations together with the status; custom kinds allow no such thing.
      const annotations =
        target.kind.custom === undefined ? next.metadata.annotations : was.metadata.annotations;
      const base = withMeta(was, { managedFields, annotations });
      return status === undefined ? withoutStatus(base) : { ...base, status };
    }
    case "finalize":
      return {
        ...was,
        spec: { ...mapAt(was, "spec"), finalizers: at(next, "spec", "finalizers") ?? [] },
      };
    case "binding":
      // Finding a node is nobody's change of the pod.
      return withMeta(
        { ...was, spec: { ...mapAt(was, "spec"), nodeName: textAt(next, "spec", "nodeName") } },
        { generation: was.metadata.generation },
      );
    default:
      return next;
  }
}

const unownedBy = (kind: Kind, subresource: string): readonly string[] => {
  if (subresource === "status") return kind.custom === undefined ? ["spec"] : ["spec", "metadata"];
  return kind.hasStatus ? ["status"] : [];
};

function changesSpec(kind: Kind, was: KubeObject, is: KubeObject): boolean {
  const isCounted = (field: string): boolean =>
    field !== "metadata" &&
    field !== "apiVersion" &&
    field !== "kind" &&
    !(field === "status" && kind.hasStatus);
  const fields = new Set([...Object.keys(was), ...Object.keys(is)]);
  return [...fields].some((field) => isCounted(field) && !sameJson(was[field], is[field]));
}

/** Whether an object that is to be deleted has nothing left to wait for. */
function isReadyToGo(kind: Kind, object: KubeObject): boolean {
  if (!isTerminating(object)) return false;
  if ((object.metadata.finalizers ?? []).length > 0) return false;
  if ((object.metadata.deletionGracePeriodSeconds ?? 0) > 0) return false;
  if (kind.key !== namespaces.key) return true;
  const finalizers = at(object, "spec", "finalizers");
  return !isList(finalizers) || finalizers.length === 0;
}

/** Kinds whose dependents stay when a client does not say what should become of them. */
const orphansByDefault = new Set(["batch/jobs", "/replicationcontrollers"]);

function deletionFinalizers(
  kind: Kind,
  object: KubeObject,
  propagation: DeleteOptions["propagation"],
): readonly string[] {
  const finalizers = object.metadata.finalizers ?? [];
  const rest = finalizers.filter(
    (finalizer) => finalizer !== orphanFinalizer && finalizer !== foregroundFinalizer,
  );
  switch (propagation) {
    case "Orphan":
      return [...rest, orphanFinalizer];
    case "Foreground":
      return [...rest, foregroundFinalizer];
    case "Background":
      return rest;
    case undefined:
      if (rest.length !== finalizers.length) return finalizers;
      return orphansByDefault.has(kind.key) && !isTerminating(object)
        ? [...rest, orphanFinalizer]
        : finalizers;
    default:
      return unreachable(propagation, "propagation policy");
  }
}

/** Only pods that run somewhere are given time to stop. */
function graceOf(kind: Kind, object: KubeObject, asked: number | undefined): number {
  if (kind.key !== "/pods") return 0;
  const phase = textAt(object, "status", "phase");
  if (textAt(object, "spec", "nodeName") === "" || phase === "Succeeded" || phase === "Failed")
    return 0;
  return asked ?? numberAt(object, "spec", "terminationGracePeriodSeconds") ?? 30;
}

function scaleSelector(object: KubeObject, selector: Json | undefined): JsonMap {
  if (typeof selector === "string") return { selector };
  const labels = mapAt(object, "spec", "selector", "matchLabels");
  const terms = Object.entries(labels).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : ""}`,
  );
  return terms.length === 0 ? {} : { selector: terms.join(",") };
}

function checkIdentity(target: Target, body: JsonMap): void {
  const { kind, namespace } = target;
  const expected = apiVersionOf(kind);
  const apiVersion = textAt(body, "apiVersion");
  if (apiVersion !== "" && apiVersion !== expected)
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    );
  const named = textAt(body, "kind");
  if (named !== "" && named !== kind.kind)
    throw badRequest(
      `${named} in version "${kind.version}" cannot be handled as a ${kind.kind}: converting (${named}) to (${kind.kind}): unknown conversion`,
    );
  const given = textAt(body, "metadata", "namespace");
  if (given !== "" && given !== namespace)
    throw badRequest(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
}

function checkAppliedIdentity(target: Target, body: JsonMap): void {
  const { name } = target;
  if (textAt(body, "apiVersion") === "" || textAt(body, "kind") === "")
    throw badRequest(
      "invalid object type: /, Kind=".concat(
        textAt(body, "kind"),
        ": apiVersion and kind must be set in an applied object",
      ),
    );
  checkIdentity(target, body);
  const given = textAt(body, "metadata", "name");
  if (given !== "" && given !== name)
    throw badRequest(
      `the name of the object (${given}) does not match the name on the URL (${name})`,
    );
}

/** The applied object as it counts: identity from the address, and only what this endpoint writes. */
function appliedConfig(target: Target, body: JsonMap): KubeObject {
  const { kind, namespace, name, subresource } = target;
  const metadata = { ...mapAt(body, "metadata"), name };
  const config: KubeObject = {
    ...body,
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: kind.namespaced ? { ...metadata, namespace } : metadata,
  };
  if (subresource === "status") return config;
  return kind.hasStatus ? withoutStatus(config) : config;
}

function patchedJson(was: KubeObject, type: PatchType, body: Json, kind: Kind): Json {
  switch (type) {
    case "merge":
      return mergePatch(was, body);
    case "strategic":
      return strategicMergePatch(was, body, kind.schema);
    case "json": {
      const patched = jsonPatch(was, body);
      if (patched.ok) return patched.value;
      if (patched.problem.kind === "malformed") throw badRequest(patched.problem.message);
      throw new ApiError(
        422,
        "Invalid",
        `the server rejected our request due to an error in our request`,
        {},
      );
    }
    case "apply":
      throw new TypeError("applying is not patching");
    default:
      return unreachable(type, "kind of patch");
  }
}

function managerText(found: ApplyConflict): string {
  const name = JSON.stringify(found.manager);
  const where =
    found.subresource === ""
      ? name
      : `${name} with subresource ${JSON.stringify(found.subresource)}`;
  return found.operation === "Update" ? `${where} using ${found.apiVersion}` : where;
}

function applyConflict(conflicts: readonly ApplyConflict[]): ApiError {
  const causes = conflicts.map((found) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${managerText(found)}`,
    field: pathText(found.path),
  }));
  const byManager = new Map<string, string[]>();
  for (const found of conflicts) {
    const paths = byManager.get(managerText(found)) ?? [];
    byManager.set(managerText(found), [...paths, pathText(found.path)]);
  }
  const [only] = causes;
  const message =
    causes.length === 1 && only !== undefined
      ? `Apply failed with 1 conflict: ${only.message}: ${only.field}`
      : `Apply failed with ${causes.length} conflicts: ${[...byManager]
          .map(
            ([manager, paths]) =>
              `conflicts with ${manager}:\n${paths.map((path) => `- ${path}`).join("\n")}`,
          )
          .join("\n")}`;
  return new ApiError(409, "Conflict", message, { causes });
}

/** Options that are missing or do not belong to the kind of patch. */
export function checkPatchOptions(
  type: PatchType,
  given: { readonly manager: string; readonly force: boolean | undefined },
): void {
  const options = { group: "meta.k8s.io", plural: "patchoptions", kind: "PatchOptions" };
  if (type === "apply" && given.manager === "")
    throw invalid(options, "", [required("fieldManager", "is required for apply patch")]);
  if (type !== "apply" && given.force !== undefined)
    throw invalid(options, "", [
      forbiddenField("force", "may not be specified for non-apply patch"),
    ]);
}
