import { FunctionError, takes, type TemplateFunction } from "../function.ts";
import { GoInteger, GoObject, type GoValue } from "../value.ts";

/** Semantic versions and constraints on them, as Masterminds/semver v3 reads them. */

type Version = {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly prerelease: string;
  readonly metadata: string;
  readonly original: string;
};

const versionForm =
  /^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?(-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

function parseVersion(text: string): Version {
  const found = versionForm.exec(text);
  if (found === null) throw new FunctionError("Invalid Semantic Version");
  const part = (index: number): bigint => BigInt((found[index] ?? ".0").replace(".", ""));
  const prerelease = found[5] ?? "";
  if (prerelease.split(".").some((segment) => /^0[0-9]+$/.test(segment)))
    throw new FunctionError("Version segment starts with 0");
  return {
    major: part(1),
    minor: part(2),
    patch: part(3),
    prerelease,
    metadata: found[7] ?? "",
    original: text,
  };
}

function compareVersions(a: Version, b: Version): number {
  for (const [x, y] of [
    [a.major, b.major],
    [a.minor, b.minor],
    [a.patch, b.patch],
  ] as const)
    if (x !== y) return x < y ? -1 : 1;
  return comparePrereleases(a.prerelease, b.prerelease);
}

function comparePrereleases(a: string, b: string): number {
  if (a === b) return 0;
  // A version without a prerelease comes after those with one.
  if (a === "") return 1;
  if (b === "") return -1;
  const left = a.split(".");
  const right = b.split(".");
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const x = left[index];
    const y = right[index];
    if (x === y) continue;
    if (x === undefined) return -1;
    if (y === undefined) return 1;
    const numericX = /^[0-9]+$/.test(x);
    const numericY = /^[0-9]+$/.test(y);
    if (numericX && numericY) return BigInt(x) < BigInt(y) ? -1 : 1;
    if (numericX !== numericY) return numericX ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return 0;
}

type Constraint = {
  readonly operator: string;
  readonly version: Version;
  /** Which parts were left out or written as a wildcard. */
  readonly minorOpen: boolean;
  readonly patchOpen: boolean;
  readonly majorOpen: boolean;
};

const versionPart =
  "v?([0-9xX*]+)(\\.[0-9xX*]+)?(\\.[0-9xX*]+)?(-[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?(\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?";
const constraintForm = new RegExp(`^(=|!=|>=|=>|<=|=<|>|<|~>|~|\\^)?\\s*${versionPart}$`);
const eachConstraint = new RegExp(
  `\\s*((?:=|!=|>=|=>|<=|=<|>|<|~>|~|\\^)?\\s*${versionPart})\\s*,?`,
  "y",
);
const rangeForm = new RegExp(`\\s*(${versionPart})\\s+-\\s+(${versionPart})\\s*`, "g");

function parseConstraints(text: string): readonly (readonly Constraint[])[] {
  const bad = (): FunctionError => new FunctionError(`improper constraint: ${text}`);
  const ranges = text.replace(rangeForm, (_, low: string, ...groups: readonly string[]) => {
    const high = groups[5] ?? "";
    return `>=${low}, <=${high} `;
  });
  return ranges.split("||").map((alternative) => {
    const trimmed = alternative.trim();
    const constraints: Constraint[] = [];
    if (trimmed === "") throw bad();
    for (let at = 0; at < trimmed.length;) {
      eachConstraint.lastIndex = at;
      const found = eachConstraint.exec(trimmed);
      if (found === null || found[0] === "") throw bad();
      constraints.push(parseConstraint(found[1] ?? "", bad));
      at += found[0].length;
    }
    return constraints;
  });
}

function parseConstraint(text: string, bad: () => FunctionError): Constraint {
  const found = constraintForm.exec(text.trim());
  if (found === null) throw bad();
  const [, operator = "", major = "", minor, patch, prerelease = ""] = found;
  const open = (part: string | undefined): boolean => part === undefined || /^\.?[xX*]$/.test(part);
  const majorOpen = open(major);
  const minorOpen = majorOpen || open(minor);
  const patchOpen = minorOpen || open(patch);
  const number = (part: string | undefined, isOpen: boolean): string =>
    isOpen ? "0" : (part ?? "0").replace(".", "");
  return {
    operator: majorOpen && (operator === "" || operator === "=") ? ">=" : operator,
    version: parseVersion(
      `${number(major, majorOpen)}.${number(minor, minorOpen)}.${number(patch, patchOpen)}${prerelease}`,
    ),
    majorOpen,
    minorOpen,
    patchOpen,
  };
}

function satisfies(version: Version, constraint: Constraint): boolean {
  const { operator, version: bound, majorOpen, minorOpen, patchOpen } = constraint;
  // A prerelease is wanted only by those who name one.
  const prereleaseUnwanted = version.prerelease !== "" && bound.prerelease === "";
  const order = compareVersions(version, bound);
  switch (operator) {
    case "":
    case "=":
      if (prereleaseUnwanted) return false;
      return minorOpen || patchOpen ? tilde(version, constraint) : order === 0;
    case "!=":
      if (prereleaseUnwanted) return false;
      if (majorOpen) return false;
      if (minorOpen) return version.major !== bound.major;
      if (patchOpen) return version.major !== bound.major || version.minor !== bound.minor;
      return order !== 0;
    case ">":
      if (prereleaseUnwanted) return false;
      if (minorOpen) return version.major > bound.major;
      if (patchOpen)
        return (
          version.major > bound.major ||
          (version.major === bound.major && version.minor > bound.minor)
        );
      return order > 0;
    case "<":
      return !prereleaseUnwanted && order < 0;
    case ">=":
    case "=>":
      return !prereleaseUnwanted && order >= 0;
    case "<=":
    case "=<":
      if (prereleaseUnwanted) return false;
      if (minorOpen) return version.major <= bound.major;
      if (patchOpen)
        return (
          version.major < bound.major ||
          (version.major === bound.major && version.minor <= bound.minor)
        );
      return order <= 0;
    case "~":
    case "~>":
      return !prereleaseUnwanted && tilde(version, constraint);
    default:
      return !prereleaseUnwanted && caret(version, constraint);
  }
}

function tilde(version: Version, { version: bound, majorOpen, minorOpen }: Constraint): boolean {
  if (compareVersions(version, bound) < 0) return false;
  if (majorOpen) return true;
  if (version.major !== bound.major) return false;
  return minorOpen || version.minor === bound.minor;
}

function caret(
  version: Version,
  { version: bound, majorOpen, minorOpen, patchOpen }: Constraint,
): boolean {
  if (compareVersions(version, bound) < 0) return false;
  if (majorOpen) return true;
  if (bound.major > 0n || minorOpen) return version.major === bound.major;
  if (version.major !== bound.major) return false;
  if (bound.minor > 0n || patchOpen) return version.minor === bound.minor;
  return version.minor === bound.minor && version.patch === bound.patch;
}

function versionObject(version: Version): GoValue {
  const core = `${version.major}.${version.minor}.${version.patch}`;
  const text =
    core +
    (version.prerelease === "" ? "" : `-${version.prerelease}`) +
    (version.metadata === "" ? "" : `+${version.metadata}`);
  return new GoObject(
    "*semver.Version",
    new Map<string, GoValue>([
      ["Major", new GoInteger("int64", version.major)],
      ["Minor", new GoInteger("int64", version.minor)],
      ["Patch", new GoInteger("int64", version.patch)],
      ["Prerelease", version.prerelease],
      ["Metadata", version.metadata],
      ["Original", version.original],
      ["String", text],
    ]),
    text,
    text,
  );
}

export const semverFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ["semver", takes(["string"], ([text]) => versionObject(parseVersion(text)))],
  [
    "semverCompare",
    takes(["string", "string"], ([constraint, text]) => {
      const alternatives = parseConstraints(constraint);
      const version = parseVersion(text);
      return alternatives.some((all) => all.every((it) => satisfies(version, it)));
    }),
  ],
];
