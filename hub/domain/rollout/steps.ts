import type { Labels } from "../records.ts";
import type { RolloutStrategy, StepExpression } from "./strategy.ts";

/** Which applications of a set go out in which step, counted from 0, and what is odd about it. */
export type RolloutSteps = {
  readonly steps: readonly (readonly string[])[];
  /** The first step that selects it; an application that none selects is absent. */
  readonly stepOf: ReadonlyMap<string, number>;
  readonly issues: RolloutIssues;
};

export type RolloutIssues = {
  /** Those that kept an application out, each operator of a step once. */
  readonly invalidExpressions: readonly { readonly step: number; readonly operator: string }[];
  /** Applications that several steps select, and those steps. */
  readonly duplicates: ReadonlyMap<string, readonly number[]>;
  readonly invalidMaxUpdates: readonly { readonly step: number; readonly written: string }[];
  readonly emptySteps: readonly number[];
};

type Labelled = { readonly name: string; readonly labels: Labels };

/** Sorts applications into the steps of a strategy by their labels. */
export function rolloutSteps(
  strategy: RolloutStrategy | undefined,
  applications: readonly Labelled[],
): RolloutSteps {
  const indexed = (strategy?.steps ?? []).map((step, index) => ({ ...step, index }));
  const steps = indexed.map((): string[] => []);
  const selections = new Map<string, number[]>();
  const invalid = new Map<string, { readonly step: number; readonly operator: string }>();
  for (const { name, labels } of applications)
    for (const { expressions, index } of indexed) {
      const against = expressions.find((expression) => !selects(expression, labels));
      if (against === undefined) {
        steps[index]?.push(name);
        selections.set(name, [...(selections.get(name) ?? []), index]);
      } else if (!isKnown(against.operator))
        invalid.set(`${index} ${against.operator}`, { step: index, operator: against.operator });
    }
  return {
    steps,
    stepOf: new Map([...selections].map(([name, [first = 0]]) => [name, first])),
    issues: {
      invalidExpressions: [...invalid.values()],
      duplicates: new Map([...selections].filter(([, found]) => found.length > 1)),
      invalidMaxUpdates: indexed.flatMap(({ maxUpdate, index }) =>
        maxUpdate.kind === "invalid" ? [{ step: index, written: maxUpdate.written }] : [],
      ),
      emptySteps: steps.flatMap((names, index) => (names.length === 0 ? [index] : [])),
    },
  };
}

const isKnown = (operator: string): boolean => operator === "In" || operator === "NotIn";

/** An operator nobody knows selects only what lacks the label, as in Argo CD. */
function selects({ key, operator, values }: StepExpression, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  if (operator === "In") return value !== undefined && values.includes(value);
  if (operator === "NotIn") return value === undefined || !values.includes(value);
  return value === undefined;
}

/** The most serious of the issues as one sentence, in Argo CD's words. */
export function issueSentence(issues: RolloutIssues): string | undefined {
  const { invalidExpressions, duplicates, invalidMaxUpdates, emptySteps } = issues;
  if (invalidExpressions.length > 0) {
    const operators = invalidExpressions.map(({ operator }) => operator).join(", ");
    return `${stepsWith(invalidExpressions)} invalid matchExpression operators: ${operators}. Supported Operators are 'In' and 'NotIn'`;
  }
  if (duplicates.size > 0) return duplicateSentence(duplicates);
  if (invalidMaxUpdates.length > 0) {
    const values = invalidMaxUpdates.map(({ written }) => written).join(", ");
    return invalidMaxUpdates.length === 1
      ? `${stepsWith(invalidMaxUpdates)} an invalid maxUpdate value: ${values}`
      : `${stepsWith(invalidMaxUpdates)} invalid maxUpdate values: [${values}]`;
  }
  if (emptySteps.length > 0)
    return `Steps [${emptySteps.map((step) => step + 1).join(" ")}] have no applications matching their criteria`;
  return undefined;
}

function stepsWith(found: readonly { readonly step: number }[]): string {
  const numbers = found.map(({ step }) => step + 1);
  return numbers.length === 1 ? `Step ${numbers[0]} has` : `Steps ${numbers.join(", ")} have`;
}

function duplicateSentence(duplicates: RolloutIssues["duplicates"]): string {
  const found = [...duplicates].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const names = found.map(([name]) => `'${name}'`).join(", ");
  const steps = found.map(([, selected]) => `(${selected.map((step) => step + 1).join("-")})`);
  return found.length === 1
    ? `Application ${names} is selected by multiple steps: ${steps.join("")}`
    : `Applications ${names} are selected by multiple steps: [${steps.join(", ")}]`;
}
