import { unreachable } from "../../../proto/kit/unreachable.ts";
import type { Json } from "../../../proto/words/digest.ts";
import { describe, FieldReader, isObject } from "../document.ts";

/** How the changes of a set go out. Without a strategy they all go at once. */
export type RolloutStrategy = {
  readonly steps: readonly RolloutStep[];
  /** Whether a set that is removed takes its applications along from the last step to the first. */
  readonly deletesInReverse: boolean;
};

export type RolloutStep = {
  /** All must hold; without any the step selects every application. */
  readonly expressions: readonly StepExpression[];
  readonly maxUpdate: MaxUpdate;
};

export type StepExpression = {
  readonly key: string;
  /** As written: `In` and `NotIn` are understood. */
  readonly operator: string;
  readonly values: readonly string[];
};

/** How many applications of a step may be under way at once. */
export type MaxUpdate =
  | { readonly kind: "all" }
  | { readonly kind: "count"; readonly count: number }
  /** Never rounded down to none; 0% is a count of none. */
  | { readonly kind: "percent"; readonly percent: number }
  /** It counts as one. */
  | { readonly kind: "invalid"; readonly written: string };

/** The `strategy` of a set's spec; `undefined` for everything at once. */
export function readStrategy(spec: FieldReader): RolloutStrategy | undefined {
  const strategy = spec.inside("strategy");
  const type = strategy.text("type");
  if (type !== "" && type !== "RollingSync" && type !== "AllAtOnce")
    strategy.complain("type", `must be RollingSync or AllAtOnce, got ${JSON.stringify(type)}`);
  const order = strategy.text("deletionOrder").toLowerCase();
  if (order !== "" && order !== "reverse" && order !== "allatonce")
    strategy.complain(
      "deletionOrder",
      `must be Reverse or AllAtOnce, got ${JSON.stringify(order)}`,
    );
  if (type !== "RollingSync" || strategy.object("rollingSync") === undefined) return undefined;
  const rolling = strategy.inside("rollingSync");
  const steps = rolling.list("steps").map((step, index) => readStep(step, index, rolling));
  return { steps, deletesInReverse: order === "reverse" && steps.length > 0 };
}

function readStep(step: Json, index: number, rolling: FieldReader): RolloutStep {
  if (!isObject(step)) {
    rolling.complain(`steps[${index}]`, `must be a mapping, got ${describe(step)}`);
    return { expressions: [], maxUpdate: { kind: "all" } };
  }
  const fields = new FieldReader(step, rolling.path(`steps[${index}]`), rolling.problems);
  const expressions = fields
    .list("matchExpressions")
    .flatMap((item, at): readonly StepExpression[] => {
      if (!isObject(item)) {
        fields.complain(`matchExpressions[${at}]`, `must be a mapping, got ${describe(item)}`);
        return [];
      }
      const expression = new FieldReader(
        item,
        fields.path(`matchExpressions[${at}]`),
        fields.problems,
      );
      return [
        {
          key: expression.text("key"),
          operator: expression.text("operator"),
          values: expression.texts("values"),
        },
      ];
    });
  return { expressions, maxUpdate: readMaxUpdate(fields.value("maxUpdate")) };
}

function readMaxUpdate(value: Json | undefined): MaxUpdate {
  if (value === undefined) return { kind: "all" };
  if (typeof value === "number" && Number.isInteger(value)) return { kind: "count", count: value };
  const written = typeof value === "string" ? value : describe(value);
  if (written === "0%") return { kind: "count", count: 0 };
  const percent = /^([+-]?[0-9]{1,15})%$/.exec(written)?.[1];
  return percent === undefined
    ? { kind: "invalid", written }
    : { kind: "percent", percent: Number(percent) };
}

/** How many of `total` may be under way. Percentages are rounded down, but are never none. */
export function updatesMost(maxUpdate: MaxUpdate, total: number): number {
  switch (maxUpdate.kind) {
    case "all":
      return Infinity;
    case "count":
      return maxUpdate.count;
    case "percent":
      return Math.max(1, Math.floor((total * maxUpdate.percent) / 100));
    case "invalid":
      return 1;
    default:
      return unreachable(maxUpdate, "maxUpdate");
  }
}
