import { canonicalJson, type Json } from "../../../../proto/words/digest.ts";
import { selects } from "./model-selectors.ts";
import { rendered, type ModelMode } from "./model-templates.ts";
import {
  entriesOf,
  flatTexts,
  isJsonMap,
  jsonValue,
  listOf,
  ModelFailure,
  modelValue,
  own,
  printed,
  Texts,
  textOf,
  Words,
  type ModelMap,
  type ModelValue,
} from "./model-values.ts";

export type ModelCluster = {
  readonly name: string;
  readonly server: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

/** The one repository there is, by the URL `r`. A file that holds nothing readable is `undefined`. */
export type ModelRepository = {
  readonly directories: readonly string[];
  readonly files: ReadonlyMap<string, Json | undefined>;
};

export type ModelWorld = {
  readonly mode: ModelMode;
  readonly clusters: readonly ModelCluster[];
  readonly repository: ModelRepository;
};

/** Takes note of what fails so that the rest goes on; without it the first failure is everybody's. */
export type Spare = (() => void) | undefined;

type Sets = readonly ModelMap[];

/** Each item by itself: one that fails is left out where that is allowed. */
function each<T>(items: readonly T[], spare: Spare, make: (item: T) => Sets): Sets {
  return items.flatMap((item) => {
    try {
      return make(item);
    } catch (error) {
      if (!(error instanceof ModelFailure) || spare === undefined) throw error;
      spare();
      return [];
    }
  });
}

/** An entry of `spec.generators`, or a child: its one generator behind its selector. */
export function entrySets(entry: Json, world: ModelWorld, spare: Spare): Sets {
  const admits = selects(own(entry, "selector"), false);
  const [[kind, body] = ["", null]] = entriesOf(entry).filter(([key]) => key !== "selector");
  return generatorSets(kind, body, world, spare).filter((params) => admits(flatTexts(params)));
}

function generatorSets(kind: string, body: Json, world: ModelWorld, spare: Spare): Sets {
  switch (kind) {
    case "list":
      return listSets(body, world, spare);
    case "clusters":
      return clusterSets(body, world, spare);
    case "git":
      return gitSets(body, world, spare);
    case "matrix":
      return matrixSets(body, world, spare);
    case "merge":
      return mergeSets(body, world);
    default:
      throw new TypeError(`no model of ${kind}`);
  }
}

function listSets(body: Json, { mode }: ModelWorld, spare: Spare): Sets {
  return each(listOf(own(body, "elements")), spare, (element) => {
    if (mode.goTemplate) return [modelValue(element) as ModelMap];
    const params = new Map<string, ModelValue>();
    for (const [key, value] of entriesOf(element)) {
      if (key !== "values") params.set(key, onlyText(value));
      else if (!isJsonMap(value)) throw new ModelFailure("values are no map");
      else
        for (const [name, text] of entriesOf(value)) params.set(`values.${name}`, onlyText(text));
    }
    return [params];
  });
}

function onlyText(value: Json): string {
  if (typeof value !== "string") throw new ModelFailure("no text");
  return value;
}

const secretType = "argocd.argoproj.io/secret-type";

function clusterSets(body: Json, world: ModelWorld, spare: Spare): Sets {
  const admits = selects(own(body, "selector"), true);
  const sets = world.clusters
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((cluster) => ({ ...cluster, labels: { [secretType]: "cluster", ...cluster.labels } }))
    .filter(({ labels }) => admits(new Map(Object.entries(labels))))
    .map(({ name, server, labels, annotations }) => {
      const params = new Map<string, ModelValue>([
        ["name", name],
        ["nameNormalized", name],
        ["server", server],
        ["project", ""],
      ]);
      if (world.mode.goTemplate) {
        const metadata = new Map<string, ModelValue>([
          ["labels", new Texts(Object.entries(labels))],
        ]);
        if (Object.keys(annotations).length > 0)
          metadata.set("annotations", new Texts(Object.entries(annotations)));
        return params.set("metadata", metadata);
      }
      for (const [key, value] of Object.entries(labels))
        params.set(`metadata.labels.${key}`, value);
      for (const [key, value] of Object.entries(annotations))
        params.set(`metadata.annotations.${key}`, value);
      return params;
    });
  return withValues(sets, body, world, spare);
}

/** Each value is made of what the generator gave, and sees no other value. */
function withValues(sets: Sets, body: Json, { mode }: ModelWorld, spare: Spare): Sets {
  const values = entriesOf(own(body, "values"));
  if (values.length === 0) return sets;
  return each(sets, spare, (params) => {
    const made = new Texts();
    for (const [key, text] of values) made.set(key, rendered(textOf(text), params, mode));
    const result = new Map<string, ModelValue>(params);
    if (mode.goTemplate) result.set("values", made);
    else for (const [key, text] of made) result.set(`values.${key}`, text);
    return [result];
  });
}

const normalized = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^-a-z0-9.]/gu, "-")
    .replace(/^[-.]+|[-.]+$/g, "");

