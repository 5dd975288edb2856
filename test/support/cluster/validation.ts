/** What the API server refuses in an object's content, worded as it words it. */
import { isIP } from "node:net";
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
import { metadataChangeProblems, metadataProblems } from "./metadata.ts";
import type { KubeObject } from "./object.ts";
import { podProblems, selectorExpressionProblems } from "./pod-validation.ts";
import { labelsOf, matchesLabels, requirementsOf } from "./selectors.ts";
import type { Cause } from "./status.ts";
import { transitionProblems } from "./transitions.ts";

const dataBytesMost = 1_048_576;

type Check = (object: KubeObject) => readonly Cause[];

/** A workload's selector must be there and must select what its template makes. */
function selectorProblems(object: KubeObject): readonly Cause[] {
  const selector = at(object, "selector");
  const labels = labelsOf(mapAt(object, "spec", "template"));
  if (!isMap(selector)) return [required("spec.selector")];
  const requirements = requirementsOf(selector);
  const wrong = selectorExpressionProblems("spec.selector", selector);
  if (wrong.length > 0)
    return [...wrong, invalidValue("spec.selector", selector, "invalid label selector")];
  if (requirements.length === 0)
    return [invalidValue("spec.selector", selector, "empty selector is invalid for deployment")];
  return matchesLabels(requirements, labels)
    ? []
    : [
        invalidValue(
          "spec.template.metadata.labels",
          Object.keys(labels).length === 0 ? null : labels,
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
  return policy === "Always" || policy === ""
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
  const least = at(object, "minReadySeconds");
  const deadline = at(object, "progressDeadlineSeconds");
  return [
    ...workload(object),
    ...strategyProblems(mapAt(object, "spec", "strategy")),
    ...notNegative(object, "minReadySeconds"),
    ...notNegative(object, "revisionHistoryLimit"),
    ...notNegative(object, "progressDeadlineSeconds"),
    ...(typeof deadline === "number" && deadline <= (typeof least === "number" ? least : 0)
      ? [
          invalidValue(
            "spec.progressDeadlineSeconds",
            deadline,
            "must be greater than minReadySeconds",
          ),
        ]
      : []),
  ];
};

function strategyProblems(strategy: JsonMap): readonly Cause[] {
  const path = "spec.strategy";
  const type = textAt(strategy, "type");
  const rolling = strategy["rollingUpdate"];
  switch (type) {
    case "Recreate":
      return isMap(rolling)
        ? [
            forbiddenField(
              `${path}.rollingUpdate`,
              "may not be specified when strategy `type` is 'Recreate'",
            ),
          ]
        : [];
    case "RollingUpdate":
      return rollingProblems(`${path}.rollingUpdate`, isMap(rolling) ? rolling : {});
    default:
      return [
        notSupported(path, { Type: type, RollingUpdate: isMap(rolling) ? rolling : null }, [
          "Recreate",
          "RollingUpdate",
        ]),
      ];
  }
}

function rollingProblems(path: string, rolling: JsonMap): readonly Cause[] {
  const causes = ["maxUnavailable", "maxSurge"].flatMap((field) => {
    const value = rolling[field];
    if (typeof value === "string" && !/^[0-9]+%$/.test(value))
      return [
        invalidValue(
          `${path}.${field}`,
          value,
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        ),
      ];
    return typeof value === "number" && value < 0
      ? [invalidValue(`${path}.${field}`, value, "must be greater than or equal to 0")]
      : [];
  });
  const isNone = (value: Json | undefined): boolean => value === 0 || value === "0%";
  return isNone(rolling["maxUnavailable"]) && isNone(rolling["maxSurge"])
    ? [
        ...causes,
        invalidValue(
          `${path}.maxUnavailable`,
          rolling["maxUnavailable"] ?? 0,
          "may not be 0 when `maxSurge` is 0",
        ),
      ]
    : causes;
}

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
    ...jobSelectorProblems(object),
  ];
};

/** A Job finds its own pods, unless it says that it has a selector of its own. */
function jobSelectorProblems(object: KubeObject): readonly Cause[] {
  const selector = at(object, "selector");
  if (at(object, "manualSelector") === true || !isMap(selector)) return [];
  const labels = labelsOf(mapAt(object, "spec", "template"));
  const isOwn =
    Object.keys(mapAt(selector, "matchLabels")).length === 1 && !("matchExpressions" in selector);
  return [
    ...(isOwn ? [] : [invalidValue("spec.selector", selector, "`selector` not auto-generated")]),
    ...(matchesLabels(requirementsOf(selector), labels)
      ? []
      : [
          invalidValue(
            "spec.template.metadata.labels",
            labels,
            "`selector` does not match template `labels`",
          ),
        ]),
  ];
}

const portRange = "must be between 1 and 65535, inclusive";

