import type { Json } from "../../../../proto/words/digest.ts";
import { entriesOf, isJsonMap, listOf, ModelFailure, own, textOf } from "./model-values.ts";

const keyShape =
  /^(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const valueShape = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** A label selector read term by term, each asked on its own. */
export function selects(
  selector: Json | undefined,
  strictValues: boolean,
): (labels: ReadonlyMap<string, string>) => boolean {
  const terms: ((labels: ReadonlyMap<string, string>) => boolean)[] = [];
  const checked = (key: string, values: readonly string[]): void => {
    if (!keyShape.test(key)) throw new ModelFailure(`no label key: ${key}`);
    if (strictValues && !values.every((value) => valueShape.test(value)))
      throw new ModelFailure(`no label value: ${values.join()}`);
  };
  for (const [key, value] of entriesOf(own(selector, "matchLabels"))) {
    checked(key, [textOf(value)]);
    terms.push((labels) => labels.get(key) === textOf(value));
  }
  for (const expression of listOf(own(selector, "matchExpressions"))) {
    if (!isJsonMap(expression)) throw new ModelFailure("no expression");
    const key = textOf(own(expression, "key"));
    const values = listOf(own(expression, "values")).map(textOf);
    const operator = textOf(own(expression, "operator"));
    checked(key, values);
    if ((operator === "In" || operator === "NotIn") && values.length === 0)
      throw new ModelFailure("no values");
    if ((operator === "Exists" || operator === "DoesNotExist") && values.length > 0)
      throw new ModelFailure("values that are not asked for");
    switch (operator) {
      case "In":
        terms.push((labels) => values.some((value) => labels.get(key) === value));
        break;
      case "NotIn":
        terms.push((labels) => !values.some((value) => labels.get(key) === value));
        break;
      case "Exists":
        terms.push((labels) => labels.has(key));
        break;
      case "DoesNotExist":
        terms.push((labels) => !labels.has(key));
        break;
      default:
        throw new ModelFailure(`no operator ${operator}`);
    }
  }
  return (labels) => terms.every((term) => term(labels));
}
