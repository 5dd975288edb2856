import type { Json } from "../../proto/words/digest.ts";
import { fail, ok, type Result } from "../../proto/kit/result.ts";
import type { Labels } from "./records.ts";

/** A mapping of a document that was read at a door: no prototype, so no name in it can mean anything but itself. */
export type JsonObject = { readonly [key: string]: Json };

/** How deep a document may nest. Deeper ones are refused before anything walks them. */
export const documentDepthMost = 100;

/**
 * What a YAML or JSON reader gave, as a value that is safe to walk: mappings without a prototype, lists,
 * text, booleans, null, finite numbers and bigints. Fails with a sentence that names the path.
 */
export function readDocument(input: unknown): Result<Json, string> {
  try {
    return ok(copied(input, "", 0));
  } catch (error) {
    if (error instanceof NotADocument) return fail(error.message);
    throw error;
  }
}

class NotADocument extends Error {}

function copied(input: unknown, path: string, depth: number): Json {
  if (depth > documentDepthMost)
    throw new NotADocument(`${path} nests deeper than ${documentDepthMost} levels`);
  switch (typeof input) {
    case "string":
    case "boolean":
    case "bigint":
      return input;
    case "number":
      if (Number.isFinite(input)) return input;
      throw new NotADocument(`${pathText(path)} is ${input}, which JSON cannot hold`);
    case "object":
      if (input === null) return null;
      if (Array.isArray(input))
        return input.map((item: unknown, index) => copied(item, `${path}[${index}]`, depth + 1));
      return copiedObject(input, path, depth);
    default:
      throw new NotADocument(`${pathText(path)} is ${typeof input}, which JSON cannot hold`);
  }
}

function copiedObject(input: object, path: string, depth: number): JsonObject {
  const entries: Iterable<readonly [unknown, unknown]> =
    input instanceof Map ? input : Object.entries(input);
  const result = emptyObject();
  for (const [key, value] of entries) {
    if (typeof key !== "string")
      throw new NotADocument(`${pathText(path)} has a key that is ${typeof key}, not text`);
    result[key] = copied(value, path === "" ? key : `${path}.${key}`, depth + 1);
  }
  return result;
}

const pathText = (path: string): string => (path === "" ? "the document" : path);

/** A fresh mapping that inherits nothing: `__proto__` is a key like any other in it. */
export const emptyObject = (): { [key: string]: Json } => new Mapping();

type MakeMapping = new () => { [key: string]: Json };

const nothingInherited: object = Object.freeze(Object.create(null) as object);

/**
 * The engine keeps an object without any prototype as a hash table: an Application made of them takes 6.1
 * microseconds to write as JSON, rather than 2.5. One whose prototype is empty finds as little in it, and is an
 * ordinary object to the engine.
 */
function mappingConstructor(): MakeMapping {
  const Mapping = function Mapping(): void {} as unknown as MakeMapping;
  Object.defineProperty(Mapping, "prototype", { value: nothingInherited });
  return Mapping;
}

const Mapping = mappingConstructor();

/**
 * Makes fresh mappings that are meant to get the same keys. The engine watches what the first few of a maker get,
 * and gives all others just that room: 72 bytes for six keys rather than 104.
 */
export function mappingMaker(): () => { [key: string]: Json } {
  const Alike = mappingConstructor();
  return () => new Alike();
}

export function objectOf(entries: Iterable<readonly [string, Json]>): JsonObject {
  const result = emptyObject();
  for (const [key, value] of entries) result[key] = value;
  return result;
}

