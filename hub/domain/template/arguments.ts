import { unreachable } from "../../../proto/kit/unreachable.ts";
import type { ParameterType } from "./function.ts";
import { GoVersion } from "./semver/version.ts";
import { Failure } from "./state.ts";
import { GoDuration } from "./time/go-duration.ts";
import { GoTime } from "./time/go-time.ts";
import { GoLocation } from "./time/location.ts";
import { type WordNode, nodeText } from "./tree.ts";
import { type GoValue, NilMap, StringMap, isGoList, isGoMap, typeName } from "./value.ts";

/** A literal where a typed parameter stands. `undefined`: the word is no literal. */
export function literalArgument(node: WordNode, type: ParameterType): (() => GoValue) | undefined {
  const wrong =
    (message: string): (() => GoValue) =>
    () => {
      throw new Failure(message);
    };
  if (node.kind === "nil") {
    if (type === "any") return () => null;
    if (mayBeNil(type)) return () => checkedValue(undefined, type);
    return wrong(`cannot assign nil to ${goTypeName(type)}`);
  }
  if (node.kind !== "bool" && node.kind !== "number" && node.kind !== "string") return undefined;
  switch (type) {
    case "any":
      return undefined;
    case "string":
      return node.kind === "string"
        ? () => node.value
        : wrong(`expected string; found ${nodeText(node)}`);
    case "bool":
      return node.kind === "bool"
        ? () => node.value
        : wrong(`expected bool; found ${nodeText(node)}`);
    case "int":
      return node.kind === "number" && node.integer !== undefined
        ? () => node.integer
        : wrong(`expected integer; found ${nodeText(node)}`);
    case "duration": {
      const integer = node.kind === "number" ? node.integer : undefined;
      return integer === undefined
        ? wrong(`expected integer; found ${nodeText(node)}`)
        : () => new GoDuration(integer);
    }
    case "uint32": {
      const natural = node.kind === "number" ? node.natural : undefined;
      return natural === undefined
        ? wrong(`expected unsigned integer; found ${nodeText(node)}`)
        : () => BigInt.asUintN(32, natural);
    }
    case "float64":
      return node.kind === "number"
        ? () => node.float
        : wrong(`expected float; found ${nodeText(node)}`);
    case "map":
    case "list":
    case "time":
    case "location":
    case "version":
      return wrong(`can't handle ${nodeText(node)} for arg of type ${goTypeName(type)}`);
    default:
      return unreachable(type, "parameter type");
  }
}

function goTypeName(type: ParameterType): string {
  switch (type) {
    case "any":
      return "interface {}";
    case "map":
      return "map[string]interface {}";
    case "list":
      return "[]interface {}";
    case "time":
      return "time.Time";
    case "duration":
      return "time.Duration";
    case "location":
      return "*time.Location";
    case "version":
      return "*semver.Version";
    default:
      return type;
  }
}

const mayBeNil = (type: ParameterType): boolean =>
  type === "map" || type === "list" || type === "location" || type === "version";

/** Go's check of a value against a parameter's type; nothing is converted. */
export function checkedValue(value: GoValue, type: ParameterType): GoValue {
  if (type === "any") return value ?? null;
  if (value === undefined) {
    if (type === "map") return new NilMap();
    if (type === "list") return [];
    if (type === "location" || type === "version") return null;
    throw new Failure(`invalid value; expected ${goTypeName(type)}`);
  }
  // Nil that stands under a key is a value, of a type that is none of these.
  if (value === null)
    throw new Failure(`wrong type for value; expected ${goTypeName(type)}; got interface {}`);
  if (hasType(value, type)) return value;
  throw new Failure(`wrong type for value; expected ${goTypeName(type)}; got ${typeName(value)}`);
}

function hasType(value: GoValue, type: ParameterType): boolean {
  switch (type) {
    case "any":
      return true;
    case "string":
    case "bool":
      return typeof value === (type === "bool" ? "boolean" : type);
    case "int":
      return typeof value === "bigint";
    case "float64":
      return typeof value === "number";
    case "map":
      return isGoMap(value) && !(value instanceof StringMap);
    case "list":
      return isGoList(value);
    case "time":
      return value instanceof GoTime;
    case "duration":
      return value instanceof GoDuration;
    case "location":
      return value instanceof GoLocation;
    case "version":
      return value instanceof GoVersion && value.isPointer;
    case "uint32":
      return false;
    default:
      return unreachable(type, "parameter type");
  }
}
