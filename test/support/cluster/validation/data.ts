import { invalidValue, required, tooLong } from "../causes.ts";
import { mapAt, textAt } from "../json.ts";
import type { KubeObject } from "../object.ts";
import type { Cause } from "../status.ts";
import type { Check } from "./check.ts";

const dataBytesMost = 1_048_576;

export function dataProblems(object: KubeObject): readonly Cause[] {
  let bytes = 0;
  const binary = mapAt(object, "binaryData");
  const causes: Cause[] = [];
  for (const field of ["data", "binaryData"]) {
    for (const [key, value] of Object.entries(mapAt(object, field))) {
      if (field === "data" && key in binary)
        causes.push(invalidValue(`data[${key}]`, key, "duplicate of key present in binaryData"));
      if (key === "." || key.startsWith(".."))
        causes.push(
          invalidValue(
            `${field}[${key}]`,
            key,
            key === "." || key === ".." ? `must not be '${key}'` : "must not start with '..'",
          ),
        );
      bytes += Buffer.byteLength(typeof value === "string" ? value : "");
      if (!/^[-._a-zA-Z0-9]+$/.test(key))
        causes.push(
          invalidValue(
            `${field}[${key}]`,
            key,
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
          ),
        );
    }
  }
  if (bytes > dataBytesMost)
    causes.push(tooLong(object.kind === "Secret" ? "data" : "", dataBytesMost));
  return causes;
}

/** Types of Secret that must hold something under a certain key. */
const secretKeys: { readonly [type: string]: readonly string[] } = {
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};

export const secret: Check = (object) => [
  ...dataProblems(object),
  ...(secretKeys[textAt(object, "type")] ?? [])
    .filter((key) => !(key in mapAt(object, "data")))
    .map((key) => required(`data[${key}]`)),
];
