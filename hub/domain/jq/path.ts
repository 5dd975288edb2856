import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { unreachable } from "../../../proto/kit/unreachable.ts";
import { canonicalJson, type Json } from "../../../proto/words/digest.ts";
import { field, isList, isObject } from "../document.ts";
import { JqSyntaxError, parseJq, type JqNode } from "./parse.ts";
import { compileRegexp } from "../regexp/regexp.ts";

/** Where something is in a document: names of fields and numbers of items. */
export type JsonPath = readonly (string | number)[];

/** The places in a document that an expression names; none when it does not apply to the document. */
export type JqPath = (document: Json) => readonly JsonPath[];

/**
 * Compiles a path expression in the part of jq that names places: fields, items, `[]`, `select` with
 * comparisons, `contains`, `startswith`, `endswith`, `test`, `has`, `length`, `type`, `any`, `all`, `not`.
 * Fails with a sentence.
 *
 * One thing is more than jq: a `select` that can say nothing about a list is asked about each of its items.
 */
export function compileJqPath(expression: string): Result<JqPath, string> {
  let node: JqNode;
  try {
    node = parseJq(expression);
  } catch (error) {
    if (error instanceof JqSyntaxError)
      return fail(`is not a jq path expression that is understood: ${error.message}`);
    throw error;
  }
  return ok((document) => {
    try {
      return evaluate(node, { value: document, path: [] }).flatMap(({ path }) =>
        path === undefined || path.length === 0 ? [] : [path],
      );
    } catch (error) {
      // What an expression cannot say about this document, it does not say.
      if (error instanceof NotApplicable) return [];
      throw error;
    }
  });
}

class NotApplicable extends Error {}

/** A value, and where it is when it is a part of the document. */
type Item = { readonly value: Json; readonly path: JsonPath | undefined };

const made = (value: Json): Item => ({ value, path: undefined });

function evaluate(node: JqNode, input: Item): readonly Item[] {
  switch (node.kind) {
    case "identity":
      return [input];
    case "literal":
      return [made(node.value)];
    case "field":
      return evaluate(node.of, input).map((item) => fieldOf(item, node.name));
    case "index":
      return evaluate(node.of, input).map((item) => itemOf(item, node.index));
    case "each":
      return evaluate(node.of, input).flatMap(childrenOf);
    case "try":
      return tried(() => evaluate(node.of, input)) ?? [];
    case "pipe":
      return evaluate(node.left, input).flatMap((item) => evaluate(node.right, item));
    case "both":
      return [...evaluate(node.left, input), ...evaluate(node.right, input)];
    case "binary":
      return evaluate(node.left, input).flatMap(({ value: left }) =>
        evaluate(node.right, input).map(({ value: right }) =>
          made(operated(node.operator, left, right)),
        ),
      );
    case "call":
      return called(node.name, node.argument, input);
    default:
      return unreachable(node, "jq node");
  }
}

function tried<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof NotApplicable) return undefined;
    throw error;
  }
}

const below = ({ path }: Item, step: string | number): JsonPath | undefined =>
  path === undefined ? undefined : [...path, step];

function fieldOf(item: Item, name: string): Item {
  const { value } = item;
  if (value === null) return { value: null, path: below(item, name) };
  if (!isObject(value)) throw new NotApplicable(`no field ${name}`);
  return { value: field(value, name) ?? null, path: below(item, name) };
}

function itemOf(item: Item, index: number): Item {
  const { value } = item;
  if (value === null) return { value: null, path: below(item, index) };
  if (!isList(value)) throw new NotApplicable(`no item ${index}`);
  const at = index < 0 ? value.length + index : index;
  return { value: value[at] ?? null, path: below(item, at) };
}

function childrenOf(item: Item): readonly Item[] {
  const { value } = item;
  if (isList(value))
    return value.map((child, index) => ({ value: child, path: below(item, index) }));
  if (isObject(value))
    return Object.keys(value).map((key) => ({
      value: field(value, key) ?? null,
      path: below(item, key),
    }));
  throw new NotApplicable("nothing to iterate over");
}

const isTrue = (value: Json): boolean => value !== null && value !== false;

