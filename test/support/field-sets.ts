/**
 * Server-side apply, small: field sets of plain JSON, and merging by ownership.
 *
 * Knows the merge keys of the lists our tests use; every other list is atomic. A field set is a set of
 * paths; a path is its elements joined by line feeds: `f:spec`, `f:replicas`, `k:{"name":"web"}`, `v:"x"`.
 * A list item with merge keys is a path of its own (ending in `.`), so that it can be owned by itself.
 */
export type Tree = { [field: string]: unknown };

export type FieldSet = ReadonlySet<string>;

type ListShape = "atomic" | "set" | readonly string[];

const shapes: readonly (readonly [path: RegExp, shape: ListShape])[] = [
  [/(^|\.)(containers|initContainers|ephemeralContainers|volumes|imagePullSecrets)$/, ["name"]],
  [/containers\.env$/i, ["name"]],
  [/containers\.ports$/i, ["containerPort", "protocol"]],
  [/containers\.volumeMounts$/i, ["mountPath"]],
  [/^spec\.ports$/, ["port", "protocol"]],
  [/^status\.conditions$/, ["type"]],
  [/^metadata\.finalizers$/, "set"],
  [/^metadata\.ownerReferences$/, ["uid"]],
];

const shapeOf = (path: string): ListShape =>
  shapes.find(([pattern]) => pattern.test(path))?.[1] ?? "atomic";

/** Every leaf an author names. Identity (apiVersion, kind, name, namespace) is nobody's. */
export function fieldSetOf(object: Tree): FieldSet {
  const found = new Set<string>();
  for (const [field, value] of Object.entries(object)) {
    if (field === "apiVersion" || field === "kind") continue;
    if (field === "metadata" && isTree(value)) {
      for (const [name, part] of Object.entries(value)) {
        if (!serverOwned.has(name))
          collect(part, [`f:metadata`, `f:${name}`], `metadata.${name}`, found);
      }
      continue;
    }
    collect(value, [`f:${field}`], field, found);
  }
  return found;
}

const serverOwned = new Set([
  "name",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "managedFields",
]);

function collect(
  value: unknown,
  elements: readonly string[],
  path: string,
  found: Set<string>,
): void {
  if (isTree(value) && Object.keys(value).length > 0) {
    for (const [field, part] of Object.entries(value))
      collect(part, [...elements, `f:${field}`], `${path}.${field}`, found);
    return;
  }
  const shape = Array.isArray(value) ? shapeOf(path) : "atomic";
  if (!Array.isArray(value) || shape === "atomic" || value.length === 0) {
    found.add(elements.join("\n"));
    return;
  }
  for (const item of value as readonly unknown[]) {
    const own = [...elements, itemElement(item, shape)];
    found.add([...own, "."].join("\n"));
    if (isTree(item)) {
      for (const [field, part] of Object.entries(item))
        collect(part, [...own, `f:${field}`], `${path}.${field}`, found);
    }
  }
}

function itemElement(item: unknown, shape: ListShape): string {
  if (shape === "set" || shape === "atomic" || !isTree(item)) return `v:${JSON.stringify(item)}`;
  const keys = shape.toSorted().flatMap((key) => (key in item ? [[key, item[key]]] : []));
  return `k:${JSON.stringify(Object.fromEntries(keys))}`;
}

/** As it stands in `metadata.managedFields`. */
export function toFieldsV1(set: FieldSet): Tree {
  const root: Tree = {};
  for (const path of set) {
    let at = root;
    for (const element of path.split("\n")) {
      const next = at[element];
      if (isTree(next)) {
        at = next;
      } else {
        const made: Tree = {};
        at[element] = made;
        at = made;
      }
    }
  }
  return root;
}

export function valueAt(object: unknown, path: string): unknown {
  let at: unknown = object;
  for (const element of path.split("\n")) at = element === "." ? at : stepInto(at, element);
  return at;
}

function stepInto(at: unknown, element: string): unknown {
  if (element.startsWith("f:")) return isTree(at) ? at[element.slice(2)] : undefined;
  return Array.isArray(at) ? (at as readonly unknown[]).find(matches(element)) : undefined;
}

function matches(element: string): (item: unknown) => boolean {
  const wanted: unknown = JSON.parse(element.slice(2));
  if (element.startsWith("v:")) return (item) => JSON.stringify(item) === JSON.stringify(wanted);
  const keys = Object.entries(isTree(wanted) ? wanted : {});
  return (item) => isTree(item) && keys.every(([key, value]) => item[key] === value);
}

/** Puts the value `from` has at `path` into `into`, making what is missing on the way. */
export function copyField(from: Tree, into: Tree, path: string): void {
  let source: unknown = from;
  let target: unknown = into;
  const elements = path.split("\n");
  for (const [index, element] of elements.entries()) {
    if (element === ".") return;
    source = stepInto(source, element);
    const last = index === elements.length - 1;
    const existing = stepInto(target, element);
    if (!last && existing !== undefined && typeof existing === "object" && existing !== null) {
      target = existing;
      continue;
    }
    const isList = elements[index + 1]?.startsWith("k:") || elements[index + 1]?.startsWith("v:");
    const made = last ? structuredClone(source) : isList === true ? [] : itemSeed(element, source);
    if (element.startsWith("f:") && isTree(target)) target[element.slice(2)] = made;
    else if (Array.isArray(target)) target.push(made);
    target = made;
  }
}

/** A list item begins with the keys it is found by. */
function itemSeed(element: string, source: unknown): unknown {
  if (element.startsWith("k:")) return JSON.parse(element.slice(2)) as unknown;
  return element.startsWith("v:") ? structuredClone(source) : {};
}

/** Takes out what stands at `path`; parents left empty by it go too. */
export function removeField(object: Tree, path: string): void {
  const elements = path.split("\n").filter((element) => element !== ".");
  const trail: { readonly parent: unknown; readonly element: string }[] = [];
  let at: unknown = object;
  for (const element of elements) {
    trail.push({ parent: at, element });
    at = stepInto(at, element);
    if (at === undefined) return;
  }
  for (const { parent, element } of trail.toReversed()) {
    if (element.startsWith("f:") && isTree(parent)) delete parent[element.slice(2)];
    else if (Array.isArray(parent)) parent.splice(parent.findIndex(matches(element)), 1);
    const empty = Array.isArray(parent)
      ? parent.length === 0
      : isTree(parent) && Object.keys(parent).length === 0;
    if (!empty) return;
  }
}

export const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);
