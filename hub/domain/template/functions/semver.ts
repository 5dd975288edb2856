import { takes, type TemplateFunction } from "../function.ts";
import { parseConstraints, satisfies } from "../semver/constraint.ts";
import { GoVersion, parseVersion } from "../semver/version.ts";

export const semverFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ["semver", takes(["string"], ([text]) => new GoVersion(parseVersion(text), true))],
  [
    "semverCompare",
    takes(["string", "string"], ([constraint, text], { charge }) => {
      const alternatives = parseConstraints(constraint, charge);
      const version = parseVersion(text);
      return alternatives.some((all) => all.every((it) => satisfies(version, it)));
    }),
  ],
];
