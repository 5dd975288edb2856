/** An object as a patch leaves it. */
import { unreachable } from "../../../proto/kit/unreachable.ts";
import type { Json } from "./json.ts";
import type { Kind } from "./kinds.ts";
import type { KubeObject } from "./object.ts";
import { jsonPatch, mergePatch, strategicMergePatch } from "./patch.ts";
import { ApiError, badRequest } from "./status.ts";
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
