import { unreachable } from "../../proto/kit/unreachable.ts";
import type { TokenScope } from "./token-record.ts";

/** What a request wants to do. */
export type Access = "read" | "write";

/** Whether a token of this scope may do it. Writing includes reading. */
export function scopeAllows(scope: TokenScope, access: Access): boolean {
  switch (access) {
    case "read":
      return true;
    case "write":
      return scope === "write";
    default:
      return unreachable(access, "access");
  }
}
