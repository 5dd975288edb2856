/** What the API server refuses in an object's content, worded as it words it. */
import {
  duplicate,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from "./causes.ts";
import { isMap, listAt, mapAt, mapsAt, textAt, type Json, type JsonMap } from "./json.ts";
import type { Kind } from "./kinds.ts";
import { labelPattern, labelRule, metadataProblems } from "./metadata.ts";
import type { KubeObject } from "./object.ts";
import { labelsOf, matchesLabels, requirementsOf } from "./selectors.ts";
import type { Cause } from "./status.ts";
import { transitionProblems } from "./transitions.ts";

const dataBytesMost = 1_048_576;

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

/** Every reason to refuse the object as it would be kept; `was` is missing when it is being created. */
export function validate(
  kind: Kind,
  was: KubeObject | undefined,
  is: KubeObject,
): readonly Cause[] {
  return [
    ...metadataProblems(kind, is),
    ...(was === undefined ? [] : transitionProblems(kind, was, is)),
    ...(checks[kind.key]?.(is) ?? []),
  ];
}
