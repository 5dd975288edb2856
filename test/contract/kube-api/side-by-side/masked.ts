/**
 * Replies without what no two clusters share: uids, times, versions, addresses and tokens are replaced by the
 * order in which they first appear, so that "the same one again" and "another one" still show.
 */
import { isList, isMap, textAt, type Json, type JsonMap } from "../../../support/cluster/json.ts";
import type { Reply } from "../client.ts";

export type Masked = {
  readonly code: number;
  readonly type: string;
  readonly warning: string;
  readonly body: Json;
};

const uidPattern = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const timePattern = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000 UTC)/g;
const addressPattern = /\b10\.96\.\d+\.\d+\b/g;

/** The masks of one script on one cluster. */
class Masks {
  readonly #seen = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  name(kind: string, value: string): string {
    const key = `${kind} ${value}`;
    const known = this.#seen.get(key);
    if (known !== undefined) return known;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const name = `<${kind} ${count}>`;
    this.#seen.set(key, name);
    return name;
  }

  /** The name of a value that was named before, or the value. */
  known(kind: string, value: string): string {
    return this.#seen.get(`${kind} ${value}`) ?? value;
  }
}

export function masked(replies: readonly Reply[]): readonly Masked[] {
  const masks = new Masks();
  return replies.map((reply) => ({
    code: reply.code,
    type: (reply.headers["content-type"] ?? "").replaceAll(" ", ""),
    warning: reply.headers["warning"] ?? "",
    body: Object.keys(reply.body).length > 0 ? masking(reply.body, masks) : reply.text,
  }));
}

function masking(body: JsonMap, masks: Masks): Json {
  // A list's version is the cluster's, which moves for reasons of its own.
  if (!isList(body["items"])) return valueMasked(body, "", masks);
  const metadata = isMap(body["metadata"]) ? body["metadata"] : {};
  return valueMasked({ ...body, metadata: { ...metadata, resourceVersion: "<now>" } }, "", masks);
}

function valueMasked(value: Json, field: string, masks: Masks): Json {
  if (typeof value === "string") return textMasked(value, field, masks);
  if (typeof value === "number")
    return field === "nodePort" || field === "healthCheckNodePort" ? "<port>" : value;
  if (isList(value)) {
    const items =
      field === "managedFields"
        ? value.toSorted(byManager)
        : field === "causes"
          ? causesInOrder(value)
          : value;
    return items.map((item) => valueMasked(item, field, masks));
  }
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name.replaceAll(uidPattern, (uid) => masks.name("uid", uid)),
      valueMasked(inner, name, masks),
    ]),
  );
}

function textMasked(value: string, field: string, masks: Masks): string {
  if (field === "resourceVersion" && /^\d+$/.test(value)) return masks.name("version", value);
  if (field === "continue" && value !== "") return "<token>";
  return (
    flawsInOrder(value)
      .replaceAll(uidPattern, (uid) => masks.name("uid", uid))
      .replaceAll(timePattern, "<time>")
      .replaceAll(addressPattern, "<address>")
      // Where the API prints a whole object, or the difference of two, it prints them as Go holds them.
      .replaceAll(/Invalid value: "\{\\".*\}": /gs, "Invalid value: <object>: ")
      .replaceAll(
        /Invalid value: \{.*\}: field is immutable/gs,
        "Invalid value: <object>: field is immutable",
      )
      .replaceAll(/\n@@ .*/gs, "")
      .replaceAll(/\((\d+)\)/g, (_, number: string) => `(${masks.known("version", number)})`)
  );
}

/** The API tells conflicts, and what a custom kind's schema says, in no particular order. */
const causesInOrder = (causes: readonly Json[]): readonly Json[] =>
  causes.some(
    (cause) =>
      textAt(cause, "reason") === "FieldManagerConflict" ||
      textAt(cause, "message").includes(schemaWords),
  )
    ? causes.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    : causes;

const schemaWords = " in body ";

/** The same in the sentence that sums them up: `… is invalid: [a: …, b: …]`. */
function flawsInOrder(message: string): string {
  const flaws = /^(.* is invalid: \[)(.*)\]$/s.exec(message);
  if (flaws === null || !message.includes(schemaWords)) return message;
  const [, start = "", list = ""] = flaws;
  return `${start}${list
    .split(/, (?=[\w.[\]"-]+: )/)
    .toSorted()
    .join(", ")}]`;
}

/** Times decide the order that the API keeps, and times are not compared. */
function byManager(a: Json, b: Json): number {
  const key = (entry: Json): string =>
    ["operation", "manager", "subresource", "apiVersion"]
      .map((field) => textAt(entry, field))
      .join(" ");
  return key(a) < key(b) ? -1 : 1;
}

/** Where two answers differ, one line for each place. */
export function differences(simulated: Json, real: Json, path = ""): readonly string[] {
  if (isMap(simulated) && isMap(real)) {
    const fields = [...new Set([...Object.keys(simulated), ...Object.keys(real)])];
    return fields.flatMap((field) =>
      !Object.hasOwn(simulated, field)
        ? [`${path}.${field}: only real: ${JSON.stringify(real[field])}`]
        : !Object.hasOwn(real, field)
          ? [`${path}.${field}: only simulated: ${JSON.stringify(simulated[field])}`]
          : differences(simulated[field] ?? null, real[field] ?? null, `${path}.${field}`),
    );
  }
  if (isList(simulated) && isList(real) && simulated.length === real.length)
    return simulated.flatMap((item, index) =>
      differences(item, real[index] ?? null, `${path}[${index}]`),
    );
  return JSON.stringify(simulated) === JSON.stringify(real)
    ? []
    : [
        `${path}:\n    simulated ${JSON.stringify(simulated)}\n    real      ${JSON.stringify(real)}`,
      ];
}
