/** Conflicts between appliers, in the words of a 409. */
import { ApiError } from "../status.ts";
import { pathText } from "./field-set.ts";
import type { ApplyConflict } from "./managed-fields.ts";

function managerText(found: ApplyConflict): string {
  const name = JSON.stringify(found.manager);
  const where =
    found.subresource === ""
      ? name
      : `${name} with subresource ${JSON.stringify(found.subresource)}`;
  return found.operation === "Update" ? `${where} using ${found.apiVersion}` : where;
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function applyConflict(found: readonly ApplyConflict[]): ApiError {
  const conflicts = found.toSorted((a, b) => compareText(managerText(a), managerText(b)));
  const causes = conflicts.map((one) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${managerText(one)}`,
    field: pathText(one.path),
  }));
  const byManager = new Map<string, string[]>();
  for (const one of conflicts) {
    const paths = byManager.get(managerText(one)) ?? [];
    byManager.set(managerText(one), [...paths, pathText(one.path)]);
  }
  const [only] = causes;
  const message =
    causes.length === 1 && only !== undefined
      ? `Apply failed with 1 conflict: ${only.message}: ${only.field}`
      : `Apply failed with ${causes.length} conflicts: ${[...byManager]
          .map(
            ([manager, paths]) =>
              `conflicts with ${manager}:\n${paths.map((path) => `- ${path}`).join("\n")}`,
          )
          .join("\n")}`;
  return new ApiError(409, "Conflict", message, { causes });
}
