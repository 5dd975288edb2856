import type { Answer } from "../answer.ts";
import type { ApiClient, List, Query } from "../client.ts";
import { exitCodes, usage, type ExitCode } from "../exit-codes.ts";
import { kindCalled, kinds, type Filters, type Kind } from "../kinds.ts";
import { printRows } from "../output.ts";
import type { Session } from "../session.ts";
import { plainName, sortRows, tablePrinter, type TablePrinter } from "../table.ts";
import { safeJson } from "../terminal.ts";
import { lookAgain, troubleTeller, untilTimeout } from "../watch.ts";

export type GetOptions = Filters & {
  readonly sortBy?: string;
  readonly limit?: string;
  readonly after?: string;
};

/** `get KIND [NAME…]`: a list, or a few by name. */
export async function get(
  session: Session,
  word: string,
  names: readonly string[],
  options: GetOptions,
): Promise<ExitCode> {
  const kind = kindCalled(word);
  if (kind === undefined)
    throw usage(
      `there is no kind ${JSON.stringify(word)}`,
      `one of ${kinds.map((one) => one.names[0]).join(", ")}`,
    );
  const query = queryOf(kind, { ...options, ...selectorOf(session) });
  const client = await session.client();
  const limit = limitOf(options.limit);
  const read = () =>
    names.length > 0
      ? readNamed(client, kind, names)
      : readList(session, client, kind, query, limit, options.sortBy);
  if (session.options.watch === true)
    return kind.kind === "events"
      ? followEvents(session, client, kind, query, options)
      : watchRows(session, client, kind, read);
  const { items, more } = await read();
  await printRows(session.world, kind, items, session.format, session.manner());
  if (more) session.say(`showing ${items.length} of many; --limit 0 shows all`);
  if (items.length === 0 && session.format === "table") session.say(`no ${kind.kind} found`);
  return exitCodes.done;
}

const selectorOf = (session: Session): Filters =>
  session.options.selector === undefined ? {} : { selector: session.options.selector };

const listedOptions: readonly string[] = ["sortBy", "limit", "after"];

/** What was asked for in the API's words. A filter the kind does not know is a mistake, not ignored. */
function queryOf(kind: Kind, options: GetOptions): Query {
  const query: Record<string, string> = {};
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || listedOptions.includes(name)) continue;
    const known = Object.entries(kind.filters).find(([filter]) => filter === name);
    if (known === undefined)
      throw usage(
        `${kind.kind} are not filtered by --${flagName(name)}`,
        `they are by ${
          Object.keys(kind.filters)
            .map((filter) => `--${flagName(filter)}`)
            .join(", ") || "nothing"
        }`,
      );
    query[known[1]] =
      name === "sync" || name === "health" ? statesOf(String(value)) : String(value);
  }
  return query;
}

const flagName = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const states = [
  "Healthy",
  "Suspended",
  "Progressing",
  "Missing",
  "Degraded",
  "Unknown",
  "Synced",
  "OutOfSync",
];

/** States as the API spells them, however they were typed. */
const statesOf = (words: string): string =>
  words
    .split(",")
    .map((word) => states.find((state) => plainName(state) === plainName(word)) ?? word)
    .join(",");

function limitOf(text: string | undefined): number {
  const limit = Number(text ?? "200");
  if (!Number.isInteger(limit) || limit < 0)
    throw usage(`--limit ${JSON.stringify(text)} is not a whole number`, "0 shows all");
  return limit;
}

async function readNamed(client: ApiClient, kind: Kind, names: readonly string[]): Promise<List> {
  const { onePath } = kind;
  if (onePath === undefined) throw usage(`${kind.kind} have no names; filter them instead`);
  const items: Answer[] = [];
  for (const name of names) {
    const { path, query } = onePath(name);
    items.push(await client.get(path, query));
  }
  return { items, more: false };
}

async function readList(
  session: Session,
  client: ApiClient,
  kind: Kind,
  query: Query,
  limit: number,
  sortBy: string | undefined,
): Promise<List> {
  const fetchList = kind.fetch ?? ((_, asked, most) => client.list(kind.path, asked, most));
  const whole = kind.kind === "apps" && session.format !== "table" ? { fields: "*" } : {};
  if (sortBy === undefined) return fetchList(client, { ...query, ...whole }, limit);
  const word = plainName(sortBy.replace(/^-/, ""));
  if (kind.sorts.includes(word)) {
    const sort = sortBy.startsWith("-") ? `-${word}` : word;
    return fetchList(client, { ...query, ...whole, sort }, limit);
  }
  // Sorted here, so all rows are needed before the first can be shown.
  const { items } = await fetchList(client, { ...query, ...whole }, 0);
  const sorted = sortRows(items, kind.columns, sortBy, session.manner());
  if (sorted === undefined)
    throw usage(
      `${kind.kind} are not sorted by ${JSON.stringify(sortBy)}`,
      `they are by ${kind.columns.map(({ header }) => header.toLowerCase()).join(", ")}`,
    );
  const shown = limit === 0 ? sorted : sorted.slice(0, limit);
  return { items: shown, more: shown.length < sorted.length };
}

/** The list once, and then each row that has changed. */
async function watchRows(
  session: Session,
  client: ApiClient,
  kind: Kind,
  read: () => Promise<List>,
): Promise<ExitCode> {
  const printer = changePrinter(session, kind);
  let shown: ReadonlyMap<string, string> = new Map();
  return lookAgain(session, client, kind.isTouchedBy, async () => {
    const { items } = await read();
    const now = new Map(items.map((row) => [kind.keyOf(row), withoutTimes(row)]));
    printer(items.filter((row) => shown.get(kind.keyOf(row)) !== now.get(kind.keyOf(row))));
    for (const key of shown.keys()) if (!now.has(key)) session.say(`# ${key} is gone`);
    shown = now;
  });
}

/** Times move without anything having changed that a reader would want another line for. */
const withoutTimes = (row: Answer): string =>
  JSON.stringify(row, (key, value: unknown) => (key.endsWith("AtMs") ? undefined : value));

function changePrinter(session: Session, kind: Kind): (rows: readonly Answer[]) => void {
  const { world, format } = session;
  let table: TablePrinter | undefined;
  switch (format) {
    case "table":
    case "wide":
      return (rows) => {
        // An empty list says nothing yet: its header would be too narrow for what is to come.
        if (rows.length === 0) return;
        table ??= tablePrinter(kind.columns, session.manner());
        world.stdout.write(table.print(rows));
      };
    case "jsonl":
      return (rows) => rows.forEach((row) => world.stdout.write(`${safeJson(row)}\n`));
    case "name":
      return (rows) => rows.forEach((row) => world.stdout.write(`${kind.referenceOf(row)}\n`));
    default:
      throw usage(`-o ${format} cannot be watched: it has an end`, "use -o jsonl");
  }
}

/** Events as they come, after the newest that are there, or from `--after` on. */
async function followEvents(
  session: Session,
  client: ApiClient,
  kind: Kind,
  query: Query,
  options: GetOptions,
): Promise<ExitCode> {
  const print = changePrinter(session, kind);
  const after = options.after === undefined ? undefined : sequenceOf(options.after);
  return untilTimeout(session, async (signal) => {
    for await (const event of client.events(after, query, troubleTeller(session), signal)) {
      if (event.kind === "change") print([event.event]);
      if (event.kind === "resync") session.say("# events were missed here");
    }
  });
}

function sequenceOf(text: string): number {
  const sequence = Number(text);
  if (!Number.isInteger(sequence) || sequence < 0)
    throw usage(`--after ${JSON.stringify(text)} is not the sequence of an event`);
  return sequence;
}
