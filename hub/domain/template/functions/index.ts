import type { FunctionSet, TemplateFunction } from "../function.ts";
import { conversionFunctions } from "./convert.ts";
import { dateFunctions } from "./dates.ts";
import { dictFunctions } from "./dicts.ts";
import { encodingFunctions } from "./encodings.ts";
import { hashFunctions } from "./hashes.ts";
import { listFunctions } from "./lists.ts";
import { logicFunctions } from "./logic.ts";
import { numberFunctions } from "./numbers.ts";
import { pathFunctions } from "./paths.ts";
import { passwordFunctions } from "./passwords.ts";
import { regexFunctions } from "./regexes.ts";
import { semverFunctions } from "./semver.ts";
import { stringFunctions } from "./strings.ts";

/** What Argo CD's templates may call: Go's own functions, sprig's, and its own. */
export const argoFunctions: FunctionSet = new Map<string, TemplateFunction>([
  ...conversionFunctions,
  ...stringFunctions,
  ...numberFunctions,
  ...listFunctions,
  ...dictFunctions,
  ...logicFunctions,
  ...encodingFunctions,
  ...pathFunctions,
  ...dateFunctions,
  ...hashFunctions,
  ...passwordFunctions,
  ...regexFunctions,
  ...semverFunctions,
]);

/** Functions that need chance or a clock: an Application would change every time anyone looks. */
const unsteady = new Set([
  "ago",
  "bcrypt",
  "buildCustomCert",
  "encryptAES",
  "genCA",
  "genCAWithKey",
  "genPrivateKey",
  "genSelfSignedCert",
  "genSelfSignedCertWithKey",
  "genSignedCert",
  "genSignedCertWithKey",
  "htpasswd",
  "now",
  "randAlpha",
  "randAlphaNum",
  "randAscii",
  "randBytes",
  "randInt",
  "randNumeric",
  "shuffle",
  "uuidv4",
]);

/** Why a function that Argo CD has is refused here; `undefined` for those nobody has. */
export const refusedFunction = (name: string): string | undefined =>
  unsteady.has(name)
    ? `function "${name}" is not supported: it gives another result every time, so the application would never be settled`
    : undefined;
