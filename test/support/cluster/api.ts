/** The Kubernetes API of one cluster as a function from requests to answers; how they travel is not its concern. */
import {
  anonymous,
  attemptOfReview,
  isAllowed,
  refusal,
  serviceAccountUser,
  type Attempt,
  type Tokens,
  type User,
} from "./access.ts";
import { resourceName, type RequestCounters, type RequestRecord } from "./counters.ts";
import {
  aggregated,
  coreVersions,
  groupList,
  groupOf,
  resourceList,
  reviews,
  serverVersion,
  type Review,
} from "./discovery.ts";
import type { Faults } from "./faults.ts";
import {
  discovery,
  json,
  noSuchResource,
  notServed,
  orNotServed,
  partial,
  plainText,
  refusalAnswer,
  wantsMetadata,
  warningText,
  type Answer,
} from "./answers.ts";
import { parsedBody, parsedJson, parsedYaml } from "./bodies.ts";
import { notSupported } from "./causes.ts";
import { actedUser, Impersonation, wantedUser } from "./impersonation.ts";
import { isMap, textAt, type Json, type JsonMap } from "./json.ts";
import { apiVersionOf, type Kind, type Kinds } from "./kinds.ts";
import { listItem, listPage, selection, tooLargeVersion } from "./listing.ts";
import { uidOf, type KubeObject } from "./object.ts";
import { deleteOptions, writeOptions } from "./options.ts";
import {
  header,
  isFlag,
  mediaType,
  parseResourcePath,
  verbOf,
  wholeNumber,
  type ApiRequest,
  type ResourcePath,
  type Verb,
} from "./request.ts";
import type { Resources } from "./resources.ts";
import { inVersion } from "./shape.ts";
import type { SimulatedTime } from "./simulated-time.ts";
import {
  ApiError,
  forbidden,
  invalid,
  methodNotAllowed,
  unauthorized,
  unsupportedMediaType,
} from "./status.ts";
import type { Store } from "./store.ts";
import type { PatchType, Target, Written } from "./verbs.ts";
import type { Watches } from "./watch.ts";

export type ApiNeeds = {
  readonly store: Store;
  readonly kinds: Kinds;
  readonly resources: Resources;
  readonly watches: Watches;
  readonly tokens: Tokens;
  readonly counters: RequestCounters;
  readonly faults: Faults;
  readonly time: SimulatedTime;
  /** Whether roles decide what users may do; otherwise whoever has a token may do everything. */
  readonly rbac: boolean;
  readonly random: () => number;
};

type Context = {
  readonly request: ApiRequest;
  readonly user: User;
  readonly path: ResourcePath | undefined;
  readonly verb: Verb | undefined;
};

const patchTypes: { readonly [mediaType: string]: PatchType } = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
};

export class Api {
  readonly #needs: ApiNeeds;
  readonly #impersonation: Impersonation;

  constructor(needs: ApiNeeds) {
    this.#needs = needs;
    this.#impersonation = new Impersonation(needs.store);
  }

  /** Answers a request that came in from outside: counted, authenticated, and open to faults. */
  async handle(request: ApiRequest): Promise<Answer> {
    try {
      const context = this.#authenticated(request);
      const record = recordOf(context);
      this.#needs.counters.count(record);
      const met = this.#needs.faults.meet(record);
      if (met?.kind === "drop") return { kind: "drop" };
      if (met?.kind === "refuse") throw met.error;
      if (met?.kind === "delay")
        await new Promise<void>((resolve) => {
          setTimeout(resolve, met.delayMs);
        });
      this.#authorize(context);
      return this.#answer(context);
    } catch (error) {
      return refusalAnswer(error);
    }
  }

  /** Answers without authentication, counting and faults: for whoever stands outside the simulation. */
  call(request: ApiRequest, user: User): Answer {
    try {
      const path = parseResourcePath(request.path);
      const verb = path === undefined ? undefined : verbOf(request, path);
      return this.#answer({ request, user, path, verb });
    } catch (error) {
      return refusalAnswer(error);
    }
  }

