import { number, part, parts, text, type Answer } from "../answer.ts";
import type { ApiClient } from "../client.ts";
import { exitCodes, usage, type ExitCode } from "../exit-codes.ts";
import { colourOf, countsText, healthOrder, signOf, syncOrder } from "../glyphs.ts";
import { isWhole, printValue, shapeVersion } from "../output.ts";
import type { Session } from "../session.ts";
import { tablePrinter, type Column } from "../table.ts";
import { oneLine, paint, shortAge, timeOfDay } from "../terminal.ts";
import { lookAgain } from "../watch.ts";

export type StatusOptions = { readonly failOn?: string; readonly by?: string };

const conditions = ["degraded", "outofsync", "offline", "troubled"] as const;

type Condition = (typeof conditions)[number];

const troublesShown = 5;

/** `status`: the fleet in ten lines. Exit code 1 when a condition of --fail-on holds. */
export async function status(session: Session, options: StatusOptions): Promise<ExitCode> {
  const failOn = readConditions(options.failOn);
  const client = await session.client();
  const look = async (): Promise<Fleet> => {
    const fleet = await readFleet(client, options.by);
    await print(session, fleet, options.by);
    return fleet;
  };
  if (session.options.watch === true)
    return lookAgain(
      session,
      client,
      () => true,
      async () => {
        await look();
      },
    );
  const fleet = await look();
  return failOn.some((condition) => holds(condition, fleet)) ? exitCodes.different : exitCodes.done;
}

function readConditions(words: string | undefined): readonly Condition[] {
  if (words === undefined) return [];
  return words.split(",").map((word) => {
    const found = conditions.find((condition) => condition === word.trim().toLowerCase());
    if (found === undefined)
      throw usage(`--fail-on ${JSON.stringify(word)} is none of ${conditions.join(", ")}`);
    return found;
  });
}

type Fleet = {
  readonly summary: Answer;
  /** Clusters that are registered and have never joined; those are awaited, not missed. */
  readonly pending: number;
  readonly sets: readonly Answer[];
  readonly applications: readonly Answer[];
  readonly repositories: readonly Answer[];
};

async function readFleet(client: ApiClient, by: string | undefined): Promise<Fleet> {
  const most = 100;
  const [summary, pending, sets, applications, repositories] = await Promise.all([
    client.get("/v1/fleet/summary", { groupBy: by }),
    client.list("/v1/clusters", { connection: "never-joined" }, 0),
    client.list("/v1/applicationsets", { troubled: "true" }, most),
    client.list("/v1/applications", { troubled: "true" }, most),
    client.get("/v1/repositories"),
  ]);
  return {
    summary,
    pending: pending.items.length,
    sets: sets.items,
    applications: applications.items,
    repositories: parts(repositories, "items").filter((one) => text(one, "problem", "code") !== ""),
  };
}

function holds(condition: Condition, fleet: Fleet): boolean {
  const total = part(fleet.summary, "total");
  switch (condition) {
    case "degraded":
      return number(total, "applications", "health", "Degraded") > 0;
    case "outofsync":
      return number(total, "applications", "sync", "OutOfSync") > 0;
    case "offline":
      return offlineIn(fleet) > 0;
    default:
      return fleet.sets.length + fleet.applications.length + fleet.repositories.length > 0;
  }
}

/** Clusters that joined once and are away now. */
function offlineIn({ summary, pending }: Fleet): number {
  const clusters = part(summary, "total", "clusters");
  // Counts that were read a moment apart may disagree for that moment.
  return Math.max(0, number(clusters, "total") - number(clusters, "attached") - pending);
}

async function print(session: Session, fleet: Fleet, by: string | undefined): Promise<void> {
  const { world, format } = session;
  if (isWhole(format)) {
    await printValue(world, { apiVersion: shapeVersion, kind: "status", ...fleet }, format);
    return;
  }
  const lines = [...totals(session, fleet), ...needs(session, fleet)];
  world.stdout.write(lines.map((line) => `${line}\n`).join(""));
  if (by !== undefined) world.stdout.write(`\n${groups(session, fleet.summary, by)}`);
  const asOf = timeOfDay(number(fleet.summary, "readAtMs"));
  const live = session.options.watch === true ? ", live" : "";
  world.stdout.write(`${paint(`as of ${asOf}${live}`, "dim", session.look)}\n`);
}

