/** Kinds that users define: from a CustomResourceDefinition's OpenAPI schema to merging, defaults and validation. */
import {
  at,
  isList,
  isMap,
  listAt,
  mapAt,
  mapsAt,
  sameJson,
  textAt,
  type Json,
  type JsonMap,
} from "./json.ts";
import { kindKey, type Kind, type ScalePaths } from "./kinds.ts";
import type { KubeObject } from "./object.ts";
import { objectMeta } from "./schema/meta.ts";
import {
  any,
  atomicList,
  bool,
  int64,
  intOrString,
  number,
  struct,
  text,
  type Schema,
} from "./schema/schema.ts";
import { duplicate, invalidValue, notSupported, required } from "./causes.ts";
import type { Cause } from "./status.ts";

/** The kinds a definition serves: one for each served version. */
export function kindsOf(definition: KubeObject, since: number): readonly Kind[] {
  const spec = mapAt(definition, "spec");
  const names = mapAt(spec, "names");
  const group = textAt(spec, "group");
  const plural = textAt(names, "plural");
  const texts = (field: string): readonly string[] =>
    listAt(names, field).filter((value) => typeof value === "string");
  return mapsAt(spec, "versions")
    .filter((version) => version["served"] === true)
    .map((version) => {
      const openApi = mapAt(version, "schema", "openAPIV3Schema");
      const hasStatus = isMap(mapAt(version, "subresources")["status"]);
      return {
        group,
        version: textAt(version, "name"),
        kind: textAt(names, "kind"),
        listKind: textAt(names, "listKind") || `${textAt(names, "kind")}List`,
        plural,
        singular: textAt(names, "singular") || textAt(names, "kind").toLowerCase(),
        shortNames: texts("shortNames"),
        categories: texts("categories"),
        namespaced: textAt(spec, "scope") === "Namespaced",
        hasStatus,
        scale: scalePaths(mapAt(version, "subresources")["scale"]),
        hasGeneration: true,
        schema: rootSchema(openApi),
        unconditionalUpdate: false,
        key: kindKey(group, plural),
        custom: { openApi, definition: definition.metadata.name },
        since,
      };
    });
}

function scalePaths(scale: Json | undefined): ScalePaths | undefined {
  if (!isMap(scale)) return undefined;
  const replicas = steps(textAt(scale, "specReplicasPath"));
  const statusReplicas = steps(textAt(scale, "statusReplicasPath"));
  if (replicas === undefined || statusReplicas === undefined) return undefined;
  return { replicas, statusReplicas, selector: steps(textAt(scale, "labelSelectorPath")) };
}

function steps(path: string): readonly [string, ...string[]] | undefined {
  const [first, ...rest] = path.split(".").filter((step) => step !== "");
  return first === undefined ? undefined : [first, ...rest];
}

const identity = { apiVersion: text, kind: text, metadata: objectMeta };

function rootSchema(openApi: JsonMap): Schema {
  const root = schemaFrom(openApi);
  return root.kind === "struct"
    ? { ...root, fields: { ...root.fields, ...identity }, inline: new Set(["metadata"]) }
    : { ...struct(identity, ["metadata"]), open: root.kind === "any" };
}

/** How values of an OpenAPI schema merge. What it does not type is granular as it comes. */
export function schemaFrom(openApi: JsonMap): Schema {
  const preserves = openApi["x-kubernetes-preserve-unknown-fields"] === true;
  if (openApi["x-kubernetes-int-or-string"] === true) return intOrString;
  const atomic = openApi["x-kubernetes-map-type"] === "atomic";
  switch (textAt(openApi, "type")) {
    case "string":
      return text;
    case "boolean":
      return bool;
    case "integer":
      return int64;
    case "number":
      return number;
    case "array":
      return listFrom(openApi);
    case "object": {
      const additional = openApi["additionalProperties"];
      if (isMap(additional)) return { kind: "map", values: schemaFrom(additional), atomic };
      if (additional === true) return { kind: "map", values: any, atomic };
      const properties = openApi["properties"];
      const isEmbedded = openApi["x-kubernetes-embedded-resource"] === true;
      if (!isMap(properties) && preserves && !isEmbedded) return any;
      const fields = Object.fromEntries(
        Object.entries(mapAt(openApi, "properties")).map(([field, inner]) => [
          field,
          schemaFrom(isMap(inner) ? inner : {}),
        ]),
      );
      return {
        ...struct(isEmbedded ? { ...fields, ...identity } : fields),
        atomic,
        open: preserves,
      };
    }
    default:
      return any;
  }
}