  #authenticated(request: ApiRequest): Context {
    const path = parseResourcePath(request.path);
    const verb = path === undefined ? undefined : verbOf(request, path);
    const authorization = header(request, "authorization");
    if (authorization === "") return { request, user: anonymous, path, verb };
    const token = /^bearer (.+)$/i.exec(authorization)?.[1] ?? "";
    const user = this.#needs.tokens.userOf(token);
    if (user !== undefined) return { request, user, path, verb };
    this.#needs.counters.count(recordOf({ request, user: anonymous, path, verb }));
    throw unauthorized();
  }

  #authorize(context: Context): void {
    const { request, user } = context;
    const wanted = wantedUser(request.headers);
    const attempt = attemptOf(context);
    if (wanted === undefined) {
      this.#allow(user, attempt);
      return;
    }
    if (!this.#isOpenTo(user)) {
      const missing = this.#impersonation.refused(user, wanted, attempt);
      if (missing !== undefined) throw accessRefused(user, missing);
    }
    this.#allow(actedUser(wanted), attempt);
  }

  /** Without roles, whoever is signed in may do everything. */
  #isOpenTo(user: User): boolean {
    return !this.#needs.rbac && user.groups.includes("system:authenticated");
  }

  #allow(user: User, attempt: Attempt): void {
    if (this.#isOpenTo(user) || isAllowed(this.#needs.store, user, attempt)) return;
    throw accessRefused(user, attempt);
  }

  #answer(context: Context): Answer {
    const { path } = context;
    if (path === undefined) return this.#answerPath(context);
    const review = reviews.find(
      (one) =>
        one.group === path.group && one.version === path.version && one.plural === path.plural,
    );
    if (review !== undefined) return this.#answerReview(context, review);
    const kind = this.#needs.kinds.find(path.group, path.version, path.plural);
    if (kind === undefined || !isAddressable(kind, path)) return this.#unknownResource(path.group);
    return this.#answerResource(context, path, kind);
  }

  /** Groups of the API server itself refuse in JSON; what nobody serves is a page that is not there. */
  #unknownResource(group: string): Answer {
    return this.#needs.kinds.isBuiltInGroup(group) ? json(404, noSuchResource) : notServed;
  }

  #answerPath({ request }: Context): Answer {
    const { kinds } = this.#needs;
    const path = request.path.length > 1 ? request.path.replace(/\/$/, "") : request.path;
    if (request.method !== "GET" && request.method !== "HEAD") return notServed;
    const isAggregated = header(request, "accept").includes("as=APIGroupDiscoveryList");
    switch (path) {
      case "/healthz":
      case "/livez":
      case "/readyz":
        return { kind: "whole", code: 200, headers: plainText, body: "ok" };
      case "/version":
        return json(200, serverVersion);
      case "/api":
        return isAggregated ? discovery(aggregated(kinds, "core")) : json(200, coreVersions);
      case "/apis":
        return isAggregated ? discovery(aggregated(kinds, "groups")) : json(200, groupList(kinds));
      case "/api/v1":
        return orNotServed(resourceList(kinds, "", "v1"));
      default: {
        const [, root, group = "", version, ...more] = path.split("/");
        if (root !== "apis" || group === "" || more.length > 0) return notServed;
        const found =
          version === undefined ? groupOf(kinds, group) : resourceList(kinds, group, version);
        return found === undefined ? this.#unknownResource(group) : json(200, found);
      }
    }
  }

  #answerReview({ request, user }: Context, review: Review): Answer {
    if (request.method !== "POST") throw methodNotAllowed();
    const body = parsedBody(request);
    const { store, tokens, rbac } = this.#needs;
    const wanted = wantedUser(request.headers);
    const as = wanted === undefined ? user : actedUser(wanted);
    return json(201, {
      ...body,
      apiVersion: apiVersionOf(review),
      kind: review.kind,
      metadata: {},
      status: reviewStatus(),
    });

    function reviewStatus(): JsonMap {
      switch (review.kind) {
        case "TokenReview": {
          const found = tokens.userOf(textAt(body, "spec", "token"));
          return found === undefined
            ? { user: {}, error: "invalid bearer token" }
            : { authenticated: true, user: userInfo(found) };
        }
        case "SelfSubjectReview":
          return { userInfo: userInfo(as) };
        default: {
          const asked = review.kind === "SubjectAccessReview" ? reviewedUser(body) : as;
          const isSure = !rbac || isAllowed(store, asked, attemptOfReview(body));
          return isSure ? { allowed: true } : { allowed: false };
        }
      }
    }
  }

  #answerResource(context: Context, path: ResourcePath, kind: Kind): Answer {
    const { request, verb } = context;
    const target: Target = {
      kind,
      namespace: path.namespace,
      name: path.name,
      subresource: path.subresource,
    };
    if (path.subresource !== "") return this.#answerSubresource(context, target);
    switch (verb) {
      case "get":
        return this.#present(request, kind, 200, this.#needs.resources.read(target));
      case "list":
        return this.#list(request, target);
      case "watch":
        return this.#watch(request, target);
      case "create":
        return path.name === "" && (path.namespace !== "" || !kind.namespaced)
          ? this.#write(context, target)
          : refuseMethod();
      case "update":
      case "patch":
      case "apply":
        return path.name === "" ? refuseMethod() : this.#write(context, target);
      case "delete":
        return this.#delete(request, target);
      case "deletecollection":
        return this.#deleteCollection(request, target);
      default:
        return refuseMethod();
    }
  }

  #answerSubresource(context: Context, target: Target): Answer {
    const { request, verb } = context;
    const { resources } = this.#needs;
    const { kind, subresource } = target;
    if (subresource === "status" && kind.hasStatus)
      return verb === "get"
        ? this.#present(request, kind, 200, resources.read(target))
        : this.#write(context, target);
    if (subresource === "scale" && kind.scale !== undefined) return this.#scale(context, target);
    if (subresource === "finalize" && kind.key === "/namespaces" && verb === "update")
      return this.#write(context, target);
    if (subresource === "token" && kind.key === "/serviceaccounts" && verb === "create")
      return this.#issueToken(request, target);
    if (subresource === "log" && kind.key === "/pods" && verb === "get") {
      const pod = resources.read(target);
      const body = `simulated log of ${pod.metadata.name}\n`;
      return { kind: "whole", code: 200, headers: plainText, body };
    }
    if (subresource === "binding" || subresource === "eviction") return refuseMethod();
    return this.#unknownResource(kind.group);
  }

  #list(request: ApiRequest, { kind, namespace }: Target): Answer {
    const scope = namespace === "" ? undefined : namespace;
    const { objects, metadata } = listPage(this.#needs.store, kind, scope, request.query);
    if (wantsMetadata(request)) {
      const items = objects.map((object) => partial(inVersion(object, kind)));
      return json(200, {
        kind: "PartialObjectMetadataList",
        apiVersion: "meta.k8s.io/v1",
        metadata,
        items,
      });
    }
    return json(200, {
      kind: kind.listKind,
      apiVersion: apiVersionOf(kind),
      metadata: kind.custom === undefined ? metadata : { continue: "", ...metadata },
      items: objects.map((object) => listItem(kind, inVersion(object, kind))),
    });
  }

  #watch(request: ApiRequest, target: Target): Answer {
    const { kind, namespace, name } = target;
    const { store, watches, random } = this.#needs;
    const { query } = request;
    const isChosen = selection(kind, query);
    const asked = wholeNumber(query, "resourceVersion") ?? 0;
    const bookmarks = isFlag(query, "allowWatchBookmarks");
    const sendsInitial = isFlag(query, "sendInitialEvents");
    if (sendsInitial && query.get("resourceVersionMatch") !== "NotOlderThan")
      throw invalid({ group: "", plural: "", kind: "ListOptions" }, "", [
        notSupported("resourceVersionMatch", query.get("resourceVersionMatch") ?? "", [
          "NotOlderThan",
        ]),
      ]);
    if (asked > store.version) throw tooLargeVersion(asked, store.version);
    const view = wantsMetadata(request)
      ? (object: KubeObject): Json => partial(inVersion(object, kind))
      : (object: KubeObject): Json => inVersion(object, kind);
    const timeoutSeconds = wholeNumber(query, "timeoutSeconds");
    const isTooOld = asked !== 0 && asked < kind.since;
    return {
      kind: "stream",
      start: (sink) =>
        watches.open(
          {
            kind: kind.key,
            namespace: namespace === "" ? undefined : namespace,
            matches: (object) => (name === "" || object.metadata.name === name) && isChosen(object),
            view,
            blank: { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name: "" } },
            // A version from before there was history is as expired as one that was compacted.
            after: isTooOld ? 0 : asked === 0 || sendsInitial ? undefined : asked,
            marksInitialEnd: sendsInitial && bookmarks,
            bookmarks,
            timeoutMs: (timeoutSeconds ?? 1800 + Math.floor(random() * 1800)) * 1000,
          },
          sink,
        ),
    };
  }

  #write(context: Context, target: Target): Answer {
    const { request, verb } = context;
    const { kind } = target;
    const written = this.#written(request, verb, target);
    return this.#present(request, kind, written.code, written.object, written.warnings);
  }

  #written(request: ApiRequest, verb: Verb | undefined, target: Target): Written {
    const { resources } = this.#needs;
    switch (verb) {
      case "create":
        return resources.create(target, parsedBody(request), writeOptions(request));
      case "update":
        return resources.update(target, parsedBody(request), writeOptions(request));
      case "patch":
      case "apply":
        return this.#patched(request, target);
      default:
        throw methodNotAllowed();
    }
  }

  #patchType(request: ApiRequest, kind: Kind): PatchType {
    const type = patchTypes[mediaType(request)];
    if (type !== undefined) return type;
    throw unsupportedMediaType(
      Object.keys(patchTypes).filter(
        (one) => kind.custom === undefined || one !== "application/strategic-merge-patch+json",
      ),
    );
  }

  #patched(request: ApiRequest, target: Target): Written {
    const { resources } = this.#needs;
    const type = this.#patchType(request, target.kind);
    const options = writeOptions(request, type);
    if (type === "apply") return resources.apply(target, parsedYaml(request.body), options);
    return resources.patch(target, type, parsedJson(request.body), options);
  }

  #scale(context: Context, target: Target): Answer {
    const { request, verb } = context;
    const { resources } = this.#needs;
    switch (verb) {
      case "get":
        return json(200, resources.readScale(target));
      case "update":
        return json(200, resources.writeScale(target, parsedBody(request), writeOptions(request)));
      case "patch":
      case "apply": {
        const type = this.#patchType(request, target.kind);
        const body = type === "apply" ? parsedYaml(request.body) : parsedJson(request.body);
        return json(200, resources.patchScale(target, type, body, writeOptions(request, type)));
      }
      default:
        throw methodNotAllowed();
    }
  }

  #issueToken(request: ApiRequest, target: Target): Answer {
    const { resources, tokens, time, random } = this.#needs;
    const account = resources.read(target);
    const body = parsedBody(request);
    const spec = isMap(body["spec"]) ? body["spec"] : {};
    const seconds =
      typeof spec["expirationSeconds"] === "number" ? spec["expirationSeconds"] : 3600;
    const token = `simulated-${[...Array(4).keys()].map(() => random().toString(36).slice(2)).join("")}`;
    tokens.add(token, serviceAccountUser(target.namespace, target.name, uidOf(account)));
    return json(201, {
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      metadata: { name: target.name, namespace: target.namespace },
      spec: { audiences: ["https://kubernetes.default.svc"], ...spec, expirationSeconds: seconds },
      status: {
        token,
        expirationTimestamp: new Date(time.nowMs() + seconds * 1000).toISOString(),
      },
    });
  }

  #delete(request: ApiRequest, target: Target): Answer {
    const { kind } = target;
    const options = deleteOptions(request);
    const { object, gone } = this.#needs.resources.delete(target, options);
    const warnings =
      kind.key === "batch/jobs" && options.propagation === undefined ? [podsStay] : [];
    if (!gone || returnsDeleted.has(kind.key))
      return this.#present(request, kind, 200, inVersion(object, kind), warnings);
    return json(200, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: {
        name: target.name,
        ...(kind.group === "" ? {} : { group: kind.group }),
        kind: kind.plural,
        uid: uidOf(object),
      },
    });
  }

  #deleteCollection(request: ApiRequest, target: Target): Answer {
    const { kind, namespace } = target;
    if (kind.key === "/namespaces" || (kind.namespaced && namespace === ""))
      throw methodNotAllowed();
    const { store, resources } = this.#needs;
    const isChosen = selection(kind, request.query);
    const options = deleteOptions(request);
    const chosen = store.list(kind.key, namespace).filter(isChosen);
    for (const { metadata } of chosen)
      resources.delete({ ...target, name: metadata.name }, options);
    const items = chosen.map((object) => listItem(kind, inVersion(object, kind)));
    return json(200, {
      kind: kind.listKind,
      apiVersion: apiVersionOf(kind),
      metadata: { resourceVersion: String(store.version) },
      items,
    });
  }

  #present(
    request: ApiRequest,
    kind: Kind,
    code: number,
    object: KubeObject,
    warnings: readonly string[] = [],
  ): Answer {
    const shown = inVersion(object, kind);
    return json(
      code,
      wantsMetadata(request) ? partial(shown) : shown,
      warnings.length === 0 ? {} : { warning: warnings.map(warningText).join(", ") },
    );
  }
}

