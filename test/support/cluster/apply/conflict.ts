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

export function applyConflict(conflicts: readonly ApplyConflict[]): ApiError {
  const causes = conflicts.map((found) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${managerText(found)}`,
    field: pathText(found.path),
  }));
  const byManager = new Map<string, string[]>();
  for (const found of conflicts) {
    const paths = byManager.get(managerText(found)) ?? [];
    byManager.set(managerText(found), [...paths, pathText(found.path)]);
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
