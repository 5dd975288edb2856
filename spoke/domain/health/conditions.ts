import { isFields, listAt, textAt } from "../fields.ts";
import type { KubeObject } from "../kube-object.ts";

/** One entry of `status.conditions`, whatever its kind. */
export type Condition = {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  /** `undefined` when it does not say since when. */
  readonly sinceMs: number | undefined;
};

export const conditionsOf = (object: KubeObject): readonly Condition[] =>
  readConditions(listAt(object, "status", "conditions"));

export const conditionOf = (object: KubeObject, type: string): Condition | undefined =>
  conditionsOf(object).find((condition) => condition.type === type);

export const readConditions = (list: readonly unknown[]): readonly Condition[] =>
  list.filter(isFields).map((condition) => {
    const sinceMs = Date.parse(textAt(condition, "lastTransitionTime"));
    return {
      type: textAt(condition, "type"),
      status: textAt(condition, "status"),
      reason: textAt(condition, "reason"),
      message: textAt(condition, "message"),
      sinceMs: Number.isNaN(sinceMs) ? undefined : sinceMs,
    };
  });