const isPort = (value: Json | undefined): boolean =>
  typeof value === "number" && value >= 1 && value <= 65535;

const service: Check = (object) => {
  const spec = mapAt(object, "spec");
  const type = textAt(spec, "type");
  const ports = mapsAt(spec, "ports");
  const address = textAt(spec, "clusterIP");
  const affinity = textAt(spec, "sessionAffinity");
  const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
  return [
    ...(ports.length === 0 && type !== "ExternalName" && address !== "None"
      ? [required("spec.ports")]
      : []),
    ...servicePortProblems(ports),
    ...(["ClientIP", "None"].includes(affinity)
      ? []
      : [notSupported("spec.sessionAffinity", affinity, ["ClientIP", "None"])]),
    ...(types.includes(type) ? [] : [notSupported("spec.type", type, types)]),
    ...(type === "ExternalName" && textAt(spec, "externalName") === ""
      ? [required("spec.externalName")]
      : []),
    ...(type === "ExternalName" || address === "None" || isIP(address) !== 0
      ? []
      : [
          invalidValue(
            "spec.clusterIPs[0]",
            address,
            "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
          ),
        ]),
  ];
};

function servicePortProblems(ports: readonly JsonMap[]): readonly Cause[] {
  const names = new Set<string>();
  const causes = ports.flatMap((port, index) => {
    const here = `spec.ports[${index}]`;
    const name = textAt(port, "name");
    const target = port["targetPort"];
    const protocol = textAt(port, "protocol");
    const found = [
      ...(ports.length > 1 && name === "" ? [required(`${here}.name`)] : []),
      ...(name !== "" && names.has(name) ? [duplicate(`${here}.name`, name)] : []),
      ...(isPort(port["port"]) ? [] : [invalidValue(`${here}.port`, port["port"] ?? 0, portRange)]),
      ...(["SCTP", "TCP", "UDP"].includes(protocol)
        ? []
        : [notSupported(`${here}.protocol`, protocol, ["SCTP", "TCP", "UDP"])]),
      ...(typeof target === "number" && !isPort(target)
        ? [invalidValue(`${here}.targetPort`, target, portRange)]
        : []),
    ];
    names.add(name);
    return found;
  });
  const seen = new Set<string>();
  const doubled = ports.flatMap((port, index) => {
    const number = { Protocol: textAt(port, "protocol"), Port: port["port"] ?? 0 };
    const key = `${number.Protocol}/${JSON.stringify(number.Port)}`;
    const isAgain = seen.has(key);
    seen.add(key);
    return isAgain
      ? [
          duplicate(`spec.ports[${index}]`, {
            Name: "",
            Protocol: number.Protocol,
            AppProtocol: null,
            Port: number.Port,
            TargetPort: 0,
            NodePort: 0,
          }),
        ]
      : [];
  });
  return [...causes, ...doubled];
}

function dataProblems(object: KubeObject): readonly Cause[] {
  let bytes = 0;
  const binary = mapAt(object, "binaryData");
  const causes: Cause[] = [];
  for (const field of ["data", "binaryData"]) {
    for (const [key, value] of Object.entries(mapAt(object, field))) {
      if (field === "data" && key in binary)
        causes.push(invalidValue(`data[${key}]`, key, "duplicate of key present in binaryData"));
      if (key === "." || key.startsWith(".."))
        causes.push(
          invalidValue(
            `${field}[${key}]`,
            key,
            key === "." || key === ".." ? `must not be '${key}'` : "must not start with '..'",
          ),
        );
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

/** Types of Secret that must hold something under a certain key. */
const secretKeys: { readonly [type: string]: readonly string[] } = {
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};

const secret: Check = (object) => [
  ...dataProblems(object),
  ...(secretKeys[textAt(object, "type")] ?? [])
    .filter((key) => !(key in mapAt(object, "data")))
    .map((key) => required(`data[${key}]`)),
];

const ingress: Check = (object) => {
  const spec = mapAt(object, "spec");
  if (!("defaultBackend" in spec) && listAt(spec, "rules").length === 0)
    return [invalidValue("spec", null, "either `defaultBackend` or `rules` must be specified")];
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
        ...(isMap(mapAt(path, "backend")["service"]) || isMap(mapAt(path, "backend")["resource"])
          ? []
          : [invalidValue(`${here}.backend`, "", "resource or service backend is required")]),
      ];
    }),
  );
};

