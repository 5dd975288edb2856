import { maybeNumber, number, pairs, part, parts, text, texts, type Answer } from "./answer.ts";
import type { ApiClient, List, Query } from "./client.ts";
import { colourOf, healthOrder, stateText, syncOrder } from "./glyphs.ts";
import type { Printable } from "./output.ts";
import type { Column } from "./table.ts";
import { shortAge } from "./terminal.ts";

/** Options of `get` that narrow a list down, by the name of the flag. */
export type Filters = {
  readonly selector?: string;
  readonly clusterSelector?: string;
  readonly cluster?: string;
  readonly set?: string;
  readonly app?: string;
  readonly project?: string;
  readonly sync?: string;
  readonly health?: string;
  readonly revision?: string;
  readonly connection?: string;
  readonly image?: string;
  readonly kind?: string;
  readonly group?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly text?: string;
  readonly subject?: string;
  readonly troubled?: boolean;
};

/** One kind of thing that can be listed. */
export type Kind = Printable & {
  readonly names: readonly string[];
  readonly path: string;
  /** Which filters it knows, and what the API calls them. */
  readonly filters: Readonly<Partial<Record<keyof Filters, string>>>;
  /** Columns the API sorts by; others are sorted here, once all rows are. */
  readonly sorts: readonly string[];
  /** Whether an event of this kind may change a row. */
  readonly isTouchedBy: (event: string) => boolean;
  readonly keyOf: (row: Answer) => string;
  /** Where one is read by name; absent for what has no name of its own. */
  readonly onePath?: (name: string) => { readonly path: string; readonly query: Query };
  readonly fetch?: (client: ApiClient, query: Query, limit: number) => Promise<List>;
};

const byName = (path: string) => (name: string) => ({
  path: `${path}/${encodeURIComponent(name)}`,
  query: {},
});

const textColumn = (header: string, ...path: readonly string[]): Column => ({
  header,
  cell: (row) => text(row, ...path),
});

const stateColumn = (header: string, ...path: readonly string[]): Column => ({
  header,
  cell: (row, { look }) => stateText(text(row, ...path), look),
  order: (row) => text(row, ...path),
});

const countColumn = (
  header: string,
  sign: string,
  state: string,
  path: readonly string[],
): Column => ({
  header,
  sign,
  align: "right",
  cell: (row) => {
    const count = number(row, ...path, state);
    return { text: String(count), colour: count === 0 ? "dim" : colourOf(state) };
  },
  order: (row) => number(row, ...path, state),
});

const ageColumn = (header: string, ...path: readonly string[]): Column => ({
  header,
  align: "right",
  // Zero is what never happened.
  cell: (row, { nowMs }) => shortAge(maybeNumber(row, ...path) || undefined, nowMs),
  // The older, the larger: a column of ages sorts by age.
  order: (row) => -(maybeNumber(row, ...path) ?? 0),
});

const labelsColumn: Column = {
  header: "LABELS",
  wide: true,
  cell: (row) => pairs(part(row, "labels")).join(","),
};

const shortCommit = (commit: string): string =>
  /^[0-9a-f]{40,64}$/.test(commit) ? commit.slice(0, 8) : commit;

const commitColumn = (header: string, ...path: readonly string[]): Column => ({
  header,
  cell: (row) => shortCommit(text(row, ...path)),
});

const problemText = (row: Answer): string => {
  const problem = part(row, "problem");
  const code = text(problem, "code");
  return code === "" ? "" : `${code} ${text(problem, "message")}`;
};

const problemColumn: Column = {
  header: "PROBLEM",
  cell: (row) => ({ text: problemText(row), colour: "red" }),
};

/** A lock says more than the detachment it brings. */
const connectionOf = (row: Answer): string =>
  text(row, "locked", "why") === "" ? text(row, "connection", "kind") : "locked";

