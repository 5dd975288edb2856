import { forbiddenField, invalidValue, notSupported, required } from "../causes.ts";
import { isMap, mapAt, textAt, type Json, type JsonMap } from "../json.ts";
import type { KubeObject } from "../object.ts";
import { podProblems, selectorExpressionProblems } from "../pod-validation.ts";
import { labelsOf, matchesLabels, requirementsOf } from "../selectors.ts";
import type { Cause } from "../status.ts";
import { at, notNegative, type Check } from "./check.ts";

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

export const templateProblems = (object: KubeObject): readonly Cause[] =>
  podProblems("spec.template.spec", mapAt(object, "spec", "template", "spec"));

const alwaysRestarts = (object: KubeObject): readonly Cause[] => {
  const policy = textAt(object, "spec", "template", "spec", "restartPolicy");
  return policy === "Always" || policy === ""
    ? []
    : [notSupported("spec.template.spec.restartPolicy", policy, ["Always"])];
};

export const workload: Check = (object) => [
  ...notNegative(object, "replicas"),
  ...selectorProblems(object),
  ...templateProblems(object),
  ...alwaysRestarts(object),
];

export const daemonSet: Check = (object) => [
  ...selectorProblems(object),
  ...templateProblems(object),
  ...alwaysRestarts(object),
];

export const deployment: Check = (object) => {
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
