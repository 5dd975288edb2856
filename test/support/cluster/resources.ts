/** The verbs of the API on objects: create, update, patch, apply, delete, with everything they check and keep. */
import { randomUUID } from "node:crypto";
import { admitChange, admitNew, createAllocator, type Allocator } from "./admission.ts";
import { applyConflict } from "./apply/conflict.ts";
import { applied, sameButTimes, updated, type Author } from "./apply/managed-fields.ts";
import { schemaProblems } from "./apply/walk.ts";
import { invalidValue } from "./causes.ts";
import { openApiProblems } from "./custom.ts";
import { cannotHandle, decode, strictProblem } from "./decode.ts";
import { withoutWriteOnly } from "./defaults.ts";
import { deletionFinalizers, graceOf, immortal, isReadyToGo } from "./deletion.ts";
import {
  checkAppliedIdentity,
  checkIdentity,
  checkName,
  checkPatchedIdentity,
  unfitPatch,
} from "./identity.ts";
import { goText } from "./go-text.ts";
import { at, isMap, mapAt, numberAt, textAt, withAt, type Json, type JsonMap } from "./json.ts";
import { apiVersionOf, builtIn, type Kind, type Kinds } from "./kinds.ts";
import { isTerminating, namespaceOf, uidOf, withMeta, type KubeObject } from "./object.ts";
import { patchedJson } from "./patching.ts";
import { quotaProblem } from "./quota.ts";
import {
  appliedConfig,
  asObject,
  changesSpec,
  inVersion,
  keptMeta,
  metaChanges,
  objectFrom,
  placeOf,
  subresourceOf,
  unownedBy,
  withDefaults,
  withoutStatus,
  withStatusOf,
} from "./shape.ts";
import { stampOf, type SimulatedTime } from "./simulated-time.ts";
import {
  alreadyExists,
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
import { validate } from "./validation.ts";
import type { Deleted, DeleteOptions, PatchType, Target, WriteOptions, Written } from "./verbs.ts";

const suffixCharacters = "bcdfghjklmnpqrstvwxz2456789";

const namespaces = builtIn("/namespaces");

/** Kinds for which replacing what is not there creates it. */
const createdByUpdate = new Set([
  "/services",
  "/endpoints",
  "/events",
  "/limitranges",
  "coordination.k8s.io/leases",
  "rbac.authorization.k8s.io/roles",
  "rbac.authorization.k8s.io/clusterroles",
  "rbac.authorization.k8s.io/rolebindings",
  "rbac.authorization.k8s.io/clusterrolebindings",
]);

/** Kinds that get more defaults when they are first read than when they were stored. */
const defaultedWhenRead = new Set(["batch/jobs", "/persistentvolumeclaims"]);

export class Resources {
  readonly #store: Store;
  readonly #kinds: Kinds;
  readonly #time: SimulatedTime;
  readonly #random: () => number;
  readonly #allocator: Allocator = createAllocator();
  /** Objects whose stored form lacks a default that readers see: the next write stores it, whatever it says. */
  readonly #unsettled = new Set<string>();

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
    const { object, warnings } = this.#decode(kind, body, options);
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
      withoutWriteOnly(kind.key, draft),
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
    const known = this.#store.get(kind.key, namespace, name);
    if (known !== undefined) throw alreadyExists(kind, name, isTerminating(known));
    const overQuota = quotaProblem(this.#store, kind, admitted);
    if (overQuota !== undefined) throw forbidden(kind, name, overQuota);
    if (!dryRun && defaultedWhenRead.has(kind.key)) this.#unsettled.add(uidOf(admitted));
    return {
      code: 201,
      object: dryRun ? admitted : this.#store.put(kind.key, admitted),
      warnings: [],
    };
  }

  update(target: Target, body: JsonMap, options: WriteOptions): Written {
    const { kind, name } = target;
    checkIdentity(target, body);
    checkName(name, textAt(body, "metadata", "name"));
    if (createdByUpdate.has(kind.key) && !this.#isThere(target))
      return this.#createByUpdate(target, body, options);
    const was = this.read(target);
    const { object, warnings } = this.#decode(kind, body, options);
    this.#checkUid(kind, was, object, options.dryRun);
    if (!kind.unconditionalUpdate && textAt(body, "metadata", "resourceVersion") === "")
      throw invalid({ ...kind, kind: kind.plural }, name, [
        invalidValue("metadata.resourceVersion", 0, "must be specified for an update"),
      ]);
    return { ...this.#replace(target, was, object, options), warnings };
  }

  #isThere({ kind, namespace, name }: Target): boolean {
    return this.#store.get(kind.key, namespace, name) !== undefined;
  }

  #createByUpdate(target: Target, body: JsonMap, options: WriteOptions): Written {
    const { kind, namespace } = target;
    const { object, warnings } = this.#decode(kind, body, options);
    const placed = withMeta(object, placeOf(kind, namespace));
    const uid = object.metadata.uid ?? "";
    if (uid !== "") throw otherUid(kind, placed, uid, "", options.dryRun);
    return { ...this.#createDecoded(kind, withDefaults(kind, placed), options), warnings };
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
    if (!isMap(patched))
      throw badRequest(
        "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
      );
    checkPatchedIdentity(target, patched);
    const { object, warnings } = this.#decode(
      kind,
      patched,
      options,
      // What a strategic merge patch did to the object is not told, but the patch itself.
      type === "strategic" ? goText(body) : JSON.stringify(patched),
    );
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
    const fixed = metaChanges(was, draft);
    if (fixed.length > 0) throw invalid(kind, was.metadata.name, [...fixed, ...fixed]);
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
    const whole = withoutWriteOnly(
      kind.key,
      withDefaults(kind, kind.hasStatus ? withStatusOf(next, was) : next),
    );
    const claimed = updated(was, whole, kind.schema, author, unownedBy(kind, subresource));
    return this.#keep(target, was, claimed, options.dryRun);
  }

  apply(target: Target, body: Json, options: WriteOptions): Written {
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
        `failed to create typed patch object (${textAt(body, "metadata", "namespace")}/${textAt(body, "metadata", "name")}; ${kind.group}/${kind.version}, Kind=${kind.kind}): ${problems.length === 1 ? (problems[0] ?? "") : `errors:\n${problems.map((problem) => `  ${problem}`).join("\n")}`}`,
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
      force: options.force ?? false,
      unowned: unownedBy(kind, subresource),
    });
    if (result.kind === "conflict") throw applyConflict(result.conflicts);
    // What applying leaves goes through the same door as any other object: quantities and empties.
    const typed = asObject(decode(kind, result.object).value, result.object);
    const full = withDefaults(kind, typed);
    if (was === undefined) return this.#insert(kind, full, options.dryRun);
    const fixed = metaChanges(was, full);
    if (fixed.length > 0) throw invalid(kind, name, [...fixed, ...fixed]);
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
    const admitted =
      subresource === "finalize" ? clean : admitChange(kind.key, was, clean, this.#allocator);
    const isSpecChanged =
      kind.hasGeneration &&
      subresource !== "binding" &&
      subresource !== "status" &&
      changesSpec(kind, was, admitted);
    const numbered = isSpecChanged
      ? withMeta(admitted, { generation: (was.metadata.generation ?? 0) + 1 })
      : admitted;
    this.#check(kind, was, numbered, subresource);
    if (sameButTimes(was, numbered) && (dryRun || !this.#unsettled.has(uidOf(was))))
      return { code: 200, object: was, warnings: [] };
    if (dryRun) return { code: 200, object: numbered, warnings: [] };
    this.#unsettled.delete(uidOf(was));
    if (!isReadyToGo(kind, numbered))
      return { code: 200, object: this.#store.put(kind.key, numbered), warnings: [] };
    this.#store.remove(kind.key, numbered);
    // Whoever takes the last finalizer away hears of the object at the version it had before.
    return {
      code: 200,
      object: withMeta(numbered, { resourceVersion: was.metadata.resourceVersion }),
      warnings: [],
    };
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
    // A deletion's preconditions are told by kind, where everything else is told by resource.
    const named = { ...kind, plural: kind.kind };
    if (options.uid !== undefined && options.uid !== uidOf(was))
      throw conflict(
        named,
        name,
        `the UID in the precondition (${options.uid}) does not match the UID in record (${uidOf(was)}). The object might have been deleted and then recreated`,
      );
    const version = was.metadata.resourceVersion ?? "";
    if (options.resourceVersion !== undefined && options.resourceVersion !== version)
      throw conflict(
        named,
        name,
        `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${version}). The object might have been modified`,
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
    return stampOf(this.#time.nowMs() + seconds * 1000);
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
      spec: specOfScale(numberAt(object, ...replicas) ?? 0),
      status: {
        replicas: numberAt(object, ...statusReplicas) ?? 0,
        ...scaleSelector(object, selector),
      },
    };
  }

  patchScale(target: Target, type: PatchType, body: Json, options: WriteOptions): KubeObject {
    if (type === "apply") return this.#applyScale(target, body, options);
    const scale = this.readScale(target);
    // No list in a Scale merges by items, so that a strategic merge patch is a plain one.
    const patched = patchedJson(scale, type === "strategic" ? "merge" : type, body, target.kind);
    return this.writeScale(target, isMap(patched) ? patched : scale, options);
  }

  /** An applied Scale is one field of the object, owned through this endpoint. */
  #applyScale(target: Target, body: Json, options: WriteOptions): KubeObject {
    const { kind, name } = target;
    if (kind.scale === undefined || !isMap(body)) throw methodNotAllowed();
    const was = this.read(target);
    const empty: KubeObject = {
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      metadata: { name },
    };
    const wanted = replicasOf(name, body);
    const config = asObject(withAt(empty, kind.scale.replicas, wanted), empty);
    const author = this.#author(kind, options.manager, "Apply", "scale");
    const result = applied(was, config, kind.schema, author, {
      force: options.force ?? false,
      unowned: ["status"],
    });
    if (result.kind === "conflict") throw applyConflict(result.conflicts);
    const next = withMeta(withDefaults(kind, result.object), keptMeta(was));
    this.#keep(target, was, next, options.dryRun);
    return this.readScale(target);
  }

  writeScale(target: Target, body: JsonMap, options: WriteOptions): KubeObject {
    const { kind } = target;
    if (kind.scale === undefined) throw methodNotAllowed();
    const was = this.read(target);
    const replicas = replicasOf(target.name, body);
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
      // Scaling leaves no time behind.
      time: subresource === "scale" ? "" : this.#time.stamp(),
    };
  }

  #decode(
    kind: Kind,
    body: JsonMap,
    options: WriteOptions,
    /** How to show the body in a refusal, when it is what a patch left. */
    patched?: string,
  ): { readonly object: KubeObject; readonly warnings: readonly string[] } {
    const { value, unknown } = decode(kind, body, (why) =>
      patched === undefined ? cannotHandle(kind, why) : unfitPatch(patched, why),
    );
    if (unknown.length > 0 && options.validation === "Strict") {
      throw patched === undefined
        ? cannotHandle(kind, strictProblem(unknown))
        : unfitPatch(patched, strictProblem(unknown));
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

  /** A replaced object must be the one that is there, if the author says which one it means. */
  #checkUid(kind: Kind, was: KubeObject, draft: KubeObject, dryRun: boolean): void {
    const uid = draft.metadata.uid ?? "";
    if (uid !== "" && uid !== uidOf(was)) throw otherUid(kind, was, uid, uidOf(was), dryRun);
  }

  #checkVersions(kind: Kind, was: KubeObject, draft: JsonMap | KubeObject): void {
    const name = was.metadata.name;
    const version = textAt(draft, "metadata", "resourceVersion");
    if (version !== "" && version !== was.metadata.resourceVersion)
      throw conflict(kind, name, modified);
  }

  #check(kind: Kind, was: KubeObject | undefined, object: KubeObject, subresource = ""): void {
    const causes: readonly Cause[] = [
      ...validate(kind, was, object),
      ...(kind.custom === undefined
        ? []
        : openApiProblems(object, kind.custom.openApi).map((cause) =>
            // Through its own endpoint, status is all there is.
            subresource === "status"
              ? { ...cause, message: cause.message.replace(": status.", ": ") }
              : cause,
          )),
    ];
    if (causes.length > 0) throw invalid(kind, object.metadata.name, causes);
  }

  /** Which kinds are kept now; for walking over a namespace. */
  kinds(): readonly Kind[] {
    return this.#kinds.all();
  }
}

