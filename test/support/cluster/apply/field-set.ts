/**
 * Sets of field paths in the form the API keeps them in `managedFields`.
 *
 * A set is a tree of path elements: `f:name` a field, `k:{…}` a list item by its keys, `v:…` an item of a set.
 * A node is itself in the set when it has no children, or has the child ".". The root never is: an empty
 * root is the empty set. Sets are never changed in place and share what did not change.
 */
import { isMap, type Json, type JsonMap } from "../json.ts";

export type FieldSet = { readonly [element: string]: FieldSet };

type Node = FieldSet | undefined;

export const emptySet: FieldSet = {};

const member: FieldSet = {};
const self = ".";

/** Whether a node below the root is in the set itself, beside whatever is below it. */
export const isMember = (node: Node): boolean =>
  node !== undefined && (self in node || Object.keys(node).length === 0);

export const isEmptySet = (set: FieldSet): boolean => {
  const elements = Object.keys(set);
  return elements.length === 0 || (elements.length === 1 && elements[0] === self);
};

export const fieldElement = (name: string): string => `f:${name}`;

export const valueElement = (value: Json): string => `v:${JSON.stringify(value)}`;

/** `k:{"containerPort":80,"protocol":"TCP"}`: keys in alphabetical order. */
export function keyElement(keys: JsonMap): string {
  const sorted = Object.entries(keys).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `k:${JSON.stringify(Object.fromEntries(sorted))}`;
}

/** A node from what was found below a path, and whether the path itself is in; `undefined` for neither. */
export function nodeOf(isIn: boolean, children: { readonly [element: string]: FieldSet }): Node {
  if (Object.keys(children).length === 0) return isIn ? member : undefined;
  return isIn ? { [self]: member, ...children } : children;
}

/** What is strictly below a node. */
export function childrenOf(node: Node): FieldSet {
  if (node === undefined) return emptySet;
  if (!(self in node)) return node;
  const { [self]: _, ...children } = node;
  return children;
}

/** The node below one element; `undefined` when nothing there is in the set. */
export const below = (set: Node, element: string): Node =>
  set !== undefined && Object.hasOwn(set, element) ? set[element] : undefined;

/** Whether the path of a single element is in the set. */
export const hasElement = (set: FieldSet, element: string): boolean =>
  isMember(below(set, element));

/** Whether anything strictly below the node is in the set. */
export const hasChildren = (node: Node): boolean => node !== undefined && !isEmptySet(node);

type Choice = (inA: boolean, inB: boolean) => boolean;

export const union = (a: FieldSet, b: FieldSet): FieldSet => {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  return combineRoots(a, b, (inA, inB) => inA || inB);
};

export const intersection = (a: FieldSet, b: FieldSet): FieldSet =>
  a === b ? a : combineRoots(a, b, (inA, inB) => inA && inB);

/** What is in `a` and not in `b`, path by path: removing a node spares what is below it. */
export const difference = (a: FieldSet, b: FieldSet): FieldSet =>
  isEmptySet(b) ? a : combineRoots(a, b, (inA, inB) => inA && !inB);

const combineRoots = (a: FieldSet, b: FieldSet, keep: Choice): FieldSet =>
  combineChildren(a, b, keep);

function combine(a: Node, b: Node, keep: Choice): Node {
  if (b === undefined && !keep(true, false)) return undefined;
  if (a === undefined && !keep(false, true)) return undefined;
  if (b === undefined) return a;
  if (a === undefined) return b;
  const isIn = keep(isMember(a), isMember(b));
  const children = combineChildren(a, b, keep);
  // What stays as it was stays the same node, so that unchanged sets are known at a glance.
  return children === a && isIn === isMember(a) ? a : nodeOf(isIn, childrenOf(children));
}

/** The children of `a`, or `a` itself when all of them stay. */
function combineChildren(a: FieldSet, b: FieldSet, keep: Choice): FieldSet {
  const children: Record<string, FieldSet> = {};
  let isSame = true;
  for (const element in a) {
    if (element === self) continue;
    const kept = combine(a[element], below(b, element), keep);
    if (kept !== undefined) children[element] = kept;
    if (kept !== a[element]) isSame = false;
  }
  if (keep(false, true)) {
    for (const element in b) {
      const node = b[element];
      if (element === self || node === undefined || Object.hasOwn(a, element)) continue;
      children[element] = node;
      isSame = false;
    }
  }
  return isSame ? a : children;
}

export const isSubset = (a: FieldSet, b: FieldSet): boolean =>
  a === b || isEmptySet(difference(a, b));

export const sameSet = (a: FieldSet, b: FieldSet): boolean => isSubset(a, b) && isSubset(b, a);

/** The set of one path. */
export function setOfPath(path: readonly string[]): FieldSet {
  return path.reduceRight<FieldSet>((inner, element) => ({ [element]: inner }), member);
}

/** Every path in the set, in the order in which the API tells them: a node's own members before what is below. */
export function pathsOf(set: FieldSet): readonly (readonly string[])[] {
  const paths: string[][] = [];
  const walk = (node: FieldSet, path: readonly string[]): void => {
    const children = Object.entries(node)
      .filter(([element]) => element !== self)
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    for (const [element, child] of children) if (isMember(child)) paths.push([...path, element]);
    for (const [element, child] of children) walk(child, [...path, element]);
  };
  walk(set, []);
  return paths;
}

/** The set without a subtree, whatever it holds there. */
export function withoutBelow(set: FieldSet, element: string): FieldSet {
  if (!Object.hasOwn(set, element)) return set;
  return Object.fromEntries(Object.entries(set).filter(([name]) => name !== element));
}

/** The set as the API writes it: elements in order, "." first. */
export function sortedSet(set: FieldSet): FieldSet {
  const sorted: Record<string, FieldSet> = {};
  for (const element of Object.keys(set).toSorted())
    sorted[element] = sortedSet(set[element] ?? member);
  return sorted;
}

/** How conflicts name a path: `.spec.containers[name="web"].image`. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join("");
}

function elementText(element: string): string {
  const rest = element.slice(2);
  switch (element.slice(0, 2)) {
    case "f:":
      return `.${rest}`;
    case "v:":
      return `[=${rest}]`;
    case "k:": {
      const keys = JSON.parse(rest) as JsonMap;
      const parts = Object.entries(keys).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
      return `[${parts.join(",")}]`;
    }
    default:
      return `[${rest}]`;
  }
}

/** Sets that were found to be some, so that a record is only looked through once. */
const checkedSets = new WeakSet<FieldSet>();

/** `fieldsV1` from a client, checked; `undefined` when it is not a field set. */
export function parseFieldSet(value: Json | undefined): FieldSet | undefined {
  if (!isFieldSet(value)) return undefined;
  checkedSets.add(value);
  return value;
}

function isFieldSet(value: Json | undefined): value is FieldSet {
  if (!isMap(value)) return false;
  if (checkedSets.has(value as FieldSet)) return true;
  return Object.entries(value).every(
    ([element, child]) =>
      (element === self || /^(f:|k:\{|v:|i:\d)/.test(element)) && isFieldSet(child),
  );
}
