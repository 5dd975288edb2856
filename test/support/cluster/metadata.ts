/** Names, labels and the rest of metadata: what the API refuses in them. */
import { invalidValue, required, tooLong } from "./causes.ts";
import { listAt, mapAt, mapsAt, textAt, type Json, type JsonMap } from "./json.ts";
import type { Kind } from "./kinds.ts";
import type { KubeObject } from "./object.ts";
import type { Cause } from "./status.ts";

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

const subdomainPattern = new RegExp(`^${label}(\\.${label})*$`);

export const labelPattern = new RegExp(`^${label}$`);

const label1035Pattern = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

const labelValuePattern = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

const qualifiedNamePattern = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

export const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const label1035Rule =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

const labelValueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const qualifiedNameRule =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const labelNamed = new Set(["/namespaces"]);

const label1035Named = new Set(["/services"]);

const pathNamed = new Set([
  "rbac.authorization.k8s.io/roles",
  "rbac.authorization.k8s.io/clusterroles",
  "rbac.authorization.k8s.io/rolebindings",
  "rbac.authorization.k8s.io/clusterrolebindings",
]);

function nameProblems(kind: Kind, name: string): readonly Cause[] {
  const field = "metadata.name";
  if (name === "") return [required(field, "name or generateName is required")];
  if (pathNamed.has(kind.key))
    return /[/%]/.test(name) || name === "." || name === ".."
      ? [invalidValue(field, name, "may not contain '/'")]
      : [];
  const [pattern, rule, most] = labelNamed.has(kind.key)
    ? [labelPattern, labelRule, 63]
    : label1035Named.has(kind.key)
      ? [label1035Pattern, label1035Rule, 63]
      : [subdomainPattern, subdomainRule, 253];
  if (name.length > most)
    return [invalidValue(field, name, `must be no more than ${most} characters`)];
  return pattern.test(name) ? [] : [invalidValue(field, name, rule)];
}

const annotationBytesMost = 262_144;

function qualifiedNameProblems(field: string, key: string): readonly Cause[] {
  const slash = key.indexOf("/");
  const name = key.slice(slash + 1);
  const prefix = slash === -1 ? undefined : key.slice(0, slash);
  if (name.length > 63)
    return [invalidValue(field, key, "name part must be no more than 63 characters")];
  if (!qualifiedNamePattern.test(name)) return [invalidValue(field, key, qualifiedNameRule)];
  return prefix === undefined || subdomainPattern.test(prefix)
    ? []
    : [invalidValue(field, key, `prefix part ${subdomainRule}`)];
}

function labelProblems(field: string, labels: JsonMap): readonly Cause[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...qualifiedNameProblems(field, key),
    ...(typeof value === "string" && value.length > 63
      ? [invalidValue(field, value, "must be no more than 63 characters")]
      : typeof value === "string" && labelValuePattern.test(value)
        ? []
        : [invalidValue(field, value, labelValueRule)]),
  ]);
}

export function metadataProblems(kind: Kind, object: KubeObject): readonly Cause[] {
  const metadata: Json = object.metadata;
  const annotations = mapAt(metadata, "annotations");
  const bytes = Object.entries(annotations).reduce(
    (sum, [key, value]) =>
      sum + Buffer.byteLength(key) + Buffer.byteLength(typeof value === "string" ? value : ""),
    0,
  );
  return [
    ...nameProblems(kind, object.metadata.name),
    ...labelProblems("metadata.labels", mapAt(metadata, "labels")),
    ...Object.keys(annotations).flatMap((key) =>
      qualifiedNameProblems("metadata.annotations", key.toLowerCase()),
    ),
    ...(bytes > annotationBytesMost ? [tooLong("metadata.annotations", annotationBytesMost)] : []),
    ...listAt(metadata, "finalizers").flatMap((finalizer) =>
      typeof finalizer !== "string" ||
      qualifiedNamePattern.test(finalizer.slice(finalizer.indexOf("/") + 1))
        ? []
        : [invalidValue("metadata.finalizers", finalizer, qualifiedNameRule)],
    ),
    ...mapsAt(metadata, "ownerReferences").flatMap((reference, index) =>
      ["apiVersion", "kind", "name", "uid"].flatMap((field) =>
        textAt(reference, field) === ""
          ? [
              invalidValue(
                `metadata.ownerReferences[${index}].${field}`,
                "",
                field === "apiVersion" ? "version must not be empty" : `${field} must not be empty`,
              ),
            ]
          : [],
      ),
    ),
  ];
}