const bindingProblems = (object: KubeObject, isClusterWide: boolean): readonly Cause[] => [
  ...(textAt(object, "roleRef", "name") === "" ? [required("roleRef.name")] : []),
  ...(["Role", "ClusterRole"].includes(textAt(object, "roleRef", "kind"))
    ? []
    : [notSupported("roleRef.kind", textAt(object, "roleRef", "kind"), ["Role", "ClusterRole"])]),
  ...mapsAt(object, "subjects").flatMap((subject, index) => {
    const here = `subjects[${index}]`;
    const kind = textAt(subject, "kind");
    return [
      ...(textAt(subject, "name") === "" ? [required(`${here}.name`)] : []),
      ...(["ServiceAccount", "User", "Group"].includes(kind)
        ? []
        : [notSupported(`${here}.kind`, kind, ["ServiceAccount", "User", "Group"])]),
      // A binding in a namespace means the accounts of that namespace.
      ...(isClusterWide && kind === "ServiceAccount" && textAt(subject, "namespace") === ""
        ? [required(`${here}.namespace`)]
        : []),
    ];
  }),
];

const roleRules: Check = (object) =>
  mapsAt(object, "rules").flatMap((rule, index) => {
    const here = `rules[${index}]`;
    const isPaths = listAt(rule, "nonResourceURLs").length > 0;
    const lacks = (field: string): boolean => listAt(rule, field).length === 0;
    return [
      ...(lacks("verbs")
        ? [required(`${here}.verbs`, "verbs must contain at least one value")]
        : []),
      ...(!isPaths && lacks("apiGroups")
        ? [required(`${here}.apiGroups`, "resource rules must supply at least one api group")]
        : []),
      ...(!isPaths && lacks("resources")
        ? [required(`${here}.resources`, "resource rules must supply at least one resource")]
        : []),
    ];
  });

const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

const claim: Check = (object) => {
  const spec = mapAt(object, "spec");
  return [
    ...(listAt(spec, "accessModes").length === 0
      ? [required("spec.accessModes", "at least 1 access mode is required")]
      : []),
    ...listAt(spec, "accessModes").flatMap((mode) =>
      typeof mode === "string" && accessModes.includes(mode)
        ? []
        : [notSupported("spec.accessModes", mode, accessModes)],
    ),
    ...(textAt(spec, "resources", "requests", "storage") === ""
      ? [required("spec.resources[storage]")]
      : []),
  ];
};

const autoscaler: Check = (object) => {
  const most = at(object, "maxReplicas");
  const least = at(object, "minReplicas");
  const target = mapAt(object, "spec", "scaleTargetRef");
  return [
    ...(typeof most === "number" && most >= 1
      ? []
      : [required("spec.maxReplicas", "must be set and greater than 0")]),
    ...(typeof least === "number" && (typeof most === "number" ? most : 0) < least
      ? [
          invalidValue(
            "spec.maxReplicas",
            most ?? 0,
            "must be greater than or equal to `minReplicas`",
          ),
        ]
      : []),
    ...["kind", "name"].flatMap((field) =>
      textAt(target, field) === "" ? [required(`spec.scaleTargetRef.${field}`)] : [],
    ),
    ...(textAt(target, "apiVersion") === ""
      ? [invalidValue("spec.scaleTargetRef.apiVersion", "", "apiVersion must specify API group")]
      : []),
  ];
};

const budget: Check = (object) => {
  const spec = mapAt(object, "spec");
  return "minAvailable" in spec && "maxUnavailable" in spec
    ? [
        invalidValue(
          "spec",
          {
            MinAvailable: spec["minAvailable"] ?? null,
            Selector: spec["selector"] ?? null,
            MaxUnavailable: spec["maxUnavailable"] ?? null,
            UnhealthyPodEvictionPolicy: spec["unhealthyPodEvictionPolicy"] ?? null,
          },
          "minAvailable and maxUnavailable cannot be both set",
        ),
      ]
    : [];
};

const cronJob: Check = (object) => {
  const schedule = textAt(object, "spec", "schedule");
  if (schedule === "") return [required("spec.schedule")];
  if (schedule.startsWith("@")) return [];
  const fields = schedule.split(/\s+/);
  return fields.length === 5
    ? []
    : [
        invalidValue(
          "spec.schedule",
          schedule,
          `expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`,
        ),
      ];
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
  "/secrets": secret,
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
  "batch/cronjobs": cronJob,
  "networking.k8s.io/ingresses": ingress,
  "policy/poddisruptionbudgets": budget,
  "autoscaling/horizontalpodautoscalers": autoscaler,
  "rbac.authorization.k8s.io/roles": roleRules,
  "rbac.authorization.k8s.io/clusterroles": roleRules,
  "rbac.authorization.k8s.io/rolebindings": (object) => bindingProblems(object, false),
  "rbac.authorization.k8s.io/clusterrolebindings": (object) => bindingProblems(object, true),
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
    ...(was === undefined
      ? metadataProblems(kind, is)
      : [...metadataChangeProblems(is), ...transitionProblems(kind, was, is)]),
    ...(checks[kind.key]?.(is) ?? []),
  ];
}
