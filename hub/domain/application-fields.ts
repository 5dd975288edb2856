/**
 * When a field is written. `always`: empty when nothing was said. `unless-empty`: left out when empty. `when-there`:
 * as it was said, empty or not, since empty is not the same as nothing.
 */
type Written = "always" | "unless-empty" | "when-there";

/** What an Application's field may hold, and when it is written. */
export type Shape =
  | { readonly kind: "text" | "flag" | "whole"; readonly written: Written }
  /** A number or a text, written always. */
  | { readonly kind: "count" }
  /** A moment as RFC 3339 has it. */
  | { readonly kind: "time" }
  | { readonly kind: "any" }
  | ListShape
  | { readonly kind: "map"; readonly written: "unless-empty" | "when-there"; readonly of: Shape }
  | StructShape;

export type ListShape = {
  readonly kind: "list";
  readonly written: "unless-empty" | "when-there";
  readonly of: Shape;
  /** Whether a patch adds to it rather than replaces it. */
  readonly merges: boolean;
};

export type StructShape = {
  readonly kind: "struct";
  /** Inside a list: whether an item may be null. */
  readonly written: "always" | "when-there";
  readonly entries: readonly (readonly [string, Shape])[];
  readonly fields: ReadonlyMap<string, Shape>;
};

type Fields = Readonly<Record<string, Shape>>;

const fixedText: Shape = { kind: "text", written: "always" };
const text: Shape = { kind: "text", written: "unless-empty" };
const nullableText: Shape = { kind: "text", written: "when-there" };
const flag: Shape = { kind: "flag", written: "unless-empty" };
const nullableFlag: Shape = { kind: "flag", written: "when-there" };
const whole: Shape = { kind: "whole", written: "unless-empty" };
const nullableWhole: Shape = { kind: "whole", written: "when-there" };
const count: Shape = { kind: "count" };
const time: Shape = { kind: "time" };
const any: Shape = { kind: "any" };
const list = (of: Shape): ListShape => ({
  kind: "list",
  written: "unless-empty",
  of,
  merges: false,
});
const map = (of: Shape): Shape => ({ kind: "map", written: "unless-empty", of });
const withFields = (written: StructShape["written"], fields: Fields): StructShape => ({
  kind: "struct",
  written,
  entries: Object.entries(fields),
  fields: new Map(Object.entries(fields)),
});
const struct = (fields: Fields): StructShape => withFields("always", fields);
const pointer = (fields: Fields): StructShape => withFields("when-there", fields);

const nameAndValue = { name: fixedText, value: fixedText };
const variable = struct({ ...nameAndValue, code: flag });

/** What a folder of a repository is made into manifests with. */
const tools = {
  helm: pointer({
    valueFiles: list(text),
    parameters: list(struct({ name: text, value: text, forceString: flag })),
    releaseName: text,
    values: text,
    fileParameters: list(struct({ name: text, path: text })),
    version: text,
    passCredentials: flag,
    ignoreMissingValueFiles: flag,
    skipCrds: flag,
    valuesObject: any,
    namespace: text,
    kubeVersion: text,
    apiVersions: list(text),
    skipTests: flag,
    skipSchemaValidation: flag,
  }),
  kustomize: pointer({
    namePrefix: text,
    nameSuffix: text,
    images: list(text),
    commonLabels: map(text),
    version: text,
    commonAnnotations: map(text),
    forceCommonLabels: flag,
    forceCommonAnnotations: flag,
    namespace: text,
    commonAnnotationsEnvsubst: flag,
    replicas: list(struct({ name: fixedText, count })),
    patches: list(
      struct({
        path: text,
        patch: text,
        target: pointer({
          group: text,
          version: text,
          kind: text,
          name: text,
          namespace: text,
          annotationSelector: text,
          labelSelector: text,
        }),
        options: map(flag),
      }),
    ),
    components: list(text),
    ignoreMissingComponents: flag,
    labelWithoutSelector: flag,
    kubeVersion: text,
    apiVersions: list(text),
    labelIncludeTemplates: flag,
  }),
  directory: pointer({
    recurse: flag,
    // Empty ones come and go with the Go version Argo CD is built with.
    jsonnet: struct({ extVars: list(variable), tlas: list(variable), libs: list(text) }),
    exclude: text,
    include: text,
  }),
  plugin: pointer({
    name: text,
    env: list(pointer(nameAndValue)),
    parameters: list(
      struct({
        name: fixedText,
        string: nullableText,
        map: { kind: "map", written: "when-there", of: text },
        array: { kind: "list", written: "when-there", of: text, merges: false },
      }),
    ),
  }),
};

