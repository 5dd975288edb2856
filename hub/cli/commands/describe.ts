import {
  flag,
  has,
  maybeNumber,
  number,
  pairs,
  part,
  parts,
  text,
  type Answer,
} from "../answer.ts";
import type { ApiClient } from "../client.ts";
import { exitCodes, type ExitCode } from "../exit-codes.ts";
import { countsText, healthOrder, stateText, syncOrder } from "../glyphs.ts";
import { appsKind, resourceColumns } from "../kinds.ts";
import { isWhole, printValue, shapeVersion } from "../output.ts";
import { findReferred, type Found } from "../references.ts";
import type { Session } from "../session.ts";
import { conditionTexts, stepTexts } from "../set-status.ts";
import { tablePrinter } from "../table.ts";
import { moment, oneLine, paint, shortAge, shortDuration } from "../terminal.ts";

/** `describe REF`: everything about one thing, for people; `-o json` gives it whole. */
export async function describe(session: Session, words: readonly string[]): Promise<ExitCode> {
  const client = await session.client();
  for (const [index, word] of words.entries()) {
    const found = await findReferred(client, word);
    const detail = await readDetail(client, found);
    if (isWhole(session.format)) {
      const whole = { apiVersion: shapeVersion, kind: found.kind.kind, ...detail };
      await printValue(session.world, whole, session.format);
    } else if (session.format === "name") {
      session.world.stdout.write(`${found.kind.referenceOf(found.answer)}\n`);
    } else {
      session.world.stdout.write(
        `${index === 0 ? "" : "\n"}${describeFound(session, found, detail)}`,
      );
    }
  }
  return exitCodes.done;
}

async function readDetail(client: ApiClient, { kind, name, answer }: Found): Promise<Answer> {
  switch (kind.kind) {
    case "apps": {
      const resources = await client.get(`/v1/applications/${encodeURIComponent(name)}/resources`);
      return { ...answer, resources: parts(resources, "items") };
    }
    case "clusters": {
      const { items } = await client.list("/v1/applications", { cluster: name }, 500);
      return { ...answer, members: items };
    }
    default:
      return answer;
  }
}

function describeFound(session: Session, { kind }: Found, detail: Answer): string {
  switch (kind.kind) {
    case "apps":
      return describeApplication(session, detail);
    case "clusters":
      return describeCluster(session, detail);
    case "sets":
      return describeSet(session, detail);
    default:
      return describeRepository(session, detail);
  }
}

type Line = readonly [label: string, value: string];

/** Labels in a column; what has no value is left out. */
const lines = ({ look }: Session, given: readonly Line[]): string =>
  given
    .filter(([, value]) => value !== "")
    .map(([label, value]) => `${paint(label.padEnd(13), "bold", look)}${value}\n`)
    .join("");

const title = (session: Session, name: string, rest: string): string =>
  `${paint(oneLine(name), "bold", session.look)}   ${rest}\n`;

function when(session: Session, atMs: number | undefined): string {
  const { clock } = session.world;
  return atMs === undefined ? "" : `${shortAge(atMs, clock.nowMs())} ago (${moment(atMs)})`;
}

function problemLine(session: Session, answer: Answer): Line {
  if (!has(answer, "problem")) return ["PROBLEM", ""];
  const problem = part(answer, "problem");
  const age = shortAge(number(problem, "sinceAtMs"), session.world.clock.nowMs());
  const said = oneLine(`${text(problem, "code")} for ${age}: ${text(problem, "message")}`);
  return ["PROBLEM", paint(said, "red", session.look)];
}

function describeApplication(session: Session, app: Answer): string {
  const { look } = session;
  const state = part(app, "status");
  const source = part(app, "source");
  const policy = part(app, "policy");
  const target = part(app, "destination");
  const health = stateText(text(state, "health", "state"), look);
  const message = oneLine(text(state, "health", "message"));
  const generations = `generation ${text(app, "generation")} (applied ${text(state, "appliedGeneration")}, healthy ${text(state, "healthyGeneration")})`;
  const allowed = ["automated", "prune", "selfHeal", "allowEmpty", "createNamespace"].filter(
    (name) => flag(policy, name),
  );
  const resources = parts(app, "resources");
  const conditions = parts(state, "conditions").map((condition): Line => [
    "CONDITION",
    paint(oneLine(`${text(condition, "code")} ${text(condition, "message")}`), "yellow", look),
  ]);
  return (
    title(session, text(app, "name"), `app in ${text(app, "cluster") || "no cluster"}`) +
    lines(session, [
      ["STATE", `${stateText(text(state, "syncStatus"), look)}   ${health}   ${generations}`],
      ["MESSAGE", message],
      problemLine(session, app),
      ...conditions,
      [
        "FROM",
        oneLine(
          `${text(app, "origin", "kind") === "application-set" ? "set" : "app"}/${text(app, "origin", "name")}`,
        ),
      ],
      ["PROJECT", oneLine(text(app, "project"))],
      [
        "SOURCE",
        oneLine(
          `${text(source, "repoURL")} ${text(source, "path")} at ${text(source, "targetRevision")}`,
        ),
      ],
      ["REVISION", oneLine(text(app, "revision"))],
      [
        "APPLIED",
        text(state, "appliedRevision") === text(app, "revision")
          ? ""
          : oneLine(text(state, "appliedRevision")),
      ],
      [
        "DESTINATION",
        oneLine(
          [
            text(target, "name") || text(target, "server"),
            text(target, "namespace") === "" ? "" : `namespace ${text(target, "namespace")}`,
          ]
            .filter((word) => word !== "")
            .join(", "),
        ),
      ],
      ["POLICY", allowed.length === 0 ? "sync on command" : allowed.join(", ")],
      ["LABELS", oneLine(pairs(part(app, "labels")).join(", "))],
      ["CHANGED", when(session, maybeNumber(app, "changedAtMs"))],
      ["REPORTED", when(session, maybeNumber(state, "reportedAtMs"))],
      ["LAST SYNC", operationText(session, part(state, "operation"))],
      ["OBJECTS", `${resources.length} reported, ${text(app, "objects")} offered`],
    ]) +
    indented(tablePrinter(resourceColumns, session.manner()).print(resources), resources.length)
  );
}