/** What is known of a path: under the prefix a generator may name, so that two of them can be told apart. */
function pathEntries(
  directory: string,
  file: string | undefined,
  prefix: string,
  mode: ModelMode,
): ModelMap {
  const basename = directory.split("/").at(-1) ?? "";
  const facts = new Map<string, ModelValue>([
    ["path", directory],
    ["basename", basename],
    ["basenameNormalized", normalized(basename)],
  ]);
  if (file !== undefined) facts.set("filename", file).set("filenameNormalized", normalized(file));
  const segments = directory.split("/");
  if (mode.goTemplate) {
    const path = new Map([["path", facts.set("segments", Words.from(segments))]]);
    return prefix === "" ? path : new Map([[prefix, path]]);
  }
  const flat = new Map<string, ModelValue>();
  const root = prefix === "" ? "path" : `${prefix}.path`;
  for (const [key, value] of facts) flat.set(key === "path" ? root : `${root}.${key}`, value);
  segments.forEach((segment, index) => flat.set(`${root}[${index}]`, segment));
  return flat;
}

const escaped = (text: string): string => text.replace(/[.+^${}()|[\]\\]/g, "\\$&");

/** `star` is what an asterisk stands for. */
const pattern = (text: string, star: string): RegExp =>
  new RegExp(`^${text.split("*").map(escaped).join(star)}$`);

function gitSets(body: Json, world: ModelWorld, spare: Spare): Sets {
  const { mode, repository } = world;
  const directories = listOf(own(body, "directories"));
  const items = directories.length > 0 ? directories : listOf(own(body, "files"));
  if (items.length === 0) throw new ModelFailure("empty");
  if (textOf(own(body, "repoURL")) !== "r") throw new ModelFailure("no such repository");
  const chosen = (paths: readonly string[], matches: (item: string, path: string) => boolean) =>
    paths.filter((path) => {
      const met = items.filter((item) => matches(textOf(own(item, "path")), path));
      return met.length > 0 && met.every((item) => own(item, "exclude") !== true);
    });
  const prefix = textOf(own(body, "pathParamPrefix"));
  const sets =
    directories.length > 0
      ? chosen(repository.directories, (item, path) => pattern(item, "[^/]*").test(path)).map(
          (path) => pathEntries(path, undefined, prefix, mode),
        )
      : each(chosen([...repository.files.keys()].toSorted(), matchesFile), spare, (path) =>
          fileSets(path, repository.files.get(path), prefix, mode),
        );
  return withValues(sets, body, world, spare);
}

const matchesFile = (item: string, path: string): boolean =>
  pattern(item, ".*").test(path) || (!item.includes("*") && path.startsWith(`${item}/`));

function fileSets(path: string, document: Json | undefined, prefix: string, mode: ModelMode): Sets {
  if (document === undefined) throw new ModelFailure("unreadable");
  const objects = Array.isArray(document) ? (document as readonly Json[]) : [document];
  return objects.map((object) => {
    if (object !== null && !isJsonMap(object)) throw new ModelFailure("no mapping");
    const slash = path.lastIndexOf("/");
    const directory = slash === -1 ? "." : path.slice(0, slash);
    const content = modelValue(object ?? {}) as ModelMap;
    return new Map<string, ModelValue>([
      ...(mode.goTemplate ? content : flatTexts(content)),
      ...pathEntries(directory, path.slice(slash + 1), prefix, mode),
    ]);
  });
}