/** Another object is meant than the one that is there. A dry run looks in a storage of its own. */
const otherUid = (
  kind: Kind,
  object: KubeObject,
  asked: string,
  found: string,
  dryRun: boolean,
): Error =>
  conflict(
    kind,
    object.metadata.name,
    `StorageError: invalid object, Code: 4, Key: ${dryRun ? "" : "/registry"}${registryKey(kind, object)}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${asked}, UID in object meta: ${found}`,
  );

/** Where the API server keeps an object, as some of its messages tell. */
function registryKey(kind: Kind, object: KubeObject): string {
  const folder =
    kind.custom === undefined
      ? (registryFolders[kind.key] ?? kind.plural)
      : `${kind.group}/${kind.plural}`;
  return ["", folder, object.metadata.namespace, object.metadata.name]
    .filter((part) => part !== undefined)
    .join("/");
}

const registryFolders: { readonly [key: string]: string } = {
  "/services": "services/specs",
  "/nodes": "minions",
  "networking.k8s.io/ingresses": "ingress",
};

/** Zero is left out, as it is of every field that cannot tell zero from nothing. */
const specOfScale = (replicas: number): JsonMap => (replicas === 0 ? {} : { replicas });

function replicasOf(name: string, scale: JsonMap): number {
  const replicas = numberAt(scale, "spec", "replicas") ?? 0;
  if (replicas < 0)
    throw invalid({ group: "autoscaling", plural: "scales", kind: "Scale" }, name, [
      invalidValue("spec.replicas", replicas, "must be greater than or equal to 0"),
    ]);
  return replicas;
}

function scaleSelector(object: KubeObject, selector: Json | undefined): JsonMap {
  if (typeof selector === "string") return { selector };
  const labels = mapAt(object, "spec", "selector", "matchLabels");
  const terms = Object.entries(labels).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : ""}`,
  );
  return terms.length === 0 ? {} : { selector: terms.join(",") };
}
