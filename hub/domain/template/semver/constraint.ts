import { FunctionError, type CallContext } from "../function.ts";
import { compareVersions, parseVersion, type SemanticVersion } from "./version.ts";

/** Constraints on semantic versions, as Masterminds/semver v3 reads them. */

export type Constraint = {
  readonly operator: string;
  readonly version: SemanticVersion;
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

/** Longer ones, blanks counted once, are refused: reading one takes time that grows with the square of its length. */
const lengthMost = 500;

/** Alternatives, each of them constraints that must all hold. Throws FunctionError. */
export function parseConstraints(
  text: string,
  charge: CallContext["charge"],
): readonly (readonly Constraint[])[] {
  charge(text.length);
  const spaced = text.replace(/\s+/g, " ");
  if (spaced.length > lengthMost)
    throw new FunctionError(`a constraint of more than ${lengthMost} characters`);
  charge(Math.ceil(spaced.length ** 2 / 16));
  const bad = (): FunctionError => new FunctionError(`improper constraint: ${text}`);
  const ranges = spaced.replace(rangeForm, (_, low: string, ...groups: readonly string[]) => {
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
    version: boundVersion(
      `${number(major, majorOpen)}.${number(minor, minorOpen)}.${number(patch, patchOpen)}${prerelease}`,
    ),
    majorOpen,
    minorOpen,
    patchOpen,
  };
}

function boundVersion(text: string): SemanticVersion {
  try {
    return parseVersion(text);
  } catch (error) {
    if (error instanceof FunctionError) throw new FunctionError("constraint parser error");
    throw error;
  }
}

export function satisfies(version: SemanticVersion, constraint: Constraint): boolean {
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

function tilde(
  version: SemanticVersion,
  { version: bound, majorOpen, minorOpen }: Constraint,
): boolean {
  if (compareVersions(version, bound) < 0) return false;
  if (majorOpen) return true;
  if (version.major !== bound.major) return false;
  return minorOpen || version.minor === bound.minor;
}

function caret(
  version: SemanticVersion,
  { version: bound, majorOpen, minorOpen, patchOpen }: Constraint,
): boolean {
  if (compareVersions(version, bound) < 0) return false;
  if (majorOpen) return true;
  if (bound.major > 0n || minorOpen) return version.major === bound.major;
  if (version.major !== bound.major) return false;
  if (bound.minor > 0n || patchOpen) return version.minor === bound.minor;
  return version.minor === bound.minor && version.patch === bound.patch;
}