/** Every text of the second child with what the first one gave put in, but for its selector. */
const interpolated = (entry: Json, params: ModelMap, mode: ModelMode): Json =>
  Object.fromEntries(
    entriesOf(entry).map(([key, item]) => [
      key,
      key === "selector" ? item : filled(key, item, params, mode),
    ]),
  );

/** The fields of a generator, or a selector of its children. */
function filled(kind: string, body: Json, params: ModelMap, mode: ModelMode): Json {
  const walk = (value: Json, dropsNull: boolean): Json => {
    if (typeof value === "string") return rendered(value, params, mode);
    if (Array.isArray(value)) return (value as readonly Json[]).map((it) => walk(it, dropsNull));
    if (!isJsonMap(value)) return value;
    const made = new Map<string, Json>();
    for (const [key, item] of entriesOf(value)) {
      if (item === null && dropsNull) continue;
      const name = rendered(key, params, mode);
      if (made.has(name)) throw new ModelFailure(`${name} twice`);
      made.set(name, walk(item, dropsNull));
    }
    return Object.fromEntries(made);
  };
  const child = (entry: Json): Json =>
    Object.fromEntries(entriesOf(entry).map(([key, it]) => [key, filled(key, it, params, mode)]));
  const made = ([key, item]: readonly [string, Json]): Json => {
    if (key === "values") return resolved(item, params, mode);
    if (key === "generators") return listOf(item).map(child);
    return walk(item, kind === "list");
  };
  return Object.fromEntries(
    entriesOf(body)
      .filter(([key]) => key !== "template")
      .map((entry) => [entry[0], made(entry)]),
  );
}

/** A value that needs more than the first child knows stays as it is written. */
const resolved = (values: Json, params: ModelMap, mode: ModelMode): Json =>
  Object.fromEntries(
    entriesOf(values).map(([key, text]) => {
      try {
        return [key, rendered(textOf(text), params, { ...mode, missing: "error" })];
      } catch (error) {
        if (error instanceof ModelFailure && /^no |^nothing|of no map$/.test(error.message))
          return [key, text];
        throw error;
      }
    }),
  );

function deepMerged(base: ModelMap, over: ModelMap): ModelMap {
  const merged = new Map<string, ModelValue>(base);
  for (const [key, value] of over) {
    const before = merged.get(key);
    merged.set(
      key,
      before instanceof Map && value instanceof Map
        ? deepMerged(before as ModelMap, value as ModelMap)
        : value,
    );
  }
  return merged;
}

function matrixSets(body: Json, world: ModelWorld, spare: Spare): Sets {
  const [first, second] = listOf(own(body, "generators"));
  if (first === undefined || second === undefined) throw new ModelFailure("two are wanted");
  return each(entrySets(first, world, spare), spare, (a) => {
    const child = a.size === 0 ? second : interpolated(second, a, world.mode);
    return each(entrySets(child, world, spare), spare, (b) => [combined(a, b, world.mode)]);
  });
}

function combined(a: ModelMap, b: ModelMap, mode: ModelMode): ModelMap {
  if (mode.goTemplate) return deepMerged(b, a);
  const made = new Map<string, ModelValue>();
  for (const [key, value] of [...a, ...b]) {
    const text = printed(value);
    if (made.has(key) && made.get(key) !== text) throw new ModelFailure(`${key} has two values`);
    made.set(key, text);
  }
  return made;
}

function mergeSets(body: Json, world: ModelWorld): Sets {
  const keys = listOf(own(body, "mergeKeys")).map(textOf);
  const keyOf = (params: ModelMap): string =>
    canonicalJson(keys.map((key) => jsonValue(params.get(key) ?? null)));
  // A set that is missing in one child would change the others: nothing is spared.
  const children = listOf(own(body, "generators")).map((child) =>
    entrySets(child, world, undefined),
  );
  if (children.length < 2) throw new ModelFailure("two are wanted");
  for (const sets of children)
    if (new Set(sets.map(keyOf)).size < sets.length) throw new ModelFailure("one key twice");
  const [base = [], ...others] = children;
  return base.map((params) =>
    others
      .flatMap((sets) => sets.filter((set) => keyOf(set) === keyOf(params)))
      .reduce<ModelMap>(
        (merged, set) =>
          world.mode.goTemplate ? deepMerged(merged, set) : new Map([...merged, ...set]),
        params,
      ),
  );
}
