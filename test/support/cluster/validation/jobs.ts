import { invalidValue, notSupported, required } from "../causes.ts";
import { isMap, mapAt, textAt } from "../json.ts";
import type { KubeObject } from "../object.ts";
import { labelsOf, matchesLabels, requirementsOf } from "../selectors.ts";
import type { Cause } from "../status.ts";
import { at, notNegative, type Check } from "./check.ts";
import { templateProblems } from "./workloads.ts";

export const job: Check = (object) => {
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

export const cronJob: Check = (object) => {
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