function listFrom(openApi: JsonMap): Schema {
  const item = mapAt(openApi, "items");
  const items = schemaFrom(item);
  switch (textAt(openApi, "x-kubernetes-list-type")) {
    case "set":
      return { kind: "list", items, relation: "set", keys: [], keyDefaults: {} };
    case "map": {
      const keys = listAt(openApi, "x-kubernetes-list-map-keys").filter(
        (key) => typeof key === "string",
      );
      const keyDefaults = Object.fromEntries(
        keys.flatMap((key) => {
          const value = at(item, "properties", key, "default");
          return value === undefined ? [] : [[key, value]];
        }),
      );
      return { kind: "list", items, relation: "map", keys, keyDefaults };
    }
    default:
      return atomicList(items);
  }
}

/** Fills in the `default`s of a schema wherever their parent is there. */
export function withOpenApiDefaults(value: Json, openApi: JsonMap): Json {
  if (isMap(value)) {
    let changed: Record<string, Json> | undefined;
    for (const [field, inner] of Object.entries(mapAt(openApi, "properties"))) {
      if (!isMap(inner)) continue;
      const given = value[field];
      const isAbsent = given === undefined || (given === null && inner["nullable"] !== true);
      const start = isAbsent ? inner["default"] : given;
      if (start === undefined) continue;
      const full = withOpenApiDefaults(start, inner);
      if (full !== given) (changed ??= { ...value })[field] = full;
    }
    const additional = openApi["additionalProperties"];
    if (isMap(additional)) {
      for (const [field, inner] of Object.entries(value)) {
        const full = withOpenApiDefaults(inner, additional);
        if (full !== inner) (changed ??= { ...value })[field] = full;
      }
    }
    return changed ?? value;
  }
  if (isList(value)) {
    const items = mapAt(openApi, "items");
    const full = value.map((item) => withOpenApiDefaults(item, items));
    return full.every((item, index) => item === value[index]) ? value : full;
  }
  return value;
}

const wrongType = (field: string, type: string, value: Json): Cause => {
  const shape = value === null ? "null" : isList(value) ? "array" : shapeOf(value);
  return {
    reason: "FieldValueTypeInvalid",
    message: `Invalid value: ${JSON.stringify(shape)}: ${field} in body must be of type ${type}: ${JSON.stringify(shape)}`,
    field,
  };
};

