/** Names, labels and the rest of metadata: what the API refuses in them. */
import { invalidValue, required, tooLong } from "./causes.ts";
import { managerProblems } from "./options.ts";
import { listAt, mapAt, mapsAt, textAt, type Json, type JsonMap } from "./json.ts";
import type { Kind } from "./kinds.ts";
import type { KubeObject } from "./object.ts";
import type { Cause } from "./status.ts";

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

export const subdomainPattern = new RegExp(`^${label}(\\.${label})*$`);

const labelPattern = new RegExp(`^${label}$`);

const labelValuePattern = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

const qualifiedNamePattern = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

export const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const labelValueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const qualifiedNameRule =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const labelNamed = new Set(["/namespaces", "/services"]);

const pathNamed = new Set([
  "rbac.authorization.k8s.io/roles",
  "rbac.authorization.k8s.io/clusterroles",
  "rbac.authorization.k8s.io/rolebindings",
  "rbac.authorization.k8s.io/clusterrolebindings",
]);

/** Why a text is no label. One that would do as a whole domain is told what it has too much of. */
export const labelNameProblems = (field: string, value: string): readonly Cause[] => [
  ...(value.length > 63 ? [invalidValue(field, value, "must be no more than 63 characters")] : []),
  ...(labelPattern.test(value)
    ? []
    : [
        invalidValue(
          field,
          value,
          subdomainPattern.test(value) ? "must not contain dots" : labelRule,
        ),
      ]),
];

function nameProblems(kind: Kind, name: string): readonly Cause[] {
  const field = "metadata.name";
  if (name === "") return [required(field, "name or generateName is required")];
  if (pathNamed.has(kind.key))
    return /[/%]/.test(name) || name === "." || name === ".."
      ? [invalidValue(field, name, "may not contain '/'")]
      : [];
  if (labelNamed.has(kind.key)) return labelNameProblems(field, name);
  return [
    ...(name.length > 253
      ? [invalidValue(field, name, "must be no more than 253 characters")]
      : []),
    ...(subdomainPattern.test(name) ? [] : [invalidValue(field, name, subdomainRule)]),
  ];
}

const annotationBytesMost = 262_144;

const qualifiedKeyRule = `${qualifiedNameRule.replace("name part", "a valid label key")} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`;

/** Everything that is wrong with a key that may have a prefix; `shown` is how the message quotes it. */
function qualifiedNameProblems(field: string, key: string, shown = key): readonly Cause[] {
  const problem = (detail: string): Cause => invalidValue(field, shown, detail);
  const parts = key.split("/");
  const [prefix, name = ""] = parts.length === 2 ? parts : [undefined, key];
  if (parts.length > 2) return [problem(qualifiedKeyRule)];
  return [
    ...(prefix === undefined
      ? []
      : prefix === ""
        ? [problem("prefix part must be non-empty")]
        : subdomainPattern.test(prefix)
          ? []
          : [problem(`prefix part ${subdomainRule}`)]),
    ...(name === ""
      ? [problem("name part must be non-empty")]
      : name.length > 63
        ? [problem("name part must be no more than 63 bytes")]
        : []),
    ...(qualifiedNamePattern.test(name) ? [] : [problem(qualifiedNameRule)]),
  ];
}

function labelProblems(field: string, labels: JsonMap): readonly Cause[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...qualifiedNameProblems(field, key),
    ...(typeof value === "string" && value.length > 63
      ? [invalidValue(field, value, "must be no more than 63 bytes")]
      : []),
    ...(typeof value === "string" && labelValuePattern.test(value)
      ? []
      : [invalidValue(field, value, labelValueRule)]),
  ]);
}

function annotationProblems(annotations: JsonMap): readonly Cause[] {
  const field = "metadata.annotations";
  const bytes = Object.entries(annotations).reduce(
    (sum, [key, value]) =>
      sum + Buffer.byteLength(key) + Buffer.byteLength(typeof value === "string" ? value : ""),
    0,
  );
  return [
    ...Object.keys(annotations).flatMap((key) =>
      qualifiedNameProblems(field, key.toLowerCase(), key),
    ),
    ...(bytes > annotationBytesMost ? [tooLong(field, annotationBytesMost)] : []),
  ];
}

const standardFinalizers = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

function finalizerProblems(kind: Kind, finalizers: readonly Json[]): readonly Cause[] {
  const texts = finalizers.filter((one): one is string => typeof one === "string");
  return [
    ...texts.flatMap((one) => qualifiedNameProblems("metadata.finalizers", one)),
    ...(kind.custom !== undefined || !strictFinalizers(kind)
      ? []
      : texts.flatMap((one, index) =>
          one.includes("/") || standardFinalizers.has(one)
            ? []
            : [
                invalidValue(
                  `metadata.finalizers[${index}]`,
                  one,
                  "name is neither a standard finalizer name nor is it fully qualified",
                ),
              ],
        )),
  ];
}

/** Only kinds of the core group insist on qualified finalizers. */
const strictFinalizers = (kind: Kind): boolean => kind.group === "";

function ownerProblems(references: readonly JsonMap[]): readonly Cause[] {
  const field = "metadata.ownerReferences";
  const causes: Cause[] = [];
  let first = "";
  for (const reference of references) {
    const text = (name: string): string => textAt(reference, name);
    for (const name of ["apiVersion", "kind", "name", "uid"])
      if (text(name) === "")
        causes.push(
          invalidValue(
            `${field}.${name}`,
            "",
            name === "apiVersion" ? "version must not be empty" : "must not be empty",
          ),
        );
    if (text("apiVersion") === "v1" && text("kind") === "Event")
      causes.push(
        invalidValue(field, reference, "/v1, Kind=Event is disallowed from being an owner"),
      );
    if (reference["controller"] !== true) continue;
    const name = `${text("kind")}/${text("name")}`;
    if (first !== "")
      causes.push(
        invalidValue(
          field,
          references,
          `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${name}`,
        ),
      );
    else first = name;
  }
  return causes;
}

function recordProblems(records: readonly JsonMap[]): readonly Cause[] {
  return records.flatMap((record, index) =>
    managerProblems(`metadata.managedFields[${index}].manager`, textAt(record, "manager")),
  );
}

/** What is refused in the metadata of an object that is changed; creating one checks the same and the name. */
function keptProblems(metadata: Json): readonly Cause[] {
  return [
    ...labelProblems("metadata.labels", mapAt(metadata, "labels")),
    ...annotationProblems(mapAt(metadata, "annotations")),
    ...ownerProblems(mapsAt(metadata, "ownerReferences")),
  ];
}

export function metadataProblems(kind: Kind, object: KubeObject): readonly Cause[] {
  const metadata: Json = object.metadata;
  const { generateName = "" } = object.metadata;
  return [
    ...(generateName === ""
      ? []
      : nameProblems(kind, generateName.replace(/-$/, "a")).map((cause) =>
          invalidValue("metadata.generateName", generateName, detailOf(cause)),
        )),
    ...nameProblems(kind, object.metadata.name),
    ...keptProblems(metadata),
    ...finalizerProblems(kind, listAt(metadata, "finalizers")),
    ...recordProblems(mapsAt(metadata, "managedFields")),
  ];
}

/** The same findings once for every kind, and once more by the kind's own rules. */
export function metadataChangeProblems(object: KubeObject): readonly Cause[] {
  const metadata: Json = object.metadata;
  const found = [...keptProblems(metadata), ...recordProblems(mapsAt(metadata, "managedFields"))];
  return [...found, ...found];
}

const detailOf = ({ message }: Cause): string => message.replace(/^Invalid value: "[^"]*": /, "");
