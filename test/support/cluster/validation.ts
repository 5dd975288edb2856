/** What the API server refuses in an object's content, worded as it words it. */
import {
  isList,
  isMap,
  listAt,
  mapAt,
  mapsAt,
  sameJson,
  textAt,
  type Json,
  type JsonMap,
} from "./json.ts";
import type { Kind } from "./kinds.ts";
import type { KubeObject } from "./object.ts";
import { labelsOf, matchesLabels, requirementsOf } from "./selectors.ts";
import type { Cause } from "./status.ts";

export const required = (field: string, detail = ""): Cause => ({
  reason: "FieldValueRequired",
  message: detail === "" ? "Required value" : `Required value: ${detail}`,
  field,
});

export const invalidValue = (field: string, value: Json, detail: string): Cause => ({
  reason: "FieldValueInvalid",
  message: `Invalid value: ${JSON.stringify(value)}: ${detail}`,
  field,
});

export const notSupported = (field: string, value: Json, known: readonly string[]): Cause => ({
  reason: "FieldValueNotSupported",
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${known.map((one) => JSON.stringify(one)).join(", ")}`,
  field,
});

export const forbiddenField = (field: string, detail: string): Cause => ({
  reason: "FieldValueForbidden",
  message: `Forbidden: ${detail}`,
  field,
});

const duplicate = (field: string, value: Json): Cause => ({
  reason: "FieldValueDuplicate",
  message: `Duplicate value: ${JSON.stringify(value)}`,
  field,
});

const tooLong = (field: string, limit: number): Cause => ({
  reason: "FieldValueTooLong",
  message: `Too long: may not be more than ${limit} bytes`,
  field,
});

const immutable = (field: string, value: Json): Cause =>
  invalidValue(field, value, "field is immutable");

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomainPattern = new RegExp(`^${label}(\\.${label})*$`);
const labelPattern = new RegExp(`^${label}$`);
const label1035Pattern = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const labelValuePattern = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const qualifiedNamePattern = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const label1035Rule =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const labelValueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const qualifiedNameRule =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const labelNamed = new Set(["/namespaces"]);
const label1035Named = new Set(["/services"]);
const pathNamed = new Set([
  "rbac.authorization.k8s.io/roles",
  "rbac.authorization.k8s.io/clusterroles",
  "rbac.authorization.k8s.io/rolebindings",
  "rbac.authorization.k8s.io/clusterrolebindings",
]);

function nameProblems(kind: Kind, name: string): readonly Cause[] {
  const field = "metadata.name";
  if (name === "") return [required(field, "name or generateName is required")];
  if (pathNamed.has(kind.key))
    return /[/%]/.test(name) || name === "." || name === ".."
      ? [invalidValue(field, name, "may not contain '/'")]
      : [];
  const [pattern, rule, most] = labelNamed.has(kind.key)
    ? [labelPattern, labelRule, 63]
    : label1035Named.has(kind.key)
      ? [label1035Pattern, label1035Rule, 63]
      : [subdomainPattern, subdomainRule, 253];
  if (name.length > most)
    return [invalidValue(field, name, `must be no more than ${most} characters`)];
  return pattern.test(name) ? [] : [invalidValue(field, name, rule)];
}

const annotationBytesMost = 262_144;
const dataBytesMost = 1_048_576;

function qualifiedNameProblems(field: string, key: string): readonly Cause[] {
  const slash = key.indexOf("/");
  const name = key.slice(slash + 1);
  const prefix = slash === -1 ? undefined : key.slice(0, slash);
  if (name.length > 63)
    return [invalidValue(field, key, "name part must be no more than 63 characters")];
  if (!qualifiedNamePattern.test(name)) return [invalidValue(field, key, qualifiedNameRule)];
  return prefix === undefined || subdomainPattern.test(prefix)
    ? []
    : [invalidValue(field, key, `prefix part ${subdomainRule}`)];
}

function labelProblems(field: string, labels: JsonMap): readonly Cause[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...qualifiedNameProblems(field, key),
    ...(typeof value === "string" && value.length > 63
      ? [invalidValue(field, value, "must be no more than 63 characters")]
      : typeof value === "string" && labelValuePattern.test(value)
        ? []
        : [invalidValue(field, value, labelValueRule)]),
  ]);
}

function metadataProblems(kind: Kind, object: KubeObject): readonly Cause[] {
  const metadata: Json = object.metadata;
  const annotations = mapAt(metadata, "annotations");
  const bytes = Object.entries(annotations).reduce(
    (sum, [key, value]) =>
      sum + Buffer.byteLength(key) + Buffer.byteLength(typeof value === "string" ? value : ""),
    0,
  );
  return [
    ...nameProblems(kind, object.metadata.name),
    ...labelProblems("metadata.labels", mapAt(metadata, "labels")),
    ...Object.keys(annotations).flatMap((key) =>
      qualifiedNameProblems("metadata.annotations", key.toLowerCase()),
    ),
    ...(bytes > annotationBytesMost ? [tooLong("metadata.annotations", annotationBytesMost)] : []),
    ...listAt(metadata, "finalizers").flatMap((finalizer) =>
      typeof finalizer !== "string" ||
      qualifiedNamePattern.test(finalizer.slice(finalizer.indexOf("/") + 1))
        ? []
        : [invalidValue("metadata.finalizers", finalizer, qualifiedNameRule)],
    ),
    ...mapsAt(metadata, "ownerReferences").flatMap((reference, index) =>
      ["apiVersion", "kind", "name", "uid"].flatMap((field) =>
        textAt(reference, field) === ""
          ? [
              invalidValue(
                `metadata.ownerReferences[${index}].${field}`,
                "",
                field === "apiVersion" ? "version must not be empty" : `${field} must not be empty`,
              ),
            ]
          : [],
      ),
    ),
  ];
}

type Check = (object: KubeObject) => readonly Cause[];

function containerProblems(path: string, containers: readonly JsonMap[]): readonly Cause[] {
  const seen = new Set<string>();
  return containers.flatMap((container, index) => {
    const here = `${path}[${index}]`;
    const name = textAt(container, "name");
    const causes: Cause[] = [];
    if (name === "") causes.push(required(`${here}.name`));
    else if (!labelPattern.test(name)) causes.push(invalidValue(`${here}.name`, name, labelRule));
    else if (seen.has(name)) causes.push(duplicate(`${here}.name`, name));
    seen.add(name);
    if (textAt(container, "image") === "") causes.push(required(`${here}.image`));
    for (const [portIndex, port] of mapsAt(container, "ports").entries()) {
      const value = port["containerPort"];
      const field = `${here}.ports[${portIndex}].containerPort`;
      if (value === undefined) causes.push(required(field));
      else if (typeof value !== "number" || value < 1 || value > 65535)
        causes.push(invalidValue(field, value, "must be between 1 and 65535, inclusive"));
    }
    for (const [variableIndex, variable] of mapsAt(container, "env").entries()) {
      if (textAt(variable, "name") === "")
        causes.push(required(`${here}.env[${variableIndex}].name`));
    }
    return causes;
  });
}

function podProblems(path: string, spec: JsonMap): readonly Cause[] {
  const containers = mapsAt(spec, "containers");
  const volumes = new Set(mapsAt(spec, "volumes").map((volume) => textAt(volume, "name")));
  const mounts = [
    ...containers.map((container, index) => ({ container, at: `containers[${index}]` })),
    ...mapsAt(spec, "initContainers").map((container, index) => ({
      container,
      at: `initContainers[${index}]`,
    })),
  ];
  return [
    ...(containers.length === 0 ? [required(`${path}.containers`)] : []),
    ...containerProblems(`${path}.containers`, containers),
    ...containerProblems(`${path}.initContainers`, mapsAt(spec, "initContainers")),
    ...mounts.flatMap(({ container, at }) =>
      mapsAt(container, "volumeMounts").flatMap((mount, index) => {
        const name = textAt(mount, "name");
        const field = `${path}.${at}.volumeMounts[${index}].name`;
        return volumes.has(name)
          ? []
          : [
              {
                reason: "FieldValueNotFound",
                message: `Not found: ${JSON.stringify(name)}`,
                field,
              },
            ];
      }),
    ),
  ];
}

/** A workload's selector must be there and must select what its template makes. */
function selectorProblems(object: KubeObject): readonly Cause[] {
  const selector = at(object, "selector");
  const labels = labelsOf(mapAt(object, "spec", "template"));
  if (!isMap(selector)) return [required("spec.selector")];
  const requirements = requirementsOf(selector);
  if (requirements.length === 0)
    return [invalidValue("spec.selector", selector, "empty selector is invalid for deployment")];
  return matchesLabels(requirements, labels)
    ? []
    : [
        invalidValue(
          "spec.template.metadata.labels",
          labels,
          "`selector` does not match template `labels`",
        ),
      ];
}

const at = (object: KubeObject, field: string): Json | undefined => mapAt(object, "spec")[field];

const notNegative = (object: KubeObject, field: string): readonly Cause[] => {
  const value = at(object, field);
  return typeof value === "number" && value < 0
    ? [invalidValue(`spec.${field}`, value, "must be greater than or equal to 0")]
    : [];
};

const templateProblems = (object: KubeObject): readonly Cause[] =>
  podProblems("spec.template.spec", mapAt(object, "spec", "template", "spec"));

const alwaysRestarts = (object: KubeObject): readonly Cause[] => {
  const policy = textAt(object, "spec", "template", "spec", "restartPolicy");
  return policy === "Always"
    ? []
    : [notSupported("spec.template.spec.restartPolicy", policy, ["Always"])];
};

const workload: Check = (object) => [
  ...notNegative(object, "replicas"),
  ...selectorProblems(object),
  ...templateProblems(object),
  ...alwaysRestarts(object),
];

const deployment: Check = (object) => {
  const type = textAt(object, "spec", "strategy", "type");
  const recreates = type === "Recreate";
  return [
    ...workload(object),
    ...(type === "RollingUpdate" || recreates
      ? []
      : [notSupported("spec.strategy.type", type, ["Recreate", "RollingUpdate"])]),
    ...(recreates && isMap(mapAt(object, "spec", "strategy")["rollingUpdate"])
      ? [
          forbiddenField(
            "spec.strategy.rollingUpdate",
            "may not be specified when strategy `type` is 'Recreate'",
          ),
        ]
      : []),
  ];
};

const job: Check = (object) => {
  const policy = textAt(object, "spec", "template", "spec", "restartPolicy");
  const known = ["OnFailure", "Never"];
  return [
    ...notNegative(object, "completions"),
    ...notNegative(object, "parallelism"),
    ...notNegative(object, "backoffLimit"),
    ...templateProblems(object),
    ...(policy === "Always"
      ? [required("spec.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')]
      : known.includes(policy)
        ? []
        : [notSupported("spec.template.spec.restartPolicy", policy, known)]),
  ];
};

const service: Check = (object) => {
  const spec = mapAt(object, "spec");
  const type = textAt(spec, "type");
  const ports = mapsAt(spec, "ports");
  const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
  const causes: Cause[] = [];
  if (!types.includes(type)) causes.push(notSupported("spec.type", type, types));
  if (ports.length === 0 && type !== "ExternalName" && textAt(spec, "clusterIP") !== "None")
    causes.push(required("spec.ports"));
  if (type === "ExternalName" && textAt(spec, "externalName") === "")
    causes.push(required("spec.externalName"));
  const names = new Set<string>();
  const numbers = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const here = `spec.ports[${index}]`;
    const name = textAt(port, "name");
    const value = port["port"];
    if (ports.length > 1 && name === "") causes.push(required(`${here}.name`));
    if (name !== "" && names.has(name)) causes.push(duplicate(`${here}.name`, name));
    names.add(name);
    if (typeof value !== "number" || value < 1 || value > 65535)
      causes.push(
        invalidValue(`${here}.port`, value ?? 0, "must be between 1 and 65535, inclusive"),
      );
    const protocol = textAt(port, "protocol");
    if (!["SCTP", "TCP", "UDP"].includes(protocol))
      causes.push(notSupported(`${here}.protocol`, protocol, ["SCTP", "TCP", "UDP"]));
    const number = `${protocol}/${JSON.stringify(value)}`;
    if (numbers.has(number)) causes.push(duplicate(here, { port: value ?? 0, protocol }));
    numbers.add(number);
  }
  return causes;
};

function dataProblems(object: KubeObject): readonly Cause[] {
  let bytes = 0;
  const causes: Cause[] = [];
  for (const field of ["data", "binaryData"]) {
    for (const [key, value] of Object.entries(mapAt(object, field))) {
      bytes += Buffer.byteLength(typeof value === "string" ? value : "");
      if (!/^[-._a-zA-Z0-9]+$/.test(key))
        causes.push(
          invalidValue(
            `${field}[${key}]`,
            key,
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
          ),
        );
    }
  }
  if (bytes > dataBytesMost)
    causes.push(tooLong(object.kind === "Secret" ? "data" : "", dataBytesMost));
  return causes;
}

const ingress: Check = (object) => {
  const spec = mapAt(object, "spec");
  if (!("defaultBackend" in spec) && listAt(spec, "rules").length === 0)
    return [invalidValue("spec", {}, "either `defaultBackend` or `rules` must be specified")];
  return mapsAt(spec, "rules").flatMap((rule, index) =>
    mapsAt(rule, "http", "paths").flatMap((path, pathIndex) => {
      const here = `spec.rules[${index}].http.paths[${pathIndex}]`;
      const type = textAt(path, "pathType");
      const known = ["Exact", "ImplementationSpecific", "Prefix"];
      return [
        ...(type === ""
          ? [required(`${here}.pathType`, "pathType must be specified")]
          : known.includes(type)
            ? []
            : [notSupported(`${here}.pathType`, type, known)]),
        ...(type !== "" &&
        type !== "ImplementationSpecific" &&
        !textAt(path, "path").startsWith("/")
          ? [invalidValue(`${here}.path`, textAt(path, "path"), "must be an absolute path")]
          : []),
      ];
    }),
  );
};

const binding: Check = (object) => [
  ...(textAt(object, "roleRef", "name") === "" ? [required("roleRef.name")] : []),
  ...(["Role", "ClusterRole"].includes(textAt(object, "roleRef", "kind"))
    ? []
    : [notSupported("roleRef.kind", textAt(object, "roleRef", "kind"), ["ClusterRole", "Role"])]),
  ...mapsAt(object, "subjects").flatMap((subject, index) =>
    textAt(subject, "kind") === "ServiceAccount" && textAt(subject, "namespace") === ""
      ? [required(`subjects[${index}].namespace`)]
      : [],
  ),
];

const roleRules: Check = (object) =>
  mapsAt(object, "rules").flatMap((rule, index) =>
    listAt(rule, "verbs").length === 0
      ? [required(`rules[${index}].verbs`, "verbs must contain at least one value")]
      : [],
  );

const claim: Check = (object) => {
  const spec = mapAt(object, "spec");
  return [
    ...(listAt(spec, "accessModes").length === 0
      ? [required("spec.accessModes", "at least 1 access mode is required")]
      : []),
    ...(textAt(spec, "resources", "requests", "storage") === ""
      ? [required("spec.resources[storage]")]
      : []),
  ];
};

const autoscaler: Check = (object) => {
  const most = at(object, "maxReplicas");
  return typeof most === "number" && most >= 1
    ? []
    : [invalidValue("spec.maxReplicas", most ?? 0, "must be greater than 0")];
};

const budget: Check = (object) => {
  const spec = mapAt(object, "spec");
  return "minAvailable" in spec && "maxUnavailable" in spec
    ? [invalidValue("spec", spec, "minAvailable and maxUnavailable cannot be both set")]
    : [];
};

const definition: Check = (object) => {
  const spec = mapAt(object, "spec");
  const group = textAt(spec, "group");
  const plural = textAt(spec, "names", "plural");
  const versions = mapsAt(spec, "versions");
  const stored = versions.filter((version) => version["storage"] === true);
  return [
    ...(object.metadata.name === `${plural}.${group}`
      ? []
      : [
          invalidValue(
            "metadata.name",
            object.metadata.name,
            `must be spec.names.plural+"."+spec.group`,
          ),
        ]),
    ...(group === "" ? [required("spec.group")] : []),
    ...(["Cluster", "Namespaced"].includes(textAt(spec, "scope"))
      ? []
      : [notSupported("spec.scope", textAt(spec, "scope"), ["Cluster", "Namespaced"])]),
    ...(plural === "" ? [required("spec.names.plural")] : []),
    ...(textAt(spec, "names", "kind") === "" ? [required("spec.names.kind")] : []),
    ...(stored.length === 1
      ? []
      : [
          invalidValue(
            "spec.versions",
            versions,
            "must have exactly one version marked as storage version",
          ),
        ]),
    ...versions.flatMap((version, index) =>
      isMap(mapAt(version, "schema")["openAPIV3Schema"])
        ? []
        : [required(`spec.versions[${index}].schema.openAPIV3Schema`, "schemas are required")],
    ),
  ];
};

const checks: { readonly [key: string]: Check } = {
  "/pods": (object) => podProblems("spec", mapAt(object, "spec")),
  "/services": service,
  "/configmaps": dataProblems,
  "/secrets": dataProblems,
  "/persistentvolumeclaims": claim,
  "apps/deployments": deployment,
  "apps/replicasets": workload,
  "apps/statefulsets": workload,
  "apps/daemonsets": (object) => [
    ...selectorProblems(object),
    ...templateProblems(object),
    ...alwaysRestarts(object),
  ],
  "batch/jobs": job,
  "batch/cronjobs": (object) =>
    textAt(object, "spec", "schedule") === "" ? [required("spec.schedule")] : [],
  "networking.k8s.io/ingresses": ingress,
  "policy/poddisruptionbudgets": budget,
  "autoscaling/horizontalpodautoscalers": autoscaler,
  "rbac.authorization.k8s.io/roles": roleRules,
  "rbac.authorization.k8s.io/clusterroles": roleRules,
  "rbac.authorization.k8s.io/rolebindings": binding,
  "rbac.authorization.k8s.io/clusterrolebindings": binding,
  "apiextensions.k8s.io/customresourcedefinitions": definition,
  "storage.k8s.io/storageclasses": (object) =>
    textAt(object, "provisioner") === "" ? [required("provisioner")] : [],
};

type Transition = (was: KubeObject, is: KubeObject) => readonly Cause[];

/** The fields that must not change, each reported by its own path. */
const unchanging = (...paths: readonly (readonly string[])[]): Transition => {
  return (was, is) =>
    paths.flatMap((path) => {
      const before = read(was, path);
      const after = read(is, path);
      return sameJson(before, after) ? [] : [immutable(path.join("."), after ?? null)];
    });
};

function read(object: KubeObject, path: readonly string[]): Json | undefined {
  let here: Json | undefined = object;
  for (const step of path) here = isMap(here) ? here[step] : undefined;
  return here;
}

const immutableData: Transition = (was, is) => {
  if (was["immutable"] !== true) return [];
  const fields = ["data", "binaryData"].filter((field) => !sameJson(was[field], is[field]));
  return [
    ...(is["immutable"] === true
      ? []
      : [forbiddenField("immutable", "field is immutable when `immutable` is set")]),
    ...fields.map((field) => forbiddenField(field, "field is immutable when `immutable` is set")),
  ];
};

const statefulSetFields = new Set([
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
]);

const statefulSetTransition: Transition = (was, is) => {
  const before = mapAt(was, "spec");
  const after = mapAt(is, "spec");
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]);
  const isChanged = [...fields].some(
    (field) => !statefulSetFields.has(field) && !sameJson(before[field], after[field]),
  );
  return isChanged
    ? [
        forbiddenField(
          "spec",
          "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ),
      ]
    : [];
};

const podTransition: Transition = (was, is) => {
  const fixed = (object: KubeObject): Json => {
    const {
      activeDeadlineSeconds: _a,
      tolerations: _t,
      nodeName: _n,
      ...spec
    } = mapAt(object, "spec");
    const withoutImages = (containers: Json | undefined): Json =>
      isList(containers)
        ? containers.map((container) =>
            isMap(container) ? { ...container, image: "" } : container,
          )
        : [];
    return {
      ...spec,
      containers: withoutImages(spec["containers"]),
      initContainers: withoutImages(spec["initContainers"]),
    };
  };
  return sameJson(fixed(was), fixed(is))
    ? []
    : [
        forbiddenField(
          "spec",
          "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        ),
      ];
};

const serviceTransition: Transition = (was, is) => {
  const before = textAt(was, "spec", "clusterIP");
  const after = textAt(is, "spec", "clusterIP");
  const isFixed = [was, is].every((object) => textAt(object, "spec", "type") !== "ExternalName");
  return before === "" || before === after || !isFixed
    ? []
    : [
        invalidValue(
          "spec.clusterIPs[0]",
          after === "" ? null : [after],
          "may not change once set",
        ),
      ];
};

const claimTransition: Transition = (was, is) => {
  const before = mapAt(was, "spec")["storageClassName"];
  const fixed = (object: KubeObject): Json => {
    const { resources: _r, volumeName: _v, storageClassName, ...spec } = mapAt(object, "spec");
    // A claim without a class may still be given the default one.
    return before === undefined ? spec : { ...spec, storageClassName: storageClassName ?? "" };
  };
  return sameJson(fixed(was), fixed(is))
    ? []
    : [
        forbiddenField(
          "spec",
          "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
        ),
      ];
};

const roleRefTransition: Transition = (was, is) =>
  sameJson(was["roleRef"], is["roleRef"])
    ? []
    : [invalidValue("roleRef", is["roleRef"] ?? null, "cannot change roleRef")];

const transitions: { readonly [key: string]: Transition } = {
  "/pods": podTransition,
  "/services": serviceTransition,
  "/configmaps": immutableData,
  "/secrets": (was, is) => [...unchanging(["type"])(was, is), ...immutableData(was, is)],
  "/persistentvolumeclaims": claimTransition,
  "apps/deployments": unchanging(["spec", "selector"]),
  "apps/replicasets": unchanging(["spec", "selector"]),
  "apps/daemonsets": unchanging(["spec", "selector"]),
  "apps/statefulsets": statefulSetTransition,
  "batch/jobs": (was, is) =>
    was["spec"] !== is["spec"] && at(was, "suspend") === true && at(is, "suspend") === true
      ? unchanging(["spec", "selector"], ["spec", "completions"])(was, is)
      : unchanging(
          ["spec", "completions"],
          ["spec", "selector"],
          ["spec", "template"],
          ["spec", "completionMode"],
        )(was, is),
  "rbac.authorization.k8s.io/rolebindings": roleRefTransition,
  "rbac.authorization.k8s.io/clusterrolebindings": roleRefTransition,
  "apiextensions.k8s.io/customresourcedefinitions": unchanging(
    ["spec", "group"],
    ["spec", "scope"],
    ["spec", "names", "plural"],
    ["spec", "names", "kind"],
  ),
  "storage.k8s.io/storageclasses": unchanging(["provisioner"], ["parameters"], ["reclaimPolicy"]),
};

/** Every reason to refuse the object as it would be kept; `was` is missing when it is being created. */
export function validate(
  kind: Kind,
  was: KubeObject | undefined,
  is: KubeObject,
): readonly Cause[] {
  return [
    ...metadataProblems(kind, is),
    ...(was === undefined ? [] : (transitions[kind.key]?.(was, is) ?? [])),
    ...(checks[kind.key]?.(is) ?? []),
    ...(was === undefined ? [] : newFinalizers(was, is)),
  ];
}

/** An object on its way out takes no new finalizers. */
function newFinalizers(was: KubeObject, is: KubeObject): readonly Cause[] {
  if (was.metadata.deletionTimestamp === undefined) return [];
  const fresh = (is.metadata.finalizers ?? []).filter(
    (finalizer) => !(was.metadata.finalizers ?? []).includes(finalizer),
  );
  return fresh.length === 0
    ? []
    : [
        forbiddenField(
          "metadata.finalizers",
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${fresh.map((one) => JSON.stringify(one)).join(", ")}}`,
        ),
      ];
}