function shapeOf(value: Json): string {
  if (isMap(value)) return "object";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

/** Every way in which a custom object breaks its schema. Rules in CEL are not evaluated. */
export function openApiProblems(value: Json, openApi: JsonMap, path = ""): readonly Cause[] {
  if (value === null)
    return openApi["nullable"] === true || path === ""
      ? []
      : [wrongType(path, textAt(openApi, "type") || "object", value)];
  if (openApi["x-kubernetes-int-or-string"] === true)
    return typeof value === "string" || Number.isInteger(value)
      ? []
      : [wrongType(path, "integer,string", value)];
  const type = textAt(openApi, "type");
  const shape = isList(value) ? "array" : shapeOf(value);
  const fits = type === "" || type === shape || (type === "number" && shape === "integer");
  if (!fits)
    return [
      wrongType(path, type, value),
      ...(type === "integer" && shape === "number"
        ? [
            {
              reason: "FieldValueInvalid",
              message: `Invalid value: "": Checked value must be of type integer (default format) in ${path}`,
              field: "<nil>",
            },
          ]
        : []),
    ];
  return [
    ...enumProblems(value, openApi, path),
    ...(typeof value === "number" ? numberProblems(value, openApi, path) : []),
    ...(typeof value === "string" ? textProblems(value, openApi, path) : []),
    ...(isList(value) ? listProblems(value, openApi, path) : []),
    ...(isMap(value) ? mapProblems(value, openApi, path) : []),
  ];
}

function enumProblems(value: Json, openApi: JsonMap, path: string): readonly Cause[] {
  const known = openApi["enum"];
  if (!isList(known) || known.some((one) => sameJson(one, value))) return [];
  return [
    notSupported(
      path,
      value,
      known.map((one) => (typeof one === "string" ? one : JSON.stringify(one))),
    ),
  ];
}

function numberProblems(value: number, openApi: JsonMap, path: string): readonly Cause[] {
  const { minimum, maximum } = openApi;
  const causes: Cause[] = [];
  if (typeof minimum === "number" && value < minimum)
    causes.push(
      invalidValue(path, value, `${path} in body should be greater than or equal to ${minimum}`),
    );
  if (typeof maximum === "number" && value > maximum)
    causes.push(
      invalidValue(path, value, `${path} in body should be less than or equal to ${maximum}`),
    );
  return causes;
}

function textProblems(value: string, openApi: JsonMap, path: string): readonly Cause[] {
  const { minLength, maxLength, pattern } = openApi;
  const causes: Cause[] = [];
  // A text that is too long is not looked at any further.
  if (typeof maxLength === "number" && Array.from(value).length > maxLength)
    return [
      {
        reason: "FieldValueTooLong",
        message: `Too long: may not be more than ${maxLength} bytes`,
        field: path,
      },
    ];
  if (typeof minLength === "number" && value.length < minLength)
    causes.push(
      invalidValue(path, value, `${path} in body should be at least ${minLength} chars long`),
    );
  if (typeof pattern === "string" && !new RegExp(pattern).test(value))
    causes.push(invalidValue(path, value, `${path} in body should match '${pattern}'`));
  return causes;
}

function listProblems(value: readonly Json[], openApi: JsonMap, path: string): readonly Cause[] {
  const { minItems, maxItems } = openApi;
  const items = mapAt(openApi, "items");
  const causes: Cause[] = [];
  if (typeof minItems === "number" && value.length < minItems)
    causes.push(
      invalidValue(path, value.length, `${path} in body should have at least ${minItems} items`),
    );
  if (typeof maxItems === "number" && value.length > maxItems)
    causes.push({
      reason: "FieldValueTooMany",
      message: `Too many: ${value.length}: must have at most ${maxItems} items`,
      field: path,
    });
  return [
    ...causes,
    ...value.flatMap((item, index) => openApiProblems(item, items, `${path}[${index}]`)),
    ...doubledItems(value, openApi, path),
  ];
}

/** Items of a set, and items of a map under one key, must differ. */
function doubledItems(value: readonly Json[], openApi: JsonMap, path: string): readonly Cause[] {
  const type = textAt(openApi, "x-kubernetes-list-type");
  if (type !== "set" && type !== "map") return [];
  const fields = listAt(openApi, "x-kubernetes-list-map-keys");
  const seen = new Set<string>();
  return value.flatMap((item, index) => {
    const key: Json =
      type === "set"
        ? item
        : Object.fromEntries(
            fields.flatMap((field) =>
              typeof field === "string" && isMap(item) && item[field] !== undefined
                ? [[field, item[field]]]
                : [],
            ),
          );
    const text = JSON.stringify(key);
    if (seen.has(text)) return [duplicate(`${path}[${index}]`, key)];
    seen.add(text);
    return [];
  });
}

function mapProblems(value: JsonMap, openApi: JsonMap, path: string): readonly Cause[] {
  const below = (field: string): string => (path === "" ? field : `${path}.${field}`);
  const properties = mapAt(openApi, "properties");
  const additional = openApi["additionalProperties"];
  const missing = listAt(openApi, "required").filter(
    (field): field is string => typeof field === "string" && !Object.hasOwn(value, field),
  );
  return [
    ...missing.map((field) => required(below(field))),
    ...Object.entries(value).flatMap(([field, inner]) => {
      // What every object has is checked by the API itself.
      if (path === "" && (field === "metadata" || field === "apiVersion" || field === "kind"))
        return [];
      const known = properties[field];
      const schema = isMap(known) ? known : isMap(additional) ? additional : undefined;
      return schema === undefined ? [] : openApiProblems(inner, schema, below(field));
    }),
  ];
}
