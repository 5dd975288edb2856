import { notSupported, required } from "../causes.ts";
import { listAt, mapsAt, textAt } from "../json.ts";
import type { KubeObject } from "../object.ts";
import type { Cause } from "../status.ts";
import type { Check } from "./check.ts";

export const bindingProblems = (object: KubeObject, isClusterWide: boolean): readonly Cause[] => [
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

export const roleRules: Check = (object) =>
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