function operationText(session: Session, operation: Answer): string {
  const startedAtMs = maybeNumber(operation, "startedAtMs");
  if (startedAtMs === undefined) return "";
  const finishedAtMs = maybeNumber(operation, "finishedAtMs");
  const took =
    finishedAtMs === undefined ? "" : `, took ${shortDuration(finishedAtMs - startedAtMs)}`;
  const message = oneLine(text(operation, "message"));
  const age = shortAge(startedAtMs, session.world.clock.nowMs());
  return `${text(operation, "phase")}, generation ${text(operation, "generation")}, ${age} ago${took}${message === "" ? "" : `: ${message}`}`;
}

function describeCluster(session: Session, cluster: Answer): string {
  const { look } = session;
  const connection = part(cluster, "connection");
  const since = when(session, maybeNumber(connection, "sinceAtMs"));
  const expiresAtMs = maybeNumber(cluster, "certificateExpiresAtMs");
  const nowMs = session.world.clock.nowMs();
  const members = parts(cluster, "members");
  const behind = number(cluster, "desiredVersion") - number(cluster, "storedVersion");
  return (
    title(session, text(cluster, "name"), "cluster") +
    lines(session, [
      [
        "CONNECTION",
        `${stateText(text(connection, "kind"), look)}${since === "" ? "" : ` since ${since}`}`,
      ],
      ["LAST SEEN", when(session, maybeNumber(cluster, "lastSeenAtMs"))],
      ["LOCKED", lockText(session, part(cluster, "locked"))],
      ["SPOKE", oneLine(text(cluster, "spokeVersion"))],
      ["KUBERNETES", oneLine(text(cluster, "kubernetesVersion"))],
      [
        "CERTIFICATE",
        expiresAtMs === undefined
          ? ""
          : `ends in ${shortDuration(expiresAtMs - nowMs)} (${moment(expiresAtMs)})`,
      ],
      ["ID", oneLine(text(cluster, "id"))],
      ["SERVER", oneLine(text(cluster, "server"))],
      ["LABELS", oneLine(pairs(part(cluster, "labels")).join(", "))],
      ["ANNOTATIONS", oneLine(pairs(part(cluster, "annotations")).join(", "))],
      [
        "DESIRED",
        `version ${text(cluster, "desiredVersion")}${behind > 0 ? `, ${text(cluster, "storedVersion")} stored` : ", stored"}`,
      ],
      ...countLines(session, cluster),
      ["REGISTERED", when(session, maybeNumber(cluster, "createdAtMs"))],
    ]) +
    indented(tablePrinter(appsKind.columns, session.manner()).print(members), members.length)
  );
}

function lockText(session: Session, locked: Answer): string {
  const since = when(session, maybeNumber(locked, "sinceAtMs"));
  return since === "" ? "" : `since ${since}: ${oneLine(text(locked, "why"))}`;
}

function countLines({ look }: Session, answer: Answer): readonly Line[] {
  const health = part(answer, "applications", "health");
  const sync = part(answer, "applications", "sync");
  return [
    [
      "APPS",
      `${number(answer, "applications", "total")}   ${countsText(healthOrder, (state) => number(health, state), look)}`,
    ],
    ["SYNC", countsText(syncOrder, (state) => number(sync, state), look)],
  ];
}

function describeSet(session: Session, set: Answer): string {
  const { look, world } = session;
  const members = parts(set, "generated", "items");
  const more = text(set, "generated", "next") !== "";
  return (
    title(session, text(set, "name"), "set") +
    lines(session, [
      ["STATE", stateText(text(set, "status", "health"), look)],
      problemLine(session, set),
      ...conditionTexts(set, world.clock.nowMs()).map((said): Line => [
        "CONDITION",
        paint(said, "yellow", look),
      ]),
      ...stepTexts(set),
      ["PROJECT", oneLine(text(set, "project"))],
      ["FILE", oneLine(`${text(set, "path")} at ${text(set, "commit")}`)],
      ["GENERATED", when(session, maybeNumber(set, "generatedAtMs"))],
      ...countLines(session, set),
    ]) +
    indented(tablePrinter(appsKind.columns, session.manner()).print(members), members.length) +
    (more ? `\n  more: wheelhouse get apps --set ${oneLine(text(set, "name"))}\n` : "")
  );
}

function describeRepository(session: Session, repository: Answer): string {
  const heads = part(repository, "heads");
  return (
    title(session, text(repository, "url"), "repo") +
    lines(session, [
      problemLine(session, repository),
      ...Object.keys(heads)
        .toSorted()
        .map((head): Line => ["HEAD", oneLine(`${head} ${text(heads, head)}`)]),
      ["CHECKED", when(session, maybeNumber(repository, "checkedAtMs"))],
      ["FETCHED", when(session, maybeNumber(repository, "fetchedAtMs"))],
    ])
  );
}

const indented = (table: string, rows: number): string =>
  rows === 0 ? "" : `\n${table.replaceAll(/^(?=.)/gm, "  ")}`;