function called(name: string, argument: JqNode | undefined, input: Item): readonly Item[] {
  const { value } = input;
  const given = (): Json =>
    argument === undefined ? null : (evaluate(argument, input)[0]?.value ?? null);
  const holds = (item: Item): boolean =>
    argument === undefined
      ? isTrue(item.value)
      : evaluate(argument, item).some((result) => isTrue(result.value));
  switch (name) {
    case "select":
      return selected(input, holds);
    case "not":
      return [made(!isTrue(value))];
    case "empty":
      return [];
    case "any":
      return [made(childrenOf(input).some(holds))];
    case "all":
      return [made(childrenOf(input).every(holds))];
    case "contains":
      return [made(contains(value, given()))];
    case "has":
      return [made(has(value, given()))];
    case "startswith":
      return [made(textOf(value).startsWith(textOf(given())))];
    case "endswith":
      return [made(textOf(value).endsWith(textOf(given())))];
    case "test":
      return [made(matches(textOf(value), textOf(given())))];
    case "length":
      return [made(lengthOf(value))];
    case "type":
      return [made(typeOf(value))];
    default:
      throw new NotApplicable(`no function ${name}`);
  }
}

function selected(input: Item, holds: (item: Item) => boolean): readonly Item[] {
  const whole = tried(() => holds(input));
  if (whole !== undefined) return whole ? [input] : [];
  if (!isList(input.value)) throw new NotApplicable("a condition that cannot be asked here");
  return childrenOf(input).filter(holds);
}

function operated(operator: string, left: Json, right: Json): Json {
  switch (operator) {
    case "and":
      return isTrue(left) && isTrue(right);
    case "or":
      return isTrue(left) || isTrue(right);
    case "//":
      return isTrue(left) ? left : right;
    case "==":
      return canonicalJson(left) === canonicalJson(right);
    case "!=":
      return canonicalJson(left) !== canonicalJson(right);
    default:
      return compared(operator, left, right);
  }
}

function compared(operator: string, left: Json, right: Json): boolean {
  const ordered =
    (typeof left === "number" && typeof right === "number") ||
    (typeof left === "string" && typeof right === "string");
  if (!ordered) throw new NotApplicable("only numbers and texts are ordered");
  switch (operator) {
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    default:
      return left >= right;
  }
}

function contains(whole: Json, part: Json): boolean {
  if (typeof whole === "string" && typeof part === "string") return whole.includes(part);
  if (isList(whole) && isList(part))
    return part.every((wanted) =>
      whole.some((item) => tried(() => contains(item, wanted)) ?? false),
    );
  if (isObject(whole) && isObject(part))
    return Object.keys(part).every((key) => {
      const inner = field(whole, key);
      return inner !== undefined && contains(inner, field(part, key) ?? null);
    });
  if (typeOf(whole) !== typeOf(part)) throw new NotApplicable("unlike things contain nothing");
  return canonicalJson(whole) === canonicalJson(part);
}

function has(value: Json, key: Json): boolean {
  if (isObject(value) && typeof key === "string") return Object.hasOwn(value, key);
  if (isList(value) && typeof key === "number") return key >= 0 && key < value.length;
  throw new NotApplicable("has() asks an object for a name or a list for a number");
}

function textOf(value: Json): string {
  if (typeof value === "string") return value;
  throw new NotApplicable("not a text");
}

function matches(text: string, pattern: string): boolean {
  const compiled = compileRegexp(pattern);
  if (!compiled.ok) throw new NotApplicable(compiled.problem);
  // Linear in a text that is one field of an Application.
  return compiled.value.matches(text, () => {});
}

function lengthOf(value: Json): number {
  if (value === null) return 0;
  if (typeof value === "string") return Array.from(value).length;
  if (isList(value)) return value.length;
  if (isObject(value)) return Object.keys(value).length;
  if (typeof value === "number") return Math.abs(value);
  throw new NotApplicable("no length");
}

function typeOf(value: Json): string {
  if (value === null) return "null";
  if (isList(value)) return "array";
  if (isObject(value)) return "object";
  return typeof value === "bigint" ? "number" : typeof value;
}
