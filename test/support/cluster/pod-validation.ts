/** What the API server refuses in a pod, and in the templates that make pods. */
import { duplicate, forbiddenField, invalidValue, notSupported, required } from "./causes.ts";
import { isMap, listAt, mapAt, mapsAt, textAt, type Json, type JsonMap } from "./json.ts";
import { labelNameProblems, subdomainPattern, subdomainRule } from "./metadata.ts";
import { quantityValue } from "./quantity.ts";
import type { Cause } from "./status.ts";

export function podProblems(path: string, spec: JsonMap): readonly Cause[] {
  const containers = mapsAt(spec, "containers");
  const initContainers = mapsAt(spec, "initContainers");
  const volumes = mapsAt(spec, "volumes");
  const known = new Set(volumes.map((volume) => textAt(volume, "name")));
  const account = textAt(spec, "serviceAccountName");
  return [
    ...volumeProblems(`${path}.volumes`, volumes),
    ...(containers.length === 0 ? [required(`${path}.containers`)] : []),
    ...containerProblems(`${path}.containers`, containers, known, new Set()),
    ...containerProblems(
      `${path}.initContainers`,
      initContainers,
      known,
      new Set(containers.map((container) => textAt(container, "name"))),
    ),
    ...oneOf(`${path}.restartPolicy`, textAt(spec, "restartPolicy"), [
      "Always",
      "OnFailure",
      "Never",
    ]),
    ...oneOf(`${path}.dnsPolicy`, textAt(spec, "dnsPolicy"), [
      "ClusterFirstWithHostNet",
      "ClusterFirst",
      "Default",
      "None",
    ]),
    ...(account === "" || subdomainPattern.test(account)
      ? []
      : [invalidValue(`${path}.serviceAccountName`, account, subdomainRule)]),
    ...mapsAt(spec, "tolerations").flatMap((toleration, index) =>
      tolerationProblems(`${path}.tolerations[${index}]`, toleration),
    ),
  ];
}

const oneOf = (field: string, value: string, known: readonly string[]): readonly Cause[] =>
  value === "" || known.includes(value) ? [] : [notSupported(field, value, known)];

function containerProblems(
  path: string,
  containers: readonly JsonMap[],
  volumes: ReadonlySet<string>,
  taken: Set<string>,
): readonly Cause[] {
  return containers.flatMap((container, index) => {
    const here = `${path}[${index}]`;
    const name = textAt(container, "name");
    const causes: Cause[] = [];
    if (name === "") causes.push(required(`${here}.name`));
    else causes.push(...labelNameProblems(`${here}.name`, name));
    if (name !== "" && taken.has(name)) causes.push(duplicate(`${here}.name`, name));
    taken.add(name);
    if (textAt(container, "image") === "") causes.push(required(`${here}.image`));
    return [
      ...causes,
      ...oneOf(`${here}.imagePullPolicy`, textAt(container, "imagePullPolicy"), [
        "Always",
        "IfNotPresent",
        "Never",
      ]),
      ...portProblems(`${here}.ports`, mapsAt(container, "ports")),
      ...environmentProblems(`${here}.env`, mapsAt(container, "env")),
      ...mountProblems(`${here}.volumeMounts`, mapsAt(container, "volumeMounts"), volumes),
      ...["livenessProbe", "readinessProbe", "startupProbe"].flatMap((probe) =>
        probeProblems(`${here}.${probe}`, container[probe]),
      ),
      ...resourceProblems(`${here}.resources`, mapAt(container, "resources")),
    ];
  });
}

const portRange = "must be between 1 and 65535, inclusive";

function portProblems(path: string, ports: readonly JsonMap[]): readonly Cause[] {
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const here = `${path}[${index}]`;
    const causes: Cause[] = [];
    const name = textAt(port, "name");
    if (name !== "") {
      const wrong = portNameProblems(name);
      causes.push(...wrong.map((why) => invalidValue(`${here}.name`, name, why)));
      if (wrong.length === 0 && names.has(name)) causes.push(duplicate(`${here}.name`, name));
      names.add(name);
    }
    const value = port["containerPort"];
    if (value === undefined || value === 0) causes.push(required(`${here}.containerPort`));
    else if (typeof value !== "number" || value < 1 || value > 65535)
      causes.push(invalidValue(`${here}.containerPort`, value, portRange));
    return [
      ...causes,
      ...oneOf(`${here}.protocol`, textAt(port, "protocol"), ["SCTP", "TCP", "UDP"]),
    ];
  });
}

/** Why a text cannot name a port. */
function portNameProblems(name: string): readonly string[] {
  return [
    ...(name.length > 15 ? ["must be no more than 15 characters"] : []),
    ...(/^[-a-z0-9]+$/.test(name)
      ? []
      : ["must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"]),
    ...(/[a-z]/.test(name) ? [] : ["must contain at least one letter (a-z)"]),
    ...(name.includes("--") ? ["must not contain consecutive hyphens"] : []),
    ...(/^-|-$/.test(name) ? ["must not begin or end with a hyphen"] : []),
  ];
}

function environmentProblems(path: string, variables: readonly JsonMap[]): readonly Cause[] {
  return variables.flatMap((variable, index) => {
    const here = `${path}[${index}]`;
    const name = textAt(variable, "name");
    const source = variable["valueFrom"];
    return [
      ...(name === ""
        ? [required(`${here}.name`)]
        : /^[ -<>-~]+$/.test(name)
          ? []
          : [
              invalidValue(
                `${here}.name`,
                name,
                "a valid environment variable name must consist only of printable ASCII characters other than '='",
              ),
            ]),
      ...(isMap(source) && textAt(variable, "value") !== ""
        ? [invalidValue(`${here}.valueFrom`, "", "may not be specified when `value` is not empty")]
        : []),
    ];
  });
}

