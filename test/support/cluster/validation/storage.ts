import { notSupported, required } from "../causes.ts";
import { listAt, mapAt, textAt } from "../json.ts";
import type { Check } from "./check.ts";

const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

export const claim: Check = (object) => {
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
