import { FunctionError, takes, takesMany, type TemplateFunction } from "../function.ts";
import { GoInteger, GoObject, type StructField } from "../value.ts";

/** A semantic version, as Masterminds/semver v3 reads it. */
export type SemanticVersion = {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly prerelease: string;
  readonly metadata: string;
  /** As it was written. */
  readonly original: string;
};

const versionForm =
  /^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?(-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

/** Throws FunctionError. */
export function parseVersion(text: string): SemanticVersion {
  const found = versionForm.exec(text);
  if (found === null) throw new FunctionError("invalid semantic version");
  const part = (index: number): bigint => {
    const digits = (found[index] ?? ".0").replace(".", "");
    const value = segmentOf(digits);
    if (value === undefined)
      throw new FunctionError(
        `error parsing version segment: strconv.ParseUint: parsing "${digits}": value out of range`,
      );
    return value;
  };
  const prerelease = found[5] ?? "";
  checkPrerelease(prerelease);
  return {
    major: part(1),
    minor: part(2),
    patch: part(3),
    prerelease,
    metadata: found[7] ?? "",
    original: text,
  };
}

/** A uint64; `undefined` for what is none. */
function segmentOf(text: string): bigint | undefined {
  if (!/^[0-9]+$/.test(text)) return undefined;
  const digits = text.replace(/^0+/, "");
  const value = digits.length > 20 ? undefined : BigInt(digits === "" ? "0" : digits);
  return value === undefined || value >= 1n << 64n ? undefined : value;
}

function checkPrerelease(text: string): void {
  for (const segment of text.split(".")) {
    if (/^0[0-9]+$/.test(segment)) throw new FunctionError("version segment starts with 0");
    if (!/^[0-9A-Za-z-]*$/.test(segment)) throw new FunctionError("invalid prerelease string");
  }
}

export function compareVersions(a: SemanticVersion, b: SemanticVersion): number {
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
    const x = left[index] ?? "";
    const y = right[index] ?? "";
    if (x === y) continue;
    if (x === "" || y === "") return x === "" ? -1 : 1;
    const numberX = segmentOf(x);
    const numberY = segmentOf(y);
    if (numberX !== undefined && numberY !== undefined) return numberX > numberY ? 1 : -1;
    if (numberX !== undefined || numberY !== undefined) return numberX !== undefined ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return 0;
}

function versionText({ major, minor, patch, prerelease, metadata }: SemanticVersion): string {
  return (
    `${major}.${minor}.${patch}` +
    (prerelease === "" ? "" : `-${prerelease}`) +
    (metadata === "" ? "" : `+${metadata}`)
  );
}

/** Go's `*semver.Version`, or the plain one that changing a version gives, which has fewer methods. */
export class GoVersion extends GoObject {
  readonly type: "*semver.Version" | "semver.Version";
  readonly version: SemanticVersion;

  constructor(version: SemanticVersion, isPointer: boolean) {
    super();
    this.version = version;
    this.type = isPointer ? "*semver.Version" : "semver.Version";
  }

  get text(): string {
    return versionText(this.version);
  }

  get json(): string {
    return this.text;
  }

  get fields(): readonly StructField[] {
    const { major, minor, patch, prerelease, metadata, original } = this.version;
    return [
      { name: "major", kind: "unsigned", value: major },
      { name: "minor", kind: "unsigned", value: minor },
      { name: "patch", kind: "unsigned", value: patch },
      { name: "pre", kind: "string", value: prerelease },
      { name: "metadata", kind: "string", value: metadata },
      { name: "original", kind: "string", value: original },
    ];
  }

  method(name: string): TemplateFunction | undefined {
    const made = methods.get(name) ?? (this.isPointer ? pointerMethods.get(name) : undefined);
    return made?.(this.version);
  }

  equals(other: GoObject): boolean {
    return this.isPointer ? this === other : this.deepEquals(other);
  }

  deepEquals(other: GoObject): boolean {
    if (!(other instanceof GoVersion)) return false;
    const [a, b] = [this.version, other.version];
    return versionText(a) === versionText(b) && a.original === b.original;
  }
}

type Method = (version: SemanticVersion) => TemplateFunction;

const text =
  (of: (version: SemanticVersion) => string): Method =>
  (version) =>
    takes([], () => of(version));

const uint64 =
  (of: (version: SemanticVersion) => bigint): Method =>
  (version) =>
    takes([], () => new GoInteger("uint64", of(version)));

/** Named as it was written, with or without a `v` in front. */
function changed(version: SemanticVersion, change: Partial<SemanticVersion>): GoVersion {
  const next = { ...version, ...change };
  const mark = version.original.startsWith("v") ? "v" : "";
  return new GoVersion({ ...next, original: mark + versionText(next) }, false);
}

const bare = { prerelease: "", metadata: "" };

const next = (segment: bigint): bigint => BigInt.asUintN(64, segment + 1n);

const increased =
  (change: (version: SemanticVersion) => Partial<SemanticVersion>): Method =>
  (version) =>
    takes([], () => changed(version, { ...bare, ...change(version) }));

const bytes: Method = () =>
  takesMany([], "any", () => {
    throw new FunctionError("it gives bytes, which are no value of a template here: use String");
  });

/** What would read another version into this one, which others may hold. */
const changing: Method = () =>
  takesMany([], "any", () => {
    throw new FunctionError("it would change the version, which nothing here may: make another");
  });

const methods: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["String", text(versionText)],
  ["Value", text(versionText)],
  ["Major", uint64(({ major }) => major)],
  ["Minor", uint64(({ minor }) => minor)],
  ["Patch", uint64(({ patch }) => patch)],
  ["Prerelease", text(({ prerelease }) => prerelease)],
  ["Metadata", text(({ metadata }) => metadata)],
  ["IncMajor", increased(({ major }) => ({ major: next(major), minor: 0n, patch: 0n }))],
  ["IncMinor", increased(({ minor }) => ({ minor: next(minor), patch: 0n }))],
  // What comes after a prerelease is the version that it was one of.
  [
    "IncPatch",
    increased(({ patch, prerelease }) => (prerelease === "" ? { patch: next(patch) } : {})),
  ],
  [
    "SetPrerelease",
    (version) =>
      takes(["string"], ([prerelease]) => {
        checkPrerelease(prerelease);
        return changed(version, { prerelease });
      }),
  ],
  [
    "SetMetadata",
    (version) =>
      takes(["string"], ([metadata]) => {
        if (!/^[0-9A-Za-z.-]*$/.test(metadata)) throw new FunctionError("invalid metadata string");
        return changed(version, { metadata });
      }),
  ],
  ["MarshalJSON", bytes],
  ["MarshalText", bytes],
]);

const compared =
  (test: (order: number) => boolean): Method =>
  (version) =>
    takes(["version"], ([other]) => test(orderOf(version, other)));

function orderOf(version: SemanticVersion, other: GoVersion | null): number {
  if (other !== null) return compareVersions(version, other.version);
  throw new FunctionError("runtime error: invalid memory address or nil pointer dereference");
}

const pointerMethods: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["Original", text(({ original }) => original)],
  ["LessThan", compared((order) => order < 0)],
  ["LessThanEqual", compared((order) => order <= 0)],
  ["GreaterThan", compared((order) => order > 0)],
  ["GreaterThanEqual", compared((order) => order >= 0)],
  [
    "Equal",
    (version) => takes(["version"], ([other]) => other !== null && orderOf(version, other) === 0),
  ],
  ["Compare", (version) => takes(["version"], ([other]) => BigInt(orderOf(version, other)))],
  ["Scan", changing],
  ["UnmarshalJSON", changing],
  ["UnmarshalText", changing],
]);