function mountProblems(
  path: string,
  mounts: readonly JsonMap[],
  volumes: ReadonlySet<string>,
): readonly Cause[] {
  const paths = new Set<string>();
  return mounts.flatMap((mount, index) => {
    const here = `${path}[${index}]`;
    const name = textAt(mount, "name");
    const mountPath = textAt(mount, "mountPath");
    const causes: Cause[] = [];
    if (name === "") causes.push(required(`${here}.name`));
    else if (!volumes.has(name))
      causes.push({
        reason: "FieldValueNotFound",
        message: `Not found: ${JSON.stringify(name)}`,
        field: `${here}.name`,
      });
    if (mountPath === "") causes.push(required(`${here}.mountPath`));
    else if (paths.has(mountPath))
      causes.push(invalidValue(`${here}.mountPath`, mountPath, "must be unique"));
    paths.add(mountPath);
    return causes;
  });
}

function probeProblems(path: string, probe: Json | undefined): readonly Cause[] {
  if (!isMap(probe)) return [];
  const handlers = ["exec", "httpGet", "tcpSocket", "grpc"].filter((one) => one in probe);
  return handlers.length === 0 ? [required(path, "must specify a handler type")] : [];
}

function resourceProblems(path: string, resources: JsonMap): readonly Cause[] {
  const limits = mapAt(resources, "limits");
  const requests = mapAt(resources, "requests");
  const negative = (list: string, amounts: JsonMap): readonly Cause[] =>
    Object.entries(amounts).flatMap(([name, amount]) =>
      typeof amount === "string" && quantityValue(amount) < 0
        ? [invalidValue(`${path}.${list}[${name}]`, amount, "must be greater than or equal to 0")]
        : [],
    );
  return [
    ...negative("limits", limits),
    ...negative("requests", requests),
    ...Object.entries(requests).flatMap(([name, amount]) => {
      const limit = limits[name];
      return typeof amount === "string" &&
        typeof limit === "string" &&
        quantityValue(amount) > quantityValue(limit)
        ? [
            invalidValue(
              `${path}.requests`,
              amount,
              `must be less than or equal to ${name} limit of ${limit}`,
            ),
          ]
        : [];
    }),
  ];
}

function volumeProblems(path: string, volumes: readonly JsonMap[]): readonly Cause[] {
  const names = new Set<string>();
  return volumes.flatMap((volume, index) => {
    const here = `${path}[${index}]`;
    const name = textAt(volume, "name");
    const causes: Cause[] = [];
    if (name === "") causes.push(required(`${here}.name`));
    else causes.push(...labelNameProblems(`${here}.name`, name));
    if (name !== "" && names.has(name)) causes.push(duplicate(`${here}.name`, name));
    names.add(name);
    const [, ...others] = volumeSourceOrder.filter((source) => source in volume);
    for (const other of others)
      causes.push(forbiddenField(`${here}.${other}`, "may not specify more than 1 volume type"));
    const needed: readonly (readonly [source: string, field: string])[] = [
      ["configMap", "name"],
      ["secret", "secretName"],
      ["persistentVolumeClaim", "claimName"],
      ["hostPath", "path"],
    ];
    for (const [source, field] of needed)
      if (source in volume && !others.includes(source) && textAt(volume, source, field) === "")
        causes.push(required(`${here}.${source}.${field}`));
    return causes;
  });
}

/** In the order in which the API looks for them: the first one counts. */
const volumeSourceOrder = [
  "emptyDir",
  "hostPath",
  "secret",
  "nfs",
  "persistentVolumeClaim",
  "configMap",
  "downwardAPI",
  "projected",
  "csi",
  "ephemeral",
];

function tolerationProblems(path: string, toleration: JsonMap): readonly Cause[] {
  const operator = textAt(toleration, "operator");
  const key = textAt(toleration, "key");
  return [
    ...(key === "" && operator !== "Exists"
      ? [
          invalidValue(
            `${path}.operator`,
            operator,
            'operator must be Exists when `key` is empty, which means "match all values and all keys"',
          ),
        ]
      : []),
    ...(operator === "Exists" && textAt(toleration, "value") !== ""
      ? [
          invalidValue(
            `${path}.operator`,
            toleration,
            "value must be empty when `operator` is 'Exists'",
          ),
        ]
      : []),
    ...oneOf(`${path}.operator`, operator, ["Equal", "Exists"]),
  ];
}

/** A label selector's expressions: an operator nobody knows, and values that do not go with it. */
export function selectorExpressionProblems(path: string, selector: JsonMap): readonly Cause[] {
  return mapsAt(selector, "matchExpressions").flatMap((expression, index) => {
    const here = `${path}.matchExpressions[${index}]`;
    const operator = textAt(expression, "operator");
    const hasValues = listAt(expression, "values").length > 0;
    switch (operator) {
      case "In":
      case "NotIn":
        return hasValues
          ? []
          : [required(`${here}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
      case "Exists":
      case "DoesNotExist":
        return hasValues
          ? [
              forbiddenField(
                `${here}.values`,
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
              ),
            ]
          : [];
      default:
        return [invalidValue(`${here}.operator`, operator, "not a valid selector operator")];
    }
  });
}