/** A fresh mapping with the fields of another one. */
export function copyOf(object: JsonObject): { [key: string]: Json } {
  const copy = emptyObject();
  for (const key of Object.keys(object)) copy[key] = field(object, key) ?? null;
  return copy;
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

// Array.isArray does not narrow readonly arrays.
export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** The value under `key`, own keys only. */
export const field = (object: JsonObject, key: string): Json | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;

/**
 * Reads typed fields of one mapping and remembers every problem, so that all are told together.
 *
 * An absent field and an explicit null mean the same, as they do in Kubernetes.
 */
export class FieldReader {
  readonly problems: string[];
  readonly #object: JsonObject;
  /** From `#around`, or whole where that is undefined. Put together only when there is something to say. */
  readonly #path: string;
  readonly #around: FieldReader | undefined;

  constructor(object: JsonObject, path: string, problems: string[] = [], around?: FieldReader) {
    this.#object = object;
    this.#path = path;
    this.#around = around;
    this.problems = problems;
  }

  path(key: string): string {
    const path = this.#around === undefined ? this.#path : this.#around.path(this.#path);
    return path === "" ? key : `${path}.${key}`;
  }

  value(key: string): Json | undefined {
    return field(this.#object, key) ?? undefined;
  }

  has(key: string): boolean {
    return this.value(key) !== undefined;
  }

  text(key: string): string {
    return this.#typed(key, "text", isText) ?? "";
  }

  flag(key: string): boolean | undefined {
    return this.#typed(key, "true or false", isFlag);
  }

  /** The nearest number, where it is beyond 2^53. */
  whole(key: string): number | undefined {
    const value = this.#typed(key, "a whole number", isWhole);
    return value === undefined ? undefined : Number(value);
  }

  list(key: string): readonly Json[] {
    return this.#typed(key, "a list", isList) ?? noItems;
  }

  texts(key: string): readonly string[] {
    const list = this.list(key);
    if (isTextList(list)) return list;
    return list.flatMap((item, index) => {
      if (typeof item === "string") return [item];
      this.problems.push(`${this.path(key)}[${index}] must be text, got ${describe(item)}`);
      return [];
    });
  }

  object(key: string): JsonObject | undefined {
    return this.#typed(key, "a mapping", isObject);
  }

  /** A mapping of text to text, such as labels. It may be the document's own. */
  textMap(key: string): Labels {
    const object = this.object(key) ?? noFields;
    if (object instanceof Mapping && isTextMap(object)) return object;
    const result = emptyObject() as Record<string, string>;
    for (const [name, value] of Object.entries(object)) {
      if (typeof value === "string") result[name] = value;
      else this.problems.push(`${this.path(key)}.${name} must be text, got ${describe(value)}`);
    }
    return result;
  }

  /** A reader of the mapping under `key`, or of an empty one; problems end up here. */
  inside(key: string): FieldReader {
    return new FieldReader(this.object(key) ?? noFields, key, this.problems, this);
  }

  complain(key: string, message: string): void {
    this.problems.push(`${this.path(key)} ${message}`);
  }

  #typed<T extends Json>(
    key: string,
    wanted: string,
    is: (value: Json | undefined) => value is T,
  ): T | undefined {
    const value = this.value(key);
    if (value === undefined || is(value)) return value;
    this.problems.push(`${this.path(key)} must be ${wanted}, got ${describe(value)}`);
    return undefined;
  }
}

const noFields: JsonObject = Object.freeze(emptyObject());
const noItems: readonly Json[] = Object.freeze([]);

const isTextList = (list: readonly Json[]): list is readonly string[] =>
  list.every((item) => typeof item === "string");

function isTextMap(object: JsonObject): object is Labels {
  for (const key in object) if (typeof object[key] !== "string") return false;
  return true;
}

const isText = (value: Json | undefined): value is string => typeof value === "string";
const isWhole = (value: Json | undefined): value is number | bigint =>
  typeof value === "bigint" || Number.isInteger(value);
const isFlag = (value: Json | undefined): value is boolean => typeof value === "boolean";

/** A value for an error message: what it is, quoted when it is short. */
export function describe(value: Json | undefined): string {
  if (value === undefined || value === null) return "null";
  if (isList(value)) return "a list";
  if (isObject(value)) return "a mapping";
  if (typeof value === "string")
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  return String(value);
}
