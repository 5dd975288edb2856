import { invalidValue, notSupported, required } from "../causes.ts";
import { isMap, mapAt, mapsAt, textAt } from "../json.ts";
import type { Check } from "./check.ts";

export const definition: Check = (object) => {
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