const clusters: Kind = {
  kind: "clusters",
  names: ["clusters", "cluster"],
  path: "/v1/clusters",
  filters: { selector: "selector", connection: "connection", text: "text" },
  sorts: [],
  isTouchedBy: (event) => event.startsWith("cluster-") || event.startsWith("application-"),
  keyOf: (row) => text(row, "name"),
  referenceOf: (row) => `cluster/${text(row, "name")}`,
  onePath: byName("/v1/clusters"),
  columns: [
    textColumn("NAME", "name"),
    {
      header: "CONN",
      cell: (row, { look }) => stateText(connectionOf(row), look),
      order: connectionOf,
    },
    textColumn("SPOKE", "spokeVersion"),
    textColumn("K8S", "kubernetesVersion"),
    {
      header: "APPS",
      align: "right",
      cell: (row) => String(number(row, "applications", "total")),
      order: (row) => number(row, "applications", "total"),
    },
    countColumn("DEGRADED", "✖", "Degraded", ["applications", "health"]),
    countColumn("PROGRESSING", "◐", "Progressing", ["applications", "health"]),
    countColumn("OUTOFSYNC", "≠", "OutOfSync", ["applications", "sync"]),
    ageColumn("LAST-SEEN", "lastSeenAtMs"),
    ageColumn("AGE", "createdAtMs"),
    {
      header: "BEHIND",
      wide: true,
      align: "right",
      cell: (row) => String(number(row, "desiredVersion") - number(row, "storedVersion")),
      order: (row) => number(row, "desiredVersion") - number(row, "storedVersion"),
    },
    { ...textColumn("SERVER", "server"), wide: true },
    labelsColumn,
  ],
};

/** What most needs to be said of an application: why Git's newest is not offered, or why it is not well. */
function applicationMessage(row: Answer): string {
  const conditions = parts(row, "status", "conditions").map(
    (condition) => `${text(condition, "code")} ${text(condition, "message")}`,
  );
  const operation = part(row, "status", "operation");
  return (
    [
      problemText(row),
      text(row, "status", "health", "message"),
      ...conditions,
      text(operation, "phase") === "Succeeded" ? "" : text(operation, "message"),
    ].find((message) => message !== "") ?? ""
  );
}

const apps: Kind = {
  kind: "apps",
  names: ["apps", "app", "applications", "application"],
  path: "/v1/applications",
  filters: {
    selector: "selector",
    clusterSelector: "clusterSelector",
    cluster: "cluster",
    set: "set",
    project: "project",
    sync: "sync",
    health: "health",
    revision: "revision",
    text: "text",
    troubled: "troubled",
  },
  sorts: ["name", "cluster", "health", "sync", "changed"],
  isTouchedBy: (event) => event.startsWith("application-"),
  keyOf: (row) => text(row, "name"),
  referenceOf: (row) => `app/${text(row, "name")}`,
  onePath: byName("/v1/applications"),
  columns: [
    textColumn("NAME", "name"),
    textColumn("CLUSTER", "cluster"),
    stateColumn("SYNC", "status", "syncStatus"),
    stateColumn("HEALTH", "status", "health", "state"),
    commitColumn("REVISION", "revision"),
    {
      header: "GEN",
      align: "right",
      cell: (row) => text(row, "generation"),
      order: (row) => number(row, "generation"),
    },
    ageColumn("CHANGED", "changedAtMs"),
    {
      header: "OBJECTS",
      wide: true,
      align: "right",
      cell: (row) => text(row, "objects"),
      order: (row) => number(row, "objects"),
    },
    { ...textColumn("PROJECT", "project"), wide: true },
    {
      header: "SET",
      wide: true,
      cell: (row) =>
        text(row, "origin", "kind") === "application-set" ? text(row, "origin", "name") : "",
    },
    labelsColumn,
    { header: "MESSAGE", cell: applicationMessage },
  ],
};

const sets: Kind = {
  kind: "sets",
  names: ["sets", "set", "applicationsets", "applicationset"],
  path: "/v1/applicationsets",
  filters: { text: "text", project: "project", troubled: "troubled" },
  sorts: [],
  isTouchedBy: (event) => event.startsWith("set-") || event.startsWith("application-"),
  keyOf: (row) => text(row, "name"),
  referenceOf: (row) => `set/${text(row, "name")}`,
  onePath: byName("/v1/applicationsets"),
  columns: [
    textColumn("NAME", "name"),
    {
      header: "APPS",
      align: "right",
      cell: (row) => String(number(row, "applications", "total")),
      order: (row) => number(row, "applications", "total"),
    },
    ...healthOrder
      .filter((state) => state === "Degraded" || state === "Progressing")
      .map((state) =>
        countColumn(state.toUpperCase(), state === "Degraded" ? "✖" : "◐", state, [
          "applications",
          "health",
        ]),
      ),
    ...syncOrder
      .filter((state) => state === "OutOfSync")
      .map((state) => countColumn("OUTOFSYNC", "≠", state, ["applications", "sync"])),
    commitColumn("COMMIT", "commit"),
    ageColumn("GENERATED", "generatedAtMs"),
    { ...textColumn("PROJECT", "project"), wide: true },
    { ...textColumn("PATH", "path"), wide: true },
    problemColumn,
  ],
};