const podsStay =
  "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";

/** Kinds whose deletion is answered with the object even when it is gone. */
const returnsDeleted = new Set([
  "/pods",
  "/services",
  "/persistentvolumes",
  "/persistentvolumeclaims",
  "/resourcequotas",
  "/serviceaccounts",
]);

function accessRefused(user: User, attempt: Attempt): Error {
  const why = refusal(user, attempt);
  return attempt.kind === "path"
    ? new ApiError(403, "Forbidden", `forbidden: ${why}`, {})
    : forbidden({ group: attempt.group, plural: attempt.resource, kind: "" }, attempt.name, why);
}

function refuseMethod(): never {
  throw methodNotAllowed();
}

const isAddressable = (kind: Kind, path: ResourcePath): boolean =>
  kind.namespaced ? path.namespace !== "" || path.name === "" : path.namespace === "";

function recordOf({ request, user, path, verb }: Context): RequestRecord {
  return {
    verb: verb ?? "discovery",
    resource: path === undefined ? "" : resourceName(path),
    namespace: path?.namespace ?? "",
    name: path?.name ?? "",
    subresource: path?.subresource ?? "",
    dryRun: request.query.has("dryRun"),
    user: user.name,
    impersonated: header(request, "impersonate-user"),
    userAgent: header(request, "user-agent"),
  };
}

function attemptOf({ request, path, verb }: Context): Attempt {
  if (path === undefined || verb === undefined) {
    const method = request.method === "HEAD" ? "get" : request.method.toLowerCase();
    return { kind: "path", verb: method, path: request.path };
  }
  return {
    kind: "resource",
    verb: verb === "apply" ? "patch" : verb,
    group: path.group,
    resource: path.plural,
    subresource: path.subresource,
    // A namespace is in itself, as far as roles are concerned.
    namespace: path.plural === "namespaces" && path.group === "" ? path.name : path.namespace,
    name: path.name,
  };
}

const userInfo = (user: User): JsonMap => ({
  username: user.name,
  ...(user.uid === "" ? {} : { uid: user.uid }),
  groups: user.groups,
  ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
});

function reviewedUser(body: JsonMap): User {
  const spec = isMap(body["spec"]) ? body["spec"] : {};
  const groups = Array.isArray(spec["groups"])
    ? spec["groups"].filter((group) => typeof group === "string")
    : [];
  return { name: textAt(spec, "user"), uid: textAt(spec, "uid"), groups, extra: {} };
}
