/** Lists of conditions as controllers keep them. */
import { mapsAt, textAt, type JsonMap } from "./json.ts";
import type { KubeObject } from "./object.ts";

export type Condition = {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  readonly message?: string;
};

export const conditionOf = (object: KubeObject, type: string): JsonMap | undefined =>
  mapsAt(object, "status", "conditions").find((condition) => textAt(condition, "type") === type);

export const isTrue = (object: KubeObject, type: string): boolean =>
  textAt(conditionOf(object, type), "status") === "True";

/**
 * The object's conditions with some set, the others as they were. A transition time changes only with the
 * status; `stamps` adds times that the kind keeps besides.
 */
export function withConditions(
  object: KubeObject,
  now: string,
  set: readonly Condition[],
  stamps: (condition: Condition, was: JsonMap | undefined) => JsonMap = () => ({}),
): readonly JsonMap[] {
  const kept = mapsAt(object, "status", "conditions");
  const fresh = set.map((condition): JsonMap => {
    const was = kept.find((one) => textAt(one, "type") === condition.type);
    const isSame = was !== undefined && textAt(was, "status") === condition.status;
    return {
      ...condition,
      ...stamps(condition, was),
      lastTransitionTime: isSame ? (was["lastTransitionTime"] ?? now) : now,
    };
  });
  const replaced = kept.map(
    (one) => fresh.find((condition) => condition["type"] === one["type"]) ?? one,
  );
  return [
    ...replaced,
    ...fresh.filter((condition) => !kept.some((one) => one["type"] === condition["type"])),
  ];
}