function totals({ look, world }: Session, fleet: Fleet): readonly string[] {
  const total = part(fleet.summary, "total");
  const apps = number(total, "applications", "total");
  const health = part(total, "applications", "health");
  const sync = part(total, "applications", "sync");
  const clusters = [
    counted(number(total, "clusters", "total"), "cluster"),
    connectionText("attached", "attached", number(total, "clusters", "attached"), look),
    connectionText("detached", "offline", offlineIn(fleet), look),
    ...(fleet.pending === 0
      ? []
      : [connectionText("never-joined", "not joined yet", fleet.pending, look)]),
  ];
  return [
    `${head("FLEET", look)}${clusters.join("   ")}`,
    `${head("APPS", look)}${counted(apps, "application")}   ${countsText(healthOrder, (state) => number(health, state), look)}`,
    `${head("SYNC", look)}${countsText(syncOrder, (state) => number(sync, state), look)}`,
    `${head("GIT", look)}${publishedText(part(fleet.summary, "published"), world.clock.nowMs())}`,
  ];
}

/** Which commit of the fleet repository is in force, and since when. */
function publishedText(published: Answer, nowMs: number): string {
  const commit = text(published, "commit");
  return commit === ""
    ? "nothing published yet"
    : `${commit.slice(0, 7)} published ${shortAge(number(published, "atMs"), nowMs)} ago`;
}

function connectionText(state: string, word: string, count: number, look: Session["look"]): string {
  const sign = look.glyphs === "none" ? "" : `${signOf(state, look)} `;
  return paint(`${sign}${count} ${word}`, count === 0 ? "dim" : colourOf(state), look);
}

const head = (word: string, look: Session["look"]): string => paint(word.padEnd(8), "bold", look);

const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? "" : "s"}`;

/** What somebody has to do something about, by number and then by name. */
function needs(session: Session, fleet: Fleet): readonly string[] {
  const { look, world } = session;
  const { repositories, sets, applications } = fleet;
  const kept = [
    [repositories.length, "repository in trouble", "repositories in trouble"],
    [sets.length, "set frozen", "sets frozen"],
    [applications.length, "application held back", "applications held back"],
  ] as const;
  const said = kept
    .filter(([count]) => count > 0)
    .map(([count, one, many]) => `${count} ${count === 1 ? one : many}`);
  if (said.length === 0) return [];
  const troubles = [
    ...repositories.map((one) => troubleLine(`repo/${text(one, "url")}`, one, world.clock.nowMs())),
    ...sets.map((one) => troubleLine(`set/${text(one, "name")}`, one, world.clock.nowMs())),
    ...applications.map((one) => troubleLine(`app/${text(one, "name")}`, one, world.clock.nowMs())),
  ];
  const rest = troubles.length - troublesShown;
  return [
    `${head("NEEDS", look)}${said.join(look.glyphs === "unicode" ? " · " : ", ")}`,
    ...troubles.slice(0, troublesShown).map((line) => `        ${paint(line, "yellow", look)}`),
    ...(rest > 0 ? [`        and ${rest} more: wheelhouse get apps --troubled`] : []),
  ];
}

const troubleLine = (reference: string, one: Answer, nowMs: number): string =>
  oneLine(
    `${reference}  ${text(one, "problem", "code")} for ${shortAge(number(one, "problem", "sinceAtMs"), nowMs)}: ${text(one, "problem", "message")}`,
  );

function groups(session: Session, summary: Answer, by: string): string {
  const countColumn = (header: string, sign: string, path: readonly string[]): Column => ({
    header,
    sign,
    align: "right",
    cell: (row) => String(number(row, ...path)),
  });
  const columns: readonly Column[] = [
    {
      header: by.toUpperCase(),
      cell: (row) => (text(row, "value") === "" ? "(none)" : text(row, "value")),
    },
    countColumn("CLUSTERS", "CLUSTERS", ["clusters", "total"]),
    countColumn("ATTACHED", "ATTACHED", ["clusters", "attached"]),
    countColumn("APPS", "APPS", ["applications", "total"]),
    ...healthOrder.map((state) =>
      countColumn(state.toUpperCase(), signOf(state, session.look), [
        "applications",
        "health",
        state,
      ]),
    ),
    countColumn("OUTOFSYNC", signOf("OutOfSync", session.look), [
      "applications",
      "sync",
      "OutOfSync",
    ]),
  ];
  return tablePrinter(columns, session.manner()).print(parts(summary, "groups"));
}
