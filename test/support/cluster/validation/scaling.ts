import { invalidValue, required } from "../causes.ts";
import { mapAt, textAt } from "../json.ts";
import { at, type Check } from "./check.ts";

export const autoscaler: Check = (object) => {
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

export const budget: Check = (object) => {
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
