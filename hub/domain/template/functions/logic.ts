import { FunctionError, takes, takesMany, type TemplateFunction } from "../function.ts";
import { printValue } from "../print.ts";
import {
  compareBytes,
  GoInteger,
  GoObject,
  isGoList,
  isGoMap,
  isTruthy,
  NilList,
  NilMap,
  kindName,
  typeName,
  type GoValue,
} from "../value.ts";
import { isEmpty } from "./convert.ts";

/** Comparison and choice: Go's own functions, which never convert, and sprig's. */
export const logicFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ["not", takes(["any"], ([value]) => !isTruthy(value))],
  ["eq", takesMany(["any"], "any", ([a], others) => equals(a, others))],
  ["ne", takes(["any", "any"], ([a, b]) => !equals(a, [b]))],
  ["lt", takes(["any", "any"], ([a, b]) => isLess(a, b))],
  ["le", takes(["any", "any"], ([a, b]) => isLess(a, b) || equals(a, [b]))],
  ["gt", takes(["any", "any"], ([a, b]) => !(isLess(a, b) || equals(a, [b])))],
  ["ge", takes(["any", "any"], ([a, b]) => !isLess(a, b))],
  [
    "call",
    takesMany(["any"], "any", ([value]) => {
      throw new FunctionError(
        value === null ? "call of nil" : `non-function of type ${typeName(value)}`,
      );
    }),
  ],
  [
    "default",
    takesMany(["any"], "any", ([fallback], given) =>
      given.length === 0 || isEmpty(given[0]) ? fallback : given[0],
    ),
  ],
  ["empty", takes(["any"], ([value]) => isEmpty(value))],
  [
    "coalesce",
    takesMany([], "any", (_, values) => values.find((value) => !isEmpty(value)) ?? null),
  ],
  ["all", takesMany([], "any", (_, values) => values.every((value) => !isEmpty(value)))],
  ["any", takesMany([], "any", (_, values) => values.some((value) => !isEmpty(value)))],
  ["ternary", takes(["any", "any", "bool"], ([yes, no, test]) => (test ? yes : no))],
  [
    "fail",
    takes(["string"], ([message]) => {
      throw new FunctionError(message);
    }),
  ],
];

type Basic = "bool" | "int" | "uint" | "float" | "string" | "none";

function basicKind(value: GoValue): Basic {
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "float";
    case "string":
      return "string";
    default:
      return value instanceof GoInteger ? (value.isUnsigned ? "uint" : "int") : "none";
  }
}

const isWhole = (kind: Basic): boolean => kind === "int" || kind === "uint";

const incomparable = (a: GoValue, b: GoValue): FunctionError =>
  new FunctionError(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);

function equals(a: GoValue, others: readonly GoValue[]): boolean {
  if (others.length === 0) throw new FunctionError("missing argument for comparison");
  return others.some((b) => equalsOne(a, b));
}

function equalsOne(a: GoValue, b: GoValue): boolean {
  const kindA = basicKind(a);
  const kindB = basicKind(b);
  const nilA = isNil(a);
  const nilB = isNil(b);
  if (kindA !== kindB && !(isWhole(kindA) && isWhole(kindB))) {
    if ((a ?? null) === null || (b ?? null) === null) return false;
    throw incomparable(a, b);
  }
  if (kindA !== "none") return wholeOrSelf(a) === wholeOrSelf(b);
  const [reflectA, reflectB] = [kindName(a), kindName(b)];
  if (reflectA !== reflectB && reflectA !== "invalid" && reflectB !== "invalid")
    throw new FunctionError(`non-comparable types ${typeName(a)} and ${typeName(b)}`);
  if (nilA || nilB) return nilA === nilB;
  if (isGoMap(b) || isGoList(b))
    throw new FunctionError(`non-comparable type ${printValue(b)}: ${typeName(b)}`);
  return a instanceof GoObject && b instanceof GoObject && a.equals(b);
}

const isNil = (value: GoValue): boolean =>
  value === undefined || value === null || value instanceof NilList || value instanceof NilMap;

const wholeOrSelf = (value: GoValue): GoValue => (value instanceof GoInteger ? value.value : value);

function isLess(a: GoValue, b: GoValue): boolean {
  const kindA = basicKind(a);
  const kindB = basicKind(b);
  if (kindA === "none" || kindB === "none") throw new FunctionError("invalid type for comparison");
  if (kindA !== kindB && !(isWhole(kindA) && isWhole(kindB))) throw incomparable(a, b);
  const x = wholeOrSelf(a);
  const y = wholeOrSelf(b);
  if (typeof x === "string" && typeof y === "string") return compareBytes(x, y) < 0;
  if (typeof x === "bigint" && typeof y === "bigint") return x < y;
  if (typeof x === "number" && typeof y === "number") return x < y;
  throw new FunctionError("invalid type for comparison");
}
