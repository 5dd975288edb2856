/** An object as a patch leaves it, and the options that patches of each kind may have. */
import { unreachable } from "../../../proto/kit/unreachable.ts";
import { forbiddenField, required } from "./causes.ts";
import type { Json } from "./json.ts";
import type { Kind } from "./kinds.ts";
import type { KubeObject } from "./object.ts";
import { jsonPatch, mergePatch, strategicMergePatch } from "./patch.ts";
import { ApiError, badRequest, invalid } from "./status.ts";
import type { PatchType } from "./verbs.ts";

export function patchedJson(was: KubeObject, type: PatchType, body: Json, kind: Kind): Json {
  switch (type) {
    case "merge":
      return mergePatch(was, body);
    case "strategic":
      return strategicMergePatch(was, body, kind.schema);
    case "json": {
      const patched = jsonPatch(was, body);
      if (patched.ok) return patched.value;
      if (patched.problem.kind === "malformed") throw badRequest(patched.problem.message);
      throw new ApiError(
        422,
        "Invalid",
        `the server rejected our request due to an error in our request`,
        {},
      );
    }
    case "apply":
      throw new TypeError("applying is not patching");
    default:
      return unreachable(type, "kind of patch");
  }
}

/** Options that are missing or do not belong to the kind of patch. */
export function checkPatchOptions(
  type: PatchType,
  given: { readonly manager: string; readonly force: boolean | undefined },
): void {
  const options = { group: "meta.k8s.io", plural: "patchoptions", kind: "PatchOptions" };
  if (type === "apply" && given.manager === "")
    throw invalid(options, "", [required("fieldManager", "is required for apply patch")]);
  if (type !== "apply" && given.force !== undefined)
    throw invalid(options, "", [
      forbiddenField("force", "may not be specified for non-apply patch"),
    ]);
}