const source = {
  repoURL: fixedText,
  path: text,
  targetRevision: text,
  ...tools,
  chart: text,
  ref: text,
  name: text,
  tagPrefix: text,
};

const retry = {
  limit: whole,
  backoff: pointer({ duration: text, factor: nullableWhole, maxDuration: text }),
  refresh: flag,
};

const spec = struct({
  source: pointer(source),
  destination: struct({ server: text, namespace: text, name: text }),
  project: fixedText,
  syncPolicy: pointer({
    automated: pointer({
      prune: nullableFlag,
      selfHeal: nullableFlag,
      allowEmpty: nullableFlag,
      enabled: nullableFlag,
    }),
    syncOptions: list(text),
    retry: pointer(retry),
    managedNamespaceMetadata: pointer({ labels: map(text), annotations: map(text) }),
  }),
  ignoreDifferences: list(
    struct({
      group: text,
      kind: fixedText,
      name: text,
      namespace: text,
      jsonPointers: list(text),
      jqPathExpressions: list(text),
      managedFieldsManagers: list(text),
    }),
  ),
  info: list(struct(nameAndValue)),
  revisionHistoryLimit: nullableWhole,
  sources: list(struct(source)),
  sourceHydrator: pointer({
    drySource: struct({
      repoURL: fixedText,
      targetRevision: fixedText,
      path: fixedText,
      ...tools,
    }),
    syncSource: struct({ targetBranch: fixedText, path: fixedText, repoURL: text }),
    hydrateTo: pointer({ targetBranch: fixedText }),
  }),
});

const metadata = struct({
  name: text,
  generateName: text,
  namespace: text,
  selfLink: text,
  uid: text,
  resourceVersion: text,
  generation: whole,
  creationTimestamp: time,
  deletionTimestamp: time,
  deletionGracePeriodSeconds: nullableWhole,
  labels: map(text),
  annotations: map(text),
  ownerReferences: list(
    struct({
      apiVersion: fixedText,
      kind: fixedText,
      name: fixedText,
      uid: fixedText,
      controller: nullableFlag,
      blockOwnerDeletion: nullableFlag,
    }),
  ),
  finalizers: { ...list(text), merges: true },
  managedFields: list(
    struct({
      manager: text,
      operation: text,
      apiVersion: text,
      time,
      fieldsType: text,
      fieldsV1: any,
      subresource: text,
    }),
  ),
});

const force = pointer({ force: flag });

const operation = pointer({
  sync: pointer({
    revision: text,
    prune: flag,
    dryRun: flag,
    syncStrategy: pointer({ apply: force, hook: force }),
    resources: list(struct({ group: text, kind: fixedText, name: fixedText, namespace: text })),
    source: pointer(source),
    manifests: list(text),
    syncOptions: list(text),
    sources: list(struct(source)),
    revisions: list(text),
    autoHealAttemptsCount: whole,
  }),
  initiatedBy: struct({ username: text, automated: flag }),
  info: list(pointer(nameAndValue)),
  retry: struct(retry),
});

/** What a patch may say of it; nobody keeps it. */
const status = pointer({
  resources: list(any),
  sync: pointer({ status: text, comparedTo: any, revision: text, revisions: list(text) }),
  health: pointer({ status: text, message: text, lastTransitionTime: time }),
  history: list(any),
  conditions: list(any),
  reconciledAt: time,
  operationState: any,
  observedAt: time,
  sourceType: text,
  summary: any,
  resourceHealthSource: text,
  sourceTypes: list(text),
  controllerNamespace: text,
  sourceHydrator: any,
});

/** Argo CD's Application, as its Go types have it: which fields there are, and of what type. */
export const applicationFields: StructShape = struct({
  apiVersion: text,
  kind: text,
  metadata,
  spec,
  status,
  operation,
});