export const resourceColumns: readonly Column[] = [
  textColumn("KIND", "kind"),
  textColumn("NAMESPACE", "namespace"),
  textColumn("NAME", "name"),
  stateColumn("SYNC", "syncStatus"),
  stateColumn("HEALTH", "health"),
  { header: "IMAGES", wide: true, cell: (row) => texts(row, "images").join(",") },
  textColumn("MESSAGE", "message"),
];

const resources: Kind = {
  kind: "resources",
  names: ["resources", "resource"],
  path: "/v1/resources",
  filters: {
    group: "group",
    kind: "kind",
    namespace: "namespace",
    name: "name",
    cluster: "cluster",
    app: "application",
    image: "image",
    health: "health",
  },
  sorts: [],
  isTouchedBy: (event) => event.startsWith("application-"),
  keyOf: (row) =>
    ["cluster", "application", "group", "kind", "namespace", "name"]
      .map((field) => text(row, field))
      .join("/"),
  referenceOf: (row) =>
    `resource/${text(row, "cluster")}/${[text(row, "group"), text(row, "kind"), text(row, "namespace"), text(row, "name")].join("/")}`,
  columns: [textColumn("CLUSTER", "cluster"), textColumn("APP", "application"), ...resourceColumns],
};

const repos: Kind = {
  kind: "repos",
  names: ["repos", "repo", "repositories", "repository"],
  path: "/v1/repositories",
  filters: {},
  sorts: [],
  isTouchedBy: (event) => event.startsWith("repository-"),
  keyOf: (row) => text(row, "url"),
  referenceOf: (row) => `repo/${text(row, "url")}`,
  onePath: (url) => ({ path: "/v1/repositories/by-url", query: { url } }),
  fetch: async (client) => {
    const answer = await client.get("/v1/repositories");
    return { items: parts(answer, "items"), more: false };
  },
  columns: [
    textColumn("URL", "url"),
    {
      header: "HEADS",
      cell: (row) => {
        const heads = part(row, "heads");
        return Object.keys(heads)
          .toSorted()
          .map((head) => `${head}@${shortCommit(text(heads, head))}`)
          .join(",");
      },
    },
    ageColumn("CHECKED", "checkedAtMs"),
    ageColumn("FETCHED", "fetchedAtMs"),
    problemColumn,
  ],
};

const events: Kind = {
  kind: "events",
  names: ["events", "event"],
  path: "/v1/events",
  filters: { kind: "kind", subject: "subject", cluster: "cluster" },
  sorts: [],
  isTouchedBy: () => true,
  keyOf: (row) => text(row, "sequence"),
  referenceOf: (row) => `event/${text(row, "sequence")}`,
  fetch: async (client, query, limit) => {
    const page = await client.get("/v1/events", {
      ...query,
      limit: limit === 0 ? 500 : Math.min(limit, 500),
    });
    return { items: parts(page, "items"), more: false };
  },
  columns: [
    {
      header: "SEQ",
      align: "right",
      cell: (row) => text(row, "sequence"),
      order: (row) => number(row, "sequence"),
    },
    ageColumn("AGE", "atMs"),
    textColumn("KIND", "kind"),
    textColumn("SUBJECT", "subject"),
    textColumn("CLUSTER", "cluster"),
    textColumn("MESSAGE", "message"),
  ],
};

export const kinds: readonly Kind[] = [clusters, apps, sets, resources, repos, events];

export const kindCalled = (word: string): Kind | undefined =>
  kinds.find(({ names }) => names.includes(word));

export const appsKind = apps;

export const commandPrintable: Printable = {
  kind: "commands",
  referenceOf: (row) => `command/${text(row, "id")}`,
  columns: [
    { header: "APP", cell: (row) => text(row, "application") },
    textColumn("CLUSTER", "cluster"),
    textColumn("ORDER", "order"),
    stateColumn("STATE", "state"),
    textColumn("COMMAND", "id"),
    textColumn("MESSAGE", "message"),
  ],
};

export const tokenPrintable: Printable = {
  kind: "tokens",
  referenceOf: (row) => `token/${text(row, "id")}`,
  columns: [
    textColumn("ID", "id"),
    textColumn("NAME", "name"),
    textColumn("SCOPE", "scope"),
    ageColumn("AGE", "createdAtMs"),
    {
      header: "STATE",
      cell: (row, { nowMs }) => {
        const expiresAtMs = maybeNumber(row, "expiresAtMs");
        if (maybeNumber(row, "revokedAtMs") !== undefined)
          return { text: "revoked", colour: "dim" };
        if (expiresAtMs === undefined) return "valid";
        return expiresAtMs <= nowMs
          ? { text: "expired", colour: "dim" }
          : `valid for ${shortAge(2 * nowMs - expiresAtMs, nowMs)}`;
      },
    },
  ],
};
